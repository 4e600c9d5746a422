//! The `content` of messages: a string, or an array of parts.

pub(super) mod drawn;
mod media;
pub(super) mod thinking;

use serde_json::value::RawValue;

use crate::error::{DecodeError, EncodeError};
use crate::format::Target;
use crate::ir::{InputPart, Opaque, OutputPart, Text};
use crate::json::{Object, ObjectWriter, Path, Report, array, string, write_array, write_json};
use crate::openai_chat::{FORMAT, types};

const TEXT_MEMBERS: [&str; 2] = ["type", "text"];

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
            "image_url" => media::decode_image(object, raw),
            "input_audio" => Ok(media::decode_audio(object, raw)),
            "file" => Ok(media::decode_file(object, raw)),
            "document_url" => Ok(media::decode_document(object, raw)),
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
            "thinking" => thinking::decode(object),
            "reasoning" => Ok(thinking::decode_summary(object, raw)),
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
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    })
}

/// Writes what a user or a tool says: a string when it is one plain text.
pub(super) fn encode_input(
    out: &mut Vec<u8>,
    parts: &[InputPart],
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match parts {
        [] => write_json(out, ""),
        [InputPart::Text(text)] if text.extra.is_quiet() && text.cache.is_none() => {
            note_citations(text, report);
            write_json(out, &text.text);
        }
        parts => {
            let mut result = Ok(());
            write_array(out, parts, |out, part| {
                let written = encode_input_part(out, part, target, report);
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
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), String> {
    match part {
        InputPart::Text(text) => encode_text(out, text, target, report),
        InputPart::Image(image) => media::encode_image(out, image, target, report),
        InputPart::Audio(audio) => return media::encode_audio(out, audio, target, report),
        InputPart::File(file) => return media::encode_file(out, file, target, report),
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
pub(super) fn encode_texts(
    out: &mut Vec<u8>,
    texts: &[Text],
    target: &Target<'_>,
    report: &mut Report,
) {
    match texts {
        [text] if text.extra.is_quiet() && text.cache.is_none() => {
            note_citations(text, report);
            write_json(out, &text.text);
        }
        texts => write_array(out, texts, |out, text| {
            encode_text(out, text, target, report);
        }),
    }
}

/// Writes a text as a part.
pub(super) fn encode_text(
    out: &mut Vec<u8>,
    text: &Text,
    target: &Target<'_>,
    report: &mut Report,
) {
    note_citations(text, report);
    let mut object = ObjectWriter::new(out);
    object.value("type", "text");
    object.value("text", &text.text);
    types::write_cache(&mut object, text.cache, target, report);
    object.extra(&text.extra, FORMAT, &TEXT_MEMBERS, "text", report);
    object.end();
}

/// Requests of this format have no place for sources.
pub(super) fn note_citations(text: &Text, report: &mut Report) {
    if !text.citations.is_empty() {
        report.note("text.citations");
    }
}
