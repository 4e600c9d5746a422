//! Small things that several parts of this format share: counts, stop reasons, ids, names, marks, sources.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::bedrock::{FORMAT, error};
use crate::error::ProviderError;
use crate::ir::{CacheMark, CacheTtl, Citation, FinishReason, Opaque, Usage};
use crate::json::{Object, ObjectWriter, Path, Report};
use crate::names::Rule;

/// `usage` as it is read and written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    total_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_details: Option<Vec<CacheDetail>>,
}

/// What was written to the cache for one time.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct CacheDetail {
    ttl: Cow<'static, str>,
    input_tokens: u64,
}

const ONE_HOUR: &str = "1h";

/// Reads `usage`; what is no count is `None`: an answer is not lost over it. Both cache counts are left out of `inputTokens`
/// here, and belong into it everywhere else.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    let counts: Counts = serde_json::from_str(raw.get()).ok()?;
    if counts.input_tokens.is_none() && counts.output_tokens.is_none() {
        return None;
    }
    let read = counts.cache_read_input_tokens.unwrap_or_default();
    let written = counts.cache_write_input_tokens.unwrap_or_default();
    let fresh = counts.input_tokens.unwrap_or_default();
    let details = counts.cache_details.unwrap_or_default();
    let long = details.iter().filter(|detail| detail.ttl == ONE_HOUR);
    let long = long.fold(0, |sum: u64, detail| {
        sum.saturating_add(detail.input_tokens)
    });
    Some(Usage {
        input_tokens: fresh.saturating_add(read).saturating_add(written),
        cached_input_tokens: read,
        cache_write_tokens: written,
        cache_write_1h_tokens: long.min(written),
        output_tokens: counts.output_tokens.unwrap_or_default(),
        ..Usage::default()
    })
}

/// A usage with what stands in `serviceTier`: `{"type": "flex"}`.
pub(super) fn served(usage: Usage, tier: Option<&RawValue>) -> Usage {
    let word = |raw| {
        let mut object = Object::from_raw(raw, &Path::Root).ok()?;
        object.string("type").ok()?
    };
    usage.served(tier.and_then(word).as_deref())
}

/// `usage` as it is written: the cache counts taken out of the input again.
pub(super) fn usage_out(usage: Usage) -> impl Serialize {
    let some = |count: u64| (count > 0).then_some(count);
    let (written, long) = (usage.cache_write_tokens, usage.cache_write_1h_tokens);
    let detail = |ttl: &'static str, input_tokens| CacheDetail {
        ttl: ttl.into(),
        input_tokens,
    };
    Counts {
        input_tokens: Some(usage.fresh_input_tokens()),
        output_tokens: Some(usage.output_tokens),
        total_tokens: Some(usage.total_tokens()),
        cache_read_input_tokens: some(usage.cached_input_tokens),
        cache_write_input_tokens: some(written),
        cache_details: (long > 0).then(|| {
            let short = written.saturating_sub(long);
            let short = (short > 0).then(|| detail("5m", short));
            std::iter::once(detail(ONE_HOUR, long))
                .chain(short)
                .collect()
        }),
    }
}

/// Notes the counts that have no place here.
pub(super) fn note_lost_counts(usage: Usage, report: &mut Report) {
    let cached = usage
        .cached_input_tokens
        .saturating_add(usage.cache_write_tokens);
    for (name, lost) in [
        ("reasoning_tokens", usage.reasoning_tokens > 0),
        ("input_audio_tokens", usage.input_audio_tokens > 0),
        ("output_audio_tokens", usage.output_audio_tokens > 0),
        ("billed", usage.billed.is_some()),
        ("cache", usage.input_tokens < cached),
    ] {
        if lost {
            report.note_in("usage", name);
        }
    }
}

/// The meaning of a stop reason; the error that it stands for when the model wrote what nobody can read.
pub(super) fn finish_reason(word: &str) -> Result<FinishReason, Box<ProviderError>> {
    Ok(match word {
        "end_turn" => FinishReason::Stop,
        "stop_sequence" => FinishReason::StopSequence(String::new()),
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "guardrail_intervened" | "content_filtered" => FinishReason::ContentFilter,
        "malformed_model_output" | "malformed_tool_use" => return Err(error::of_stop(word)),
        name => FinishReason::Other {
            origin: FORMAT,
            name: name.to_owned(),
        },
    })
}

/// The word for a finish reason, and whether it says all.
pub(super) fn stop_word(reason: &FinishReason) -> (&str, bool) {
    match reason {
        FinishReason::Stop => ("end_turn", true),
        FinishReason::StopSequence(text) => ("stop_sequence", text.is_empty()),
        FinishReason::Length => ("max_tokens", true),
        FinishReason::ToolCalls => ("tool_use", true),
        FinishReason::ContentFilter => ("content_filtered", true),
        FinishReason::Other { origin, name } if *origin == FORMAT => match finish_reason(name) {
            Ok(read) => (name, read == *reason),
            Err(_) => ("end_turn", false),
        },
        FinishReason::Pause | FinishReason::Other { .. } => ("end_turn", false),
    }
}

/// The mark that a block `cachePoint` is, when it is one that the representation has.
pub(super) fn cache_point(raw: &RawValue) -> Option<CacheMark> {
    let block = Object::from_raw(raw, &Path::Root).ok()?;
    let ("cachePoint", raw) = block.only()? else {
        return None;
    };
    let mut point = Object::from_raw(raw, &Path::Root).ok()?;
    let kind = point.kind();
    point.raw("type");
    let ttl = match point.string("ttl").ok()? {
        Some(name) => Some(CacheTtl::from_name(&name)?),
        None => None,
    };
    (kind == "default" && point.is_empty()).then_some(CacheMark { ttl })
}

pub(super) fn write_cache_point(out: &mut Vec<u8>, mark: CacheMark) {
    let mut block = ObjectWriter::new(out);
    let mut point = ObjectWriter::new(block.key("cachePoint"));
    point.value("type", "default");
    point.optional("ttl", mark.ttl.map(CacheTtl::name).as_ref());
    point.end();
    block.end();
}

/// A source of a text.
pub(super) fn citation(raw: &RawValue) -> Citation {
    let mut title = None;
    let mut url = None;
    if let Ok(mut object) = Object::from_raw(raw, &Path::Root) {
        title = object.string("title").ok().flatten();
        url = object.raw("location").and_then(web_address);
    }
    Citation {
        url,
        title,
        raw: Opaque::new(FORMAT, raw.get()),
    }
}

fn web_address(location: &RawValue) -> Option<String> {
    let mut location = Object::from_raw(location, &Path::Root).ok()?;
    let mut web = Object::from_raw(location.raw("web")?, &Path::Root).ok()?;
    web.string("url").ok()?
}

/// Writes a source: one's own as it was, another format's by its address.
pub(super) fn write_citation(out: &mut Vec<u8>, citation: &Citation) {
    if citation.raw.origin == FORMAT {
        out.extend_from_slice(&citation.raw.bytes);
        return;
    }
    let mut object = ObjectWriter::new(out);
    object.optional("title", citation.title.as_ref());
    let mut location = ObjectWriter::new(object.key("location"));
    let mut web = ObjectWriter::new(location.key("web"));
    web.optional("url", citation.url.as_ref());
    web.end();
    location.end();
    object.end();
}

/// Names of tools: at most 64 characters; the makers behind the service ask for a letter first.
pub(super) const TOOL_NAME: Rule = Rule {
    max: 64,
    others: "_-",
    first: Some(""),
};

/// Ids of calls, `[a-zA-Z0-9_.:-]{1,64}`.
const ID: Rule = Rule {
    max: 64,
    others: "_.:-",
    first: None,
};

const WRAPPED_ID: &str = "fkm1_";

/// An id as this format takes it. Others are wrapped so that they can be unwrapped; those too long for that are cut, with a hash
/// of the whole, alike in the call and its result.
pub(super) fn wrap_id<'a>(id: &'a str, report: &mut Report) -> Cow<'a, str> {
    let fitted = ID.fit(id);
    if matches!(fitted, Cow::Borrowed(_)) && !id.starts_with(WRAPPED_ID) {
        return fitted;
    }
    let wrapped = format!("{WRAPPED_ID}{}", URL_SAFE_NO_PAD.encode(id));
    if wrapped.len() <= ID.max {
        return Cow::Owned(wrapped);
    }
    report.note("tool_call.id");
    fitted
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

/// How other formats' state begins when it is shown here.
const MARK: &[u8] = b"fkm1.";

/// Hidden thought as the bytes that the format carries: its own bare, that of another format wrapped.
pub(super) fn blob(state: &Opaque) -> String {
    if state.origin == FORMAT && !state.bytes.starts_with(MARK) {
        return STANDARD.encode(&state.bytes);
    }
    let text = state.wrap(FORMAT);
    STANDARD.encode(text)
}

/// The bytes of a hidden thought; `None` when it is no base64.
pub(super) fn blob_bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The state that a hidden thought is; `None` for a mark that does not hold what it promises.
pub(super) fn state_of_blob(bytes: Vec<u8>) -> Option<Opaque> {
    match std::str::from_utf8(&bytes) {
        Ok(text) if bytes.starts_with(MARK) => Opaque::unwrap(text, FORMAT).ok(),
        _ => Some(Opaque::new(FORMAT, bytes)),
    }
}
