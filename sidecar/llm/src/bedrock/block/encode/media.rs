//! Writes images, documents, videos and sound: as bytes, or from the provider's own store.

use std::collections::BTreeMap;

use crate::bedrock::FORMAT;
use crate::bedrock::block::MEDIA_MEMBERS;
use crate::bedrock::block::encode::{BlockWriter, CONTENT, unsupported};
use crate::bedrock::media::{Medium, Place, medium_of_file};
use crate::error::EncodeError;
use crate::ir::{Audio, Extra, File, Image};
use crate::json::ObjectWriter;

/// The longest name of a document.
const MAX_NAME: usize = 200;

/// The name of a document that has none.
const NAMELESS: &str = "document";

pub(super) fn image(
    writer: &mut BlockWriter<'_>,
    out: &mut Vec<u8>,
    image: &Image,
) -> Result<(), EncodeError> {
    if image.detail.is_some() {
        writer.report.note("image.detail");
    }
    let place = Place::of_image(image);
    write(writer, out, Medium::Image, place, None, &image.extra)
}

pub(super) fn audio(
    writer: &mut BlockWriter<'_>,
    out: &mut Vec<u8>,
    audio: &Audio,
) -> Result<(), EncodeError> {
    let place = Place::Bytes {
        media_type: &audio.media_type,
        data: &audio.data,
    };
    write(writer, out, Medium::Sound, place, None, &audio.extra)
}

/// Whether it was a document (and not a video).
pub(super) fn file(
    writer: &mut BlockWriter<'_>,
    out: &mut Vec<u8>,
    file: &File,
) -> Result<bool, EncodeError> {
    let medium = medium_of_file(file);
    let place = Place::of_file(file);
    let document = medium == Medium::Document;
    let name = if document {
        Some(name(file.name.as_deref(), writer))
    } else {
        if file.name.is_some() {
            writer.report.note("file.name");
        }
        None
    };
    write(writer, out, medium, place, name.as_deref(), &file.extra)?;
    Ok(document)
}

fn write(
    writer: &mut BlockWriter<'_>,
    out: &mut Vec<u8>,
    medium: Medium,
    place: Place<'_>,
    name: Option<&str>,
    extra: &Extra,
) -> Result<(), EncodeError> {
    let word = word(medium, place)?;
    let mut block = ObjectWriter::new(out);
    let mut inner = ObjectWriter::new(block.key(medium.block()));
    inner.value("format", word);
    inner.optional("name", name.as_ref());
    let mut source = ObjectWriter::new(inner.key("source"));
    match place {
        Place::Bytes { data, .. } => source.value("bytes", data),
        Place::S3(uri) => {
            let mut location = ObjectWriter::new(source.key("s3Location"));
            location.value("uri", uri);
            location.end();
        }
        Place::Text(text) => source.value("text", text),
        Place::Elsewhere | Place::Kept => {}
    }
    source.end();
    let what = if medium == Medium::Document {
        "file"
    } else {
        medium.block()
    };
    inner.extra(extra, FORMAT, &MEDIA_MEMBERS, what, writer.report);
    inner.end();
    block.end();
    Ok(())
}

/// The word for what is at `place`, or why it cannot be sent.
fn word(medium: Medium, place: Place<'_>) -> Result<&'static str, EncodeError> {
    let block = medium.block();
    let invalid = |reason: String| {
        Err(EncodeError::Invalid {
            path: CONTENT.to_owned(),
            reason,
        })
    };
    match place {
        Place::Bytes { media_type, data } => match medium.word(media_type) {
            Some(_) if data.is_empty() => invalid(format!("the {block} is empty")),
            Some(word) => Ok(word),
            None => Err(unsupported(&format!(
                "{block} of type `{media_type}` is not taken; send one of {}",
                medium.list()
            ))),
        },
        Place::S3(uri) => medium.word_of_address(uri).map_or_else(
            || {
                invalid(format!(
                    "the address of the {block} must end with its kind, one of {}",
                    medium.list()
                ))
            },
            Ok,
        ),
        Place::Text(text) if text.trim().is_empty() => invalid(format!("the {block} is empty")),
        Place::Text(_) => Ok("txt"),
        Place::Elsewhere => Err(unsupported(&format!(
            "it fetches nothing but `s3://` addresses; send the {block} itself, in base64"
        ))),
        Place::Kept => Err(unsupported(&format!(
            "it keeps no files under ids; send the {block} itself, in base64"
        ))),
    }
}

/// A name as it is taken: letters, digits, single spaces, hyphens, parentheses and brackets, and no two alike in a request.
fn name(asked: Option<&str>, writer: &mut BlockWriter<'_>) -> String {
    let fitted = fit_name(asked.unwrap_or_default());
    let unique = make_unique(fitted, &mut writer.names);
    if asked.is_some_and(|asked| asked != unique) {
        writer.report.note("file.name");
    }
    unique
}

fn fit_name(asked: &str) -> String {
    let mut out = String::with_capacity(asked.len().min(MAX_NAME));
    for c in asked.chars() {
        let c = match c {
            c if c.is_ascii_alphanumeric() || "-()[]".contains(c) => c,
            c if c.is_whitespace() => ' ',
            _ => '-',
        };
        let doubled = matches!(c, ' ') && out.ends_with(' ');
        if out.len() < MAX_NAME && !doubled {
            out.push(c);
        }
    }
    match out.trim() {
        "" => NAMELESS.to_owned(),
        name => name.to_owned(),
    }
}

/// With a number behind it when it is taken. `taken` has the last number of each name.
fn make_unique(name: String, taken: &mut BTreeMap<String, usize>) -> String {
    let Some(last) = taken.get(&name).copied() else {
        taken.insert(name.clone(), 1);
        return name;
    };
    let numbered = |number: usize| {
        let suffix = format!("-{number}");
        let kept = &name[..name.len().min(MAX_NAME - suffix.len())];
        format!("{kept}{suffix}")
    };
    let mut number = last + 1;
    while taken.contains_key(&numbered(number)) {
        number += 1;
    }
    let unique = numbered(number);
    taken.insert(name, number);
    taken.insert(unique.clone(), 1);
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fitted_and_differ() {
        assert_eq!(fit_name("report (final) [2].pdf"), "report (final) [2]-pdf");
        assert_eq!(fit_name(" a \t b "), "a b");
        assert_eq!(fit_name(""), NAMELESS);
        assert_eq!(fit_name("ä"), "-");
        assert_eq!(fit_name(&"x".repeat(300)).len(), MAX_NAME);
        let mut taken = BTreeMap::new();
        let long = "x".repeat(MAX_NAME);
        let names = ["a", "a-3", "a", "a", &long, &long];
        let unique = names.map(|name| make_unique(name.to_owned(), &mut taken));
        assert_eq!(unique[..4], ["a", "a-3", "a-2", "a-4"]);
        assert_ne!(unique[4], unique[5]);
        assert_eq!(unique[5].len(), MAX_NAME);
    }
}
