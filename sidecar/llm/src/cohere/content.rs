//! The `content` of messages: a string, or an array of parts.

use serde_json::value::RawValue;

use crate::cohere::{FORMAT, Reader};
use crate::error::{DecodeError, EncodeError};
use crate::ir::{
    File, FileSource, Image, ImageSource, InputPart, Opaque, OutputPart, Reasoning, Text,
};
use crate::json::{
    Object, ObjectWriter, Path, Report, array, is_string, kind_of, string, write_array, write_json,
};

const TEXT_MEMBERS: [&str; 2] = ["type", "text"];
const IMAGE_MEMBERS: [&str; 2] = ["type", "image_url"];
const DOCUMENT_MEMBERS: [&str; 2] = ["type", "document"];
const THINKING_MEMBERS: [&str; 4] = ["type", "thinking", SIGNATURE, HIDDEN];

/// Where another provider's signature of a thought is kept for a client. The provider itself signs nothing.
pub(super) const SIGNATURE: &str = "signature";

/// The same for a thought that cannot be read.
const HIDDEN: &str = "data";

/// Where an error is; numbers would be those of the representation, not of the client's messages.
pub(super) const CONTENT: &str = "messages[].content";

/// Reads parts, each with `part`; a string is one text.
fn decode<T>(
    raw: Option<&RawValue>,
    path: &Path<'_>,
    text: impl Fn(Text) -> T,
    part: impl Fn(&RawValue, &Path<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let Some(raw) = raw else {
        return Ok(Vec::new());
    };
    if let Some(content) = string(raw) {
        return Ok(vec![text(Text::plain(content))]);
    }
    let parts = array(raw, path).map_err(|_| DecodeError::Invalid {
        path: path.to_string(),
        expected: "a string or an array of parts".to_owned(),
    })?;
    (0..)
        .zip(parts)
        .map(|(index, raw)| part(raw, &path.item(index)))
        .collect()
}

/// What a user, a tool or an instruction says.
pub(super) fn decode_input(
    raw: Option<&RawValue>,
    path: &Path<'_>,
) -> Result<Vec<InputPart>, DecodeError> {
    decode(raw, path, InputPart::Text, |raw, path| {
        let object = Object::from_raw(raw, path)?;
        match &*object.kind() {
            "text" => decode_text(object).map(InputPart::Text),
            "image_url" => decode_image(object, raw),
            "document" => Ok(decode_document(object, raw)),
            "" => Err(object.invalid("type", "the name of a part's type")),
            _ => Ok(InputPart::Opaque(Opaque::new(FORMAT, raw.get()))),
        }
    })
}

/// What a model said.
pub(super) fn decode_output(
    raw: Option<&RawValue>,
    path: &Path<'_>,
) -> Result<Vec<OutputPart>, DecodeError> {
    decode(raw, path, OutputPart::Text, decode_part)
}

/// One part of what a model said.
pub(super) fn decode_part(raw: &RawValue, path: &Path<'_>) -> Result<OutputPart, DecodeError> {
    let object = Object::from_raw(raw, path)?;
    match &*object.kind() {
        "text" => decode_text(object).map(OutputPart::Text),
        "thinking" => decode_thinking(object).map(OutputPart::Reasoning),
        "" => Err(object.invalid("type", "the name of a part's type")),
        _ => Ok(OutputPart::Opaque(Opaque::new(FORMAT, raw.get()))),
    }
}

/// A part of a stream, as it begins: its text may be left out.
pub(super) fn decode_start(raw: &RawValue, path: &Path<'_>) -> Result<OutputPart, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    if object.kind() != "text" {
        return decode_part(raw, path);
    }
    let text = object.string("text")?.unwrap_or_default();
    Ok(OutputPart::Text(text_part(object, text)))
}

fn decode_text(mut object: Object<'_, '_>) -> Result<Text, DecodeError> {
    let text = object.required_string("text")?;
    Ok(text_part(object, text))
}

fn text_part(mut object: Object<'_, '_>, text: String) -> Text {
    object.raw("type");
    Text {
        text,
        extra: object.rest(FORMAT),
        ..Text::default()
    }
}

fn decode_image(mut object: Object<'_, '_>, whole: &RawValue) -> Result<InputPart, DecodeError> {
    object.raw("type");
    let path = object.path().member("image_url");
    let mut inner = Object::from_raw(object.required("image_url")?, &path)?;
    let image = Image {
        source: ImageSource::from_url(&inner.required_string("url")?),
        detail: inner.string("detail")?,
        cache: None,
        extra: object.rest(FORMAT),
    };
    match inner.is_empty() {
        true => Ok(InputPart::Image(image)),
        false => Ok(InputPart::Opaque(Opaque::new(FORMAT, whole.get()))),
    }
}

/// `{"type": "document", "document": {"data": {"title": "…", "text": "…"}}}`; with other data it is kept as it is.
fn decode_document(mut object: Object<'_, '_>, whole: &RawValue) -> InputPart {
    let known = |object: &Object<'_, '_>| {
        let mut document = Object::from_raw(object.peek("document")?, &Path::Root).ok()?;
        let mut data = Object::from_raw(document.raw("data")?, &Path::Root).ok()?;
        let text = data.string("text").ok()??;
        let title = data.string("title").ok()?;
        (data.is_empty() && document.is_empty()).then_some((text, title))
    };
    let Some((text, name)) = known(&object) else {
        return InputPart::Opaque(Opaque::new(FORMAT, whole.get()));
    };
    object.raw("type");
    object.raw("document");
    InputPart::File(File {
        source: FileSource::Text(text),
        name,
        cache: None,
        extra: object.rest(FORMAT),
    })
}

/// `{"type": "thinking", "thinking": "…"}`, and the state of another provider beside it.
fn decode_thinking(mut object: Object<'_, '_>) -> Result<Reasoning, DecodeError> {
    object.raw("type");
    let text = object.string("thinking")?;
    let (hidden, signature) = (
        take_state(&mut object, HIDDEN)?,
        take_state(&mut object, SIGNATURE)?,
    );
    let readable = hidden.is_none() || text.as_ref().is_some_and(|text| !text.is_empty());
    Ok(Reasoning {
        text: readable.then(|| text.unwrap_or_default()),
        state: hidden.or(signature),
        extra: object.rest(FORMAT),
    })
}

/// Takes state that is shown in member `name`.
pub(super) fn take_state(
    object: &mut Object<'_, '_>,
    name: &str,
) -> Result<Option<Opaque>, DecodeError> {
    if !object.peek(name).is_some_and(is_string) {
        return Ok(None);
    }
    let text = object.required_string(name)?;
    Opaque::unwrap(&text, FORMAT)
        .map(Some)
        .map_err(|error| object.invalid(name, format!("state as it was given: {error}")))
}

/// Writes what a user, a tool or an instruction says: a string when it is one plain text.
pub(super) fn encode_input<'a>(
    out: &mut Vec<u8>,
    parts: &[&'a InputPart],
    write: impl Fn(&mut Vec<u8>, &'a InputPart, &mut Report) -> Result<(), EncodeError>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match parts {
        [] => write_json(out, ""),
        [InputPart::Text(text)] if text.extra.is_empty() => {
            note_marks(text, report);
            write_json(out, &text.text);
        }
        parts => {
            let mut result = Ok(());
            write_array(out, parts, |out, part| {
                let written = write(out, part, report);
                if result.is_ok() {
                    result = written;
                }
            });
            return result;
        }
    }
    Ok(())
}

/// Writes a part of a user's message.
pub(super) fn encode_users(
    out: &mut Vec<u8>,
    part: &InputPart,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match part {
        InputPart::Text(text) => encode_text(out, text, report),
        InputPart::Image(image) => encode_image(out, image, report),
        InputPart::Audio(_) => return Err(refused("its models do not hear; send a transcript")),
        InputPart::File(_) => {
            return Err(refused("it reads documents as text only; send the text"));
        }
        InputPart::Opaque(raw) => return encode_own(out, raw),
    }
    Ok(())
}

/// Writes a part of a tool's result: text or a document.
pub(super) fn encode_tools(
    out: &mut Vec<u8>,
    part: &InputPart,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match part {
        InputPart::File(file) => {
            let FileSource::Text(text) = &file.source else {
                return encode_users(out, part, report);
            };
            let mut object = ObjectWriter::new(out);
            object.value("type", "document");
            write_document(object.key("document"), text, file, report);
            object.extra(&file.extra, FORMAT, &DOCUMENT_MEMBERS, "file", report);
            object.end();
            Ok(())
        }
        part => encode_users(out, part, report),
    }
}

/// Writes a part of an instruction.
pub(super) fn encode_systems(
    out: &mut Vec<u8>,
    part: &InputPart,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match part {
        InputPart::Text(_) | InputPart::Opaque(_) => encode_users(out, part, report),
        InputPart::Image(_) | InputPart::Audio(_) | InputPart::File(_) => Err(refused(
            "its instructions are text only; put it into a user's message",
        )),
    }
}

fn refused(reason: impl Into<String>) -> EncodeError {
    EncodeError::Unsupported {
        path: CONTENT.to_owned(),
        format: FORMAT,
        reason: reason.into(),
    }
}

fn encode_own(out: &mut Vec<u8>, raw: &Opaque) -> Result<(), EncodeError> {
    if raw.origin != FORMAT {
        let kind = kind_of(&raw.bytes);
        return Err(refused(format!(
            "a part of type `{kind}` of {} has no counterpart; send text or an image",
            raw.origin
        )));
    }
    out.extend(&raw.bytes);
    Ok(())
}

/// Writes a text as a part.
pub(super) fn encode_text(out: &mut Vec<u8>, text: &Text, report: &mut Report) {
    note_marks(text, report);
    write_text(out, text, report);
}

/// The same; its sources are written elsewhere.
pub(super) fn write_text(out: &mut Vec<u8>, text: &Text, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "text");
    object.value("text", &text.text);
    object.extra(&text.extra, FORMAT, &TEXT_MEMBERS, "text", report);
    object.end();
}

/// What is read has no place for sources and marks.
pub(super) fn note_marks(text: &Text, report: &mut Report) {
    if !text.citations.is_empty() {
        report.note("text.citations");
    }
    if text.cache.is_some() {
        report.note("cache_control");
    }
}

fn encode_image(out: &mut Vec<u8>, image: &Image, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "image_url");
    let mut inner = ObjectWriter::new(object.key("image_url"));
    inner.value("url", &image.source.to_url());
    inner.optional("detail", image.detail.as_ref());
    inner.end();
    if image.cache.is_some() {
        report.note("cache_control");
    }
    object.extra(&image.extra, FORMAT, &IMAGE_MEMBERS, "image", report);
    object.end();
}

/// Writes a document: `{"data": {"title": "…", "text": "…"}}`.
pub(super) fn write_document(out: &mut Vec<u8>, text: &str, file: &File, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    let mut data = ObjectWriter::new(object.key("data"));
    data.optional("title", file.name.as_ref());
    data.value("text", text);
    data.end();
    object.end();
    if file.cache.is_some() {
        report.note("cache_control");
    }
}

/// Writes a thought. That of another provider's state is for clients only.
pub(super) fn encode_thinking(out: &mut Vec<u8>, thought: &Reasoning, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "thinking");
    object.value("thinking", thought.text.as_deref().unwrap_or_default());
    if let Some(state) = &thought.state {
        object.value(state_member(thought.text.is_some()), &state.wrap(FORMAT));
    }
    object.extra(
        &thought.extra,
        FORMAT,
        &THINKING_MEMBERS,
        "thinking",
        report,
    );
    object.end();
}

/// Where the state of a thought is shown.
pub(super) fn state_member(readable: bool) -> &'static str {
    if readable { SIGNATURE } else { HIDDEN }
}

/// Whether a thought may be shown to this reader.
pub(super) fn is_readable_by(thought: &Reasoning, reader: Reader) -> bool {
    let own = |state: &Opaque| state.origin == FORMAT;
    reader == Reader::Client || thought.state.as_ref().is_none_or(own)
}
