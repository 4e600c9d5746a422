//! Thinking, in the members that the family grew for it: `reasoning_content` or `reasoning` (text), and
//! `reasoning_details` (entries with state).
//!
//! An entry is one thought. The text of one that can be read (type `reasoning.text`) is separate; the other members are
//! state of this format, kept in the order of their names. Entries in pieces (streams, and clients that keep the pieces)
//! have the same `index`. State of another format is shown wrapped, as `signature` or `data`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Opaque, OutputPart, RawJson, Reasoning};
use crate::json::{Object, ObjectWriter, Path, Report, array, string, write_array, write_json};
use crate::openai_chat::FORMAT;

/// The members of an entry, or of its pieces put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) index: Option<u64>,
    /// The texts that come in pieces, unescaped: each piece is added, not the whole written anew.
    growing: BTreeMap<&'static str, String>,
    members: BTreeMap<String, RawJson>,
}

/// The members that come in pieces.
const GROWING: [&str; 3] = ["data", "summary", "text"];

const TEXT: &str = "reasoning.text";
const HIDDEN: &str = "reasoning.encrypted";

// === impl Entry ===

impl Entry {
    pub(super) fn decode(raw: &RawValue, path: &Path<'_>) -> Result<Self, DecodeError> {
        let mut object = Object::from_raw(raw, path)?;
        let index = object.take("index", "a whole number")?;
        Ok(Self {
            index,
            ..Self::from_members(object.into_members())
        })
    }

    fn from_members(mut members: BTreeMap<String, RawJson>) -> Self {
        let mut growing = BTreeMap::new();
        for name in GROWING {
            let text = members.get(name).and_then(|value| string(value.raw()));
            if let Some(text) = text.map(Cow::into_owned) {
                growing.insert(name, text);
                members.remove(name);
            }
        }
        Self {
            index: None,
            growing,
            members,
        }
    }

    /// All members, written out.
    fn into_members(self) -> BTreeMap<String, RawJson> {
        let mut members = self.members;
        for (name, text) in self.growing {
            members.insert(name.to_owned(), RawJson::string(&text));
        }
        members
    }

    /// Whether it can be read.
    pub(super) fn is_text(&self) -> bool {
        self.member("type").as_deref() == Some(TEXT)
    }

    fn member(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.growing.get(name) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => string(self.members.get(name)?.raw()),
        }
    }

    /// Takes the text out.
    pub(super) fn take_text(&mut self) -> Option<String> {
        if !self.is_text() {
            return None;
        }
        Some(self.growing.remove("text").unwrap_or_default())
    }

    /// Whether `next` is another piece of the same entry.
    pub(super) fn continues(&self, next: &Self) -> bool {
        self.index == next.index && self.members.get("type") == next.members.get("type")
    }

    /// Adds a piece: texts grow, of other members the last one counts.
    pub(super) fn merge(&mut self, next: Self) {
        for (name, text) in next.growing {
            self.growing.entry(name).or_default().push_str(&text);
        }
        self.members.extend(next.members);
    }

    /// The state that is left when the text has been taken.
    pub(super) fn into_state(self) -> Option<Opaque> {
        for name in ["signature", "data"] {
            if let Some(marked) = self.member(name)
                && let Ok(state) = Opaque::unwrap(&marked, FORMAT)
                && state.origin != FORMAT
            {
                return Some(state);
            }
        }
        let only_type = self.growing.is_empty() && self.members.len() == 1;
        if only_type && self.is_text() {
            return None;
        }
        let text = serde_json::to_vec(&self.into_members()).expect("string keys only");
        Some(Opaque::new(FORMAT, text))
    }

    /// The whole entry as a thought.
    fn into_reasoning(mut self) -> Reasoning {
        Reasoning {
            text: self.take_text(),
            state: self.into_state(),
            ..Reasoning::default()
        }
    }
}

/// Reads the thinking of a whole message, taking its members.
pub(super) fn decode(message: &mut Object<'_, '_>) -> Result<Vec<OutputPart>, DecodeError> {
    let mut entries: Vec<Entry> = Vec::new();
    for entry in take_entries(message)? {
        match entries.last_mut() {
            Some(last) if last.index.is_some() && last.continues(&entry) => last.merge(entry),
            _ => entries.push(entry),
        }
    }
    let text = take_text(message)?;
    let told = entries.iter().any(Entry::is_text);
    let plain = text.filter(|text| !told && !text.is_empty());
    let plain = plain.map(Reasoning::plain);
    let thoughts = entries.into_iter().map(Entry::into_reasoning);
    Ok(plain
        .into_iter()
        .chain(thoughts)
        .map(OutputPart::Reasoning)
        .collect())
}

/// Takes `reasoning_details`.
pub(super) fn take_entries(message: &mut Object<'_, '_>) -> Result<Vec<Entry>, DecodeError> {
    let Some(raw) = message.raw("reasoning_details") else {
        return Ok(Vec::new());
    };
    let path = message.path().member("reasoning_details");
    (0..)
        .zip(array(raw, &path)?)
        .map(|(index, raw)| Entry::decode(raw, &path.item(index)))
        .collect()
}

/// Takes `reasoning_content` and `reasoning`, of which providers send one, or both with the same text.
pub(super) fn take_text(message: &mut Object<'_, '_>) -> Result<Option<String>, DecodeError> {
    let content = message.string("reasoning_content")?;
    let reasoning = match message.peek("reasoning") {
        Some(raw) if string(raw).is_some() => message.string("reasoning")?,
        _ => None,
    };
    Ok(content.filter(|text| !text.is_empty()).or(reasoning))
}

/// How the thoughts of one message are written.
pub(super) fn encode(object: &mut ObjectWriter<'_>, thoughts: &[&Reasoning], report: &mut Report) {
    let text: String = thoughts.iter().filter_map(|t| t.text.as_deref()).collect();
    if !text.is_empty() {
        object.value("reasoning_content", &text);
    }
    if thoughts.iter().any(|thought| !thought.is_plain()) || thoughts.len() > 1 {
        let out = object.key("reasoning_details");
        write_array(out, thoughts.iter().enumerate(), |out, (index, thought)| {
            for (name, ..) in thought.extra.iter() {
                report.note_in("thinking", name);
            }
            if !encode_entry(out, index, thought) {
                report.note("thinking.state");
            }
        });
    }
}

/// Writes one entry; false when its state is not an entry's.
fn encode_entry(out: &mut Vec<u8>, index: usize, thought: &Reasoning) -> bool {
    match &thought.state {
        Some(state) if state.origin == FORMAT => {
            own_entry(out, index, thought.text.as_deref(), state)
        }
        state => {
            let wrapped = state.as_ref().map(|state| state.wrap(FORMAT));
            foreign_entry(out, index, thought.text.as_deref(), wrapped.as_deref());
            true
        }
    }
}

/// An entry with state of another format, or none.
pub(super) fn foreign_entry(
    out: &mut Vec<u8>,
    index: usize,
    text: Option<&str>,
    state: Option<&str>,
) {
    #[derive(Serialize)]
    struct Wrapped<'a> {
        r#type: &'static str,
        index: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a str>,
    }
    let hidden = text.is_none();
    let entry = Wrapped {
        r#type: if hidden { HIDDEN } else { TEXT },
        index,
        text,
        signature: state.filter(|_| !hidden),
        data: state.filter(|_| hidden),
    };
    write_json(out, &entry);
}

/// An entry of this format, its text put back; false (and an entry without state) when the state is none.
pub(super) fn own_entry(
    out: &mut Vec<u8>,
    index: usize,
    text: Option<&str>,
    state: &Opaque,
) -> bool {
    let members = Object::parse(&state.bytes, &Path::Root).map(Object::into_members);
    let mut entry = Entry::from_members(members.unwrap_or_default());
    let fits = entry.clone().into_state().as_ref() == Some(state)
        && entry.is_text() == text.is_some()
        && !(entry.is_text() && entry.growing.contains_key("text"))
        && !entry.members.contains_key("index");
    if !fits {
        foreign_entry(out, index, text, None);
        return false;
    }
    let text = text.map(str::to_owned);
    entry.growing.extend(text.map(|text| ("text", text)));
    let mut members = entry.into_members();
    let position = RawJson::from(&serde_json::Value::from(index));
    members.insert("index".to_owned(), position);
    write_json(out, &members);
    true
}
