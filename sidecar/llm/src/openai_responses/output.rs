//! What a model did, as items: of an answer, and of the turns that a request sends back.

use crate::ir::{
    Citation, Extra, Image, Opaque, OutputPart, Reasoning, Text, ToolCall, Weight,
    canonical_arguments,
};
use crate::json::{ObjectWriter, Report, kind_of, write_array};
use crate::openai_responses::ids::{self, ID, Mint};
use crate::openai_responses::item::{CALL, MESSAGE, is_piece};
use crate::openai_responses::types::{self, MAX_CALL_ID, OF_ITEM, TOOL_NAME};
use crate::openai_responses::{FORMAT, drawn, reasoning};

const TEXT_MEMBERS: [&str; 3] = ["type", "text", "annotations"];
const MESSAGE_MEMBERS: [&str; 5] = ["type", "role", "content", ID, "status"];
const CALL_MEMBERS: [&str; 6] = ["type", "call_id", "name", "arguments", ID, "status"];

/// Who reads the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Takes back only its own state.
    Provider,
    /// Keeps the state of whatever provider.
    Client,
}

/// Writes items, with commas between them.
pub(super) struct Items<'w> {
    out: &'w mut Vec<u8>,
    reader: Reader,
    mint: Mint,
    /// How many have been written.
    count: usize,
}

/// The parts that are one item.
enum Group<'a> {
    /// What was said, in pieces.
    Message(&'a [OutputPart]),
    Call(&'a ToolCall),
    Thought(&'a Reasoning),
    Drawn(&'a Image),
    Step(&'a Opaque),
}

// === impl Group ===

impl<'a> Group<'a> {
    /// The first item of these parts, and the parts after it; `None` when there is no part.
    fn first(parts: &'a [OutputPart]) -> Option<(Self, &'a [OutputPart])> {
        let (first, rest) = parts.split_first()?;
        let group = match first {
            OutputPart::ToolCall(call) => Self::Call(call),
            OutputPart::Reasoning(thought) => Self::Thought(thought),
            OutputPart::Image(image) => Self::Drawn(image),
            OutputPart::Opaque(raw) if !is_piece_of_message(raw) => Self::Step(raw),
            OutputPart::Text(_) | OutputPart::Refusal(_) | OutputPart::Opaque(_) => {
                let more = rest.iter().take_while(|part| goes_on(part)).count();
                let (message, rest) = parts.split_at(1 + more);
                return Some((Self::Message(message), rest));
            }
        };
        Some((group, rest))
    }
}

/// Whether a part can be in the message of the part before it.
fn goes_on(part: &OutputPart) -> bool {
    match part {
        OutputPart::Text(text) => !begins_item(&text.extra),
        OutputPart::Refusal(_) => true,
        OutputPart::Opaque(raw) => is_piece_of_message(raw),
        OutputPart::ToolCall(_) | OutputPart::Reasoning(_) | OutputPart::Image(_) => false,
    }
}

/// Whether the text with these members is the first of its message.
pub(super) fn begins_item(extra: &Extra) -> bool {
    extra
        .all()
        .any(|(name, member)| member.origin == FORMAT && name.starts_with(OF_ITEM))
}

/// Whether a part that is kept as it is belongs into a message.
pub(super) fn is_piece_of_message(raw: &Opaque) -> bool {
    raw.origin == FORMAT && is_piece(&kind_of(&raw.bytes))
}

// === impl Items ===

impl<'w> Items<'w> {
    pub(super) fn new(out: &'w mut Vec<u8>, reader: Reader, mint: Mint) -> Self {
        Self {
            out,
            reader,
            mint,
            count: 0,
        }
    }

    /// How many have been written.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Writes another item.
    pub(super) fn item(&mut self) -> &mut Vec<u8> {
        if self.count > 0 {
            self.out.push(b',');
        }
        self.count += 1;
        self.out
    }

    /// Writes the parts of one turn; `status` is that of the last item.
    pub(super) fn parts(&mut self, mut parts: &[OutputPart], status: &str, report: &mut Report) {
        while let Some((group, rest)) = Group::first(parts) {
            let status = if rest.is_empty() { status } else { "completed" };
            self.group(&group, status, report);
            parts = rest;
        }
    }

    fn group(&mut self, group: &Group<'_>, status: &str, report: &mut Report) {
        match group {
            Group::Message(parts) => self.message(parts, status, report),
            Group::Call(call) => self.call(call, status, report),
            Group::Thought(thought) => self.thought(thought, report),
            Group::Drawn(image) => self.drawn(image, report),
            Group::Step(raw) if raw.origin == FORMAT => {
                self.item().extend_from_slice(&raw.bytes);
            }
            Group::Step(raw) => report.note_in("content", &kind_of(&raw.bytes)),
        }
    }

    fn message(&mut self, parts: &[OutputPart], status: &str, report: &mut Report) {
        if self.reader == Reader::Provider
            && let [OutputPart::Text(text)] = parts
            && is_simple(text)
        {
            note_text(text, report);
            note_citations(text, report);
            let mut object = ObjectWriter::new(self.item());
            object.value("role", "assistant");
            object.value("content", &text.text);
            return object.end();
        }
        let extra = match parts {
            [OutputPart::Text(text), ..] => text.extra.clone(),
            _ => Extra::default(),
        };
        let minted = self.mint.id("msg", self.count);
        let reader = self.reader;
        let mut object = ObjectWriter::new(self.item());
        begin_message(&mut object, &extra, minted);
        write_array(object.key("content"), parts, |out, part| {
            write_piece(out, part, reader, report);
        });
        end_message(object, &extra, status);
    }

    fn call(&mut self, call: &ToolCall, status: &str, report: &mut Report) {
        if let Some(state) = &call.state {
            if self.reader == Reader::Client {
                let state = state.wrap(FORMAT);
                let minted = self.mint.id("rs", self.count);
                reasoning::write_item(self.item(), &minted, None, Some(&state));
            } else {
                report.note("tool_call.state");
            }
        }
        if call.cache.is_some() {
            report.note("cache_control");
        }
        let reader = self.reader;
        let minted = self.mint.id("fc", self.count);
        let mut object = ObjectWriter::new(self.item());
        object.value("type", CALL);
        let own = ids::text(&call.extra, ID);
        match reader {
            Reader::Client => object.value(ID, &own.unwrap_or(minted)),
            Reader::Provider => object.optional(ID, own.as_ref()),
        }
        let id = call_id(&call.id, reader, report);
        object.value("call_id", id.as_str());
        match reader {
            Reader::Client => object.value("name", &call.name),
            Reader::Provider => object.value("name", &*report.tool_name(&call.name, &TOOL_NAME)),
        }
        object.value("arguments", canonical_arguments(&call.arguments));
        match (reader, call.extra.get(FORMAT, "status")) {
            (Reader::Client, _) => object.value("status", status),
            (Reader::Provider, status) => object.optional("status", status),
        }
        write_call_extra(&mut object, &call.extra, report);
        object.end();
    }

    /// A provider takes back only what it drew itself.
    fn drawn(&mut self, image: &Image, report: &mut Report) {
        let own = ids::text(&image.extra, ID).is_some();
        let here = drawn::here(image).filter(|_| own || self.reader == Reader::Client);
        let Some(here) = here else {
            return report.note_in("content", "image");
        };
        let minted = self.mint.id("ig", self.count);
        drawn::write(self.item(), image, here, &minted, report);
    }

    fn thought(&mut self, thought: &Reasoning, report: &mut Report) {
        if self.reader == Reader::Client {
            let minted = self.mint.id("rs", self.count);
            return reasoning::write(self.item(), thought, &minted, report);
        }
        match thought.state.as_ref().and_then(reasoning::Own::new) {
            Some(own) => own.write(self.item(), thought.text.as_deref(), report),
            None => report.note("thinking"),
        }
    }
}

/// Writes the members of a call that only this format has; its id and its status are written apart.
pub(super) fn write_call_extra(object: &mut ObjectWriter<'_>, extra: &Extra, report: &mut Report) {
    for (name, member) in extra.all() {
        match member.origin == FORMAT {
            true if matches!(name, ID | "status") => {}
            true if !CALL_MEMBERS.contains(&name) => object.value(name, &member.value),
            _ if member.weight == Weight::Quiet => {}
            _ => report.note_in("tool_call", name),
        }
    }
}

/// The id of a call as a provider takes it. One that it does not take is cut, in calls and results alike.
pub(super) fn call_id(id: &str, reader: Reader, report: &mut Report) -> String {
    let length = id.chars().count();
    if reader == Reader::Client || (1..=MAX_CALL_ID).contains(&length) {
        return id.to_owned();
    }
    report.note("tool_call.id");
    let rule = crate::names::Rule {
        max: MAX_CALL_ID,
        others: "_-",
        first: None,
    };
    rule.fit(id).into_owned()
}

/// Whether a text can be the whole content of a message without an id.
fn is_simple(text: &Text) -> bool {
    let own = |citation: &Citation| citation.raw.origin == FORMAT;
    let known = text.extra.all().any(|(_, member)| member.origin == FORMAT);
    !known && !text.citations.iter().any(own)
}

/// Begins the item of a message.
pub(super) fn begin_message(object: &mut ObjectWriter<'_>, extra: &Extra, minted: String) {
    let own = ids::text(extra, &format!("{OF_ITEM}{ID}"));
    object.value(ID, &own.unwrap_or(minted));
    object.value("type", MESSAGE);
    object.value("role", "assistant");
}

/// Ends the item of a message; its content has been written.
pub(super) fn end_message(mut object: ObjectWriter<'_>, extra: &Extra, status: &str) {
    let kept = extra.get(FORMAT, "item.status");
    match kept {
        Some(status) => object.value("status", status),
        None => object.value("status", status),
    }
    for (name, member) in extra.all() {
        if member.origin == FORMAT
            && let Some(name) = name.strip_prefix(OF_ITEM)
            && !MESSAGE_MEMBERS.contains(&name)
        {
            object.value(name, &member.value);
        }
    }
    object.end();
}

/// Writes a piece of a message's content.
pub(super) fn write_piece(
    out: &mut Vec<u8>,
    part: &OutputPart,
    reader: Reader,
    report: &mut Report,
) {
    match part {
        OutputPart::Text(text) => {
            note_text(text, report);
            let mut sources = Vec::new();
            write_sources(&mut sources, text, reader, report);
            write_text(out, &text.text, &sources, &text.extra);
        }
        OutputPart::Refusal(text) => write_refusal(out, text),
        OutputPart::Opaque(raw) => out.extend_from_slice(&raw.bytes),
        OutputPart::ToolCall(_) | OutputPart::Reasoning(_) | OutputPart::Image(_) => {}
    }
}

pub(super) fn write_refusal(out: &mut Vec<u8>, text: &str) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "refusal");
    object.value("refusal", text);
    object.end();
}

/// Writes a text; `sources` are its annotations, already written, without their brackets.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str, sources: &[u8], extra: &Extra) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "output_text");
    object.value("text", text);
    let annotations = object.key("annotations");
    annotations.push(b'[');
    annotations.extend_from_slice(sources);
    annotations.push(b']');
    if extra.get(FORMAT, "logprobs").is_none() {
        object.value("logprobs", &[(); 0]);
    }
    for (name, member) in extra.all() {
        let mine = member.origin == FORMAT && !name.starts_with(OF_ITEM);
        if mine && !TEXT_MEMBERS.contains(&name) {
            object.value(name, &member.value);
        }
    }
    object.end();
}

/// Writes the sources of a text, without brackets.
fn write_sources(out: &mut Vec<u8>, text: &Text, reader: Reader, report: &mut Report) {
    note_citations(text, report);
    let length = text.text.chars().count();
    for citation in &text.citations {
        // What another provider found is no source of this one's.
        if reader == Reader::Provider && citation.raw.origin != FORMAT {
            continue;
        }
        let mut raw = Vec::new();
        if types::write_citation(&mut raw, citation, length) {
            if !out.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(&raw);
        }
    }
}

/// Notes that sources of other formats are not what they were.
fn note_citations(text: &Text, report: &mut Report) {
    if text.citations.iter().any(|c| c.raw.origin != FORMAT) {
        report.note("text.citations");
    }
}

/// Notes the members of a text that only another format has.
fn note_text(text: &Text, report: &mut Report) {
    if text.cache.is_some() {
        report.note("cache_control");
    }
    for (name, origin, _) in text.extra.iter() {
        let known = name.strip_prefix(OF_ITEM).map_or_else(
            || TEXT_MEMBERS.contains(&name),
            |name| MESSAGE_MEMBERS[..4].contains(&name),
        );
        if origin != FORMAT || known {
            report.note_in("text", name);
        }
    }
}
