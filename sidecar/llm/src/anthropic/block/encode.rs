//! Writes blocks.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::anthropic::FORMAT;
use crate::anthropic::block::{IMAGE_MEMBERS, TEXT_MEMBERS, THINKING_MEMBERS, TOOL_USE_MEMBERS};
use crate::anthropic::types::wrap_id;
use crate::error::EncodeError;
use crate::ir::{
    Image, ImageSource, InputPart, Opaque, OutputPart, Reasoning, Text, ToolCall,
    canonical_arguments,
};
use crate::json::{Dropped, ObjectWriter, kind_of, write_array};

/// Where an error is; numbers would be those of the representation, not of the client's messages.
const CONTENT: &str = "messages[].content";

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::anthropic) enum Direction {
    /// The provider: takes back only its own thinking, signed.
    Request,
    /// The client: keeps the thinking of whatever provider.
    Response,
}

/// Writes text blocks, without empty ones, which the provider refuses.
pub(in crate::anthropic) fn encode_texts<'a>(
    out: &mut Vec<u8>,
    texts: impl IntoIterator<Item = &'a Text>,
    dropped: &mut Dropped,
) {
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    write_array(out, texts, |out, text| encode_text(out, text, dropped));
}

fn encode_text(out: &mut Vec<u8>, text: &Text, dropped: &mut Dropped) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "text");
    object.value("text", &text.text);
    let mut own: Vec<&Opaque> = text.citations.iter().collect();
    own.retain(|citation| citation.origin == FORMAT);
    if own.len() < text.citations.len() {
        dropped.note("text.citations");
    }
    if !own.is_empty() {
        let out = object.key("citations");
        write_array(out, own, |out, raw| out.extend(&raw.bytes));
    }
    object.extra(&text.extra, FORMAT, &TEXT_MEMBERS, "text", dropped);
    object.end();
}

/// Writes a block that a user or a tool says, or says why it cannot.
pub(in crate::anthropic) fn encode_input(
    out: &mut Vec<u8>,
    part: &InputPart,
    dropped: &mut Dropped,
) -> Result<(), EncodeError> {
    match part {
        InputPart::Text(text) => encode_text(out, text, dropped),
        InputPart::Image(image) => return encode_image(out, image, dropped),
        InputPart::Opaque(raw) if raw.origin == FORMAT => out.extend(&raw.bytes),
        InputPart::Opaque(raw) => {
            return Err(EncodeError::Unsupported {
                path: CONTENT.to_owned(),
                format: FORMAT,
                reason: match kind_of(&raw.bytes).as_str() {
                    "input_audio" => "its models do not hear; send a transcript".to_owned(),
                    kind => format!(
                        "a part of type `{kind}` of {} has no counterpart; send text or an image",
                        raw.origin
                    ),
                },
            });
        }
    }
    Ok(())
}

fn encode_image(
    out: &mut Vec<u8>,
    image: &Image,
    dropped: &mut Dropped,
) -> Result<(), EncodeError> {
    if image.detail.is_some() {
        dropped.note("image.detail");
    }
    let mut object = ObjectWriter::new(out);
    object.value("type", "image");
    let mut source = ObjectWriter::new(object.key("source"));
    match &image.source {
        ImageSource::Url(url) if url.starts_with("data:") => {
            return Err(EncodeError::Invalid {
                path: CONTENT.to_owned(),
                reason: "a `data:` address of an image must read `data:TYPE;base64,DATA`"
                    .to_owned(),
            });
        }
        ImageSource::Url(url) => {
            source.value("type", "url");
            source.value("url", url);
        }
        ImageSource::Base64 { media_type, data } => {
            source.value("type", "base64");
            source.value("media_type", media_type);
            source.value("data", data);
        }
    }
    source.end();
    object.extra(&image.extra, FORMAT, &IMAGE_MEMBERS, "image", dropped);
    object.end();
    Ok(())
}

/// Writes a block that a model said. Writes nothing, and notes it, when the reader could not use it.
pub(in crate::anthropic) fn encode_output(
    out: &mut Vec<u8>,
    part: &OutputPart,
    direction: Direction,
    dropped: &mut Dropped,
) -> Result<(), EncodeError> {
    match part {
        OutputPart::Text(text) if text.is_empty() => {}
        OutputPart::Text(text) => encode_text(out, text, dropped),
        OutputPart::Reasoning(thought) => encode_thinking(out, thought, direction, dropped),
        OutputPart::ToolCall(call) => return encode_tool_use(out, call, dropped),
        OutputPart::Refusal(text) => {
            dropped.note("refusal");
            encode_text(out, &Text::plain(text.as_str()), dropped);
        }
        OutputPart::Opaque(raw) if raw.origin == FORMAT => out.extend(&raw.bytes),
        OutputPart::Opaque(raw) => dropped.note_in("content", &kind_of(&raw.bytes)),
    }
    Ok(())
}

fn encode_thinking(
    out: &mut Vec<u8>,
    thought: &Reasoning,
    direction: Direction,
    dropped: &mut Dropped,
) {
    let own = thought.state.as_ref().is_some_and(|s| s.origin == FORMAT);
    let known = match direction {
        Direction::Request => own,
        Direction::Response => thought.text.is_some() || thought.state.is_some(),
    };
    if !known {
        dropped.note("thinking");
        return;
    }
    let state = thought.state.as_ref().map(|state| state.wrap(FORMAT));
    let state = state.unwrap_or_default();
    let mut object = ObjectWriter::new(out);
    if let Some(text) = &thought.text {
        object.value("type", "thinking");
        object.value("thinking", text);
        object.value("signature", &state);
    } else {
        object.value("type", "redacted_thinking");
        object.value("data", &state);
    }
    let extra = &thought.extra;
    object.extra(extra, FORMAT, &THINKING_MEMBERS, "thinking", dropped);
    object.end();
}

fn encode_tool_use(
    out: &mut Vec<u8>,
    call: &ToolCall,
    dropped: &mut Dropped,
) -> Result<(), EncodeError> {
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
    object.value("type", "tool_use");
    object.value("id", &*wrap_id(&call.id));
    object.value("name", &call.name);
    object.value("input", arguments);
    object.extra(&call.extra, FORMAT, &TOOL_USE_MEMBERS, "tool_call", dropped);
    object.end();
    Ok(())
}
