//! Pieces of the wire that requests, answers and streams share.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fkm_dialect::ServiceTier;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::anthropic::FORMAT;
use crate::ir::{CacheMark, CacheTtl, Citation, FinishReason, Opaque, Usage, read_tier};
use crate::json::{Object, ObjectWriter, Path};
use crate::names::Rule;

/// Counts as they come, in pieces: a later one replaces an earlier one.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
    #[serde(deserialize_with = "read_tier")]
    service_tier: Option<ServiceTier>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

#[derive(Debug, Serialize)]
struct UsageOut {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<CacheCreationOut>,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<OutputDetailsOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct CacheCreationOut {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OutputDetailsOut {
    thinking_tokens: u64,
}

// === impl Counts ===

impl Counts {
    /// Adds what a `usage` says; what is no count is left out: an answer is not lost over it.
    pub(super) fn add(&mut self, raw: &RawValue) {
        let Ok(Some(more)) = serde_json::from_str::<Option<Self>>(raw.get()) else {
            return;
        };
        self.input_tokens = more.input_tokens.or(self.input_tokens);
        self.cache_read_input_tokens = more
            .cache_read_input_tokens
            .or(self.cache_read_input_tokens);
        self.cache_creation_input_tokens = more
            .cache_creation_input_tokens
            .or(self.cache_creation_input_tokens);
        self.cache_creation = more.cache_creation.or(self.cache_creation);
        self.output_tokens = more.output_tokens.or(self.output_tokens);
        self.output_tokens_details = more.output_tokens_details.or(self.output_tokens_details);
        self.service_tier = more.service_tier.or(self.service_tier);
    }

    /// Both cache counts are left out of `input_tokens` here, and belong into it everywhere else.
    pub(super) fn usage(self) -> Option<Usage> {
        if self.input_tokens.is_none() && self.output_tokens.is_none() {
            return None;
        }
        let parts = self.cache_creation.unwrap_or_default();
        let written = self.cache_creation_input_tokens.unwrap_or_else(|| {
            let short = parts.ephemeral_5m_input_tokens.unwrap_or_default();
            short.saturating_add(parts.ephemeral_1h_input_tokens.unwrap_or_default())
        });
        let read = self.cache_read_input_tokens.unwrap_or_default();
        let fresh = self.input_tokens.unwrap_or_default();
        let details = self.output_tokens_details.unwrap_or_default();
        let long = parts.ephemeral_1h_input_tokens.unwrap_or_default();
        Some(Usage {
            input_tokens: fresh.saturating_add(read).saturating_add(written),
            cached_input_tokens: read,
            cache_write_tokens: written,
            cache_write_1h_tokens: long.min(written),
            output_tokens: self.output_tokens.unwrap_or_default(),
            reasoning_tokens: details.thinking_tokens.unwrap_or_default(),
            tier: self.service_tier,
            ..Usage::default()
        })
    }
}

/// `usage` as it is written: the cache counts taken out of the input again.
pub(super) fn usage_out(usage: Usage) -> impl Serialize {
    let long = usage.cache_write_1h_tokens;
    UsageOut {
        input_tokens: usage.fresh_input_tokens(),
        cache_creation_input_tokens: usage.cache_write_tokens,
        cache_read_input_tokens: usage.cached_input_tokens,
        cache_creation: (long > 0).then(|| CacheCreationOut {
            ephemeral_5m_input_tokens: usage.cache_write_tokens.saturating_sub(long),
            ephemeral_1h_input_tokens: long,
        }),
        output_tokens: usage.output_tokens,
        output_tokens_details: (usage.reasoning_tokens > 0).then_some(OutputDetailsOut {
            thinking_tokens: usage.reasoning_tokens,
        }),
        service_tier: match usage.tier {
            Some(ServiceTier::Default) => Some("standard"),
            Some(ServiceTier::Batch) => Some("batch"),
            Some(ServiceTier::Priority) => Some("priority"),
            // It has no word for them.
            Some(ServiceTier::Flex | ServiceTier::Other) | None => None,
        },
    }
}

/// The meaning of a stop reason; `sequence` is the stop sequence that was met.
pub(super) fn finish_reason(word: &str, sequence: Option<String>) -> FinishReason {
    match word {
        "end_turn" => FinishReason::Stop,
        "stop_sequence" => FinishReason::StopSequence(sequence.unwrap_or_default()),
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        "pause_turn" => FinishReason::Pause,
        name => FinishReason::Other {
            origin: FORMAT,
            name: name.to_owned(),
        },
    }
}

/// The word for a finish reason, and whether it says all.
pub(super) fn stop_word(reason: &FinishReason) -> (&str, bool) {
    match reason {
        FinishReason::Stop => ("end_turn", true),
        FinishReason::StopSequence(_) => ("stop_sequence", true),
        FinishReason::Length => ("max_tokens", true),
        FinishReason::ToolCalls => ("tool_use", true),
        FinishReason::ContentFilter => ("refusal", true),
        FinishReason::Pause => ("pause_turn", true),
        FinishReason::Other { origin, name } if *origin == FORMAT => {
            (name, finish_reason(name, None) == *reason)
        }
        FinishReason::Other { .. } => ("end_turn", false),
    }
}

/// The stop sequence that goes with [`stop_word`].
pub(super) fn stop_sequence(reason: &FinishReason) -> Option<&str> {
    match reason {
        FinishReason::StopSequence(text) => Some(text),
        _ => None,
    }
}

/// Takes `cache_control`, when it is one that the representation has.
pub(super) fn take_cache(object: &mut Object<'_, '_>) -> Option<CacheMark> {
    let mut mark = Object::from_raw(object.peek(CACHE)?, &Path::Root).ok()?;
    let kind = mark.kind();
    mark.raw("type");
    let ttl = match mark.string("ttl").ok()? {
        Some(name) => Some(CacheTtl::from_name(&name)?),
        None => None,
    };
    if kind != "ephemeral" || !mark.is_empty() {
        return None;
    }
    object.raw(CACHE);
    Some(CacheMark { ttl })
}

pub(super) fn write_cache(object: &mut ObjectWriter<'_>, cache: Option<CacheMark>) {
    if let Some(CacheMark { ttl }) = cache {
        let mut mark = ObjectWriter::new(object.key(CACHE));
        mark.value("type", "ephemeral");
        mark.optional("ttl", ttl.map(CacheTtl::name).as_ref());
        mark.end();
    }
}

/// A source of a text.
pub(super) fn citation(raw: &RawValue) -> Citation {
    let mut url = None;
    let mut title = None;
    if let Ok(mut object) = Object::from_raw(raw, &Path::Root) {
        url = object.string("url").ok().flatten();
        title = object.string("title").ok().flatten();
        title = title.or_else(|| object.string("document_title").ok().flatten());
    }
    Citation {
        url,
        title,
        raw: Opaque::new(FORMAT, raw.get()),
    }
}

/// Writes a source; false when it is known to its own format only. One of another format with an address reads as the
/// result of a web search.
pub(super) fn write_citation(out: &mut Vec<u8>, citation: &Citation) -> bool {
    if citation.raw.origin == FORMAT {
        out.extend_from_slice(&citation.raw.bytes);
        return true;
    }
    let Some(url) = &citation.url else {
        return false;
    };
    let mut object = ObjectWriter::new(out);
    object.value("type", "web_search_result_location");
    object.value("url", url);
    object.value("title", &citation.title);
    object.value("cited_text", "");
    object.value("encrypted_index", "");
    object.end();
    true
}

/// `^[a-zA-Z0-9_-]{1,128}$`.
pub(super) const TOOL_NAME: Rule = Rule {
    max: 128,
    others: "_-",
    first: None,
};

const CACHE: &str = "cache_control";
const WRAPPED_ID: &str = "fkm1_";

/// An id as this format takes it: `[a-zA-Z0-9_-]+`. Others are wrapped so that they can be unwrapped.
pub(super) fn wrap_id(id: &str) -> Cow<'_, str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !id.is_empty() && id.chars().all(allowed) && !id.starts_with(WRAPPED_ID) {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("{WRAPPED_ID}{}", URL_SAFE_NO_PAD.encode(id)))
}

/// The id that [`wrap_id`] made this of.
pub(super) fn unwrap_id(id: String) -> String {
    let bytes = id
        .strip_prefix(WRAPPED_ID)
        .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok());
    match bytes.map(String::from_utf8) {
        Some(Ok(original)) => original,
        _ => id,
    }
}
