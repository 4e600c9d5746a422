//! Thoughts that stand among the parts of a content.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Opaque, OutputPart, Reasoning};
use crate::json::{Object, ObjectWriter, Path, Report, array, write_array};
use crate::openai_chat::FORMAT;
use crate::openai_chat::content::decode_texts;

/// `{"type": "thinking", "thinking": "…" | [{"type": "text", "text": "…"}]}`, as Mistral sends it.
pub(super) fn decode(mut object: Object<'_, '_>) -> Result<OutputPart, DecodeError> {
    let path = object.path().member("thinking");
    let texts = decode_texts(object.raw("thinking"), &path)?;
    let text: String = texts.into_iter().map(|text| text.text).collect();
    Ok(OutputPart::Reasoning(Reasoning::plain(text)))
}

/// `{"type": "reasoning", "summary": [{"type": "summary_text", "text": "…"}]}`, as Databricks sends it. One that is signed, or
/// of another shape, is kept as it is: its provider wants it back.
pub(super) fn decode_summary(mut object: Object<'_, '_>, whole: &RawValue) -> OutputPart {
    let known = |object: &mut Object<'_, '_>| {
        object.raw("type");
        let mut texts = String::new();
        for raw in array(object.raw("summary")?, &Path::Root).ok()? {
            let mut entry = Object::from_raw(raw, &Path::Root).ok()?;
            entry.raw("type");
            texts.push_str(&entry.string("text").ok()??);
            let signature = entry.string("signature").ok()?.unwrap_or_default();
            if !signature.is_empty() || !entry.is_empty() {
                return None;
            }
        }
        object.is_empty().then_some(texts)
    };
    match known(&mut object) {
        Some(text) => OutputPart::Reasoning(Reasoning::plain(text)),
        None => OutputPart::Opaque(Opaque::new(FORMAT, whole.get())),
    }
}

/// Writes a thought as a part, the inverse of [`decode`]. State has no place there.
pub(in crate::openai_chat) fn encode(out: &mut Vec<u8>, thought: &Reasoning, report: &mut Report) {
    if !thought.is_plain() {
        report.note("thinking.state");
    }
    let mut object = ObjectWriter::new(out);
    object.value("type", "thinking");
    write_array(object.key("thinking"), &thought.text, |out, text| {
        let mut text_part = ObjectWriter::new(out);
        text_part.value("type", "text");
        text_part.value("text", text);
        text_part.end();
    });
    object.end();
}
