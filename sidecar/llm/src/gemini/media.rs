//! Media: `inlineData` (here) and `fileData` (at an address), both ways.
//!
//! `fileData` takes what Google keeps (`gs://…` on Vertex, files of the Files API), videos of `YouTube`, and public `https`
//! addresses, which the provider fetches itself (<https://ai.google.dev/gemini-api/docs/file-input-methods>; on Vertex only
//! those that robots may read). It asks for the media type, which other formats do not tell: it is read off the address, and
//! where that does not show it the request is refused with what to do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fkm_dialect::Medium;

use crate::error::{DecodeError, EncodeError};
use crate::gemini::types::{camel, standard_base64};
use crate::gemini::{FORMAT, part};
use crate::ir::{Audio, Extra, File, FileSource, Image, ImageSource, InputPart, Opaque, RawJson};
use crate::json::{Object, ObjectWriter, Report, string};
use crate::links::Link;

/// Members of the data itself, among those of the part.
const INNER: &str = "data.";
const TYPE: &str = "data.mimeType";

const BLOB_MEMBERS: [&str; 4] = ["mimeType", "data", "fileUri", "displayName"];
const PART_MEMBERS: [&str; 2] = ["inlineData", "fileData"];

/// Reads `inlineData` or `fileData`; `None` for what only this format has (videos).
pub(super) fn decode(mut object: Object<'_, '_>) -> Result<Option<InputPart>, DecodeError> {
    let inline = object.peek("inlineData").is_some();
    let name = if inline { "inlineData" } else { "fileData" };
    let path = object.path().member(name);
    let mut blob = Object::from_raw(object.required(name)?, &path)?;
    camel(&mut blob, &BLOB_MEMBERS);
    if inline {
        decode_inline(&object_type(&mut blob)?.unwrap_or_default(), blob, object)
    } else {
        let media_type = object_type(&mut blob)?;
        decode_linked(media_type.as_deref(), blob, object)
    }
}

fn object_type(blob: &mut Object<'_, '_>) -> Result<Option<String>, DecodeError> {
    Ok(blob.string("mimeType")?.filter(|text| !text.is_empty()))
}

/// The unknown members of a part and of its data.
fn extra_of(blob: Object<'_, '_>, part: Object<'_, '_>) -> Extra {
    let mut extra = part.rest(FORMAT);
    blob.rest_into(&mut extra, FORMAT, INNER);
    extra
}

fn decode_inline(
    media_type: &str,
    mut blob: Object<'_, '_>,
    part: Object<'_, '_>,
) -> Result<Option<InputPart>, DecodeError> {
    let data = standard_base64(blob.string("data")?.unwrap_or_default());
    let media_type = media_type.to_owned();
    let extra = extra_of(blob, part);
    Ok(Some(match kind(&media_type) {
        Kind::Video => return Ok(None),
        Kind::Image => InputPart::Image(Image {
            source: ImageSource::Base64 { media_type, data },
            detail: None,
            cache: None,
            extra,
        }),
        Kind::Audio => InputPart::Audio(Audio {
            media_type,
            data,
            cache: None,
            extra,
        }),
        Kind::Document => InputPart::File(File {
            source: plain_text(&media_type, &data)
                .unwrap_or(FileSource::Base64 { media_type, data }),
            name: None,
            cache: None,
            extra,
        }),
    }))
}

/// A document of plain text, when its base64 is such that it comes back the same.
fn plain_text(media_type: &str, data: &str) -> Option<FileSource> {
    if media_type != "text/plain" {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(data).ok()?).ok()?;
    (STANDARD.encode(&text) == data).then_some(FileSource::Text(text))
}

fn decode_linked(
    media_type: Option<&str>,
    mut blob: Object<'_, '_>,
    part: Object<'_, '_>,
) -> Result<Option<InputPart>, DecodeError> {
    let url = blob.required_string("fileUri")?;
    let mut extra = extra_of(blob, part);
    let guessed = guess(&url);
    if let Some(told) = media_type
        && (is_kept(&url) || guessed != Some(told))
    {
        extra.insert(FORMAT, TYPE, RawJson::string(told));
    }
    let told = media_type.or(guessed);
    let (name, cache) = (None, None);
    Ok(match told.map(kind) {
        Some(Kind::Video | Kind::Audio) => None,
        _ if is_kept(&url) => Some(InputPart::File(File {
            source: FileSource::Id(Opaque::new(FORMAT, url)),
            name,
            cache,
            extra,
        })),
        Some(Kind::Image) => Some(InputPart::Image(Image {
            source: ImageSource::Url(url),
            detail: None,
            cache,
            extra,
        })),
        Some(Kind::Document) => Some(InputPart::File(File {
            source: FileSource::Url(url),
            name,
            cache,
            extra,
        })),
        None => None,
    })
}

/// Whether a file is kept by Google, and its address of no use to anybody else.
pub(super) fn is_kept(url: &str) -> bool {
    let Some(rest) = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
    else {
        return true;
    };
    let host = rest.split(['/', '?', ':']).next().unwrap_or_default();
    host == "generativelanguage.googleapis.com"
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Image,
    Audio,
    Video,
    Document,
}

fn kind(media_type: &str) -> Kind {
    match media_type.split('/').next() {
        Some("image") => Kind::Image,
        Some("audio") => Kind::Audio,
        Some("video") => Kind::Video,
        _ => Kind::Document,
    }
}

/// What a part at an address is, where that can be an image or a document.
pub(super) fn medium(media_type: &str) -> Option<Medium> {
    match kind(media_type) {
        Kind::Image => Some(Medium::Image),
        Kind::Document => Some(Medium::Document),
        Kind::Audio | Kind::Video => None,
    }
}

/// Whether the type of what is at the address of a link is known, which this format asks for.
pub(super) fn tells_type(link: &Link) -> bool {
    link.media_type.is_some() || guess(&link.url).is_some()
}

/// The media type that the end of an address's path shows.
pub(super) fn guess(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, after_host) = path.split_once("://")?.1.split_once('/')?;
    let name = after_host.rsplit('/').next()?;
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "json" => "application/json",
        "xml" => "text/xml",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

/// Writes an image; one that a model drew may have a signature.
pub(super) fn encode_image(
    out: &mut Vec<u8>,
    image: &Image,
    signature: Option<&Opaque>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    if image.detail.is_some() {
        report.note("image.detail");
    }
    if image.cache.is_some() {
        report.note("cache_control");
    }
    let source = match &image.source {
        ImageSource::Url(url) => ImageSource::from_url(url),
        here @ ImageSource::Base64 { .. } => here.clone(),
    };
    let signed = Outer {
        signature,
        ..Outer::of("image", &image.extra)
    };
    match &source {
        ImageSource::Url(url) => {
            let media_type = type_of(url, &image.extra)?;
            write_linked(out, url, Some(&media_type), signed, report);
        }
        ImageSource::Base64 { media_type, data } => {
            write_inline(out, media_type, data, signed, report);
        }
    }
    Ok(())
}

pub(super) fn encode_audio(
    out: &mut Vec<u8>,
    audio: &Audio,
    report: &mut Report,
) -> Result<(), EncodeError> {
    if kind(&audio.media_type) != Kind::Audio {
        return Err(EncodeError::Invalid {
            path: part::CONTENT.to_owned(),
            reason: format!("{:?} is no media type of sound", audio.media_type),
        });
    }
    if audio.cache.is_some() {
        report.note("cache_control");
    }
    let (media_type, data) = (&audio.media_type, &audio.data);
    write_inline(
        out,
        media_type,
        data,
        Outer::of("audio", &audio.extra),
        report,
    );
    Ok(())
}

pub(super) fn encode_file(
    out: &mut Vec<u8>,
    file: &File,
    report: &mut Report,
) -> Result<(), EncodeError> {
    if file.name.is_some() {
        // AI Studio refuses `displayName`.
        report.note("file.name");
    }
    if file.cache.is_some() {
        report.note("cache_control");
    }
    let extra = Outer::of("file", &file.extra);
    match &file.source {
        FileSource::Base64 { media_type, data } => {
            write_inline(out, media_type, data, extra, report);
        }
        FileSource::Text(text) => {
            write_inline(out, "text/plain", &STANDARD.encode(text), extra, report);
        }
        FileSource::Url(url) => {
            let media_type = type_of(url, &file.extra)?;
            write_linked(out, url, Some(&media_type), extra, report);
        }
        FileSource::Id(id) => {
            let own = std::str::from_utf8(&id.bytes).ok();
            let own = own.filter(|_| id.origin == FORMAT);
            let url = own.ok_or_else(|| EncodeError::Unsupported {
                path: part::CONTENT.to_owned(),
                format: FORMAT,
                reason: format!(
                    "the file is kept by a provider of {}; send its content",
                    id.origin
                ),
            })?;
            let told = told_type(&file.extra);
            write_linked(out, url, told.as_deref(), extra, report);
        }
    }
    Ok(())
}

fn told_type(extra: &Extra) -> Option<String> {
    Some(string(extra.get(FORMAT, TYPE)?.raw())?.into_owned())
}

/// The media type of what is at an address.
fn type_of(url: &str, extra: &Extra) -> Result<String, EncodeError> {
    if url.starts_with("data:") {
        return Err(EncodeError::Invalid {
            path: part::CONTENT.to_owned(),
            reason: "a `data:` address must read `data:TYPE;base64,DATA`".to_owned(),
        });
    }
    let told = told_type(extra).or_else(|| guess(url).map(str::to_owned));
    told.ok_or_else(|| EncodeError::Unsupported {
        path: part::CONTENT.to_owned(),
        format: FORMAT,
        reason:
            "it asks for the media type, and the address does not show it; send the content itself \
                 (`data:TYPE;base64,DATA`), or an address whose path ends like `.png` or `.pdf`"
                .to_owned(),
    })
}

/// What stands beside the data of a part.
#[derive(Clone, Copy)]
struct Outer<'a> {
    /// What the part is called in reports.
    what: &'a str,
    extra: &'a Extra,
    signature: Option<&'a Opaque>,
}

impl<'a> Outer<'a> {
    fn of(what: &'a str, extra: &'a Extra) -> Self {
        Self {
            what,
            extra,
            signature: None,
        }
    }

    /// Ends the part.
    fn write(self, mut object: ObjectWriter<'_>, report: &mut Report) {
        part::write_state(&mut object, self.signature);
        let known = &PART_MEMBERS;
        part::write_outer(&mut object, self.extra, INNER, known, self.what, report);
        object.end();
    }
}

fn write_inline(
    out: &mut Vec<u8>,
    media_type: &str,
    data: &str,
    outer: Outer<'_>,
    report: &mut Report,
) {
    let mut object = ObjectWriter::new(out);
    let mut blob = ObjectWriter::new(object.key("inlineData"));
    blob.value("mimeType", media_type);
    blob.value("data", data);
    part::write_inner(&mut blob, outer.extra, INNER, &["mimeType", "data"]);
    blob.end();
    outer.write(object, report);
}

fn write_linked(
    out: &mut Vec<u8>,
    url: &str,
    media_type: Option<&str>,
    outer: Outer<'_>,
    report: &mut Report,
) {
    let mut object = ObjectWriter::new(out);
    let mut blob = ObjectWriter::new(object.key("fileData"));
    blob.value("fileUri", url);
    blob.optional("mimeType", media_type.as_ref());
    part::write_inner(&mut blob, outer.extra, INNER, &["fileUri", "mimeType"]);
    blob.end();
    outer.write(object, report);
}
