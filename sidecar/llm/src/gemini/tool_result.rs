//! Results of tools: `functionResponse`, both ways.
//!
//! Its `response` must be an object: `output` for what the tool gave, `error` for why it failed; an object with neither is taken
//! as the output itself (reference of `FunctionResponse`). So a result that is the text of an object is sent as that object,
//! any other text as `{"output": "…"}`, several as `{"output": ["…", …]}`. Images and documents are its `parts`.

use serde_json::value::RawValue;

use crate::error::{DecodeError, EncodeError};
use crate::gemini::part::{self, BESIDE, CONTENT};
use crate::gemini::types::{TOOL_NAME, camel};
use crate::gemini::{FORMAT, media};
use crate::ir::{InputPart, RawJson, Text, ToolResult};
use crate::json::{Object, ObjectWriter, Path, Report, array, is_string, string, write_array};

const MEMBERS: [&str; 4] = ["id", "name", "response", "parts"];

/// The name of the tool, kept where no call tells it.
const NAME: &str = "name";

/// A result, with what ties it to its call.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) result: ToolResult,
}

/// Reads a part that has `functionResponse`.
pub(super) fn decode(mut object: Object<'_, '_>) -> Result<Found, DecodeError> {
    let path = object.path().member("functionResponse");
    let mut inner = Object::from_raw(object.required("functionResponse")?, &path)?;
    camel(&mut inner, &["willContinue"]);
    let id = inner.string("id")?.filter(|id| !id.is_empty());
    let name = inner.string(NAME)?.unwrap_or_default();
    let (is_error, texts) = inner.raw("response").map(read).unwrap_or_default();
    let mut parts: Vec<InputPart> = texts.into_iter().map(plain).collect();
    let parts_path = path.member("parts");
    if let Some(raw) = inner.raw("parts") {
        for (index, raw) in array(raw, &parts_path)?.into_iter().enumerate() {
            parts.push(part::decode_input(raw, &parts_path.item(index))?);
        }
    }
    let mut extra = inner.rest(FORMAT);
    object.rest_into(&mut extra, FORMAT, BESIDE);
    Ok(Found {
        id,
        name,
        result: ToolResult {
            parts,
            is_error,
            extra,
            ..ToolResult::default()
        },
    })
}

fn plain(text: String) -> InputPart {
    InputPart::Text(Text::plain(text))
}

impl Found {
    /// The result of the call `id`; `known` is the tool that this call names.
    pub(super) fn of_call(self, id: String, known: Option<&str>) -> ToolResult {
        let mut result = self.result;
        result.call_id = id;
        if known != Some(&self.name) && !self.name.is_empty() {
            let name = RawJson::string(&self.name);
            result.extra.insert(FORMAT, NAME, name);
        }
        result
    }
}

/// Whether the tool failed, and what it said.
fn read(raw: &RawValue) -> (bool, Vec<String>) {
    let known = || {
        let object = Object::from_raw(raw, &Path::Root).ok()?;
        let mut members = object.members();
        let Some((name, value)) = members.next() else {
            return Some((false, vec![]));
        };
        if members.next().is_some() || !matches!(name, "output" | "error") {
            return None;
        }
        let texts = match string(value).filter(|_| is_string(value)) {
            Some(text) => vec![text.into_owned()],
            None => {
                let list = array(value, &Path::Root)
                    .ok()
                    .filter(|list| list.len() > 1)?;
                let texts = list.into_iter().map(|raw| Some(string(raw)?.into_owned()));
                texts.collect::<Option<Vec<String>>>()?
            }
        };
        Some((name == "error", texts))
    };
    known().unwrap_or_else(|| (false, vec![raw.get().to_owned()]))
}

/// Writes the part of a result; `tool` is what its call names. Without `ids` it does not say which call that is.
pub(super) fn encode(
    out: &mut Vec<u8>,
    result: &ToolResult,
    tool: Option<&str>,
    ids: bool,
    report: &mut Report,
) -> Result<(), EncodeError> {
    if result.cache.is_some() {
        report.note("cache_control");
    }
    let kept = result.extra.get(FORMAT, NAME);
    let kept = kept.and_then(|raw| string(raw.raw()));
    let Some(name) = kept.as_deref().or(tool) else {
        return Err(EncodeError::Invalid {
            path: CONTENT.to_owned(),
            reason: format!(
                "{FORMAT} needs the name of the tool with its result, and no call {:?} comes before; send the turn with \
                 the call, too",
                result.call_id
            ),
        });
    };
    let mut object = ObjectWriter::new(out);
    let mut inner = ObjectWriter::new(object.key("functionResponse"));
    if result.call_id.is_empty() {
        report.note("tool_result.id");
    } else if ids {
        inner.value("id", &result.call_id);
    }
    inner.value(NAME, &*report.tool_name(name, &TOOL_NAME));
    content(&mut inner, result, report)?;
    let own = |name: &str| !name.starts_with(BESIDE) && name != NAME;
    for (name, origin, value) in result.extra.iter().filter(|(name, ..)| own(name)) {
        match origin == FORMAT && !MEMBERS.contains(&name) {
            true => inner.value(name, value),
            false => report.note_in("tool_result", name),
        }
    }
    inner.end();
    part::write_inner(&mut object, &result.extra, BESIDE, &["functionResponse"]);
    object.end();
    Ok(())
}

/// Texts first, then what is not text.
fn content(
    inner: &mut ObjectWriter<'_>,
    result: &ToolResult,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let mut texts: Vec<&str> = Vec::new();
    let mut media: Vec<&InputPart> = Vec::new();
    for part in &result.parts {
        match part {
            InputPart::Text(text) => {
                note_lost(text, report);
                if !media.is_empty() && !text.text.is_empty() {
                    report.note("tool_result.order");
                }
                texts.extend(Some(text.text.as_str()).filter(|text| !text.is_empty()));
            }
            other => media.push(other),
        }
    }
    write(inner.key("response"), &texts, result.is_error);
    if media.is_empty() {
        return Ok(());
    }
    let out = inner.key("parts");
    out.push(b'[');
    for (index, part) in media.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match part {
            InputPart::Image(image) => media::encode_image(out, image, None, report)?,
            part => part::encode_input(out, part, report)?,
        }
    }
    out.push(b']');
    Ok(())
}

fn note_lost(text: &Text, report: &mut Report) {
    if text.cache.is_some() {
        report.note("cache_control");
    }
    if !text.citations.is_empty() {
        report.note("text.citations");
    }
    for (name, ..) in text.extra.iter() {
        report.note_in("text", name);
    }
}

/// Writes `response`: such that [`read`] gives back the same.
fn write(out: &mut Vec<u8>, texts: &[&str], is_error: bool) {
    let whole = match texts {
        [] if !is_error => Some("{}"),
        [text] if !is_error => Some(*text),
        _ => None,
    };
    let object = whole.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    if let Some(object) = object
        && object.get().starts_with('{')
        && Some(object.get()) == whole
        && read(object) == (false, texts.iter().map(|text| (*text).to_owned()).collect())
    {
        out.extend_from_slice(object.get().as_bytes());
        return;
    }
    let mut response = ObjectWriter::new(out);
    let name = if is_error { "error" } else { "output" };
    match texts {
        [] => response.value(name, ""),
        [text] => response.value(name, text),
        texts => write_array(response.key(name), texts, |out, text| {
            crate::json::write_json(out, text);
        }),
    }
    response.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(texts: &[&str], is_error: bool) -> String {
        let mut out = Vec::new();
        write(&mut out, texts, is_error);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_an_object_already_stays_as_it_is() {
        let text = r#"{"temperature" : 123456789012345678901234567890}"#;
        assert_eq!(written(&[text], false), text);
        assert_eq!(written(&[], false), "{}");
        assert_eq!(written(&["{} "], false), r#"{"output":"{} "}"#);
        assert_eq!(written(&["[1]"], false), r#"{"output":"[1]"}"#);
        assert_eq!(written(&["no"], true), r#"{"error":"no"}"#);
        assert_eq!(written(&["a", "b"], false), r#"{"output":["a","b"]}"#);
    }

    #[test]
    fn every_result_comes_back() {
        let cases: [&[&str]; 11] = [
            &[],
            &["a"],
            &["{}"],
            &["a", "b"],
            &[r#"{"output":"x"}"#],
            &[r#"{"error":"x"}"#],
            &[r#"{"output":["x","y"]}"#],
            &[r#"{"output":["x"]}"#],
            &[r#"{"output":{"x":1}}"#],
            &[r#"{"result":"x"}"#],
            &[r#"{"output":"x","more":1}"#],
        ];
        for texts in cases {
            for is_error in [false, true] {
                let text = written(texts, is_error);
                let mut expected: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
                if texts.is_empty() && is_error {
                    expected.push(String::new());
                }
                let raw: &RawValue = serde_json::from_str(&text).unwrap();
                assert_eq!(read(raw), (is_error, expected), "{text}");
            }
        }
    }
}
