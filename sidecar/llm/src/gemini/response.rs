//! Whole answers.

mod candidate;

pub(super) use candidate::{Candidate, write_content_extra, write_head, write_tail};

use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::gemini::part::{self, Direction, Outputs};
use crate::gemini::types::{self, camel};
use crate::gemini::{FORMAT, citation, error, finish};
use crate::ir::{Choice, Citation, Extra, FinishReason, OutputPart, Response};
use crate::json::{Object, ObjectWriter, Path, Report, array, write_array};

/// The members of an answer that the representation has.
pub(super) const MEMBERS: [&str; 4] = ["candidates", "usageMetadata", "modelVersion", "responseId"];

/// Why a prompt was refused; kept as it is.
pub(super) const FEEDBACK: &str = "promptFeedback";

/// Reads a provider's answer, into canonical form.
pub(super) fn decode(body: &[u8]) -> Result<Response, DecodeError> {
    if let Some(reported) = error::inside(body) {
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    let mut object = Object::parse(body, &Path::Root)?;
    camel(&mut object, &MEMBERS);
    camel(&mut object, &[FEEDBACK]);
    let id = object.string("responseId")?.filter(|id| !id.is_empty());
    let model = object.string("modelVersion")?;
    let path = object.path().member("candidates");
    let candidates = match object.raw("candidates") {
        Some(raw) => array(raw, &path)?,
        None => Vec::new(),
    };
    let choices = match candidates.as_slice() {
        [] if is_blocked(&object) => vec![blocked()],
        [] => return Err(object.invalid("candidates", "at least one")),
        candidates => (0..)
            .zip(candidates)
            .map(|(index, raw)| candidate::decode(raw, index, id.as_deref(), &path))
            .collect::<Result<Vec<Choice>, DecodeError>>()?,
    };
    let response = Response {
        id,
        model: model.filter(|model| !model.is_empty()),
        created: None,
        choices,
        usage: object.raw("usageMetadata").and_then(types::usage),
        extra: object.rest(FORMAT),
    };
    Ok(response.canonical())
}

/// Whether the prompt was refused.
pub(super) fn is_blocked(object: &Object<'_, '_>) -> bool {
    let feedback = object.peek(FEEDBACK);
    let feedback = feedback.and_then(|raw| Object::from_raw(raw, &Path::Root).ok());
    feedback.is_some_and(|mut feedback| {
        camel(&mut feedback, &["blockReason"]);
        feedback.raw("blockReason").is_some()
    })
}

/// The choice of a prompt that was refused.
fn blocked() -> Choice {
    Choice {
        index: 0,
        parts: Vec::new(),
        finish_reason: FinishReason::ContentFilter,
        extra: Extra::default(),
    }
}

/// Writes an answer for a client.
pub(super) fn encode(response: &Response) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    if !only_feedback(response) {
        let mut written = Ok(());
        write_array(
            object.key("candidates"),
            &response.choices,
            |out, choice| {
                if written.is_ok() {
                    written = write_choice(out, choice, &mut report);
                }
            },
        );
        written?;
    }
    if let Some(usage) = response.usage {
        if usage.cache_write_tokens > 0 {
            report.note("usage.cache_write_tokens");
        }
        object.value("usageMetadata", &types::usage_out(usage));
    }
    object.optional("modelVersion", response.model.as_ref());
    object.optional("responseId", response.id.as_ref());
    object.extra(&response.extra, FORMAT, &MEMBERS, "", &mut report);
    if response.created.is_some() {
        report.note("created");
    }
    object.end();
    Ok(report.into_encoded(body))
}

/// Whether the answer is that the prompt was refused, which the unknown members tell.
fn only_feedback(response: &Response) -> bool {
    let told = response.extra.get(FORMAT, FEEDBACK);
    let told = told
        .and_then(|raw| Object::from_raw(raw.raw(), &Path::Root).ok())
        .is_some_and(|mut feedback| feedback.raw("blockReason").is_some());
    told && response.choices == [blocked()]
}

fn write_choice(
    out: &mut Vec<u8>,
    choice: &Choice,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let mut object = ObjectWriter::new(out);
    let mut content = write_head(&mut object);
    let list = content.key("parts");
    list.push(b'[');
    let how = Outputs {
        direction: Direction::Response,
        signed: false,
        ids: true,
    };
    part::encode_outputs(list, &choice.parts, how, report)?;
    list.push(b']');
    let citations = citations(&choice.parts);
    if !citations.is_empty() && !all_told(&citations, &choice.extra) {
        report.note("text.citations");
    }
    candidate::write_content_extra(&mut content, &choice.extra);
    content.end();
    let calls = choice
        .parts
        .iter()
        .any(|part| matches!(part, OutputPart::ToolCall(_)));
    if choice.finish_reason == FinishReason::ToolCalls && !calls {
        report.note("finish_reason.tool_calls");
    }
    let reason = choice.reason_where_refusals_are_text();
    if !finish::of_candidate(reason, &choice.extra).1 {
        report.note_in("finish_reason", choice.finish_reason.name());
    }
    candidate::note_lost(&choice.extra, report);
    write_tail(
        &mut object,
        choice.index,
        (reason, &choice.extra),
        &citations,
    );
    object.end();
    Ok(())
}

/// The sources of all texts.
fn citations(parts: &[OutputPart]) -> Vec<&Citation> {
    let texts = parts.iter().filter_map(|part| match part {
        OutputPart::Text(text) => Some(&text.citations),
        _ => None,
    });
    texts.flatten().collect()
}

/// Whether the unknown members of the candidate tell these sources.
fn all_told(citations: &[&Citation], extra: &Extra) -> bool {
    let told = citation::of_candidate(extra);
    citations.len() == told.len() && citations.iter().zip(&told).all(|(one, told)| *one == told)
}
