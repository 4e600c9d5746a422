//! Writes blocks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::anthropic::FORMAT;
use crate::anthropic::block::{
    FILE_MEMBERS, IMAGE_MEMBERS, TEXT_MEMBERS, THINKING_MEMBERS, TOOL_USE_MEMBERS,
};
use crate::anthropic::types::{self, wrap_id};
use crate::error::EncodeError;
use crate::ir::{
    Citation, File, FileSource, Image, ImageSource, InputPart, Opaque, OutputPart, Reasoning, Text,
    ToolCall, canonical_arguments,
};
use crate::json::{ObjectWriter, Report, kind_of, write_array};

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
    report: &mut Report,
) {
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    write_array(out, texts, |out, text| {
        encode_text(out, text, Direction::Request, report);
    });
}

fn encode_text(out: &mut Vec<u8>, text: &Text, direction: Direction, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "text");
    object.value("text", &text.text);
    let own = |citation: &&Citation| citation.raw.origin == FORMAT;
    if !text.citations.iter().all(|citation| own(&citation)) {
        report.note("text.citations");
    }
    // The provider takes back only its own; a client can read an address of whatever provider.
    let told = |citation: &&Citation| {
        own(citation) || (direction == Direction::Response && citation.url.is_some())
    };
    let mut told = text.citations.iter().filter(told).peekable();
    if told.peek().is_some() {
        write_array(object.key("citations"), told, |out, citation| {
            types::write_citation(out, citation);
        });
    }
    types::write_cache(&mut object, text.cache);
    object.extra(&text.extra, FORMAT, &TEXT_MEMBERS, "text", report);
    object.end();
}

/// Writes a block that a user or a tool says, or says why it cannot.
pub(in crate::anthropic) fn encode_input(
    out: &mut Vec<u8>,
    part: &InputPart,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match part {
        InputPart::Text(text) => encode_text(out, text, Direction::Request, report),
        InputPart::Image(image) => return encode_image(out, image, report),
        InputPart::File(file) => return encode_file(out, file, report),
        InputPart::Audio(_) => {
            return Err(EncodeError::Unsupported {
                path: CONTENT.to_owned(),
                format: FORMAT,
                reason: "its models do not hear; send a transcript".to_owned(),
            });
        }
        InputPart::Opaque(raw) if raw.origin == FORMAT => out.extend(&raw.bytes),
        InputPart::Opaque(raw) => {
            return Err(EncodeError::Unsupported {
                path: CONTENT.to_owned(),
                format: FORMAT,
                reason: format!(
                    "a part of type `{}` of {} has no counterpart; send text, an image or a document",
                    kind_of(&raw.bytes),
                    raw.origin
                ),
            });
        }
    }
    Ok(())
}

fn encode_image(out: &mut Vec<u8>, image: &Image, report: &mut Report) -> Result<(), EncodeError> {
    if image.detail.is_some() {
        report.note("image.detail");
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
    types::write_cache(&mut object, image.cache);
    object.extra(&image.extra, FORMAT, &IMAGE_MEMBERS, "image", report);
    object.end();
    Ok(())
}

fn encode_file(out: &mut Vec<u8>, file: &File, report: &mut Report) -> Result<(), EncodeError> {
    let mut object = ObjectWriter::new(out);
    object.value("type", "document");
    let mut source = ObjectWriter::new(object.key("source"));
    match &file.source {
        FileSource::Url(url) => {
            source.value("type", "url");
            source.value("url", url);
        }
        FileSource::Base64 { media_type, data } if media_type == PDF => {
            source.value("type", "base64");
            source.value("media_type", media_type);
            source.value("data", data);
        }
        FileSource::Base64 { media_type, data } => {
            write_text_source(&mut source, &decoded(media_type, data)?);
        }
        FileSource::Text(text) => write_text_source(&mut source, text),
        FileSource::Id(id) => {
            source.value("type", "file");
            source.value("file_id", &file_id(id)?);
        }
    }
    source.end();
    object.optional("title", file.name.as_ref());
    types::write_cache(&mut object, file.cache);
    object.extra(&file.extra, FORMAT, &FILE_MEMBERS, "file", report);
    object.end();
    Ok(())
}

/// The one type of document that is taken as bytes.
const PDF: &str = "application/pdf";

fn write_text_source(source: &mut ObjectWriter<'_>, text: &str) {
    source.value("type", "text");
    source.value("media_type", "text/plain");
    source.value("data", text);
}

/// The text of a document that is one.
fn decoded(media_type: &str, data: &str) -> Result<String, EncodeError> {
    let bytes = media_type
        .starts_with("text/")
        .then(|| STANDARD.decode(data).ok());
    let text = bytes
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| EncodeError::Unsupported {
        path: CONTENT.to_owned(),
        format: FORMAT,
        reason: format!("documents of type `{media_type}` are not taken; send PDF or plain text"),
    })
}

/// The id of a file that this provider keeps.
fn file_id(id: &Opaque) -> Result<&str, EncodeError> {
    let own = std::str::from_utf8(&id.bytes).ok();
    own.filter(|_| id.origin == FORMAT)
        .ok_or_else(|| EncodeError::Unsupported {
            path: CONTENT.to_owned(),
            format: FORMAT,
            reason: format!(
                "the file is kept by a provider of {}; send its content",
                id.origin
            ),
        })
}

/// Writes a block that a model said. Writes nothing, and notes it, when the reader could not use it.
pub(in crate::anthropic) fn encode_output(
    out: &mut Vec<u8>,
    part: &OutputPart,
    direction: Direction,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match part {
        OutputPart::Text(text) if text.is_empty() => {}
        OutputPart::Text(text) => encode_text(out, text, direction, report),
        OutputPart::Reasoning(thought) => encode_thinking(out, thought, direction, report),
        OutputPart::ToolCall(call) => return encode_tool_use(out, call, direction, report),
        OutputPart::Refusal(text) => {
            report.note("refusal");
            encode_text(out, &Text::plain(text.as_str()), direction, report);
        }
        // What a model says is words in this format.
        OutputPart::Image(_) => report.note_in("content", "image"),
        OutputPart::Opaque(raw) if raw.origin == FORMAT => out.extend(&raw.bytes),
        OutputPart::Opaque(raw) => report.note_in("content", &kind_of(&raw.bytes)),
    }
    Ok(())
}

fn encode_thinking(
    out: &mut Vec<u8>,
    thought: &Reasoning,
    direction: Direction,
    report: &mut Report,
) {
    let own = thought.state.as_ref().is_some_and(|s| s.origin == FORMAT);
    let known = match direction {
        Direction::Request => own,
        Direction::Response => thought.text.is_some() || thought.state.is_some(),
    };
    if !known {
        report.note("thinking");
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
    object.extra(extra, FORMAT, &THINKING_MEMBERS, "thinking", report);
    object.end();
}

fn encode_tool_use(
    out: &mut Vec<u8>,
    call: &ToolCall,
    direction: Direction,
    report: &mut Report,
) -> Result<(), EncodeError> {
    if let Some(state) = &call.state {
        // There is no place for it in the call: a client keeps it as a thought before the call.
        let state = Some(state.clone());
        let thought = Reasoning {
            state,
            ..Reasoning::default()
        };
        let before = out.len();
        encode_thinking(out, &thought, direction, report);
        if out.len() > before {
            out.push(b',');
        }
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
    object.value("type", "tool_use");
    object.value("id", &*wrap_id(&call.id));
    match direction {
        Direction::Request => {
            object.value("name", &*report.tool_name(&call.name, &types::TOOL_NAME));
        }
        Direction::Response => object.value("name", &call.name),
    }
    object.value("input", arguments);
    types::write_cache(&mut object, call.cache);
    object.extra(&call.extra, FORMAT, &TOOL_USE_MEMBERS, "tool_call", report);
    object.end();
    Ok(())
}
