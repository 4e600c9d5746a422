//! The form of log lines, and what `init` refuses.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use secrecy::SecretString;
use tracing::subscriber::with_default;
use tracing::{info, info_span};

use super::*;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(format: LogFormat, terminal: bool, emit: impl FnOnce()) -> String {
    let page = Page::default();
    let writer = page.clone();
    let lines = lines(format, terminal, move || writer.clone());
    with_default(tracing_subscriber::registry().with(lines), emit);
    let bytes = page.0.lock().clone();
    String::from_utf8(bytes).unwrap()
}

fn settings() -> Settings {
    Settings {
        service_name: "test".to_owned(),
        service_version: "0".to_owned(),
        log_filter: "info".to_owned(),
        format: LogFormat::Auto,
        otlp_endpoint: None,
        resource: Vec::new(),
    }
}

#[test]
fn without_a_terminal_a_line_is_one_json_object() {
    let line = logged(LogFormat::Auto, false, || {
        let span = info_span!("attempt", { names::GEN_AI_PROVIDER_NAME } = "openai");
        span.in_scope(|| info!(llm = %"127.0.0.1:4000", "listening"));
    });
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["message"], "listening");
    assert_eq!(value["llm"], "127.0.0.1:4000");
    assert_eq!(value["level"], "INFO");
    assert_eq!(value["span"]["name"], "attempt");
    assert_eq!(value["span"][names::GEN_AI_PROVIDER_NAME], "openai");
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn a_terminal_gets_colours_and_a_pipe_that_wants_text_does_not() {
    let coloured = logged(LogFormat::Auto, true, || info!("hello"));
    assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    let plain = logged(LogFormat::Text, false, || info!("hello"));
    assert!(
        plain.contains("hello") && !plain.contains('\u{1b}'),
        "{plain:?}"
    );
}

#[test]
fn a_secret_in_a_field_is_not_printed() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by its Debug form only")]
    struct Provider {
        name: &'static str,
        key: SecretString,
    }
    let key = SecretString::from("sk-canary");
    for format in [LogFormat::Json, LogFormat::Text] {
        let page = logged(format, false, || {
            let provider = Provider {
                name: "planted",
                key: key.clone(),
            };
            let span = info_span!("attempt", ?provider);
            span.in_scope(|| info!(?key, "sent"));
        });
        assert!(page.contains("planted"), "{page}");
        assert!(!page.contains("canary"), "{page}");
    }
}

#[test]
fn a_bad_filter_is_named() {
    let wrong = Settings {
        log_filter: "info,fkm=loud".to_owned(),
        ..settings()
    };
    let error = init(&wrong).unwrap_err();
    assert!(error.to_string().contains("info,fkm=loud"), "{error}");
}

#[test]
fn a_bad_endpoint_is_named() {
    for endpoint in ["collector:4317", "https://collector:4317", "http://", ""] {
        let wrong = Settings {
            otlp_endpoint: Some(endpoint.to_owned()),
            ..settings()
        };
        let error = init(&wrong).unwrap_err();
        assert!(matches!(error, InitError::Endpoint(_)), "{error}");
        assert!(error.to_string().contains(endpoint), "{error}");
    }
}

#[test]
fn traces_without_a_runtime_are_refused_not_a_panic() {
    let wrong = Settings {
        otlp_endpoint: Some("http://127.0.0.1:4317".to_owned()),
        ..settings()
    };
    assert!(matches!(init(&wrong).unwrap_err(), InitError::NoRuntime));
}

#[test]
fn without_an_exporter_a_span_that_is_off_is_not_made() {
    let filter = EnvFilter::new("info,quiet=off");
    let page = Page::default();
    let subscriber = without_traces(LogFormat::Json, filter, false, move || page.clone());
    with_default(subscriber, || {
        let off = info_span!(target: "quiet", "request");
        let on = info_span!(target: "spoken", "request");
        assert!(off.is_disabled() && !on.is_disabled());
    });
}
