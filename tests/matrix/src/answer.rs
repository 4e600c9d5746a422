//! A provider's answer on its way to a client: does the client see the feature?

use anyhow::{Result, anyhow};
use fkm_dialect::{Auth, Dialect, Format};
use fkm_llm::fold::{fold, unfold};
use fkm_llm::ir::{FinishReason, OutputPart, Response};
use fkm_llm::{StreamOptions, format, translate};

use crate::feature::Feature;
use crate::outcome::Outcome;

/// What becomes of an answer of `from` at a client of `to`.
pub(crate) fn judge(feature: Feature, from: Format, to: Format, body: &[u8]) -> Outcome {
    let said = match format(from).decode_response(body) {
        Ok(response) => response,
        Err(error) => return Outcome::Failed(format!("not read: {error}")),
    };
    if feature == Feature::Stream {
        return match streamed(&said, from, to) {
            Ok(got) => compare(feature, &said, &got, Vec::new()),
            Err(error) => Outcome::Failed(error.to_string()),
        };
    }
    let encoded = match format(to).encode_response(&said) {
        Ok(encoded) => encoded,
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    match format(to).decode_response(&encoded.body) {
        Ok(got) => compare(feature, &said, &got, encoded.dropped),
        Err(error) => Outcome::Failed(format!("not written well: {error}")),
    }
}

fn compare(feature: Feature, said: &Response, got: &Response, dropped: Vec<String>) -> Outcome {
    let (before, after) = (signs(feature, said), signs(feature, got));
    if before.is_empty() {
        return Outcome::Failed(format!("the case does not show {feature}"));
    }
    match before.iter().find(|sign| !after.contains(sign)) {
        None => Outcome::Pass,
        Some(_) if !dropped.is_empty() => Outcome::Dropped(dropped),
        Some(sign) => Outcome::Failed(format!("lost in silence: {sign} is not among {after:?}")),
    }
}

/// The answer as a stream of the provider's, in pieces of 7 bytes, translated for the client and read again.
fn streamed(said: &Response, from: Format, to: Format) -> Result<Response> {
    let mut encoder = format(from).stream_encoder(&options());
    let mut frames = Vec::new();
    for event in unfold(said) {
        encoder.push(&event, &mut frames);
    }
    encoder.end(&mut frames);
    let bytes = frames.concat();
    let mut transform = translate(&Dialect::new(from, "/x", Auth::Bearer), to, &options());
    let mut out = Vec::new();
    for piece in bytes.chunks(7) {
        transform.push(piece.to_vec().into(), &mut out)?;
    }
    transform.end(&mut out)?;
    let events = fkm_llm::decode_stream(to, &out.concat()).map_err(|fault| anyhow!("{fault}"))?;
    Ok(fold(events)?)
}

fn options() -> StreamOptions {
    StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    }
}

/// What shows that an answer has a feature; the same in every format.
pub(crate) fn signs(feature: Feature, response: &Response) -> Vec<String> {
    let parts = response.choices.iter().flat_map(|choice| &choice.parts);
    match feature {
        Feature::Tools | Feature::ParallelTools => parts
            .filter_map(|part| match part {
                OutputPart::ToolCall(call) => {
                    let arguments: Option<serde_json::Value> =
                        serde_json::from_str(&call.arguments).ok();
                    Some(format!("{} {arguments:?}", call.name))
                }
                _ => None,
            })
            .collect(),
        Feature::Reasoning => parts
            .filter_map(|part| match part {
                OutputPart::Reasoning(thought) => thought.text.clone(),
                _ => None,
            })
            .filter(|text| !text.is_empty())
            .collect(),
        Feature::Refusal => response
            .choices
            .iter()
            .filter(|choice| {
                let refused = |part: &OutputPart| matches!(part, OutputPart::Refusal(_));
                choice.finish_reason == FinishReason::ContentFilter
                    || choice.parts.iter().any(refused)
            })
            .map(|choice| format!("choice {} is withheld", choice.index))
            .collect(),
        _ => {
            let usage = response.usage.unwrap_or_default();
            let text: String = response
                .choices
                .iter()
                .map(fkm_llm::ir::Choice::text)
                .collect();
            vec![
                text,
                format!("{} + {} tokens", usage.input_tokens, usage.output_tokens),
            ]
        }
    }
}
