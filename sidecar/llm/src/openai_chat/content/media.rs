//! Images, sound and documents among the parts of a content.
//!
//! Read in OpenAI's words and in those that Mistral has of its own (types `AudioChunk`, `DocumentURLChunk`, `FileChunk` and
//! `ImageURLChunk` of its SDK). Written in OpenAI's, and turned into the others where the dialect says so; a document at an
//! address has no word in OpenAI's.

use fkm_dialect::Documents;
use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::format::Target;
use crate::ir::{Audio, File, FileSource, Image, ImageSource, InputPart, Opaque, Text};
use crate::json::{Object, ObjectWriter, Path, Report, string};
use crate::openai_chat::{FORMAT, types};

const AUDIO_MEMBERS: [&str; 2] = ["type", "input_audio"];
const FILE_MEMBERS: [&str; 5] = ["type", "file", "file_id", "document_url", "document_name"];
const IMAGE_MEMBERS: [&str; 2] = ["type", "image_url"];

/// `{"type": "image_url", "image_url": {"url": "…", "detail": "low"}}`, or Mistral's `"image_url": "…"`.
pub(super) fn decode_image(
    mut object: Object<'_, '_>,
    whole: &RawValue,
) -> Result<InputPart, DecodeError> {
    object.raw("type");
    let path = object.path().member("image_url");
    let raw = object.required("image_url")?;
    let (url, detail, rest) = match string(raw) {
        Some(url) => (url.into_owned(), None, false),
        None => {
            let mut inner = Object::from_raw(raw, &path)?;
            let (url, detail) = (inner.required_string("url")?, inner.string("detail")?);
            (url, detail, !inner.is_empty())
        }
    };
    if rest {
        return Ok(InputPart::Opaque(Opaque::new(FORMAT, whole.get())));
    }
    Ok(InputPart::Image(Image {
        source: ImageSource::from_url(&url),
        detail,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    }))
}

/// `{"type": "input_audio", "input_audio": {"data": "…", "format": "wav"}}`, or Mistral's `"input_audio": "…"` where the sound
/// tells its kind; of another shape (an address), it is kept as it is.
pub(super) fn decode_audio(mut object: Object<'_, '_>, whole: &RawValue) -> InputPart {
    let known = |object: &mut Object<'_, '_>| {
        let raw = object.peek("input_audio")?;
        if let Some(text) = string(raw) {
            return Audio::kind_of(&text)
                .map(|(media_type, data)| (media_type.to_owned(), data.to_owned()));
        }
        let mut inner = Object::from_raw(raw, &Path::Root).ok()?;
        let format = inner.string("format").ok()??;
        let data = inner.string("data").ok()??;
        inner
            .is_empty()
            .then_some((format!("audio/{format}"), data))
    };
    let Some((media_type, data)) = known(&mut object) else {
        return InputPart::Opaque(Opaque::new(FORMAT, whole.get()));
    };
    object.raw("type");
    object.raw("input_audio");
    InputPart::Audio(Audio {
        media_type,
        data,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    })
}

/// `{"type": "file", "file": {"filename": "…", "file_data": "data:…"}}`, or `file_id` for one that the provider keeps
/// (Mistral's stands beside `type`); of another shape it is kept as it is.
pub(super) fn decode_file(mut object: Object<'_, '_>, whole: &RawValue) -> InputPart {
    let known = |object: &mut Object<'_, '_>| {
        if let Some(id) = object.peek("file_id") {
            let alone = object.peek("file").is_none();
            let id = string(id).filter(|_| alone)?;
            return Some((FileSource::Id(Opaque::new(FORMAT, id.into_owned())), None));
        }
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
    match known(&mut object) {
        Some((source, name)) => file(object, source, name, &["file", "file_id"]),
        None => InputPart::Opaque(Opaque::new(FORMAT, whole.get())),
    }
}

/// Mistral's `{"type": "document_url", "document_url": "https://… or data:…", "document_name": "…"}`.
pub(super) fn decode_document(mut object: Object<'_, '_>, whole: &RawValue) -> InputPart {
    let known = |object: &mut Object<'_, '_>| {
        let url = string(object.peek("document_url")?)?;
        let name = match object.peek("document_name") {
            Some(raw) if raw.get() != "null" => Some(string(raw)?.into_owned()),
            _ => None,
        };
        Some((FileSource::from_url(&url), name))
    };
    match known(&mut object) {
        Some((source, name)) => file(object, source, name, &["document_url", "document_name"]),
        None => InputPart::Opaque(Opaque::new(FORMAT, whole.get())),
    }
}

/// A document, whose members have been `read`.
fn file(
    mut object: Object<'_, '_>,
    source: FileSource,
    name: Option<String>,
    read: &[&str],
) -> InputPart {
    object.raw("type");
    for name in read {
        object.raw(name);
    }
    InputPart::File(File {
        source,
        name,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    })
}

pub(super) fn encode_image(
    out: &mut Vec<u8>,
    image: &Image,
    target: &Target<'_>,
    report: &mut Report,
) {
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
pub(super) fn encode_audio(
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

pub(super) fn encode_file(
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
            super::encode_text(out, &text, target, report);
            return Ok(());
        }
        FileSource::Url(url) if target.dialect.documents == Documents::DocumentUrl => {
            encode_document(out, url, file, target, report);
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

/// A document at an address, in the words of a provider that fetches it.
fn encode_document(
    out: &mut Vec<u8>,
    url: &str,
    file: &File,
    target: &Target<'_>,
    report: &mut Report,
) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "document_url");
    object.value("document_url", url);
    object.optional("document_name", file.name.as_ref());
    types::write_cache(&mut object, file.cache, target, report);
    object.extra(&file.extra, FORMAT, &FILE_MEMBERS, "file", report);
    object.end();
}
