//! One span a request, one child an attempt, in the caller's trace, exported to a real OTLP collector.
//!
//! One test: logs and traces belong to the whole process.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test ends where it fails, and spawns what it waits for"
)]

use std::time::Duration;

use fkm_sidecar::app::Running;
use fkm_sidecar::args::{Settings, Source};
use fkm_snapshot::Secrets;
use fkm_telemetry::logs::{self, LogFormat};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let _ = self.0.send(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Asks once, in a trace of the caller's.
async fn ask(running: &Running) {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "a secret prompt"}]})
        .to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntraceparent: 00-{TRACE}-b7ad6b7169203331-01\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut socket = TcpStream::connect(running.addresses().llm[0])
        .await
        .unwrap();
    socket.write_all((head + &body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

async fn sidecar() -> Running {
    let any = "127.0.0.1:0".parse().unwrap();
    let settings = Settings {
        listen: vec![any],
        admin_listen: vec![any],
        probe_listen: any,
        source: Source::Embedded,
        drain: Duration::from_secs(1),
        ambient: fkm_sidecar::signin::ambient::Ambient::default(),
        network: fkm_sidecar::network::NetworkSettings::default(),
    };
    let running = Running::start(&settings).await.unwrap();
    let provider = |name: &str, priority: u32, errors: u32| {
        json!({
            "name": name, "system": "simulated", "priority": priority, "models": {"m": {"upstreamName": "m-upstream"}},
            "connection": {"simulated": {"text": "one two", "errorPerMillion": errors}},
        })
    };
    let snapshot = json!({
        "pools": {"t/p": {"providers": [provider("bad", 0, 1_000_000), provider("good", 1, 0)]}},
        "rules": [{"route": "t/r", "name": "all", "backends": [{"name": "b", "pool": "t/p"}]}],
    });
    running
        .store()
        .apply(snapshot.to_string().as_bytes(), &Secrets::default())
        .unwrap();
    running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_is_one_span_with_two_children() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, mut received) = mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(Collector(sender)))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    let guard = logs::init(&logs::Settings {
        service_name: "fkm-sidecar".to_owned(),
        service_version: "0".to_owned(),
        log_filter: "off".to_owned(),
        format: LogFormat::Json,
        otlp_endpoint: Some(endpoint),
        resource: Vec::new(),
    })
    .unwrap();

    let running = sidecar().await;
    ask(&running).await;
    running.shut_down().await;
    guard.shutdown(Duration::from_secs(10)).unwrap();

    let mut spans: Vec<Span> = Vec::new();
    while let Ok(export) = received.try_recv() {
        let scopes = export
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans);
        spans.extend(scopes.flat_map(|scope| scope.spans));
    }
    spans.sort_by_key(|span| span.start_time_unix_nano);
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "POST /v1/chat/completions",
            "chat m-upstream",
            "chat m-upstream"
        ]
    );
    let [request, failed, answered] = &spans[..] else {
        unreachable!("three names, three spans")
    };
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE));
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert!(
        [failed, answered]
            .iter()
            .all(|span| span.parent_span_id == request.span_id)
    );
    let shown = format!("{request:?}");
    assert!(
        shown.contains("gen_ai.usage.output_tokens") && !shown.contains("a secret prompt"),
        "{shown}"
    );
    let shown = format!("{failed:?}");
    assert!(
        shown.contains("error.type") && shown.contains("Overloaded"),
        "{shown}"
    );
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
