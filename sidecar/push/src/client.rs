//! The sidecar's end of the stream: one TLS connection that trusts the operator's CA and nothing else.
//!
//! Makes one connection and one stream. When to try again is the caller's decision.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status, Streaming};

use crate::wire;
use crate::wire::config_service_client::ConfigServiceClient;
use crate::{
    ClientMessage, Hello, InvalidMessage, MAX_CLIENT_MESSAGE_BYTES, MAX_SERVER_MESSAGE_BYTES,
    ServerMessage,
};

/// TCP and TLS together; an operator in the same cluster answers in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For an answer to a request: an operator that reviews the token takes at most 5 s.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an idle connection is probed, so that a vanished operator is noticed without traffic.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// How long the answer to a probe may take.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages that wait to be written: Hello and one answer; the protocol has no more under way.
const OUTBOUND: usize = 2;

/// Where the operator is and what proves that it is the operator.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// `https://host:port`.
    pub endpoint: String,
    /// The CA certificates to trust, PEM. Public roots are not trusted.
    pub ca_pem: String,
    /// The name that the operator's certificate must have; none: the host of `endpoint`.
    pub server_name: Option<String>,
}

/// A connection to one operator.
#[derive(Clone, Debug)]
pub struct Client {
    service: ConfigServiceClient<Channel>,
}

/// An open stream, Hello sent.
#[derive(Debug)]
pub struct PushStream {
    outbound: mpsc::Sender<wire::ClientMessage>,
    inbound: Streaming<wire::ServerMessage>,
}

/// Why there is no stream, or no more.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The settings cannot be used.
    #[error("operator endpoint {endpoint:?} or its CA cannot be used")]
    Settings {
        /// What was given.
        endpoint: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
    /// Nothing to trust.
    #[error("the CA bundle for the operator holds no certificate; give the PEM of its CA")]
    NoCa,
    /// No connection.
    #[error(
        "cannot connect to the operator at {endpoint:?}; is it running, and does a NetworkPolicy let this pod reach it?"
    )]
    Connect {
        /// What was tried.
        endpoint: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
    /// No answer.
    #[error(
        "the operator at {endpoint:?} does not answer within {CONNECT_TIMEOUT:?}; does a NetworkPolicy keep this pod from it?"
    )]
    Silent {
        /// What was tried.
        endpoint: String,
    },
    /// A connection, and no answer to the request for a stream.
    #[error(
        "the operator does not open a stream within {OPEN_TIMEOUT:?}; is it overloaded, or something else at its address?"
    )]
    NoStream,
    /// The token holds characters that a header cannot have.
    #[error("the token cannot stand in a header; is the token file damaged?")]
    Token,
    /// The operator ended the stream, or the connection broke.
    #[error("the operator ended the stream: {:?}: {}", .0.code(), .0.message())]
    Ended(#[source] Box<Status>),
    /// The operator sent something that breaks the protocol.
    #[error("the operator sent an invalid message")]
    Invalid(#[from] InvalidMessage),
}

// === impl Client ===

impl Client {
    /// Connects: TCP, TLS, HTTP/2. Takes at most 5 s.
    pub async fn connect(settings: &ClientSettings) -> Result<Self, ConnectError> {
        // An empty bundle would only show as a certificate that nobody has signed.
        if !settings.ca_pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(ConnectError::NoCa);
        }
        let endpoint = endpoint(settings).map_err(|source| ConnectError::Settings {
            endpoint: settings.endpoint.clone(),
            source,
        })?;
        // The deadline of the endpoint is for TCP alone; this one is for all.
        let channel = timeout(CONNECT_TIMEOUT, endpoint.connect())
            .await
            .map_err(|_| ConnectError::Silent {
                endpoint: settings.endpoint.clone(),
            })?
            .map_err(|source| ConnectError::Connect {
                endpoint: settings.endpoint.clone(),
                source,
            })?;
        let service = ConfigServiceClient::new(channel)
            .max_decoding_message_size(MAX_SERVER_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_CLIENT_MESSAGE_BYTES);
        Ok(Self { service })
    }

    /// Opens the stream: shows the token and says Hello. Takes at most 10 s.
    pub async fn open(
        &mut self,
        token: &SecretString,
        hello: Hello,
    ) -> Result<PushStream, ConnectError> {
        let (outbound, messages) = mpsc::channel(OUTBOUND);
        outbound
            .try_send(ClientMessage::Hello(hello).into())
            .expect("a new channel has room");
        let mut request = Request::new(ReceiverStream::new(messages));
        request
            .metadata_mut()
            .insert("authorization", bearer(token)?);
        let inbound = timeout(OPEN_TIMEOUT, self.service.connect(request))
            .await
            .map_err(|_| ConnectError::NoStream)?
            .map_err(|status| ConnectError::Ended(Box::new(status)))?
            .into_inner();
        Ok(PushStream { outbound, inbound })
    }
}

// === impl PushStream ===

impl PushStream {
    /// The next message. `None`: the operator ended the stream in good order. Safe to cancel.
    pub async fn receive(&mut self) -> Result<Option<ServerMessage>, ConnectError> {
        match self.inbound.message().await {
            Ok(Some(message)) => Ok(Some(message.try_into()?)),
            Ok(None) => Ok(None),
            Err(status) => Err(ConnectError::Ended(Box::new(status))),
        }
    }

    /// Sends an answer.
    pub async fn send(&self, message: ClientMessage) -> Result<(), ConnectError> {
        self.outbound.send(message.into()).await.map_err(|_| {
            ConnectError::Ended(Box::new(Status::unavailable("the connection is closed")))
        })
    }
}

fn endpoint(settings: &ClientSettings) -> Result<Endpoint, tonic::transport::Error> {
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&settings.ca_pem));
    if let Some(name) = &settings.server_name {
        tls = tls.domain_name(name);
    }
    Endpoint::from_shared(settings.endpoint.clone())?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
        .tls_config(tls)
}

/// Marked as sensitive, so that no layer below prints it or puts it into a compression table.
fn bearer(token: &SecretString) -> Result<MetadataValue<Ascii>, ConnectError> {
    let text = format!("Bearer {}", token.expose_secret().trim_end());
    let mut value = MetadataValue::try_from(text).map_err(|_| ConnectError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}
