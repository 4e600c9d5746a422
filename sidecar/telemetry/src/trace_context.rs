//! W3C trace context: the client's trace goes on through us.
//!
//! Stricter than the propagator of the SDK, and bounded: what is not exactly a `traceparent` is as good as none, so a
//! client can neither make us parse at length nor start a trace under an identifier that no backend takes.

use std::str::FromStr;

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header that carries trace, parent and flags.
pub const TRACEPARENT: &str = "traceparent";
/// The header that carries what the tracing systems on the way added.
pub const TRACESTATE: &str = "tracestate";

/// `00-` + 32 + `-` + 16 + `-` + 2.
const TRACEPARENT_LEN: usize = 55;
/// A later version may append fields; more than this is not read.
const TRACEPARENT_MAX: usize = 256;
/// What the recommendation asks every system to pass on at least.
const TRACESTATE_MAX: usize = 512;

/// The client's trace context, usable as the parent of a span; `None` where there is none, several, or a wrong one.
pub fn extract(headers: &HeaderMap) -> Option<Context> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let parent = parse(value)?;
    let parent = SpanContext::new(
        parent.trace_id(),
        parent.span_id(),
        parent.trace_flags(),
        true,
        trace_state(headers),
    );
    Some(Context::new().with_remote_span_context(parent))
}

/// Makes the client's trace, if it sent one, the parent of `span`. Call it before the span is entered.
///
/// Without an exporter there is nothing to continue, and this does nothing.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    if let Some(parent) = extract(headers) {
        // the only failures are "no exporter" and "already started": neither leaves anything to do
        let _ = span.set_parent(parent);
    }
}

/// The `traceparent` to send under `span`; `None` where traces are not exported.
pub fn traceparent(span: &Span) -> Option<String> {
    format(span.context().span().span_context())
}

/// Reads a `traceparent`. Of a later version the four fields of version 00 are read, as the recommendation says.
pub fn parse(text: &str) -> Option<SpanContext> {
    if !(TRACEPARENT_LEN..=TRACEPARENT_MAX).contains(&text.len()) || !text.is_ascii() {
        return None;
    }
    let (fields, rest) = text.split_at(TRACEPARENT_LEN);
    let mut fields = fields.split('-');
    let mut field = |len| fields.next().filter(|field| is_lower_hex(field, len));
    let (version, trace, span, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
    let whole = match version {
        "00" => rest.is_empty(),
        "ff" => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    let parent = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    (whole && parent.is_valid()).then_some(parent)
}

/// Writes a `traceparent`; `None` for the invalid context, which has no written form.
pub fn format(context: &SpanContext) -> Option<String> {
    context.is_valid().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            context.trace_id(),
            context.span_id(),
            (context.trace_flags() & TraceFlags::SAMPLED).to_u8()
        )
    })
}

fn trace_state(headers: &HeaderMap) -> TraceState {
    let mut joined = String::new();
    for value in headers.get_all(TRACESTATE) {
        let Ok(value) = value.to_str() else {
            return TraceState::NONE;
        };
        if joined.len() + value.len() > TRACESTATE_MAX {
            return TraceState::NONE;
        }
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(value);
    }
    TraceState::from_str(&joined).unwrap_or(TraceState::NONE)
}

fn is_lower_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn round_trip() {
        let parsed = parse(GOOD).unwrap();
        assert!(parsed.is_sampled());
        assert!(parsed.is_remote());
        assert_eq!(format(&parsed).as_deref(), Some(GOOD));
        assert_eq!(format(&SpanContext::NONE), None);
    }

    #[test]
    fn unknown_flags_are_cleared() {
        let other = GOOD.replace("-01", "-fe");
        assert!(!parse(&other).unwrap().is_sampled());
    }

    #[test]
    fn only_the_exact_form() {
        let long = format!("01{}-{}", &GOOD[2..], "a".repeat(TRACEPARENT_MAX));
        let refused = [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-00"),
            &format!("ff{}", &GOOD[2..]),
            &GOOD.to_uppercase(),
            &GOOD.replace("0af7", "0AF7"),
            &GOOD.replace("0af7", "+af7"),
            &GOOD.replace('-', "_"),
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            &GOOD.replace("0af7", "ä7"),
            &format!("01{}x", &GOOD[2..]),
            &long,
        ];
        for text in refused {
            assert!(parse(text).is_none(), "{text}");
        }
        assert!(parse(&format!("01{}-later", &GOOD[2..])).is_some());
    }

    #[test]
    fn headers_give_a_parent() {
        let context = extract(&headers(&[
            (TRACEPARENT, GOOD),
            (TRACESTATE, "a=1"),
            (TRACESTATE, "b=2"),
        ]))
        .unwrap();
        let parent = context.span().span_context().clone();
        assert_eq!(format(&parent).as_deref(), Some(GOOD));
        assert_eq!(parent.trace_state().header(), "a=1,b=2");
    }

    #[test]
    fn doubtful_headers_give_none() {
        assert!(extract(&HeaderMap::new()).is_none());
        assert!(extract(&headers(&[(TRACEPARENT, GOOD), (TRACEPARENT, GOOD)])).is_none());
        let huge = format!("a={}", "x".repeat(TRACESTATE_MAX));
        let context = extract(&headers(&[(TRACEPARENT, GOOD), (TRACESTATE, &huge)])).unwrap();
        let span = context.span();
        assert_eq!(span.span_context().trace_state().header(), "");
    }
}
