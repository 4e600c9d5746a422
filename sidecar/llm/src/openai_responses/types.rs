//! Pieces of the wire that requests, answers and streams share.

use fkm_dialect::Capabilities;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ir::{CacheMark, Citation, FinishReason, Opaque, Usage};
use crate::json::{Object, ObjectWriter, Path, Report, string};
use crate::names::Rule;
use crate::openai_responses::FORMAT;

/// What the name of a function may be (`FunctionToolParam` of the specification).
pub(super) const TOOL_NAME: Rule = Rule {
    max: 128,
    others: "_-",
    first: None,
};

/// The most characters of a call's id (`FunctionCallOutputItemParam`).
pub(super) const MAX_CALL_ID: usize = 64;

/// Before the names of an item's own members, among those of its first part.
pub(super) const OF_ITEM: &str = "item.";

/// The members of an answer that only repeat what was asked, or say what the provider made of it besides.
pub(super) const ECHOES: [&str; 29] = [
    "background",
    "billing",
    "completed_at",
    "context_management",
    "frequency_penalty",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "output_text",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tool_usage",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UsageIn {
    input_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

#[derive(Debug, Serialize)]
struct UsageOut {
    input_tokens: u64,
    input_tokens_details: InputDetailsOut,
    output_tokens: u64,
    output_tokens_details: OutputDetailsOut,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
struct InputDetailsOut {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OutputDetailsOut {
    reasoning_tokens: u64,
}

/// Takes the `usage` of an answer, with the `service_tier` beside it.
pub(super) fn take_usage(object: &mut Object<'_, '_>) -> Option<Usage> {
    let usage = object.raw("usage").and_then(usage)?;
    Some(served(usage, object.peek("service_tier")))
}

/// A usage with what stands in `service_tier`.
pub(super) fn served(usage: Usage, tier: Option<&RawValue>) -> Usage {
    usage.served(tier.and_then(string).as_deref())
}

/// Reads `usage`. What has no counts, or counts that are none, is as good as absent: an answer is not lost over it.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    let wire: UsageIn = serde_json::from_str::<Option<UsageIn>>(raw.get()).ok()??;
    let details = wire.input_tokens_details.unwrap_or_default();
    let output = wire.output_tokens_details.unwrap_or_default();
    Some(Usage {
        input_tokens: wire.input_tokens?,
        cached_input_tokens: details.cached_tokens.unwrap_or_default(),
        cache_write_tokens: details.cache_write_tokens.unwrap_or_default(),
        output_tokens: wire.output_tokens.unwrap_or_default(),
        reasoning_tokens: output.reasoning_tokens.unwrap_or_default(),
        ..Usage::default()
    })
}

/// `usage` as it is written.
pub(super) fn usage_out(usage: Usage) -> impl Serialize {
    UsageOut {
        input_tokens: usage.input_tokens,
        input_tokens_details: InputDetailsOut {
            cached_tokens: usage.cached_input_tokens,
            cache_write_tokens: usage.cache_write_tokens,
        },
        output_tokens: usage.output_tokens,
        output_tokens_details: OutputDetailsOut {
            reasoning_tokens: usage.reasoning_tokens,
        },
        total_tokens: usage.total_tokens(),
    }
}

/// How an answer stands: its `status`, and the `reason` of its `incomplete_details`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status<'a> {
    pub(super) status: &'a str,
    pub(super) reason: Option<&'a str>,
}

// === impl Status ===

impl<'a> Status<'a> {
    /// The words for a finish reason.
    pub(super) fn of(reason: &'a FinishReason) -> Self {
        let (status, reason) = match reason {
            FinishReason::Length => ("incomplete", Some("max_output_tokens")),
            FinishReason::ContentFilter => ("incomplete", Some("content_filter")),
            FinishReason::Other { origin, name } if *origin == FORMAT => match name.as_str() {
                status @ ("incomplete" | "queued" | "in_progress" | "cancelled") => (status, None),
                reason => ("incomplete", Some(reason)),
            },
            FinishReason::Stop
            | FinishReason::StopSequence(_)
            | FinishReason::ToolCalls
            | FinishReason::Pause
            | FinishReason::Other { .. } => ("completed", None),
        };
        Self { status, reason }
    }

    /// What the words mean. `calls`: whether the client is to run something. An answer in the background has not begun
    /// (`queued`, `in_progress`); that is its finish reason.
    pub(super) fn meaning(self, calls: bool) -> FinishReason {
        let other = |word: &str| FinishReason::Other {
            origin: FORMAT,
            name: word.to_owned(),
        };
        match (self.status, self.reason) {
            ("completed" | "complete", _) if calls => FinishReason::ToolCalls,
            ("completed" | "complete", _) => FinishReason::Stop,
            ("incomplete", Some("max_output_tokens")) => FinishReason::Length,
            ("incomplete", Some("content_filter")) => FinishReason::ContentFilter,
            ("incomplete", Some(word)) | (word, _) => other(word),
        }
    }
}

/// Whether the client is to run what an item of this type asks for. Only these end an answer for tool calls.
pub(super) fn is_call(kind: &str) -> bool {
    matches!(kind, "function_call" | "custom_tool_call")
}

/// A source of a text: `{"type": "url_citation", "url": …, "title": …}`, or another annotation.
pub(super) fn citation(raw: &RawValue) -> Citation {
    let source = || -> Option<(Option<String>, Option<String>)> {
        let mut object = Object::from_raw(raw, &Path::Root).ok()?;
        if object.kind() != "url_citation" {
            return None;
        }
        Some((object.string("url").ok()?, object.string("title").ok()?))
    };
    let (url, title) = source().unwrap_or_default();
    Citation {
        url,
        title,
        raw: Opaque::new(FORMAT, raw.get()),
    }
}

/// Writes a source; false when it is known to its own format only. `length` is that of the text that it belongs to, in
/// characters.
pub(super) fn write_citation(out: &mut Vec<u8>, citation: &Citation, length: usize) -> bool {
    if citation.raw.origin == FORMAT {
        out.extend_from_slice(&citation.raw.bytes);
        return true;
    }
    let Some(url) = &citation.url else {
        return false;
    };
    let mut object = ObjectWriter::new(out);
    object.value("type", "url_citation");
    object.value("url", url);
    object.value("title", citation.title.as_deref().unwrap_or(url));
    object.value("start_index", &0);
    object.value("end_index", &length);
    object.end();
    true
}

const CACHE: &str = "prompt_cache_breakpoint";

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

/// Writes a mark. Notes one that the model does not take, and a time, which has no place here.
pub(super) fn write_cache(
    object: &mut ObjectWriter<'_>,
    cache: Option<CacheMark>,
    capabilities: &Capabilities,
    report: &mut Report,
) {
    let Some(CacheMark { ttl }) = cache else {
        return;
    };
    if ttl.is_some() || !capabilities.cache_breakpoints {
        report.note("cache_control");
    }
    if capabilities.cache_breakpoints {
        let mut mark = ObjectWriter::new(object.key(CACHE));
        mark.value("mode", "explicit");
        mark.end();
    }
}
