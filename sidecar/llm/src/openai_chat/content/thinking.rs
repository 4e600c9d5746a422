//! Thoughts that stand among the parts of a content.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Opaque, OutputPart, Reasoning};
use crate::json::{Object, ObjectWriter, Path, Report, array, string, write_array};
use crate::openai_chat::FORMAT;
use crate::openai_chat::content::decode_texts;

/// `{"type": "thinking", "thinking": "…" | [{"type": "text", "text": "…"}]}`, as Mistral sends it.
pub(super) fn decode(mut object: Object<'_, '_>) -> Result<OutputPart, DecodeError> {
    let path = object.path().member("thinking");
    let texts = decode_texts(object.raw("thinking"), &path)?;
    let text: String = texts.into_iter().map(|text| text.text).collect();
    let state = object.peek("signature").and_then(string);
    Ok(OutputPart::Reasoning(Reasoning {
        state: state.and_then(|marked| marked_state(&marked)),
        ..Reasoning::plain(text)
    }))
}

/// State that was given to a client as a signature; that of the provider itself is not kept.
fn marked_state(signature: &str) -> Option<Opaque> {
    let marked = Opaque::is_marked(signature);
    Opaque::unwrap(signature, FORMAT).ok().filter(|_| marked)
}

/// Puts together the thoughts that a client kept in the pieces in which they came: each goes on until it is signed.
pub(in crate::openai_chat) fn join(parts: &mut Vec<OutputPart>) {
    let mut joined: Vec<OutputPart> = Vec::with_capacity(parts.len());
    for part in parts.drain(..) {
        match (joined.last_mut(), part) {
            (Some(OutputPart::Reasoning(open)), OutputPart::Reasoning(next))
                if open.state.is_none() =>
            {
                let text = next.text.unwrap_or_default();
                open.text.get_or_insert_default().push_str(&text);
                open.state = next.state;
            }
            (_, part) => joined.push(part),
        }
    }
    *parts = joined;
}

/// Writes a thought, or a piece of one, for a client: its state is the signature.
pub(in crate::openai_chat) fn show(out: &mut Vec<u8>, text: Option<&str>, state: Option<&Opaque>) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "thinking");
    write_array(object.key("thinking"), text, |out, text| {
        let mut text_part = ObjectWriter::new(out);
        text_part.value("type", "text");
        text_part.value("text", text);
        text_part.end();
    });
    object.optional("signature", state.map(Opaque::marked).as_ref());
    object.end();
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
