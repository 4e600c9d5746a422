//! What a model reads: the `content` of messages and the `output` of functions, a string or an array of parts.

use fkm_dialect::Capabilities;
use serde_json::value::RawValue;

use crate::error::{DecodeError, EncodeError};
use crate::ir::{File, FileSource, Image, ImageSource, InputPart, Opaque, Text};
use crate::json::{Object, ObjectWriter, Path, Report, array, kind_of, string, write_array};
use crate::openai_responses::{FORMAT, types};

const TEXT_MEMBERS: [&str; 2] = ["type", "text"];
const IMAGE_MEMBERS: [&str; 3] = ["type", "image_url", "detail"];
const FILE_MEMBERS: [&str; 5] = ["type", "filename", "file_data", "file_id", "file_url"];

/// What is done when nothing is said of how closely to look at an image.
const DETAIL: &str = "auto";

/// Whether a part of this type, kept as it is, stands among the parts of a content.
pub(super) fn is_part(kind: &str) -> bool {
    kind.starts_with("input_")
}

/// Reads a content.
pub(super) fn decode(
    raw: Option<&RawValue>,
    path: &Path<'_>,
) -> Result<Vec<InputPart>, DecodeError> {
    let Some(raw) = raw else {
        return Ok(Vec::new());
    };
    if let Some(text) = string(raw) {
        return Ok(vec![InputPart::Text(Text::plain(text))]);
    }
    let parts = array(raw, path).map_err(|_| DecodeError::Invalid {
        path: path.to_string(),
        expected: "a string or an array of parts".to_owned(),
    })?;
    (0..)
        .zip(parts)
        .map(|(index, raw)| decode_part(raw, &path.item(index)))
        .collect()
}

fn decode_part(raw: &RawValue, path: &Path<'_>) -> Result<InputPart, DecodeError> {
    let object = Object::from_raw(raw, path)?;
    match &*object.kind() {
        // What a program of the chat format left in its messages.
        "input_text" | "output_text" | "text" => decode_text(object).map(InputPart::Text),
        "input_image" => decode_image(object, raw),
        "input_file" => Ok(decode_file(object, raw)),
        kind if is_part(kind) => Ok(InputPart::Opaque(Opaque::new(FORMAT, raw.get()))),
        _ => Err(object.invalid("type", "`input_text`, `input_image` or `input_file`")),
    }
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

/// `{"type": "input_image", "image_url": "…", "detail": "auto"}`; one that the provider keeps (`file_id`) is kept as it is.
fn decode_image(mut object: Object<'_, '_>, whole: &RawValue) -> Result<InputPart, DecodeError> {
    let kept = object
        .peek("file_id")
        .is_some_and(|raw| raw.get() != "null");
    let url = object.string("image_url")?;
    let Some(url) = url.filter(|_| !kept) else {
        return Ok(InputPart::Opaque(Opaque::new(FORMAT, whole.get())));
    };
    object.raw("type");
    let detail = object.string("detail")?;
    Ok(InputPart::Image(Image {
        source: ImageSource::from_url(&url),
        detail: detail.filter(|word| word != DETAIL),
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    }))
}

/// `{"type": "input_file", "filename": "…", "file_data": "data:…" | "file_url": "…" | "file_id": "…"}`; of another shape it
/// is kept as it is.
fn decode_file(mut object: Object<'_, '_>, whole: &RawValue) -> InputPart {
    let mut known = |name| object.string(name).ok();
    let source = (|| {
        let (data, url, id) = (known("file_data")?, known("file_url")?, known("file_id")?);
        match (data, url, id) {
            (Some(data), None, None) => match FileSource::from_url(&data) {
                FileSource::Url(_) => None,
                source => Some(source),
            },
            (None, Some(url), None) => Some(FileSource::from_url(&url)),
            (None, None, Some(id)) => Some(FileSource::Id(Opaque::new(FORMAT, id))),
            _ => None,
        }
    })();
    let (Some(source), Ok(name)) = (source, object.string("filename")) else {
        return InputPart::Opaque(Opaque::new(FORMAT, whole.get()));
    };
    object.raw("type");
    InputPart::File(File {
        source,
        name,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    })
}

/// Writes a content: a string when it is one plain text.
pub(super) fn encode(
    out: &mut Vec<u8>,
    parts: &[InputPart],
    capabilities: &Capabilities,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match parts {
        [] => out.extend_from_slice(br#""""#),
        [InputPart::Text(text)] if text.extra.is_quiet() && text.cache.is_none() => {
            note_citations(text, report);
            crate::json::write_json(out, &text.text);
        }
        parts => {
            let mut result = Ok(());
            write_array(out, parts, |out, part| {
                let written = encode_part(out, part, capabilities, report);
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
fn encode_part(
    out: &mut Vec<u8>,
    part: &InputPart,
    capabilities: &Capabilities,
    report: &mut Report,
) -> Result<(), String> {
    match part {
        InputPart::Text(text) => encode_text(out, text, capabilities, report),
        InputPart::Image(image) => encode_image(out, image, capabilities, report),
        InputPart::File(file) => return encode_file(out, file, capabilities, report),
        InputPart::Audio(_) => return Err("it takes no sound; send a transcript".to_owned()),
        InputPart::Opaque(raw) => {
            let kind = kind_of(&raw.bytes);
            if raw.origin != FORMAT || !is_part(&kind) {
                return Err(format!(
                    "a part of type `{kind}` of {} has no counterpart; send text, an image or a document",
                    raw.origin
                ));
            }
            out.extend_from_slice(&raw.bytes);
        }
    }
    Ok(())
}

fn encode_text(out: &mut Vec<u8>, text: &Text, capabilities: &Capabilities, report: &mut Report) {
    note_citations(text, report);
    let mut object = ObjectWriter::new(out);
    object.value("type", "input_text");
    object.value("text", &text.text);
    types::write_cache(&mut object, text.cache, capabilities, report);
    object.extra(&text.extra, FORMAT, &TEXT_MEMBERS, "text", report);
    object.end();
}

fn encode_image(
    out: &mut Vec<u8>,
    image: &Image,
    capabilities: &Capabilities,
    report: &mut Report,
) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "input_image");
    object.value("image_url", &image.source.to_url());
    object.value("detail", image.detail.as_deref().unwrap_or(DETAIL));
    types::write_cache(&mut object, image.cache, capabilities, report);
    object.extra(&image.extra, FORMAT, &IMAGE_MEMBERS, "image", report);
    object.end();
}

fn encode_file(
    out: &mut Vec<u8>,
    file: &File,
    capabilities: &Capabilities,
    report: &mut Report,
) -> Result<(), String> {
    let (member, value) = match &file.source {
        FileSource::Base64 { media_type, data } => {
            ("file_data", format!("data:{media_type};base64,{data}"))
        }
        FileSource::Url(url) => ("file_url", url.clone()),
        FileSource::Text(text) => {
            // What was text is text, not a document: the format has none.
            let text = Text {
                text: text.clone(),
                cache: file.cache,
                ..Text::default()
            };
            report.note("file.text");
            encode_text(out, &text, capabilities, report);
            return Ok(());
        }
        FileSource::Id(id) => match String::from_utf8(id.bytes.clone()) {
            Ok(text) if id.origin == FORMAT => ("file_id", text),
            _ => {
                return Err(format!(
                    "the file is kept by a provider of {}; send its content",
                    id.origin
                ));
            }
        },
    };
    let mut object = ObjectWriter::new(out);
    object.value("type", "input_file");
    object.optional("filename", file.name.as_ref());
    object.value(member, &value);
    types::write_cache(&mut object, file.cache, capabilities, report);
    object.extra(&file.extra, FORMAT, &FILE_MEMBERS, "file", report);
    object.end();
    Ok(())
}

/// What a model reads has no place for sources.
fn note_citations(text: &Text, report: &mut Report) {
    if !text.citations.is_empty() {
        report.note("text.citations");
    }
}
