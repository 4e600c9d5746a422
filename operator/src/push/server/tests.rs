use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use fkm_push::wire::config_service_client::ConfigServiceClient;
use fkm_push::{
    Ack, Client, ClientMessage, ClientSettings, ConnectError, Hello, PushStream, ServerMessage,
};
use futures_util::StreamExt;
use k8s_openapi::api::authentication::v1::TokenReviewStatus;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::time::sleep;
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use super::*;
use crate::assignment::{Assignment, Standing};
use crate::push::fixtures::{CANARY, Tables, assignment, hello, hello_with, is_of, pod};
use crate::push::{Ca, ReviewError, Reviewer, Violation, service_names};

/// A token as its own claims describe it.
fn token(id: &str) -> String {
    let claims = json!({"aud": ["fkm-operator"], "jti": id});
    format!(
        "e30.{}.c2ln",
        BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())
    )
}

/// Knows one token.
#[derive(Debug)]
struct OneToken;

#[tonic::async_trait]
impl Reviewer for OneToken {
    async fn review(&self, token: &SecretString) -> Result<TokenReviewStatus, ReviewError> {
        if token.expose_secret() != self::token("good") {
            return Ok(TokenReviewStatus::default());
        }
        let status = json!({
            "authenticated": true,
            "audiences": ["fkm-operator"],
            "user": {
                "username": "system:serviceaccount:shop:shop-account",
                "extra": {
                    "authentication.kubernetes.io/pod-name": [pod().name],
                    "authentication.kubernetes.io/pod-uid": [pod().uid]
                }
            }
        });
        Ok(serde_json::from_value(status).unwrap())
    }
}

/// A server on loopback.
struct Running {
    tables: Tables,
    tasks: Tasks,
    settings: ClientSettings,
}

impl Running {
    async fn new() -> Self {
        let (tables, tasks) = (Tables::new(), Tasks::new());
        let now = SystemTime::now();
        let ca = Ca::generate(now).unwrap();
        let names = service_names("fkm-system");
        let certificate = ca.issue(&names, now).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = PushServer {
            authenticator: Authenticator::new(Arc::new(OneToken)),
            assignments: tables.assignments.clone(),
            acknowledgements: tables.acknowledgements.clone(),
            incidents: tables.incidents.clone(),
            metrics: tables.metrics.clone(),
            timings: Timings::default(),
            tasks: tasks.clone(),
        };
        tasks.spawn("server", async move {
            server.serve(listener, &certificate).await.unwrap();
        });
        let settings = ClientSettings {
            endpoint: format!("https://127.0.0.1:{port}"),
            ca_pem: ca.certificate_pem().to_owned(),
            server_name: Some(names[0].clone()),
        };
        Self {
            tables,
            tasks,
            settings,
        }
    }

    async fn connect(&self, token: &str, hello: Hello) -> Result<PushStream, ConnectError> {
        let mut client = Client::connect(&self.settings).await?;
        client.open(&self::token(token).into(), hello).await
    }

    async fn until(&self, what: impl Fn(&Tables) -> bool) {
        let wait = async {
            while !what(&self.tables) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(5), wait).await.unwrap();
    }
}

async fn next(stream: &mut PushStream) -> ServerMessage {
    let next = timeout(Duration::from_secs(5), stream.receive()).await;
    next.unwrap().unwrap().unwrap()
}

fn code(error: &ConnectError) -> Code {
    match error {
        ConnectError::Ended(status) => status.code(),
        other => panic!("{other:?}"),
    }
}

async fn take(stream: &mut PushStream, wanted: &Assignment) {
    let ServerMessage::Context(context) = next(stream).await else {
        panic!("no context")
    };
    assert_eq!(context, wanted.context);
    let ServerMessage::Secrets(secrets) = next(stream).await else {
        panic!("no secrets")
    };
    let value = secrets.secrets.entries.values().next().unwrap();
    assert_eq!(value.expose_secret(), format!("{CANARY}-s1"));
    let ServerMessage::Snapshot(snapshot) = next(stream).await else {
        panic!("no snapshot")
    };
    assert!(is_of(&snapshot, wanted));
    snapshot.open().unwrap();
    let ack = Ack {
        version: snapshot.version,
        hash: snapshot.hash,
        secrets_version: secrets.secrets.version.clone(),
    };
    stream.send(ClientMessage::Ack(ack)).await.unwrap();
}

#[tokio::test]
async fn over_tls_a_sidecar_gets_its_snapshot_once_and_not_again_after_a_restart() {
    let running = Running::new().await;
    let wanted = assignment(1, "s1");
    running.tables.grant(&wanted);
    let mut stream = running.connect("good", hello()).await.unwrap();
    take(&mut stream, &wanted).await;
    running
        .until(|tables| tables.programmed_generation() == Some(1))
        .await;
    let bytes = running.tables.metrics.snapshot_bytes.get();
    assert_eq!(bytes, wanted.snapshot.compressed.len() as u64);
    drop(stream);
    running
        .until(|tables| tables.acknowledgements.all().is_empty())
        .await;

    let mut again = running.connect("good", hello_with(&wanted)).await.unwrap();
    assert!(matches!(next(&mut again).await, ServerMessage::Context(_)));
    running
        .until(|tables| tables.programmed_generation() == Some(1))
        .await;
    let metrics = &running.tables.metrics;
    assert_eq!(metrics.snapshot_bytes.get(), bytes);
    assert_eq!((metrics.snapshots.get(), metrics.secrets.get()), (1, 1));
}

#[tokio::test]
async fn a_foreign_token_gets_nothing() {
    let mut running = Running::new().await;
    running.tables.grant(&assignment(1, "s1"));
    let refused = running.connect("bad", hello()).await.unwrap_err();
    assert_eq!(code(&refused), Code::Unauthenticated);
    let incident = running.tables.reported.try_recv().unwrap();
    assert_eq!((incident.reason, incident.proven), ("InvalidToken", false));
    assert_eq!(running.tables.metrics.refusals("InvalidToken"), 1);
    assert_eq!(running.tables.metrics.streams.get(), 0);
}

#[tokio::test]
async fn a_token_of_another_pod_gets_nothing() {
    let mut running = Running::new().await;
    running.tables.grant(&assignment(1, "s1"));
    let mut claim = hello();
    claim.pod.name = "bank-1".into();
    let mut stream = running.connect("good", claim).await.unwrap();
    let refused = stream.receive().await.unwrap_err();
    assert_eq!(code(&refused), Code::PermissionDenied);
    assert_eq!(
        running.tables.reported.try_recv().unwrap().reason,
        "WrongPod"
    );
    assert_eq!(running.tables.metrics.secrets.get(), 0);
}

#[tokio::test]
async fn a_violation_closes_the_stream() {
    let running = Running::new().await;
    let wanted = assignment(1, "s1");
    running.tables.grant(&wanted);
    let mut stream = running.connect("good", hello()).await.unwrap();
    take(&mut stream, &wanted).await;
    let denied = Standing::Denied(Violation::HostPid);
    running.tables.assignments.publish(&pod().uid, denied);
    let refused = timeout(Duration::from_secs(1), stream.receive()).await;
    let refused = refused.unwrap().unwrap_err();
    assert_eq!(code(&refused), Code::PermissionDenied);
    assert!(refused.to_string().contains("hostPID is set"), "{refused}");
}

#[tokio::test]
async fn a_change_reaches_a_stream_at_once() {
    let running = Running::new().await;
    let wanted = assignment(1, "s1");
    running.tables.grant(&wanted);
    let mut stream = running.connect("good", hello_with(&wanted)).await.unwrap();
    assert!(matches!(next(&mut stream).await, ServerMessage::Context(_)));
    running.tables.grant(&assignment(2, "s1"));
    let ServerMessage::Snapshot(snapshot) = next(&mut stream).await else {
        panic!("no snapshot")
    };
    assert!(is_of(&snapshot, &assignment(2, "s1")));
}

#[tokio::test]
async fn sidecars_trust_our_ca_and_our_name_only() {
    let running = Running::new().await;
    let stranger = Ca::generate(SystemTime::now()).unwrap();
    let other_ca = ClientSettings {
        ca_pem: stranger.certificate_pem().to_owned(),
        ..running.settings.clone()
    };
    let other_name = ClientSettings {
        server_name: Some("fkm-operator.other.svc".into()),
        ..running.settings.clone()
    };
    for settings in [other_ca, other_name] {
        let refused = Client::connect(&settings).await.unwrap_err();
        assert!(
            matches!(refused, ConnectError::Connect { .. }),
            "{refused:?}"
        );
    }
}

/// With a client that has no bound of its own.
#[tokio::test]
async fn an_oversized_message_ends_its_stream_and_nothing_else() {
    let running = Running::new().await;
    let wanted = assignment(1, "s1");
    running.tables.grant(&wanted);
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&running.settings.ca_pem))
        .domain_name(&service_names("fkm-system")[0]);
    let endpoint = Endpoint::from_shared(running.settings.endpoint.clone()).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    let feature = "f".repeat(MAX_CLIENT_MESSAGE_BYTES);
    let large = Hello {
        features: vec![feature.as_str().into()],
        ..hello()
    };
    let messages = futures_util::stream::iter([ClientMessage::Hello(large).into()]);
    let mut request = Request::new(messages.chain(futures_util::stream::pending()));
    let bearer = format!("Bearer {}", token("good")).parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let answer = ConfigServiceClient::new(channel).connect(request).await;
    let refused = match answer {
        Ok(stream) => stream.into_inner().message().await.unwrap_err(),
        Err(refused) => refused,
    };
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    assert_eq!(running.tables.metrics.secrets.get(), 0);

    let mut other = running.connect("good", hello()).await.unwrap();
    take(&mut other, &wanted).await;
}

#[tokio::test]
async fn a_stop_ends_streams_as_unavailable_and_the_server_too() {
    let running = Running::new().await;
    running.tables.grant(&assignment(1, ""));
    let mut stream = running.connect("good", hello()).await.unwrap();
    next(&mut stream).await;
    next(&mut stream).await;
    running.tasks.stop();
    let ended = stream.receive().await.unwrap_err();
    assert_eq!(code(&ended), Code::Unavailable);
    drop(stream);
    assert_eq!(running.tasks.finish(Duration::from_secs(4)).await, Ok(()));
    assert!(Client::connect(&running.settings).await.is_err());
}

/// The client's own bound, against something that takes the connection and never says a word.
#[tokio::test]
async fn a_client_does_not_wait_for_a_stream_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = ClientSettings {
        endpoint: format!("http://127.0.0.1:{port}"),
        ca_pem: Ca::generate(SystemTime::now())
            .unwrap()
            .certificate_pem()
            .to_owned(),
        server_name: None,
    };
    let mut client = Client::connect(&settings).await.unwrap();
    let _taken = listener.accept().await.unwrap();
    tokio::time::pause();
    let begin = tokio::time::Instant::now();
    let token = token("good").into();
    let opened = client.open(&token, hello()).await;
    assert!(matches!(opened, Err(ConnectError::NoStream)), "{opened:?}");
    assert_eq!(begin.elapsed().as_secs(), 10);
}
