//! Reads blocks. A type that is not known is kept as it is.

use serde_json::value::RawValue;

use crate::anthropic::FORMAT;
use crate::anthropic::types::{self, unwrap_id};
use crate::error::DecodeError;
use crate::ir::{
    File, FileSource, Image, ImageSource, InputPart, Opaque, OutputPart, Reasoning, Text, ToolCall,
};
use crate::json::{Object, Path, array, string};

/// Whether a block has this type.
pub(in crate::anthropic) fn is_kind(raw: &RawValue, kind: &str) -> bool {
    Object::from_raw(raw, &Path::Root).is_ok_and(|object| object.kind() == kind)
}

/// Content that is only text: a string, or text blocks.
pub(in crate::anthropic) fn decode_texts(
    raw: Option<&RawValue>,
    path: &Path<'_>,
) -> Result<Vec<Text>, DecodeError> {
    let Some(raw) = raw else {
        return Ok(Vec::new());
    };
    if let Some(text) = string(raw) {
        return Ok(vec![Text::plain(text)]);
    }
    (0..)
        .zip(array(raw, path)?)
        .map(|(index, raw)| {
            let path = path.item(index);
            let object = Object::from_raw(raw, &path)?;
            match &*object.kind() {
                "text" => decode_text(object),
                _ => Err(object.invalid("type", "`text`")),
            }
        })
        .collect()
}

/// A block that a user or a tool says.
pub(in crate::anthropic) fn decode_input(
    raw: &RawValue,
    path: &Path<'_>,
) -> Result<InputPart, DecodeError> {
    let opaque = || InputPart::Opaque(Opaque::new(FORMAT, raw.get()));
    let object = Object::from_raw(raw, path)?;
    match &*object.kind() {
        "text" => decode_text(object).map(InputPart::Text),
        "image" => Ok(decode_image(object)?.map_or_else(opaque, InputPart::Image)),
        "document" => Ok(decode_document(object)?.map_or_else(opaque, InputPart::File)),
        "" => Err(object.invalid("type", "the name of a block's type")),
        _ => Ok(opaque()),
    }
}

/// A block that a model says.
pub(in crate::anthropic) fn decode_output(
    raw: &RawValue,
    path: &Path<'_>,
) -> Result<OutputPart, DecodeError> {
    let object = Object::from_raw(raw, path)?;
    match &*object.kind() {
        "text" => decode_text(object).map(OutputPart::Text),
        "thinking" => decode_thinking(object).map(OutputPart::Reasoning),
        "redacted_thinking" => decode_redacted(object).map(OutputPart::Reasoning),
        "tool_use" => decode_tool_use(object).map(OutputPart::ToolCall),
        "" => Err(object.invalid("type", "the name of a block's type")),
        // Steps that the provider ran itself, and their results, are never calls for the client.
        _ => Ok(OutputPart::Opaque(Opaque::new(FORMAT, raw.get()))),
    }
}

fn decode_text(mut object: Object<'_, '_>) -> Result<Text, DecodeError> {
    object.raw("type");
    let path = object.path().member("citations");
    let citations = match object.raw("citations") {
        Some(raw) if raw.get().starts_with('[') => array(raw, &path)?,
        // Of a document in a request, `citations` is a setting.
        _ => Vec::new(),
    };
    Ok(Text {
        text: object.required_string("text")?,
        citations: citations.into_iter().map(types::citation).collect(),
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    })
}

/// `None` for an image at a place that only this format knows.
fn decode_image(mut object: Object<'_, '_>) -> Result<Option<Image>, DecodeError> {
    object.raw("type");
    let path = object.path().member("source");
    let mut source = Object::from_raw(object.required("source")?, &path)?;
    let kind = source.kind();
    source.raw("type");
    let place = match &*kind {
        "base64" => ImageSource::Base64 {
            media_type: source.required_string("media_type")?,
            data: source.required_string("data")?,
        },
        "url" => ImageSource::Url(source.required_string("url")?),
        _ => return Ok(None),
    };
    if !source.is_empty() {
        return Ok(None);
    }
    Ok(Some(Image {
        source: place,
        detail: None,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    }))
}

/// `None` for a document of a kind that only this format knows.
fn decode_document(mut object: Object<'_, '_>) -> Result<Option<File>, DecodeError> {
    object.raw("type");
    let path = object.path().member("source");
    let mut source = Object::from_raw(object.required("source")?, &path)?;
    let kind = source.kind();
    source.raw("type");
    let place = match &*kind {
        "base64" => FileSource::Base64 {
            media_type: source.required_string("media_type")?,
            data: source.required_string("data")?,
        },
        "text" => {
            source.raw("media_type");
            FileSource::Text(source.required_string("data")?)
        }
        "url" => FileSource::Url(source.required_string("url")?),
        "file" => FileSource::Id(Opaque::new(FORMAT, source.required_string("file_id")?)),
        _ => return Ok(None),
    };
    if !source.is_empty() {
        return Ok(None);
    }
    Ok(Some(File {
        source: place,
        name: object.string("title")?,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    }))
}

/// The text may be left out: then the signature is all there is, and must be kept all the same.
fn decode_thinking(mut object: Object<'_, '_>) -> Result<Reasoning, DecodeError> {
    object.raw("type");
    Ok(Reasoning {
        text: Some(object.string("thinking")?.unwrap_or_default()),
        state: state(&mut object, "signature")?,
        extra: object.rest(FORMAT),
    })
}

fn decode_redacted(mut object: Object<'_, '_>) -> Result<Reasoning, DecodeError> {
    object.raw("type");
    Ok(Reasoning {
        text: None,
        state: state(&mut object, "data")?,
        extra: object.rest(FORMAT),
    })
}

fn state(object: &mut Object<'_, '_>, name: &str) -> Result<Option<Opaque>, DecodeError> {
    match object.string(name)? {
        Some(text) if !text.is_empty() => match Opaque::unwrap(&text, FORMAT) {
            Ok(state) => Ok(Some(state)),
            Err(error) => Err(object.invalid(name, format!("sent back as it was given ({error})"))),
        },
        _ => Ok(None),
    }
}

fn decode_tool_use(mut object: Object<'_, '_>) -> Result<ToolCall, DecodeError> {
    object.raw("type");
    let input = object.raw("input").map_or("{}", RawValue::get);
    Ok(ToolCall {
        id: unwrap_id(object.required_string("id")?),
        name: object.required_string("name")?,
        arguments: input.to_owned(),
        state: None,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    })
}
