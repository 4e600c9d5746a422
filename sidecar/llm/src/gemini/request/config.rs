//! Reads `generationConfig`. What the representation has not stays among the request's unknown members.

use serde::Deserialize;
use serde_json::Number;

use crate::error::DecodeError;
use crate::gemini::request::{CONFIG, thinking};
use crate::gemini::types::camel;
use crate::gemini::{FORMAT, schema};
use crate::ir::{Extra, JsonSchema, RawJson, Request, ResponseFormat};
use crate::json::{Object, string};
use crate::scan::RequestScan;

const MEMBERS: [&str; 15] = [
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "presencePenalty",
    "frequencyPenalty",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "thinkingConfig",
    "responseModalities",
    "responseLogprobs",
    "mediaResolution",
    "speechConfig",
];

pub(super) const JSON: &str = "application/json";

/// The candidates that a request asks for, by a look at its `generationConfig` alone.
pub(in crate::gemini) fn choices(body: &[u8], scan: &RequestScan) -> u32 {
    #[derive(Deserialize)]
    struct Asked {
        #[serde(alias = "candidate_count")]
        #[serde(rename = "candidateCount")]
        candidate_count: Option<f64>,
    }
    let asked = || {
        let text = std::str::from_utf8(body).ok()?;
        let config = scan.members.iter().find(|member| {
            matches!(
                &*member.name(text),
                "generationConfig" | "generation_config"
            )
        })?;
        let asked: Asked = serde_json::from_str(config.text(text)).ok()?;
        serde_json::from_str(&format!("{:.0}", asked.candidate_count?)).ok()
    };
    asked().unwrap_or(1)
}

/// Reads `generationConfig` into the request, and what is left of it into `extra`.
pub(super) fn decode(
    object: &mut Object<'_, '_>,
    request: &mut Request,
    extra: &mut Extra,
) -> Result<(), DecodeError> {
    let path = object.path().member("generationConfig");
    let Some(raw) = object.raw("generationConfig") else {
        return Ok(());
    };
    let mut config = Object::from_raw(raw, &path)?;
    camel(&mut config, &MEMBERS);
    let sampling = &mut request.sampling;
    sampling.temperature = number(&mut config, "temperature")?;
    sampling.top_p = number(&mut config, "topP")?;
    sampling.top_k = whole(&mut config, "topK")?;
    sampling.seed = number(&mut config, "seed")?;
    sampling.presence_penalty = number(&mut config, "presencePenalty")?;
    sampling.frequency_penalty = number(&mut config, "frequencyPenalty")?;
    request.max_output_tokens = whole(&mut config, "maxOutputTokens")?;
    request.choices = whole(&mut config, "candidateCount")?.and_then(|n| u32::try_from(n).ok());
    request.stop = config
        .take("stopSequences", "an array of strings")?
        .unwrap_or_default();
    request.response_format = response_format(&mut config);
    thinking::decode(&mut config, request, extra);
    config.rest_into(extra, FORMAT, CONFIG);
    Ok(())
}

fn number(config: &mut Object<'_, '_>, name: &'static str) -> Result<Option<Number>, DecodeError> {
    config.take(name, "a number")
}

/// A whole number; some clients write `40.0`.
fn whole(config: &mut Object<'_, '_>, name: &'static str) -> Result<Option<u64>, DecodeError> {
    let expected = "a whole number";
    let Some(raw) = config.raw(name) else {
        return Ok(None);
    };
    let text = raw.get();
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        _ => text,
    };
    match digits.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(config.invalid(name, expected)),
    }
}

/// JSON, with or without a schema. Other types (`text/x.enum`) are left where they are.
fn response_format(config: &mut Object<'_, '_>) -> Option<ResponseFormat> {
    let media_type = string(config.peek("responseMimeType")?)?;
    if media_type != JSON {
        return None;
    }
    config.raw("responseMimeType");
    let mut raw = |name| config.raw(name).map(RawJson::from);
    let (newer, older) = (raw("responseJsonSchema"), raw("responseSchema"));
    match newer.or_else(|| older.map(schema::to_json_schema)) {
        None => Some(ResponseFormat::JsonObject),
        schema => Some(ResponseFormat::JsonSchema(JsonSchema {
            schema,
            // Answers are always held to it.
            strict: Some(true),
            ..JsonSchema::default()
        })),
    }
}
