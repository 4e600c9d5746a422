//! The `content` of messages: a string, or an array of parts.

use serde_json::value::RawValue;

use crate::error::{DecodeError, EncodeError};
use crate::ir::{Image, ImageSource, InputPart, Opaque, OutputPart, Reasoning, Text};
use crate::json::{Dropped, Object, ObjectWriter, Path, array, string, write_array, write_json};
use crate::openai_chat::FORMAT;

const TEXT_MEMBERS: [&str; 2] = ["type", "text"];
const IMAGE_MEMBERS: [&str; 2] = ["type", "image_url"];

/// Reads parts of any kind of content with `part`; a string is one text.
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

/// What a user or a tool says.
pub(super) fn decode_input(
    raw: Option<&RawValue>,
    path: &Path<'_>,
) -> Result<Vec<InputPart>, DecodeError> {
    decode(raw, path, InputPart::Text, |raw, path| {
        let object = Object::from_raw(raw, path)?;
        match &*object.kind() {
            "text" => decode_text(object).map(InputPart::Text),
            "image_url" => decode_image(object, raw),
            "" => Err(object.invalid("type", "the name of a part's type")),
            _ => Ok(InputPart::Opaque(Opaque::new(FORMAT, raw.get()))),
        }
    })
}

/// What an instruction says.
pub(super) fn decode_texts(
    raw: Option<&RawValue>,
    path: &Path<'_>,
) -> Result<Vec<Text>, DecodeError> {
    decode(
        raw,
        path,
        |text| text,
        |raw, path| {
            let object = Object::from_raw(raw, path)?;
            match &*object.kind() {
                "text" => decode_text(object),
                _ => Err(object.invalid("type", "`text` in an instruction")),
            }
        },
    )
}

/// What a model said.
pub(super) fn decode_output(
    raw: Option<&RawValue>,
    path: &Path<'_>,
) -> Result<Vec<OutputPart>, DecodeError> {
    decode(raw, path, OutputPart::Text, |raw, path| {
        let mut object = Object::from_raw(raw, path)?;
        match &*object.kind() {
            "text" => decode_text(object).map(OutputPart::Text),
            "refusal" => object.required_string("refusal").map(OutputPart::Refusal),
            "thinking" => decode_thinking(object),
            "" => Err(object.invalid("type", "the name of a part's type")),
            _ => Ok(OutputPart::Opaque(Opaque::new(FORMAT, raw.get()))),
        }
    })
}

fn decode_text(mut object: Object<'_, '_>) -> Result<Text, DecodeError> {
    object.raw("type");
    Ok(Text {
        text: object.required_string("text")?,
        citations: Vec::new(),
        extra: object.rest(FORMAT),
    })
}

fn decode_image(mut object: Object<'_, '_>, whole: &RawValue) -> Result<InputPart, DecodeError> {
    object.raw("type");
    let path = object.path().member("image_url");
    let mut inner = Object::from_raw(object.required("image_url")?, &path)?;
    let image = Image {
        source: ImageSource::from_url(&inner.required_string("url")?),
        detail: inner.string("detail")?,
        extra: object.rest(FORMAT),
    };
    match inner.is_empty() {
        true => Ok(InputPart::Image(image)),
        false => Ok(InputPart::Opaque(Opaque::new(FORMAT, whole.get()))),
    }
}

/// `{"type": "thinking", "thinking": "…" | [{"type": "text", "text": "…"}]}`, as Mistral sends it.
fn decode_thinking(mut object: Object<'_, '_>) -> Result<OutputPart, DecodeError> {
    let path = object.path().member("thinking");
    let texts = decode_texts(object.raw("thinking"), &path)?;
    let text: String = texts.into_iter().map(|text| text.text).collect();
    Ok(OutputPart::Reasoning(Reasoning::plain(text)))
}

/// Writes what a user or a tool says: a string when it is one plain text.
pub(super) fn encode_input(
    out: &mut Vec<u8>,
    parts: &[InputPart],
    dropped: &mut Dropped,
) -> Result<(), EncodeError> {
    match parts {
        [] => write_json(out, ""),
        [InputPart::Text(text)] if text.extra.is_empty() => {
            note_citations(text, dropped);
            write_json(out, &text.text);
        }
        parts => {
            let mut result = Ok(());
            write_array(out, parts, |out, part| {
                let written = encode_input_part(out, part, dropped);
                if let Err(reason) = written
                    && result.is_ok()
                {
                    result = Err(EncodeError::Unsupported {
                        // Numbers would be those of the representation, not of the client's messages.
                        path: "messages[].content".to_owned(),
                        format: FORMAT,
                        reason,
                    });
                }
            });
            return result;
        }
    }
    Ok(())
}

/// Writes one part, or says why it cannot.
fn encode_input_part(
    out: &mut Vec<u8>,
    part: &InputPart,
    dropped: &mut Dropped,
) -> Result<(), String> {
    match part {
        InputPart::Text(text) => encode_text(out, text, dropped),
        InputPart::Image(image) => encode_image(out, image, dropped),
        InputPart::Opaque(raw) if raw.origin == FORMAT => out.extend(&raw.bytes),
        InputPart::Opaque(raw) => {
            return Err(format!(
                "a part of type `{}` of {} has no counterpart; send text or an image",
                crate::json::kind_of(&raw.bytes),
                raw.origin
            ));
        }
    }
    Ok(())
}

/// Writes an instruction.
pub(super) fn encode_texts(out: &mut Vec<u8>, texts: &[Text], dropped: &mut Dropped) {
    match texts {
        [text] if text.extra.is_empty() => {
            note_citations(text, dropped);
            write_json(out, &text.text);
        }
        texts => write_array(out, texts, |out, text| encode_text(out, text, dropped)),
    }
}

/// Writes a text as a part.
pub(super) fn encode_text(out: &mut Vec<u8>, text: &Text, dropped: &mut Dropped) {
    note_citations(text, dropped);
    let mut object = ObjectWriter::new(out);
    object.value("type", "text");
    object.value("text", &text.text);
    object.extra(&text.extra, FORMAT, &TEXT_MEMBERS, "text", dropped);
    object.end();
}

fn encode_image(out: &mut Vec<u8>, image: &Image, dropped: &mut Dropped) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "image_url");
    let mut inner = ObjectWriter::new(object.key("image_url"));
    inner.value("url", &image.source.to_url());
    inner.optional("detail", image.detail.as_ref());
    inner.end();
    object.extra(&image.extra, FORMAT, &IMAGE_MEMBERS, "image", dropped);
    object.end();
}

/// Requests of this format have no place for sources.
pub(super) fn note_citations(text: &Text, dropped: &mut Dropped) {
    if !text.citations.is_empty() {
        dropped.note("text.citations");
    }
}
