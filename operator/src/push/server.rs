//! The listener: TLS, HTTP/2 with probes and bounds, one session a stream.

mod connection;

use std::sync::Arc;
use std::time::Duration;

use fkm_push::wire;
use fkm_push::wire::config_service_server::{ConfigService, ConfigServiceServer};
use fkm_push::{MAX_CLIENT_MESSAGE_BYTES, MAX_SERVER_MESSAGE_BYTES};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tonic::transport::server::TlsConnectInfo;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};
use tracing::warn;

use super::incident::Incidents;
use super::session::{Outgoing, Session, Shared, channel};
use super::{Authenticator, PushMetrics, ServingCertificate, Timings};
use crate::assignment::{Acknowledgements, Assignments};
use crate::task::Tasks;

use connection::{Usage, accept};

/// A peer that has not finished its handshake by then is cut off.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often an idle connection is probed, so that a vanished sidecar does not count as connected.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// How long the answer to a probe may take.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A sidecar needs one stream; a second for the moment in which it opens anew.
const STREAMS_PER_CONNECTION: u32 = 2;

/// A token has about 1 KiB.
const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// How long connections may take to close after their streams were ended.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves sidecars, over what others write and read.
#[derive(Debug)]
pub struct PushServer {
    /// Who says whose a token is.
    pub authenticator: Authenticator,
    /// What each pod gets; written by groups.
    pub assignments: Assignments,
    /// What each sidecar said of it; read by status.
    pub acknowledgements: Acknowledgements,
    /// Where refusals go.
    pub incidents: Incidents,
    /// What is counted.
    pub metrics: PushMetrics,
    /// How long sessions wait.
    pub timings: Timings,
    /// Run the sessions, and end them when they stop.
    pub tasks: Tasks,
}

/// Why the listener does not serve.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The certificate or its key.
    #[error("the push listener's certificate cannot be used")]
    Certificate(#[source] tonic::transport::Error),
    /// The server ended.
    #[error("the push listener failed")]
    Serve(#[source] tonic::transport::Error),
}

#[derive(Clone, Debug)]
struct Service {
    authenticator: Arc<Authenticator>,
    shared: Arc<Shared>,
    tasks: Tasks,
}

// === impl PushServer ===

impl PushServer {
    /// Serves until the tasks stop; then ends every stream with `Unavailable` and closes.
    pub async fn serve(
        self,
        listener: TcpListener,
        certificate: &ServingCertificate,
    ) -> Result<(), ServeError> {
        let identity = Identity::from_pem(certificate.chain_pem(), certificate.key_pem());
        let tls = ServerTlsConfig::new()
            .identity(identity)
            .timeout(HANDSHAKE_TIMEOUT);
        let stopping = self.tasks.stopping();
        let service = ConfigServiceServer::new(self.into_service())
            .max_decoding_message_size(MAX_CLIENT_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_SERVER_MESSAGE_BYTES);
        let server = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .max_concurrent_streams(STREAMS_PER_CONNECTION)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .tls_config(tls)
            .map_err(ServeError::Certificate)?
            .add_service(service)
            .serve_with_incoming_shutdown(accept(listener), stopping.clone().cancelled_owned());
        let mut server = std::pin::pin!(server);
        let end = tokio::select! {
            end = &mut server => Some(end),
            () = stopping.cancelled() => timeout(CLOSE_TIMEOUT, server).await.ok(),
        };
        match end {
            Some(end) => end.map_err(ServeError::Serve),
            None => {
                warn!(limit = ?CLOSE_TIMEOUT, "push connections did not close in time and are dropped");
                Ok(())
            }
        }
    }

    fn into_service(self) -> Service {
        let shared = Shared {
            assignments: self.assignments,
            acknowledgements: self.acknowledgements,
            incidents: self.incidents,
            metrics: self.metrics,
            timings: self.timings,
            stopping: self.tasks.stopping(),
        };
        Service {
            authenticator: Arc::new(self.authenticator),
            shared: Arc::new(shared),
            tasks: self.tasks,
        }
    }
}

// === impl Service ===

#[tonic::async_trait]
impl ConfigService for Service {
    type ConnectStream = Outgoing;

    async fn connect(
        &self,
        request: Request<Streaming<wire::ClientMessage>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        if self.shared.stopping.is_cancelled() {
            return Err(Status::unavailable("the operator is shutting down"));
        }
        let identity = match self.authenticator.authenticate(request.metadata()).await {
            Ok(identity) => identity,
            Err(refused) => {
                let failure = &refused.failure;
                self.shared
                    .incidents
                    .refused(failure, refused.claimed, false);
                return Err(failure.status());
            }
        };
        let connection = request.extensions().get::<TlsConnectInfo<Usage>>();
        let connection = connection.expect("every connection is one that we accepted");
        let in_use = connection.get_ref().begin();
        let (outbound, messages) = channel();
        let inbound = Box::pin(request.into_inner());
        let session = Session::new(Arc::clone(&self.shared), identity, inbound, outbound);
        self.tasks.spawn("push session", async move {
            session.run().await;
            drop(in_use);
        });
        Ok(Response::new(messages))
    }
}

#[cfg(test)]
mod tests;
