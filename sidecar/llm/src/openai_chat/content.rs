//! The `content` of messages: a string, or an array of parts.

pub(super) mod thinking;

use serde_json::value::RawValue;

use crate::error::{DecodeError, EncodeError};
use crate::format::Target;
use crate::ir::{Audio, File, FileSource, Image, ImageSource, InputPart, Opaque, OutputPart, Text};
use crate::json::{Object, ObjectWriter, Path, Report, array, string, write_array, write_json};
use crate::openai_chat::{FORMAT, types};

const TEXT_MEMBERS: [&str; 2] = ["type", "text"];
const AUDIO_MEMBERS: [&str; 2] = ["type", "input_audio"];
const FILE_MEMBERS: [&str; 2] = ["type", "file"];
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
            "input_audio" => Ok(decode_audio(object, raw)),
            "file" => Ok(decode_file(object, raw)),
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

fn decode_image(mut object: Object<'_, '_>, whole: &RawValue) -> Result<InputPart, DecodeError> {
    object.raw("type");
    let path = object.path().member("image_url");
    let mut inner = Object::from_raw(object.required("image_url")?, &path)?;
    let image = Image {
        source: ImageSource::from_url(&inner.required_string("url")?),
        detail: inner.string("detail")?,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    };
    match inner.is_empty() {
        true => Ok(InputPart::Image(image)),
        false => Ok(InputPart::Opaque(Opaque::new(FORMAT, whole.get()))),
    }
}

/// `{"type": "input_audio", "input_audio": {"data": "…", "format": "wav"}}`; of another shape, as providers of the family
/// have it, it is kept as it is.
fn decode_audio(mut object: Object<'_, '_>, whole: &RawValue) -> InputPart {
    let known = |object: &mut Object<'_, '_>| {
        let mut inner = Object::from_raw(object.peek("input_audio")?, &Path::Root).ok()?;
        let format = inner.string("format").ok()??;
        let data = inner.string("data").ok()??;
        inner.is_empty().then_some((format, data))
    };
    let Some((format, data)) = known(&mut object) else {
        return InputPart::Opaque(Opaque::new(FORMAT, whole.get()));
    };
    object.raw("type");
    object.raw("input_audio");
    InputPart::Audio(Audio {
        media_type: format!("audio/{format}"),
        data,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    })
}

/// `{"type": "file", "file": {"filename": "…", "file_data": "data:…"}}`, or `file_id` for one that the provider keeps; of
/// another shape it is kept as it is.
fn decode_file(mut object: Object<'_, '_>, whole: &RawValue) -> InputPart {
    let known = |object: &mut Object<'_, '_>| {
        let mut inner = Object::from_raw(object.peek("file")?, &Path::Root).ok()?;
        let name = inner.string("filename").ok()?;
        let data = inner.string("file_data").ok()?;
        let source = match (data, inner.string("file_id").ok()?) {
            (Some(data), None) => FileSource::from_url(&data),
            (None, Some(id)) => FileSource::Id(Opaque::new(FORMAT, id)),
            _ => return None,
        };
        // An address of a document has no place here.
        let here = inner.is_empty() && !matches!(source, FileSource::Url(_));
        here.then_some((source, name))
    };
    let Some((source, name)) = known(&mut object) else {
        return InputPart::Opaque(Opaque::new(FORMAT, whole.get()));
    };
    object.raw("type");
    object.raw("file");
    InputPart::File(File {
        source,
        name,
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
        InputPart::Image(image) => encode_image(out, image, target, report),
        InputPart::Audio(audio) => return encode_audio(out, audio, target, report),
        InputPart::File(file) => return encode_file(out, file, target, report),
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

fn encode_image(out: &mut Vec<u8>, image: &Image, target: &Target<'_>, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "image_url");
    let mut inner = ObjectWriter::new(object.key("image_url"));
    inner.value("url", &image.source.to_url());
    inner.optional("detail", image.detail.as_ref());
    inner.end();
    types::write_cache(&mut object, image.cache, target, report);
    object.extra(&image.extra, FORMAT, &IMAGE_MEMBERS, "image", report);
    object.end();
}

/// The format's own words are `wav` and `mp3`; what else a provider of the family hears, it says itself.
fn encode_audio(
    out: &mut Vec<u8>,
    audio: &Audio,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), String> {
    let format = match audio.media_type.as_str() {
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wave" => "wav",
        other => other.strip_prefix("audio/").ok_or_else(|| {
            format!("`{other}` is no type of sound; send `audio/wav` or `audio/mp3`")
        })?,
    };
    let mut object = ObjectWriter::new(out);
    object.value("type", "input_audio");
    let mut inner = ObjectWriter::new(object.key("input_audio"));
    inner.value("data", &audio.data);
    inner.value("format", format);
    inner.end();
    types::write_cache(&mut object, audio.cache, target, report);
    object.extra(&audio.extra, FORMAT, &AUDIO_MEMBERS, "audio", report);
    object.end();
    Ok(())
}

fn encode_file(
    out: &mut Vec<u8>,
    file: &File,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), String> {
    let (member, value) = match &file.source {
        FileSource::Base64 { media_type, data } => {
            ("file_data", format!("data:{media_type};base64,{data}"))
        }
        FileSource::Text(text) => {
            // What was text is text, not a document: the format has none.
            let text = Text {
                text: text.clone(),
                cache: file.cache,
                ..Text::default()
            };
            report.note("file.text");
            encode_text(out, &text, target, report);
            return Ok(());
        }
        FileSource::Url(_) => {
            return Err("a document at an address cannot be sent; send its content".to_owned());
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
    object.value("type", "file");
    let mut inner = ObjectWriter::new(object.key("file"));
    inner.optional("filename", file.name.as_ref());
    inner.value(member, &value);
    inner.end();
    types::write_cache(&mut object, file.cache, target, report);
    object.extra(&file.extra, FORMAT, &FILE_MEMBERS, "file", report);
    object.end();
    Ok(())
}

/// Requests of this format have no place for sources.
pub(super) fn note_citations(text: &Text, report: &mut Report) {
    if !text.citations.is_empty() {
        report.note("text.citations");
    }
}
