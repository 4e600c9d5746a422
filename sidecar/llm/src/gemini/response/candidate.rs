//! One candidate, both ways.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::gemini::part::{self, Mint};
use crate::gemini::types::camel;
use crate::gemini::{FORMAT, citation, finish};
use crate::ir::{Choice, Citation, Extra, FinishReason, OutputPart, Text};
use crate::json::{Object, ObjectWriter, Path, Report, array};

const MEMBERS: [&str; 3] = ["index", "content", finish::MEMBER];
const LONG_MEMBERS: [&str; 4] = [
    finish::MEMBER,
    "finishMessage",
    citation::GROUNDING,
    citation::RECITATION,
];
const CONTENT_MEMBERS: [&str; 2] = ["role", "parts"];

/// Unknown members of the content, among those of the candidate.
const OF_CONTENT: &str = "message.";

/// A candidate, or what one piece of a stream adds to it, its parts still as text.
#[derive(Debug)]
pub(in crate::gemini) struct Candidate<'a> {
    pub(in crate::gemini) index: Option<u32>,
    pub(in crate::gemini) parts: Vec<&'a RawValue>,
    /// The word of its finish reason, and what is said about it.
    pub(in crate::gemini) finish: Option<(String, Option<String>)>,
    pub(in crate::gemini) extra: Extra,
}

// === impl Candidate ===

impl<'a> Candidate<'a> {
    pub(in crate::gemini) fn decode(
        raw: &'a RawValue,
        path: &Path<'_>,
    ) -> Result<Self, DecodeError> {
        let mut object = Object::from_raw(raw, path)?;
        camel(&mut object, &LONG_MEMBERS);
        let index = object.take("index", "a whole number")?;
        let message = object.peek("finishMessage").and_then(crate::json::string);
        let message = message.map(std::borrow::Cow::into_owned);
        let finish = object.raw(finish::MEMBER).and_then(finish::word);
        let mut parts = Vec::new();
        let mut extra = Extra::default();
        let content_path = path.member("content");
        if let Some(raw) = object.raw("content") {
            let mut content = Object::from_raw(raw, &content_path)?;
            content.raw("role");
            let parts_path = content_path.member("parts");
            if let Some(raw) = content.raw("parts") {
                parts = array(raw, &parts_path)?;
            }
            content.rest_into(&mut extra, FORMAT, OF_CONTENT);
        }
        object.rest_into(&mut extra, FORMAT, "");
        Ok(Self {
            index,
            parts,
            finish: finish.map(|word| (word, message)),
            extra,
        })
    }
}

/// Reads a candidate of a whole answer.
pub(super) fn decode(
    raw: &RawValue,
    position: u32,
    id: Option<&str>,
    path: &Path<'_>,
) -> Result<Choice, DecodeError> {
    let path = path.item(position as usize);
    let mut candidate = Candidate::decode(raw, &path)?;
    let index = candidate.index.unwrap_or(position);
    let (word, message) = candidate.finish.ok_or_else(|| DecodeError::Missing {
        path: path.member(finish::MEMBER).to_string(),
    })?;
    let finish_reason =
        finish::meaning(&word, message.as_deref()).map_err(DecodeError::Provider)?;
    finish::keep(&word, &finish_reason, &mut candidate.extra);
    let mut mint = Mint::of_answer(id, index);
    let mut parts = Vec::new();
    let content = path.member("content");
    let content = content.member("parts");
    for (at, raw) in candidate.parts.iter().enumerate() {
        part::decode_output(raw, &content.item(at), &mut mint, &mut parts)?;
    }
    cite(&mut parts, citation::of_candidate(&candidate.extra));
    Ok(Choice {
        index,
        parts,
        finish_reason,
        extra: candidate.extra,
    })
}

/// Gives the sources to the last text, or to one of its own.
fn cite(parts: &mut Vec<OutputPart>, citations: Vec<Citation>) {
    if citations.is_empty() {
        return;
    }
    let last = parts.iter_mut().rev().find_map(|part| match part {
        OutputPart::Text(text) => Some(text),
        _ => None,
    });
    match last {
        Some(text) => text.citations = citations,
        None => parts.push(OutputPart::Text(Text {
            citations,
            ..Text::default()
        })),
    }
}

/// Begins the content of a candidate.
pub(in crate::gemini) fn write_head<'o>(candidate: &'o mut ObjectWriter<'_>) -> ObjectWriter<'o> {
    let mut content = ObjectWriter::new(candidate.key("content"));
    content.value("role", "model");
    content
}

pub(in crate::gemini) fn write_content_extra(content: &mut ObjectWriter<'_>, extra: &Extra) {
    part::write_inner(content, extra, OF_CONTENT, &CONTENT_MEMBERS);
}

/// Notes unknown members that are not written.
pub(super) fn note_lost(extra: &Extra, report: &mut Report) {
    for (name, origin, _) in extra.iter() {
        let ours = name == finish::MEMBER || !MEMBERS.contains(&name);
        if origin != FORMAT || !ours {
            report.note_in("choice", name);
        }
    }
}

/// Writes what ends a candidate.
pub(in crate::gemini) fn write_tail(
    object: &mut ObjectWriter<'_>,
    index: u32,
    (reason, extra): (&FinishReason, &Extra),
    citations: &[&Citation],
) {
    let (word, _) = finish::of_candidate(reason, extra);
    object.value(finish::MEMBER, &word);
    object.value("index", &index);
    if !citation::are_told(extra) {
        citation::write(object, citations);
    }
    for (name, origin, value) in extra.iter() {
        if origin == FORMAT && !MEMBERS.contains(&name) && !name.starts_with(OF_CONTENT) {
            object.value(name, value);
        }
    }
}
