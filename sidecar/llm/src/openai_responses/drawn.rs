//! Images that a model drew: items of type `image_generation_call`.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Extra, Image, ImageSource, Opaque, OutputPart, Weight};
use crate::json::{Object, ObjectWriter, Report};
use crate::openai_responses::FORMAT;
use crate::openai_responses::found::{Found, take_status};
use crate::openai_responses::ids::{self, ID};

/// The type of the item.
pub(super) const KIND: &str = "image_generation_call";

const MEMBERS: [&str; 5] = ["type", "id", "status", "result", FORMAT_OF_FILE];

/// The short word for the media type; PNG where it is not told, which is what is drawn unless asked otherwise.
const FORMAT_OF_FILE: &str = "output_format";

/// Reads an item; one without its image is kept as it is.
pub(super) fn decode(
    mut object: Object<'_, '_>,
    whole: &RawValue,
    found: Found,
) -> Result<OutputPart, DecodeError> {
    let held = object.peek("result").and_then(crate::json::string);
    if held.is_none_or(|data| data.is_empty()) {
        return Ok(OutputPart::Opaque(Opaque::new(FORMAT, whole.get())));
    }
    object.raw("type");
    let data = object.required_string("result")?;
    let word = object.string(FORMAT_OF_FILE)?;
    let mut extra = Extra::default();
    ids::take(&mut object, &mut extra, ID);
    take_status(&mut object, found);
    object.rest_into(&mut extra, FORMAT, "");
    Ok(OutputPart::Image(Image {
        source: ImageSource::Base64 {
            media_type: format!("image/{}", word.as_deref().unwrap_or("png")),
            data,
        },
        detail: None,
        cache: None,
        extra,
    }))
}

/// The short word for its type, and its bytes; `None` for an image elsewhere.
pub(super) fn here(image: &Image) -> Option<(&str, &str)> {
    match &image.source {
        ImageSource::Base64 { media_type, data } if !data.is_empty() => {
            Some((media_type.strip_prefix("image/")?, data))
        }
        ImageSource::Base64 { .. } | ImageSource::Url(_) => None,
    }
}

/// Writes an item; `minted` is its id where it has none of its own.
pub(super) fn write(
    out: &mut Vec<u8>,
    image: &Image,
    (word, data): (&str, &str),
    minted: &str,
    report: &mut Report,
) {
    if image.detail.is_some() {
        report.note("image.detail");
    }
    if image.cache.is_some() {
        report.note("cache_control");
    }
    let mut object = ObjectWriter::new(out);
    object.value("type", KIND);
    object.value(ID, ids::text(&image.extra, ID).as_deref().unwrap_or(minted));
    match image.extra.get(FORMAT, "status") {
        Some(status) => object.value("status", status),
        None => object.value("status", "completed"),
    }
    object.value("result", data);
    object.value(FORMAT_OF_FILE, word);
    for (name, member) in image.extra.all() {
        match member.origin == FORMAT {
            true if matches!(name, ID | "status") => {}
            true if !MEMBERS.contains(&name) => object.value(name, &member.value),
            _ if member.weight == Weight::Quiet => {}
            _ => report.note_in("image", name),
        }
    }
    object.end();
}

/// Writes the item as it is before the image is there.
pub(super) fn write_begun(out: &mut Vec<u8>, image: &Image, minted: &str) {
    let mut object = ObjectWriter::new(out);
    object.value("type", KIND);
    object.value(ID, ids::text(&image.extra, ID).as_deref().unwrap_or(minted));
    object.value("status", "in_progress");
    object.value("result", &());
    object.end();
}
