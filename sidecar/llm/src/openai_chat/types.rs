//! Pieces of the wire that requests, answers and streams share.

use fkm_dialect::CacheMarks;
use serde_json::value::RawValue;

use crate::format::Target;
use crate::ir::{CacheMark, CacheTtl, Citation, FinishReason, Opaque};
use crate::json::{Object, ObjectWriter, Path, Report};
use crate::openai_chat::FORMAT;

/// Takes `prompt_cache_breakpoint`, when it is one that the representation has.
pub(super) fn take_cache(object: &mut Object<'_, '_>) -> Option<CacheMark> {
    let mut mark = Object::from_raw(object.peek(CACHE)?, &Path::Root).ok()?;
    let mode = mark.string("mode").ok()??;
    if mode != "explicit" || !mark.is_empty() {
        return None;
    }
    object.raw(CACHE);
    Some(CacheMark { ttl: None })
}

/// Writes a mark. Notes one that is not taken, and a time where it has no place.
pub(super) fn write_cache(
    object: &mut ObjectWriter<'_>,
    cache: Option<CacheMark>,
    target: &Target<'_>,
    report: &mut Report,
) {
    let Some(CacheMark { ttl }) = cache else {
        return;
    };
    match target.dialect.cache_marks {
        CacheMarks::CacheControl => {
            let mut mark = ObjectWriter::new(object.key(CACHE_CONTROL));
            mark.value("type", "ephemeral");
            mark.optional("ttl", ttl.map(CacheTtl::name).as_ref());
            mark.end();
        }
        CacheMarks::Breakpoint if target.capabilities.cache_breakpoints => {
            if ttl.is_some() {
                report.note(CACHE_CONTROL);
            }
            let mut mark = ObjectWriter::new(object.key(CACHE));
            mark.value("mode", "explicit");
            mark.end();
        }
        CacheMarks::Breakpoint => report.note(CACHE_CONTROL),
    }
}

const CACHE_CONTROL: &str = "cache_control";

/// A source of a text: `{"type": "url_citation", "url_citation": {"url": …, "title": …}}`, or another annotation.
pub(super) fn citation(raw: &RawValue) -> Citation {
    let source = |raw| -> Option<(Option<String>, Option<String>)> {
        let mut object = Object::from_raw(raw, &Path::Root).ok()?;
        let mut inner = Object::from_raw(object.raw("url_citation")?, &Path::Root).ok()?;
        Some((inner.string("url").ok()?, inner.string("title").ok()?))
    };
    let (url, title) = source(raw).unwrap_or_default();
    Citation {
        url,
        title,
        raw: Opaque::new(FORMAT, raw.get()),
    }
}

/// Writes a source; false when it is known to its own format only. `length` is that of the text that it belongs to, in
/// characters. In a stream the source has a number, by which clients put the pieces of a list together.
pub(super) fn write_citation(
    out: &mut Vec<u8>,
    citation: &Citation,
    length: usize,
    number: Option<u32>,
) -> bool {
    if citation.raw.origin == FORMAT {
        out.extend_from_slice(&citation.raw.bytes);
        return true;
    }
    let Some(url) = &citation.url else {
        return false;
    };
    let mut object = ObjectWriter::new(out);
    object.optional("index", number.as_ref());
    object.value("type", "url_citation");
    let mut inner = ObjectWriter::new(object.key("url_citation"));
    inner.value("url", url);
    inner.value("title", citation.title.as_deref().unwrap_or(url));
    inner.value("start_index", &0);
    inner.value("end_index", &length);
    inner.end();
    object.end();
    true
}

const CACHE: &str = "prompt_cache_breakpoint";

/// The meaning of a finish reason; members of the family say the common ones in words of their own.
pub(super) fn finish_reason(word: &str) -> FinishReason {
    match word {
        "" | "stop" | "eos" => FinishReason::Stop,
        "length" | "model_length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" | "sensitive" => FinishReason::ContentFilter,
        name => FinishReason::Other {
            origin: FORMAT,
            name: name.to_owned(),
        },
    }
}

/// The word for a finish reason, and whether it says all.
pub(super) fn finish_word(reason: &FinishReason) -> (&str, bool) {
    match reason {
        FinishReason::Stop => ("stop", true),
        FinishReason::Length => ("length", true),
        FinishReason::ToolCalls => ("tool_calls", true),
        FinishReason::ContentFilter => ("content_filter", true),
        FinishReason::Other { origin, name } if *origin == FORMAT => {
            (name, finish_reason(name) == *reason)
        }
        FinishReason::StopSequence(_) | FinishReason::Pause | FinishReason::Other { .. } => {
            ("stop", false)
        }
    }
}
