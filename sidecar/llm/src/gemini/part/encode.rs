//! Writes parts.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::error::EncodeError;
use crate::gemini::part::{BESIDE, CONTENT, write_inner};
use crate::gemini::types::{SIGNATURE, TOOL_NAME, wrap_state};
use crate::gemini::{FORMAT, media};
use crate::ir::{
    Image, InputPart, Opaque, OutputPart, Reasoning, Text, ToolCall, canonical_arguments,
};
use crate::json::{ObjectWriter, Report, kind_of};

const TEXT_MEMBERS: [&str; 3] = ["text", "thought", SIGNATURE];
const CALL_MEMBERS: [&str; 5] = [
    "id",
    "name",
    "args",
    "part.functionCall",
    "part.thoughtSignature",
];

/// The value that Google documents for calls that the model did not make itself
/// (<https://ai.google.dev/gemini-api/docs/thought-signatures>): a trace of another model, or a client that lost the signature.
const NOT_SIGNED: &str = "skip_thought_signature_validator";

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gemini) enum Direction {
    /// The provider: takes back only its own state.
    Request,
    /// The client: keeps the state of whatever provider.
    Response,
}

/// Writes a part that a user or a tool says, or says why it cannot.
pub(in crate::gemini) fn encode_input(
    out: &mut Vec<u8>,
    part: &InputPart,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match part {
        InputPart::Text(text) => {
            write_text(out, text, None, report);
            Ok(())
        }
        InputPart::Image(image) => media::encode_image(out, image, None, report),
        InputPart::Audio(audio) => media::encode_audio(out, audio, report),
        InputPart::File(file) => media::encode_file(out, file, report),
        InputPart::Opaque(raw) if raw.origin == FORMAT => {
            out.extend(&raw.bytes);
            Ok(())
        }
        InputPart::Opaque(raw) => Err(EncodeError::Unsupported {
            path: CONTENT.to_owned(),
            format: FORMAT,
            reason: format!(
                "a part of type `{}` of {} has no counterpart; send text, an image, sound or a document",
                kind_of(&raw.bytes),
                raw.origin
            ),
        }),
    }
}

/// Writes a text, with the signature that belongs to it. Sources are the candidate's.
pub(in crate::gemini) fn write_text(
    out: &mut Vec<u8>,
    text: &Text,
    state: Option<&Opaque>,
    report: &mut Report,
) {
    if text.cache.is_some() {
        report.note("cache_control");
    }
    let mut object = ObjectWriter::new(out);
    object.value("text", &text.text);
    write_state(&mut object, state);
    object.extra(&text.extra, FORMAT, &TEXT_MEMBERS, "text", report);
    object.end();
}

pub(in crate::gemini) fn write_state(object: &mut ObjectWriter<'_>, state: Option<&Opaque>) {
    if let Some(state) = state.filter(|state| !state.bytes.is_empty()) {
        object.value(SIGNATURE, &wrap_state(state));
    }
}

/// How the parts of one turn are written.
#[derive(Clone, Copy, Debug)]
pub(in crate::gemini) struct Outputs {
    pub(in crate::gemini) direction: Direction,
    /// The first call must be signed: where it is not, it is said to be unsigned, and reported.
    pub(in crate::gemini) signed: bool,
    /// Whether calls have ids.
    pub(in crate::gemini) ids: bool,
}

/// Writes the parts of what a model said, without the brackets around them. What the reader could not use is left out and
/// noted.
pub(in crate::gemini) fn encode_outputs(
    out: &mut Vec<u8>,
    parts: &[OutputPart],
    mut how: Outputs,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let first = out.len();
    let mut parts = parts.iter().peekable();
    while let Some(part) = parts.next() {
        let before = out.len();
        if before > first {
            out.push(b',');
        }
        let start = out.len();
        match part {
            OutputPart::Text(text) if text.text.is_empty() && text.extra.is_empty() => {
                note_citations(text, how.direction, report);
            }
            OutputPart::Text(text) => {
                note_citations(text, how.direction, report);
                write_text(out, text, None, report);
            }
            OutputPart::Reasoning(thought) if !how.direction.takes(thought.state.as_ref()) => {
                report.note("thinking");
            }
            OutputPart::Reasoning(thought) => {
                let hidden = thought.text.is_none() && thought.extra.is_empty();
                match parts.peek() {
                    Some(OutputPart::Text(text)) if hidden && !text.text.is_empty() => {
                        note_citations(text, how.direction, report);
                        write_text(out, text, thought.state.as_ref(), report);
                        parts.next();
                    }
                    Some(OutputPart::Image(image)) if hidden => {
                        write_drawn(out, image, Some(thought), report);
                        parts.next();
                    }
                    _ => write_thought(out, thought, report),
                }
            }
            OutputPart::ToolCall(call) => {
                write_call(out, call, how, report)?;
                how.signed = false;
            }
            OutputPart::Refusal(text) => {
                report.note("refusal");
                write_text(out, &Text::plain(text.as_str()), None, report);
            }
            OutputPart::Image(image) => write_drawn(out, image, None, report),
            OutputPart::Opaque(raw) if raw.origin == FORMAT => out.extend(&raw.bytes),
            OutputPart::Opaque(raw) => report.note_in("content", &kind_of(&raw.bytes)),
        }
        if out.len() == start {
            out.truncate(before);
        }
    }
    Ok(())
}

/// Requests have no place for sources; of an answer they are the candidate's.
fn note_citations(text: &Text, direction: Direction, report: &mut Report) {
    if direction == Direction::Request && !text.citations.is_empty() {
        report.note("text.citations");
    }
}

/// Writes an image that a model drew, with the signature before it.
fn write_drawn(
    out: &mut Vec<u8>,
    image: &Image,
    signature: Option<&Reasoning>,
    report: &mut Report,
) {
    let start = out.len();
    let state = signature.and_then(|thought| thought.state.as_ref());
    if media::encode_image(out, image, state, report).is_err() {
        out.truncate(start);
        report.note_in("content", "image");
        if let Some(thought) = signature {
            write_thought(out, thought, report);
        }
    }
}

fn write_thought(out: &mut Vec<u8>, thought: &Reasoning, report: &mut Report) {
    let signed = thought
        .state
        .as_ref()
        .is_some_and(|state| !state.bytes.is_empty());
    if thought.text.is_none() && !signed {
        // Without either it is no thought.
        if !thought.extra.is_empty() {
            report.note("thinking");
        }
        return;
    }
    let mut object = ObjectWriter::new(out);
    object.value("text", thought.text.as_deref().unwrap_or_default());
    if thought.text.is_some() {
        object.value("thought", &true);
    }
    write_state(&mut object, thought.state.as_ref());
    object.extra(&thought.extra, FORMAT, &TEXT_MEMBERS, "thinking", report);
    object.end();
}

fn write_call(
    out: &mut Vec<u8>,
    call: &ToolCall,
    how: Outputs,
    report: &mut Report,
) -> Result<(), EncodeError> {
    if call.cache.is_some() {
        report.note("cache_control");
    }
    let arguments = canonical_arguments(&call.arguments);
    let valid = arguments.starts_with('{') && serde_json::from_str::<IgnoredAny>(arguments).is_ok();
    if !valid {
        return Err(EncodeError::Invalid {
            path: CONTENT.to_owned(),
            reason: format!(
                "the arguments of the call of `{}` are not a JSON object, which {FORMAT} asks for",
                call.name
            ),
        });
    }
    let arguments: &RawValue = serde_json::from_str(arguments).expect("just checked");
    let mut object = ObjectWriter::new(out);
    let mut inner = ObjectWriter::new(object.key("functionCall"));
    if call.id.is_empty() {
        report.note("tool_call.id");
    } else if how.ids {
        inner.value("id", &call.id);
    }
    match how.direction {
        Direction::Request => inner.value("name", &*report.tool_name(&call.name, &TOOL_NAME)),
        Direction::Response => inner.value("name", &call.name),
    }
    inner.value("args", arguments);
    let own = |name: &str| !name.starts_with(BESIDE);
    for (name, origin, value) in call.extra.iter().filter(|(name, ..)| own(name)) {
        match origin == FORMAT && !CALL_MEMBERS.contains(&name) {
            true => inner.value(name, value),
            false => report.note_in("tool_call", name),
        }
    }
    inner.end();
    let state = call.state.as_ref();
    let state = state.filter(|state| !state.bytes.is_empty());
    if !how.direction.takes(state) {
        report.note("tool_call.state");
    }
    match state.filter(|state| how.direction.takes(Some(state))) {
        None if how.signed => {
            report.note("tool_call.thought_signature");
            object.value(SIGNATURE, NOT_SIGNED);
        }
        state => write_state(&mut object, state),
    }
    write_inner(
        &mut object,
        &call.extra,
        BESIDE,
        &["functionCall", SIGNATURE],
    );
    object.end();
    Ok(())
}

// === impl Direction ===

impl Direction {
    /// Whether the reader can use this state.
    fn takes(self, state: Option<&Opaque>) -> bool {
        match self {
            Self::Response => true,
            Self::Request => state.is_none_or(|state| state.origin == FORMAT),
        }
    }
}
