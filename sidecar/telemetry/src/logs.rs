//! Starts logs and, when asked, traces.
//!
//! Logs go to stderr: JSON, one object a line, unless a person is watching. Traces go to an OTLP collector over gRPC,
//! only when an endpoint is given. The log filter never thins out traces: each has its own.

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use thiserror::Error;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

use crate::names;

/// Spans of our own crates are exported, from this level up; those of libraries never, or the exporter's own calls
/// would be traced and exported in turn.
const EXPORTED: (&str, LevelFilter) = ("fkm", LevelFilter::INFO);

/// What a process says about its logs and traces.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `service.name`.
    pub service_name: String,
    /// `service.version`.
    pub service_version: String,
    /// What is logged, as `EnvFilter` directives, for example `info,fkm_sidecar=debug`.
    pub log_filter: String,
    /// How a log line looks.
    pub format: LogFormat,
    /// `http://host:port` of an OTLP collector (gRPC); `None`: no traces are made.
    pub otlp_endpoint: Option<String>,
    /// Further resource attributes, for example the pod's name; they come after what `OTEL_RESOURCE_ATTRIBUTES` says
    /// and win over it.
    pub resource: Vec<(String, String)>,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// [`Text`](Self::Text) when stderr is a terminal, else [`Json`](Self::Json). The default.
    #[default]
    Auto,
    /// One object a line; `timestamp`, `level`, `target`, `message`, the event's fields, and `span` with the current
    /// span's.
    Json,
    /// For people; coloured when stderr is a terminal.
    Text,
}

/// Why logs or traces could not be started.
#[derive(Debug, Error)]
pub enum InitError {
    /// The filter does not parse.
    #[error("log filter {0:?} is not a list of directives like \"info,fkm_sidecar=debug\"")]
    Filter(String, #[source] ParseError),
    /// The endpoint cannot be used.
    #[error("OTLP endpoint {0:?} is not usable: give http://HOST:PORT of a gRPC receiver")]
    Endpoint(String),
    /// The exporter could not be built.
    #[error("the OTLP exporter for {0:?} could not be built")]
    Exporter(String, #[source] opentelemetry_otlp::ExporterBuildError),
    /// The exporter's connection needs a running runtime.
    #[error("traces must be started inside a tokio runtime")]
    NoRuntime,
    /// Something else already took the process's logs.
    #[error("logs were already started in this process")]
    AlreadyStarted(#[source] TryInitError),
}

/// Spans that were not flushed when the process ended.
#[derive(Debug, Error)]
#[error("the last spans were not delivered within {0:?}")]
pub struct FlushError(Duration, #[source] opentelemetry_sdk::error::OTelSdkError);

/// Holds what must be flushed at the end.
#[derive(Debug)]
#[must_use = "call `shutdown` at the end, or the last spans are lost"]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
}

/// Starts logs, and traces when an endpoint is given, for the whole process.
///
/// With an endpoint it must be called inside a tokio runtime, and that runtime must run until [`Guard::shutdown`] has
/// returned. A collector that is not there is no error: spans are dropped until it is.
pub fn init(settings: &Settings) -> Result<Guard, InitError> {
    let filter = EnvFilter::builder()
        .parse(&settings.log_filter)
        .map_err(|error| InitError::Filter(settings.log_filter.clone(), error))?;
    let terminal = std::io::stderr().is_terminal();
    let provider = tracer_provider(settings)?;
    let started = match &provider {
        None => without_traces(settings.format, filter, terminal, std::io::stderr).try_init(),
        Some(provider) => {
            let (target, level) = EXPORTED;
            let traces = tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("fkm"))
                .with_location(false)
                .with_threads(false)
                .with_tracked_inactivity(false)
                .with_filter(Targets::new().with_target(target, level));
            let lines = lines(settings.format, terminal, std::io::stderr).with_filter(filter);
            tracing_subscriber::registry()
                .with(lines)
                .with(traces)
                .try_init()
        }
    };
    started.map_err(InitError::AlreadyStarted)?;
    Ok(Guard { provider })
}

/// Log lines alone. The filter stands before everything, so that what it turns off costs nothing: a filter of one layer
/// leaves spans to be made that no layer wants.
fn without_traces<W>(
    format: LogFormat,
    filter: EnvFilter,
    terminal: bool,
    writer: W,
) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    tracing_subscriber::registry()
        .with(filter)
        .with(lines(format, terminal, writer))
}

/// The layer that writes log lines.
fn lines<S, W>(format: LogFormat, terminal: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Auto if terminal => lines.with_ansi(true).boxed(),
        LogFormat::Text => lines.with_ansi(terminal).boxed(),
        LogFormat::Auto | LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
    }
}

fn tracer_provider(settings: &Settings) -> Result<Option<SdkTracerProvider>, InitError> {
    let Some(endpoint) = &settings.otlp_endpoint else {
        return Ok(None);
    };
    if !endpoint
        .parse::<http::Uri>()
        .is_ok_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some())
    {
        return Err(InitError::Endpoint(endpoint.clone()));
    }
    if Handle::try_current().is_err() {
        return Err(InitError::NoRuntime);
    }
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .map_err(|error| InitError::Exporter(endpoint.clone(), error))?;
    let further = settings
        .resource
        .iter()
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let resource = Resource::builder()
        .with_attributes(further)
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new(
            names::SERVICE_VERSION,
            settings.service_version.clone(),
        ))
        .build();
    Ok(Some(
        SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build(),
    ))
}

// === impl Guard ===

impl Guard {
    /// Sends the spans that still wait, for at most `within`; blocks the calling thread meanwhile.
    ///
    /// Call it last, from `main`'s own thread, while the runtime still runs.
    pub fn shutdown(self, within: Duration) -> Result<(), FlushError> {
        match self.provider {
            None => Ok(()),
            Some(provider) => provider
                .shutdown_with_timeout(within)
                .map_err(|error| FlushError(within, error)),
        }
    }
}

#[cfg(test)]
mod tests;
