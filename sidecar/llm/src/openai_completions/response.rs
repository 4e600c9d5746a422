//! Whole answers.

use serde_json::value::RawValue;

use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::ir::{Choice, OutputPart, Response, Text};
use crate::json::{Object, ObjectWriter, Path, Report, array, kind_of, string, write_array};
use crate::openai_completions::{FORMAT, finish_reason, finish_word};
use crate::{openai_error, openai_head, openai_usage};

/// The members of an answer that the representation has.
pub(super) const MEMBERS: [&str; 6] = ["id", "object", "created", "model", "choices", "usage"];

/// The members of a choice that the representation has.
pub(super) const CHOICE_MEMBERS: [&str; 3] = ["index", "text", "finish_reason"];

pub(super) const LOGPROBS: &str = "logprobs";

/// Reads a provider's answer, into canonical form.
pub(super) fn decode(body: &[u8]) -> Result<Response, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    if object.raw("error").is_some() {
        let reported = openai_error::decode_inside(body);
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    object.raw("object");
    let path = object.path().member("choices");
    let choices = (0..)
        .zip(array(object.required("choices")?, &path)?)
        .map(|(index, raw)| choice(raw, &path.item(index)))
        .collect::<Result<Vec<Choice>, DecodeError>>()?;
    if choices.is_empty() {
        return Err(object.invalid("choices", "an array with at least one choice"));
    }
    let response = Response {
        id: object.string("id")?.filter(|id| !id.is_empty()),
        model: object.string("model")?.filter(|model| !model.is_empty()),
        created: openai_head::created(&mut object),
        choices,
        usage: openai_usage::take(&mut object),
        extra: object.rest(FORMAT),
    };
    Ok(response.canonical())
}

fn choice(raw: &RawValue, path: &Path<'_>) -> Result<Choice, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    let text = object.string("text")?.unwrap_or_default();
    let word = object.required("finish_reason")?;
    let word = string(word).ok_or_else(|| object.invalid("finish_reason", "a string"))?;
    Ok(Choice {
        index: object.take("index", "a whole number")?.unwrap_or_default(),
        parts: vec![OutputPart::Text(Text::plain(text))],
        finish_reason: finish_reason(&word),
        extra: object.rest(FORMAT),
    })
}

/// Writes an answer for a client. Its request could name no tools: calls are refused.
pub(super) fn encode(response: &Response) -> Result<Encoded, EncodeError> {
    let calls = |part: &OutputPart| matches!(part, OutputPart::ToolCall(_));
    let mut choices = response.choices.iter();
    if choices.any(|choice| choice.parts.iter().any(calls)) {
        return Err(EncodeError::Unsupported {
            path: "choices[].tool_calls".to_owned(),
            format: FORMAT,
            reason: "a completion calls no tools; ask by a chat".to_owned(),
        });
    }
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    object.value("id", response.id.as_deref().unwrap_or_default());
    object.value("object", "text_completion");
    object.value("created", &response.created.unwrap_or_default());
    object.value("model", response.model.as_deref().unwrap_or_default());
    write_array(object.key("choices"), &response.choices, |out, choice| {
        write_choice(out, choice, &mut report);
    });
    if let Some(usage) = response.usage {
        object.value("usage", &openai_usage::written(usage));
    }
    object.extra(&response.extra, FORMAT, &MEMBERS, "", &mut report);
    object.end();
    Ok(report.into_encoded(body))
}

fn write_choice(out: &mut Vec<u8>, choice: &Choice, report: &mut Report) {
    let (word, exact) = finish_word(&choice.finish_reason);
    if !exact {
        report.note_in("finish_reason", choice.finish_reason.name());
    }
    let mut object = ObjectWriter::new(out);
    object.value("text", &text(&choice.parts, report));
    object.value("index", &choice.index);
    if choice.extra.get(FORMAT, LOGPROBS).is_none() {
        object.value(LOGPROBS, &());
    }
    object.extra(&choice.extra, FORMAT, &CHOICE_MEMBERS, "choice", report);
    object.value("finish_reason", word);
    object.end();
}

/// All that can be read, as one text; notes what is lost.
fn text(parts: &[OutputPart], report: &mut Report) -> String {
    let mut all = String::new();
    let mut texts = 0;
    for part in parts {
        match part {
            OutputPart::Text(text) => {
                texts += 1;
                for (name, ..) in text.extra.iter() {
                    report.note_in("text", name);
                }
                if !text.citations.is_empty() {
                    report.note("text.citations");
                }
                all.push_str(&text.text);
            }
            OutputPart::Refusal(text) => {
                report.note("refusal");
                all.push_str(text);
            }
            OutputPart::Reasoning(_) => report.note("reasoning"),
            OutputPart::Image(_) => report.note_in("content", "image"),
            OutputPart::Opaque(raw) => report.note_in("content", &kind_of(&raw.bytes)),
            OutputPart::ToolCall(_) => {}
        }
    }
    if texts > 1 {
        report.note("message.parts");
    }
    all
}
