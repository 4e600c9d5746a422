//! Pieces of the wire that requests, answers and streams share.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use fkm_dialect::ServiceTier;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::gemini::FORMAT;
use crate::ir::{InvalidOpaque, Opaque, Usage, read_tier};
use crate::json::Object;
use crate::names::Rule;

/// "Must start with a letter or an underscore. Must be a-z, A-Z, 0-9, or contain underscores, dots, colons and dashes"
/// (reference of `FunctionDeclaration`); of the two lengths that Google documents (64, 128) the one that is taken everywhere.
pub(super) const TOOL_NAME: Rule = Rule {
    max: 64,
    others: "_.:-",
    first: Some("_"),
};

/// Gives the members `names` their first form, where they are written in the second: `generation_config`.
pub(super) fn camel(object: &mut Object<'_, '_>, names: &[&str]) {
    if !object.members().any(|(name, _)| name.contains('_')) {
        return;
    }
    for name in names {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            object.rename(&snake(name), name);
        }
    }
}

fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Base64 of whatever alphabet, padded or not.
const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ANY_STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);

/// The standard alphabet, in which every provider reads base64: Google's SDKs write the other one, too.
pub(super) fn standard_base64(text: String) -> String {
    if !text.contains(['-', '_']) {
        return text;
    }
    let mut text = text.replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// State as it is shown in `thoughtSignature`: the provider's own bare; that of another format marked, and in base64,
/// because clients read this member as bytes.
pub(super) fn wrap_state(state: &Opaque) -> String {
    if state.origin == FORMAT
        && let Ok(text) = std::str::from_utf8(&state.bytes)
        && marked(text).is_none()
    {
        return text.to_owned();
    }
    STANDARD.encode(state.marked())
}

/// Reads `thoughtSignature`.
pub(super) fn unwrap_state(text: &str) -> Result<Opaque, InvalidOpaque> {
    match marked(text) {
        Some(mark) => Opaque::unwrap(&mark, FORMAT),
        None => Ok(Opaque::new(FORMAT, text)),
    }
}

/// The mark that this is the base64 of. A signature is long: no more than its beginning is looked at unless it is one.
fn marked(text: &str) -> Option<String> {
    // The base64 of "fkm1." begins so, in either alphabet.
    if !text.starts_with("Zmtt") {
        return None;
    }
    let bytes = ANY_STANDARD
        .decode(text.replace('-', "+").replace('_', "/"))
        .ok()?;
    let mark = String::from_utf8(bytes).ok()?;
    Opaque::is_marked(&mark).then_some(mark)
}

/// Takes `thoughtSignature`; an empty one is none.
pub(super) fn take_state(object: &mut Object<'_, '_>) -> Result<Option<Opaque>, DecodeError> {
    match object.string(SIGNATURE)? {
        Some(text) if !text.is_empty() => unwrap_state(&text).map(Some).map_err(|error| {
            object.invalid(SIGNATURE, format!("sent back as it was given ({error})"))
        }),
        _ => Ok(None),
    }
}

pub(super) const SIGNATURE: &str = "thoughtSignature";

/// `usageMetadata`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UsageIn {
    prompt_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    total_token_count: Option<u64>,
    prompt_tokens_details: Option<Vec<Detail>>,
    candidates_tokens_details: Option<Vec<Detail>>,
    /// Gemini's.
    #[serde(deserialize_with = "read_tier")]
    service_tier: Option<ServiceTier>,
    /// Vertex's.
    #[serde(deserialize_with = "read_tier")]
    traffic_type: Option<ServiceTier>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    modality: Option<Modality>,
    token_count: Option<u64>,
}

/// A word, or its number (`$alt=json;enum-encoding=int`).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Modality {
    Word(String),
    Number(i64),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageOut {
    prompt_token_count: u64,
    candidates_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    thoughts_token_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cached_content_token_count: u64,
    total_token_count: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prompt_tokens_details: Vec<DetailOut>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates_tokens_details: Vec<DetailOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic_type: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DetailOut {
    modality: &'static str,
    token_count: u64,
}

/// Reads `usageMetadata`. What has no counts, or counts that are none, is as good as absent: an answer is not lost over it.
///
/// What Google's own tools fed in (`toolUsePromptTokenCount`) is input; `cachedContentTokenCount` is part of
/// `promptTokenCount`; thoughts are counted beside the candidates, unless the total says otherwise.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    let wire: UsageIn = serde_json::from_str::<Option<UsageIn>>(raw.get()).ok()??;
    if wire.prompt_token_count.is_none()
        && wire.candidates_token_count.is_none()
        && wire.total_token_count.is_none()
    {
        return None;
    }
    let prompt = wire.prompt_token_count.unwrap_or_default();
    let input = prompt.saturating_add(wire.tool_use_prompt_token_count.unwrap_or_default());
    let said = wire.candidates_token_count.unwrap_or_default();
    let thought = wire.thoughts_token_count.unwrap_or_default();
    let within = thought > 0 && wire.total_token_count == Some(input.saturating_add(said));
    Some(Usage {
        input_tokens: input,
        cached_input_tokens: wire.cached_content_token_count.unwrap_or_default(),
        input_audio_tokens: audio(wire.prompt_tokens_details),
        output_tokens: if within {
            said
        } else {
            said.saturating_add(thought)
        },
        reasoning_tokens: thought,
        output_audio_tokens: audio(wire.candidates_tokens_details),
        tier: wire.service_tier.or(wire.traffic_type),
        ..Usage::default()
    })
}

fn audio(details: Option<Vec<Detail>>) -> u64 {
    let details = details.into_iter().flatten();
    details
        .filter(|detail| match &detail.modality {
            Some(Modality::Word(word)) => word == "AUDIO",
            Some(Modality::Number(number)) => *number == 4,
            None => false,
        })
        .filter_map(|detail| detail.token_count)
        .fold(0, u64::saturating_add)
}

/// `usageMetadata` as it is written.
pub(super) fn usage_out(usage: Usage) -> impl Serialize {
    let heard = |token_count| {
        let detail = DetailOut {
            modality: "AUDIO",
            token_count,
        };
        (token_count > 0).then_some(detail).into_iter().collect()
    };
    UsageOut {
        prompt_token_count: usage.input_tokens,
        candidates_token_count: usage.output_tokens.saturating_sub(usage.reasoning_tokens),
        thoughts_token_count: usage.reasoning_tokens,
        cached_content_token_count: usage.cached_input_tokens,
        total_token_count: usage.total_tokens(),
        prompt_tokens_details: heard(usage.input_audio_tokens),
        candidates_tokens_details: heard(usage.output_audio_tokens),
        traffic_type: match usage.tier {
            Some(ServiceTier::Default) => Some("ON_DEMAND"),
            Some(ServiceTier::Flex) => Some("ON_DEMAND_FLEX"),
            Some(ServiceTier::Priority) => Some("ON_DEMAND_PRIORITY"),
            // It has no word for them.
            Some(ServiceTier::Batch | ServiceTier::Other) | None => None,
        },
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use fkm_dialect::Format;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn second_forms_of_names() {
        assert_eq!(snake("generationConfig"), "generation_config");
        assert_eq!(snake("topP"), "top_p");
    }

    #[test]
    fn state_of_others_is_base64() {
        let state = Opaque::new(Format::AnthropicMessages, "EqQB/==");
        let shown = wrap_state(&state);
        assert_eq!(
            STANDARD.decode(&shown).unwrap(),
            b"fkm1.anthropic.messages.RXFRQi89PQ"
        );
        assert_eq!(unwrap_state(&shown), Ok(state));
        assert_eq!(wrap_state(&Opaque::new(FORMAT, "CiQB+/==")), "CiQB+/==");
    }

    proptest! {
        #[test]
        fn state_survives(bytes in any::<Vec<u8>>(), text in "fkm1\\..{0,9}", twice in any::<bool>()) {
            let text = if twice { STANDARD.encode(&text) } else { text };
            for origin in Format::ALL {
                for bytes in [bytes.clone(), text.clone().into_bytes()] {
                    let state = Opaque { origin, bytes };
                    let shown = wrap_state(&state);
                    prop_assert_eq!(unwrap_state(&shown), Ok(state.clone()));
                    // A client's SDK may write the bytes in the other alphabet.
                    if state.origin != FORMAT {
                        let other = shown.replace('+', "-").replace('/', "_");
                        prop_assert_eq!(unwrap_state(&other), Ok(state));
                    }
                }
            }
        }
    }
}
