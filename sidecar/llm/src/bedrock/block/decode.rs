//! Reads blocks. What is not known is kept as it is.

use serde_json::value::RawValue;

use crate::bedrock::block::{GUARD, JSON};
use crate::bedrock::media::Medium;
use crate::bedrock::types::{self, unwrap_id};
use crate::bedrock::{FORMAT, types::cache_point};
use crate::error::DecodeError;
use crate::ir::{
    Audio, CacheMark, File, FileSource, Image, ImageSource, InputPart, Opaque, OutputPart, RawJson,
    Reasoning, Text, ToolCall, ToolResult,
};
use crate::json::{Object, Path, array, string};

/// A block of a user's turn.
#[derive(Debug)]
pub(in crate::bedrock) enum Said {
    Part(InputPart),
    Result(ToolResult),
}

/// Where the mark for a prompt cache goes that follows a part; `None` when the part has no place for it.
trait Marked {
    fn mark(&mut self) -> Option<&mut Option<CacheMark>>;
}

// === impl Marked ===

impl Marked for InputPart {
    fn mark(&mut self) -> Option<&mut Option<CacheMark>> {
        match self {
            Self::Text(text) => Some(&mut text.cache),
            Self::Image(image) => Some(&mut image.cache),
            Self::Audio(audio) => Some(&mut audio.cache),
            Self::File(file) => Some(&mut file.cache),
            Self::Opaque(_) => None,
        }
    }
}

impl Marked for OutputPart {
    fn mark(&mut self) -> Option<&mut Option<CacheMark>> {
        match self {
            Self::Text(text) => Some(&mut text.cache),
            Self::ToolCall(call) => Some(&mut call.cache),
            Self::Image(image) => Some(&mut image.cache),
            Self::Reasoning(_) | Self::Refusal(_) | Self::Opaque(_) => None,
        }
    }
}

impl Marked for Said {
    fn mark(&mut self) -> Option<&mut Option<CacheMark>> {
        match self {
            Self::Part(part) => part.mark(),
            Self::Result(result) => Some(&mut result.cache),
        }
    }
}

/// Reads the blocks of an array, each with `read`; a mark for a prompt cache belongs to the block before it.
fn blocks<T: Marked>(
    raw: &RawValue,
    path: &Path<'_>,
    read: impl Fn(&RawValue, &Path<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut out: Vec<T> = Vec::new();
    for (index, raw) in (0..).zip(array(raw, path)?) {
        if let Some(mark) = cache_point(raw)
            && let Some(slot @ None) = out.last_mut().and_then(Marked::mark)
        {
            *slot = Some(mark);
            continue;
        }
        out.push(read(raw, &path.item(index))?);
    }
    Ok(out)
}

/// What a user says.
pub(in crate::bedrock) fn decode_said(
    raw: &RawValue,
    path: &Path<'_>,
) -> Result<Vec<Said>, DecodeError> {
    blocks(raw, path, |raw, path| {
        let block = Object::from_raw(raw, path)?;
        match block.only() {
            Some(("toolResult", inner)) => {
                let path = path.member("toolResult");
                tool_result(Object::from_raw(inner, &path)?).map(Said::Result)
            }
            _ => decode_input(raw, path).map(Said::Part),
        }
    })
}

/// What an instruction in the middle of a conversation says.
pub(in crate::bedrock) fn decode_inputs(
    raw: &RawValue,
    path: &Path<'_>,
) -> Result<Vec<InputPart>, DecodeError> {
    blocks(raw, path, decode_input)
}

/// What the model says.
pub(in crate::bedrock) fn decode_outputs(
    raw: &RawValue,
    path: &Path<'_>,
) -> Result<Vec<OutputPart>, DecodeError> {
    blocks(raw, path, decode_output)
}

/// The instructions before a conversation: texts, and what follows the first block that is none.
pub(in crate::bedrock) fn decode_system(
    raw: &RawValue,
    path: &Path<'_>,
) -> Result<(Vec<Text>, Vec<InputPart>), DecodeError> {
    let mut texts = Vec::new();
    let mut others = Vec::new();
    for part in decode_inputs(raw, path)? {
        match part {
            InputPart::Text(text) if others.is_empty() => texts.push(text),
            part => others.push(part),
        }
    }
    Ok((texts, others))
}

/// A block that a user or a tool says.
fn decode_input(raw: &RawValue, path: &Path<'_>) -> Result<InputPart, DecodeError> {
    let opaque = || InputPart::Opaque(Opaque::new(FORMAT, raw.get()));
    let mut block = Object::from_raw(raw, path)?;
    if let Some((name, inner)) = block.only() {
        let known = match (name, Medium::of_block(name)) {
            (_, Some(medium)) => media(medium, inner),
            (GUARD, _) => guarded(inner).map(InputPart::Text),
            ("citationsContent", _) => cited(inner).map(InputPart::Text),
            (JSON, _) => {
                let mut text = Text::plain(inner.get());
                text.extra.insert(FORMAT, JSON, yes());
                Some(InputPart::Text(text))
            }
            ("text", _) => None,
            _ => return Ok(opaque()),
        };
        if name != "text" {
            return Ok(known.unwrap_or_else(opaque));
        }
    }
    match block.peek("text").is_some() {
        true => Ok(InputPart::Text(decode_text(&mut block)?.with_rest(block))),
        false => Ok(opaque()),
    }
}

/// A block that a model says.
pub(in crate::bedrock) fn decode_output(
    raw: &RawValue,
    path: &Path<'_>,
) -> Result<OutputPart, DecodeError> {
    let opaque = || OutputPart::Opaque(Opaque::new(FORMAT, raw.get()));
    let mut block = Object::from_raw(raw, path)?;
    let known = match block.only() {
        Some(("toolUse", inner)) => {
            let path = path.member("toolUse");
            tool_use(Object::from_raw(inner, &path)?)?.map(OutputPart::ToolCall)
        }
        Some(("reasoningContent", inner)) => {
            let path = path.member("reasoningContent");
            thought(Object::from_raw(inner, &path)?)?.map(OutputPart::Reasoning)
        }
        Some(("citationsContent", inner)) => cited(inner).map(OutputPart::Text),
        _ if block.peek("text").is_some() => {
            Some(OutputPart::Text(decode_text(&mut block)?.with_rest(block)))
        }
        Some(("image", inner)) => match media(Medium::Image, inner) {
            Some(InputPart::Image(image)) => Some(OutputPart::Image(image)),
            _ => None,
        },
        // Other media that the model made, and what is new.
        _ => None,
    };
    Ok(known.unwrap_or_else(opaque))
}

fn yes() -> RawJson {
    RawJson::try_new("true").expect("a literal")
}

fn decode_text(block: &mut Object<'_, '_>) -> Result<Text, DecodeError> {
    Ok(Text::plain(block.required_string("text")?))
}

impl Text {
    fn with_rest(mut self, rest: Object<'_, '_>) -> Self {
        self.extra = rest.rest(FORMAT);
        self
    }
}

/// Text for the guardrails, with what is said about it; `None` for an image.
fn guarded(raw: &RawValue) -> Option<Text> {
    let block = Object::from_raw(raw, &Path::Root).ok()?;
    let ("text", raw) = block.only()? else {
        return None;
    };
    let mut inner = Object::from_raw(raw, &Path::Root).ok()?;
    let mut text = Text::plain(inner.string("text").ok()??);
    let qualifiers = inner.raw("qualifiers").map_or_else(none, RawJson::from);
    text.extra.insert(FORMAT, GUARD, qualifiers);
    inner.is_empty().then_some(text)
}

fn none() -> RawJson {
    RawJson::try_new("[]").expect("a literal")
}

/// Text with its sources; `None` when something else than text has them.
fn cited(raw: &RawValue) -> Option<Text> {
    let mut block = Object::from_raw(raw, &Path::Root).ok()?;
    let list = |raw| array(raw, &Path::Root).ok();
    let mut text = String::new();
    for raw in list(block.raw("content")?)? {
        let piece = Object::from_raw(raw, &Path::Root).ok()?;
        let ("text", raw) = piece.only()? else {
            return None;
        };
        text.push_str(&string(raw)?);
    }
    let citations = match block.raw("citations") {
        Some(raw) => list(raw)?,
        None => Vec::new(),
    };
    Some(Text {
        text,
        citations: citations.into_iter().map(types::citation).collect(),
        cache: None,
        extra: block.rest(FORMAT),
    })
}

/// `None` for something at a place, or of a kind, that only this format knows.
fn media(medium: Medium, raw: &RawValue) -> Option<InputPart> {
    let mut block = Object::from_raw(raw, &Path::Root).ok()?;
    let word = block.string("format").ok()?;
    let mut source = Object::from_raw(block.raw("source")?, &Path::Root).ok()?;
    let place = source_of(medium, word.as_deref(), &mut source)?;
    if !source.is_empty() {
        return None;
    }
    let name = match medium {
        Medium::Document => block.string("name").ok()?,
        Medium::Image | Medium::Video | Medium::Sound => None,
    };
    let extra = block.rest(FORMAT);
    match (medium, place) {
        (Medium::Image, place) => {
            let source = match place {
                FileSource::Base64 { media_type, data } => ImageSource::Base64 { media_type, data },
                FileSource::Url(url) => ImageSource::Url(url),
                FileSource::Text(_) | FileSource::Id(_) => return None,
            };
            Some(InputPart::Image(Image {
                source,
                detail: None,
                cache: None,
                extra,
            }))
        }
        (Medium::Sound, FileSource::Base64 { media_type, data }) => Some(InputPart::Audio(Audio {
            media_type,
            data,
            cache: None,
            extra,
        })),
        (Medium::Sound, _) => None,
        (Medium::Document | Medium::Video, source) => Some(InputPart::File(File {
            source,
            name,
            cache: None,
            extra,
        })),
    }
}

fn source_of(
    medium: Medium,
    word: Option<&str>,
    source: &mut Object<'_, '_>,
) -> Option<FileSource> {
    if let Some(data) = source.string("bytes").ok()? {
        let media_type = medium.media_type(word?)?.to_owned();
        return Some(FileSource::Base64 { media_type, data });
    }
    if let Some(raw) = source.raw("s3Location") {
        let mut location = Object::from_raw(raw, &Path::Root).ok()?;
        let uri = location.string("uri").ok()??;
        // Only where the address alone says what it is can it stand for all.
        let told = location.is_empty() && medium.word_of_address(&uri) == Some(word?);
        return told.then_some(FileSource::Url(uri));
    }
    let plain = medium == Medium::Document && matches!(word, None | Some("txt"));
    let text = source.string("text").ok()??;
    plain.then_some(FileSource::Text(text))
}

/// `None` for a step that the provider runs itself, which is never a call for the client.
fn tool_use(mut call: Object<'_, '_>) -> Result<Option<ToolCall>, DecodeError> {
    match &*call.kind() {
        "" => {}
        "tool_use" => drop(call.raw("type")),
        _ => return Ok(None),
    }
    let input = call.raw("input").map_or("{}", RawValue::get);
    Ok(Some(ToolCall {
        id: unwrap_id(call.required_string("toolUseId")?),
        name: call.required_string("name")?,
        arguments: input.to_owned(),
        state: None,
        cache: None,
        extra: call.rest(FORMAT),
    }))
}

/// `None` for a variant that is not known.
fn thought(mut block: Object<'_, '_>) -> Result<Option<Reasoning>, DecodeError> {
    if let Some(text) = block.string("redactedContent")? {
        let bytes = types::blob_bytes(&text);
        let state = bytes.and_then(types::state_of_blob);
        let state = state.ok_or_else(|| block.invalid("redactedContent", SENT_BACK))?;
        return Ok(Some(Reasoning {
            text: None,
            state: Some(state),
            extra: block.rest(FORMAT),
        }));
    }
    let path = block.path().member("reasoningText");
    let Some(("reasoningText", raw)) = block.only() else {
        return Ok(None);
    };
    let mut inner = Object::from_raw(raw, &path)?;
    let text = inner.string("text")?.unwrap_or_default();
    let state = match inner.string("signature")? {
        Some(signature) if !signature.is_empty() => {
            let state = Opaque::unwrap(&signature, FORMAT);
            Some(state.map_err(|_| inner.invalid("signature", SENT_BACK))?)
        }
        _ => None,
    };
    Ok(Some(Reasoning {
        text: Some(text),
        state,
        extra: inner.rest(FORMAT),
    }))
}

const SENT_BACK: &str = "sent back as it was given";

fn tool_result(mut result: Object<'_, '_>) -> Result<ToolResult, DecodeError> {
    let path = result.path().member("content");
    let parts = match result.raw("content") {
        // No place for marks: a block of that name is kept as it is.
        Some(raw) => (0..)
            .zip(array(raw, &path)?)
            .map(|(index, raw)| decode_input(raw, &path.item(index)))
            .collect::<Result<Vec<InputPart>, DecodeError>>()?,
        None => Vec::new(),
    };
    let status = result.peek("status").and_then(string);
    let is_error = status.as_deref() == Some("error");
    if is_error || status.as_deref() == Some("success") {
        result.raw("status");
    }
    Ok(ToolResult {
        call_id: unwrap_id(result.required_string("toolUseId")?),
        parts,
        is_error,
        cache: None,
        extra: result.rest(FORMAT),
    })
}
