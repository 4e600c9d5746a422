//! Spans reach an OTLP collector with their names, parent and resource, whatever the log filter says.
//!
//! One test: `init` belongs to the whole process.
#![expect(clippy::disallowed_methods, reason = "tests do not drain")]

use std::time::Duration;

use fkm_telemetry::logs::{self, LogFormat, Settings};
use fkm_telemetry::{names, trace_context};
use http::HeaderMap;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use tracing::{debug_span, info_span};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_arrive_before_shutdown_returns() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mut received) = mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(Collector(sender)))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);

    let guard = logs::init(&Settings {
        service_name: "fkm-test".to_owned(),
        service_version: "1.2.3".to_owned(),
        log_filter: "off".to_owned(),
        format: LogFormat::Json,
        otlp_endpoint: Some(format!("http://{address}")),
        resource: vec![(names::K8S_POD_NAME.to_owned(), "pod-1".to_owned())],
    })
    .unwrap();

    let mut headers = HeaderMap::new();
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    headers.insert(trace_context::TRACEPARENT, parent.parse().unwrap());
    emit(&headers);

    guard.shutdown(Duration::from_secs(10)).unwrap();
    let export = received
        .try_recv()
        .expect("flushed before shutdown returned");
    let resource = format!("{:?}", export.resource_spans[0].resource);
    for part in ["fkm-test", "1.2.3", "pod-1"] {
        assert!(resource.contains(part), "{resource}");
    }
    let spans = &export.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans.len(), 1, "neither foreign nor debug spans: {spans:?}");
    assert_eq!(spans[0].name, "chat gpt-4o");
    assert_eq!(hex(&spans[0].trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex(&spans[0].parent_span_id), "b7ad6b7169203331");
    let attributes = format!("{:?}", spans[0].attributes);
    assert!(
        attributes.contains(names::GEN_AI_PROVIDER_NAME),
        "{attributes}"
    );
}

fn emit(headers: &HeaderMap) {
    let span = info_span!(
        target: "fkm_test",
        "attempt",
        { names::OTEL_NAME } = "chat gpt-4o",
        { names::OTEL_KIND } = "client",
        { names::GEN_AI_PROVIDER_NAME } = "openai",
    );
    trace_context::adopt(&span, headers);
    let sent = trace_context::traceparent(&span).expect("traces are exported");
    assert!(
        sent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
        "{sent}"
    );
    span.in_scope(|| {
        drop(debug_span!(target: "fkm_test", "detail").entered());
        drop(info_span!(target: "h2", "foreign").entered());
    });
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
