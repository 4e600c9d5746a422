//! Writes blocks.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::bedrock::block::{
    CALL_MEMBERS, GUARD, Items, JSON, RESULT_MEMBERS, TEXT_MEMBERS, THOUGHT_MEMBERS,
};
use crate::bedrock::{FORMAT, types};
use crate::error::EncodeError;
use crate::ir::{
    CacheMark, Image, InputPart, Opaque, OutputPart, RawJson, Reasoning, Text, ToolCall,
    ToolResult, canonical_arguments,
};
use crate::json::{Object, ObjectWriter, Path, Report, kind_of, write_array};

mod media;

/// Where an error is; numbers would be those of the representation, not of the client's messages.
const CONTENT: &str = "messages[].content";

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Direction {
    /// The provider: takes back only its own thinking, signed, and no blank text.
    Request,
    /// The client: keeps the thinking of whatever provider.
    Response,
}

/// Writes the blocks of one body.
#[derive(Debug)]
pub(in crate::bedrock) struct BlockWriter<'r> {
    pub(in crate::bedrock) report: &'r mut Report,
    direction: Direction,
    /// The model takes marks for its prompt cache.
    marks: bool,
    /// What is written is no message itself (instructions, a tool's result): a text has no sources there.
    bare: bool,
    /// The names of documents so far, which must differ, with the last number behind each.
    names: BTreeMap<String, usize>,
}

/// The block of an image that a model drew, for a client; `None` for one that it has no word for.
pub(in crate::bedrock) fn drawn(image: &Image) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    let mut report = Report::default();
    let mut writer = BlockWriter::new(Direction::Response, false, &mut report);
    media::image(&mut writer, &mut block, image).ok()?;
    Some(block)
}

// === impl BlockWriter ===

impl<'r> BlockWriter<'r> {
    pub(in crate::bedrock) fn new(
        direction: Direction,
        marks: bool,
        report: &'r mut Report,
    ) -> Self {
        Self {
            report,
            direction,
            marks,
            bare: false,
            names: BTreeMap::new(),
        }
    }

    /// Whether marks are written at all.
    pub(in crate::bedrock) fn takes_marks(&self) -> bool {
        self.marks
    }

    /// Writes the mark of the block before.
    pub(in crate::bedrock) fn mark(&mut self, items: &mut Items, cache: Option<CacheMark>) {
        let Some(mark) = cache else {
            return;
        };
        if self.marks && !items.is_empty() {
            types::write_cache_point(items.next(), mark);
        } else {
            self.report.note("cache_control");
        }
    }

    /// Writes a text with its mark; nothing for what the provider refuses as blank.
    pub(in crate::bedrock) fn text(&mut self, items: &mut Items, text: &Text) {
        let blank = match self.direction {
            Direction::Request => text.text.trim().is_empty(),
            Direction::Response => text.text.is_empty(),
        };
        if blank && text.is_empty() {
            return;
        }
        if blank && self.direction == Direction::Request {
            self.report.note("text.blank");
            return;
        }
        self.write_text(items, text);
        self.mark(items, text.cache);
    }

    fn write_text(&mut self, items: &mut Items, text: &Text) {
        items.text = true;
        let own = text.citations.iter().all(|c| c.raw.origin == FORMAT);
        if !own || (self.bare && !text.citations.is_empty()) {
            self.report.note("text.citations");
        }
        // The provider takes back only its own; a client can read an address of whatever provider.
        let reader = self.direction;
        let bare = self.bare;
        let mut told = text.citations.iter().filter(|citation| {
            let own = citation.raw.origin == FORMAT;
            !bare && (own || (reader == Direction::Response && citation.url.is_some()))
        });
        let mut told = told.by_ref().peekable();
        let guard = text.extra.get(FORMAT, GUARD);
        let mut block = ObjectWriter::new(items.next());
        if told.peek().is_some() {
            let mut inner = ObjectWriter::new(block.key("citationsContent"));
            write_array(inner.key("content"), [&text.text], |out, text| {
                let mut piece = ObjectWriter::new(out);
                piece.value("text", text);
                piece.end();
            });
            write_array(inner.key("citations"), told, types::write_citation);
            inner.extra(&text.extra, FORMAT, &TEXT_MEMBERS, "text", self.report);
            inner.end();
        } else if let Some(qualifiers) = guard {
            write_guarded(block.key(GUARD), text, qualifiers, self.report);
        } else {
            block.value("text", &text.text);
            block.extra(&text.extra, FORMAT, &TEXT_MEMBERS, "text", self.report);
        }
        block.end();
    }

    /// Writes instructions, which hold no sources.
    pub(in crate::bedrock) fn instructions(&mut self, items: &mut Items, texts: &[Text]) {
        let bare = std::mem::replace(&mut self.bare, true);
        for text in texts {
            self.text(items, text);
        }
        self.bare = bare;
    }

    /// Writes a part that a user says, with its mark.
    pub(in crate::bedrock) fn input(
        &mut self,
        items: &mut Items,
        part: &InputPart,
    ) -> Result<(), EncodeError> {
        let cache = match part {
            InputPart::Text(text) => {
                self.text(items, text);
                None
            }
            InputPart::Image(image) => {
                media::image(self, items.next(), image)?;
                image.cache
            }
            InputPart::Audio(audio) => {
                media::audio(self, items.next(), audio)?;
                audio.cache
            }
            InputPart::File(file) => {
                let document = media::file(self, items.next(), file)?;
                items.document |= document;
                file.cache
            }
            InputPart::Opaque(raw) => {
                items.next().extend_from_slice(own(raw)?);
                None
            }
        };
        self.mark(items, cache);
        Ok(())
    }

    /// Writes what a tool gave, with its mark.
    pub(in crate::bedrock) fn tool_result(
        &mut self,
        items: &mut Items,
        result: &ToolResult,
    ) -> Result<(), EncodeError> {
        let content = self.result_content(&result.parts)?;
        let mut block = ObjectWriter::new(items.next());
        let mut inner = ObjectWriter::new(block.key("toolResult"));
        inner.value("toolUseId", &*types::wrap_id(&result.call_id, self.report));
        content.write(inner.key("content"));
        if result.is_error {
            inner.value("status", "error");
        }
        let extra = &result.extra;
        inner.extra(extra, FORMAT, &RESULT_MEMBERS, "tool_result", self.report);
        inner.end();
        block.end();
        self.mark(items, result.cache);
        Ok(())
    }

    /// There is no place for marks and sound inside.
    fn result_content(&mut self, parts: &[InputPart]) -> Result<Items, EncodeError> {
        let mut items = Items::default();
        let marks = std::mem::replace(&mut self.marks, false);
        let bare = std::mem::replace(&mut self.bare, true);
        for part in parts {
            match part {
                InputPart::Text(text) if text.extra.get(FORMAT, JSON).is_some() => {
                    self.json(&mut items, text);
                }
                InputPart::Audio(_) => {
                    return Err(unsupported(
                        "a tool's result holds no sound; send a transcript",
                    ));
                }
                part => self.input(&mut items, part)?,
            }
        }
        (self.marks, self.bare) = (marks, bare);
        Ok(items)
    }

    /// Text that came as JSON goes back as JSON.
    fn json(&mut self, items: &mut Items, text: &Text) {
        let Ok(json) = serde_json::from_str::<&RawValue>(&text.text) else {
            self.report.note("text.json");
            self.text(items, &Text::plain(text.text.as_str()));
            return;
        };
        let mut block = ObjectWriter::new(items.next());
        block.value(JSON, json);
        let known = [TEXT_MEMBERS.as_slice(), &["json"]].concat();
        let lost = text.extra.iter().filter(|(name, ..)| *name != JSON);
        for (name, ..) in lost.filter(|(name, ..)| !known.contains(name)) {
            self.report.note_in("text", name);
        }
        block.end();
        if text.cache.is_some() {
            self.report.note("cache_control");
        }
    }

    /// Writes a part that a model said, with its mark. Writes nothing, and notes it, when the reader could not use it.
    pub(in crate::bedrock) fn output(
        &mut self,
        items: &mut Items,
        part: &OutputPart,
    ) -> Result<(), EncodeError> {
        match part {
            OutputPart::Text(text) => self.text(items, text),
            OutputPart::Reasoning(thought) => self.thought(items, thought),
            OutputPart::ToolCall(call) => {
                self.tool_use(items, call)?;
                self.mark(items, call.cache);
            }
            OutputPart::Refusal(text) => {
                self.report.note("refusal");
                self.text(items, &Text::plain(text.as_str()));
            }
            OutputPart::Image(image) => self.drawn(items, image),
            OutputPart::Opaque(raw) if raw.origin == FORMAT => {
                items.next().extend_from_slice(&raw.bytes);
            }
            OutputPart::Opaque(raw) => self.report.note_in("content", &kind_of(&raw.bytes)),
        }
        Ok(())
    }

    /// An image that a model drew. Providers take images of users alone.
    fn drawn(&mut self, items: &mut Items, image: &Image) {
        let mut block = Vec::new();
        let fits =
            self.direction == Direction::Response && media::image(self, &mut block, image).is_ok();
        match fits {
            true => items.next().extend_from_slice(&block),
            false => self.report.note_in("content", "image"),
        }
        if image.cache.is_some() {
            self.report.note("cache_control");
        }
    }

    fn thought(&mut self, items: &mut Items, thought: &Reasoning) {
        let own = thought.state.as_ref().is_some_and(|s| s.origin == FORMAT);
        let known = match self.direction {
            Direction::Request => own,
            Direction::Response => thought.text.is_some() || thought.state.is_some(),
        };
        if !known {
            self.report.note("thinking");
            return;
        }
        let mut block = ObjectWriter::new(items.next());
        let mut content = ObjectWriter::new(block.key("reasoningContent"));
        let extra = &thought.extra;
        match (&thought.text, &thought.state) {
            (None, Some(state)) => {
                content.value("redactedContent", &types::blob(state));
                content.extra(extra, FORMAT, &THOUGHT_MEMBERS, "thinking", self.report);
            }
            (text, state) => {
                let mut inner = ObjectWriter::new(content.key("reasoningText"));
                inner.value("text", text.as_deref().unwrap_or_default());
                let signature = state.as_ref().map(|state| state.wrap(FORMAT));
                inner.optional("signature", signature.as_ref());
                inner.extra(extra, FORMAT, &THOUGHT_MEMBERS, "thinking", self.report);
                inner.end();
            }
        }
        content.end();
        block.end();
    }

    fn tool_use(&mut self, items: &mut Items, call: &ToolCall) -> Result<(), EncodeError> {
        if let Some(state) = &call.state {
            // There is no place for it in the call: a client keeps it as a thought before the call.
            let state = Some(state.clone());
            let thought = Reasoning {
                state,
                ..Reasoning::default()
            };
            self.thought(items, &thought);
        }
        let arguments = canonical_arguments(&call.arguments);
        let valid =
            arguments.starts_with('{') && serde_json::from_str::<IgnoredAny>(arguments).is_ok();
        if !valid {
            return Err(EncodeError::Invalid {
                path: CONTENT.to_owned(),
                reason: format!(
                    "the arguments of the call of `{}` are not a JSON object, which {FORMAT} asks for",
                    call.name
                ),
            });
        }
        let arguments: &RawValue = serde_json::from_str(arguments).expect("just checked");
        let mut block = ObjectWriter::new(items.next());
        let mut inner = ObjectWriter::new(block.key("toolUse"));
        inner.value("toolUseId", &*types::wrap_id(&call.id, self.report));
        match self.direction {
            Direction::Request => {
                let name = self.report.tool_name(&call.name, &types::TOOL_NAME);
                inner.value("name", &*name);
            }
            Direction::Response => inner.value("name", &call.name),
        }
        inner.value("input", arguments);
        inner.extra(&call.extra, FORMAT, &CALL_MEMBERS, "tool_call", self.report);
        inner.end();
        block.end();
        Ok(())
    }
}

fn write_guarded(out: &mut Vec<u8>, text: &Text, qualifiers: &RawJson, report: &mut Report) {
    let mut guard = ObjectWriter::new(out);
    let mut inner = ObjectWriter::new(guard.key("text"));
    inner.value("text", &text.text);
    if qualifiers.get() != "[]" {
        inner.value("qualifiers", qualifiers);
    }
    inner.end();
    guard.end();
    for (name, ..) in text.extra.iter().filter(|(name, ..)| *name != GUARD) {
        report.note_in("text", name);
    }
}

/// A part that only this format knows.
fn own(raw: &Opaque) -> Result<&[u8], EncodeError> {
    if raw.origin == FORMAT && Object::parse(&raw.bytes, &Path::Root).is_ok() {
        return Ok(&raw.bytes);
    }
    Err(unsupported(&format!(
        "a part of type `{}` of {} has no counterpart; send text, an image or a document",
        kind_of(&raw.bytes),
        raw.origin
    )))
}

fn unsupported(reason: &str) -> EncodeError {
    EncodeError::Unsupported {
        path: CONTENT.to_owned(),
        format: FORMAT,
        reason: reason.to_owned(),
    }
}
