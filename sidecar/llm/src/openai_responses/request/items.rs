//! The items of a request: to turns and back.
//!
//! What the assistant did is a run of items: messages, calls, thoughts, steps. They are one turn, and so are the results of
//! functions that follow each other. What the client answers to steps of the provider (the screen of a computer, the
//! output of a shell) is known to this format only: a turn of the user's that holds the item as it is.

use fkm_dialect::Capabilities;
use serde_json::value::RawValue;

use crate::error::{DecodeError, EncodeError};
use crate::ir::{Extra, InputPart, Message, Opaque, OutputPart, Text, ToolResult};
use crate::json::{Object, ObjectWriter, Path, Report, array, kind_of, string};
use crate::openai_responses::found::Found;
use crate::openai_responses::item::{self, MESSAGE};
use crate::openai_responses::output::{Items, Reader, call_id};
use crate::openai_responses::{FORMAT, content};

const RESULT: &str = "function_call_output";
const MESSAGE_MEMBERS: [&str; 2] = ["role", "content"];
const RESULT_MEMBERS: [&str; 3] = ["type", "call_id", "output"];

/// The types of items that a client makes, beside messages and the results of functions.
const CLIENTS: [&str; 11] = [
    "additional_tools",
    "apply_patch_call_output",
    "compaction_trigger",
    "computer_call_output",
    "custom_tool_call_output",
    "item_reference",
    "local_shell_call_output",
    "mcp_approval_response",
    "shell_call_output",
    "tool_search_output",
    RESULT,
];

/// Turns that are being read.
#[derive(Debug, Default)]
pub(super) struct Conversation(Vec<Message>);

// === impl Conversation ===

impl Conversation {
    /// Begins with an instruction.
    pub(super) fn instruct(&mut self, text: String) {
        self.0.push(Message::System {
            parts: vec![InputPart::Text(Text::plain(text))],
            extra: Extra::default(),
        });
    }

    /// Reads `input`.
    pub(super) fn read(&mut self, raw: &RawValue, path: &Path<'_>) -> Result<(), DecodeError> {
        if let Some(text) = string(raw) {
            self.0.push(Message::User {
                parts: vec![InputPart::Text(Text::plain(text))],
                extra: Extra::default(),
            });
            return Ok(());
        }
        let items = array(raw, path).map_err(|_| DecodeError::Invalid {
            path: path.to_string(),
            expected: "a string or an array of items".to_owned(),
        })?;
        for (index, raw) in items.into_iter().enumerate() {
            self.item(raw, &path.item(index))?;
        }
        Ok(())
    }

    pub(super) fn into_messages(self) -> Vec<Message> {
        self.0
    }

    fn item(&mut self, raw: &RawValue, path: &Path<'_>) -> Result<(), DecodeError> {
        let object = Object::from_raw(raw, path)?;
        let kind = object.kind();
        let has_role = object.peek("role").is_some();
        match &*kind {
            MESSAGE => self.message(object)?,
            "" if has_role => self.message(object)?,
            RESULT if object.peek("call_id").is_some() => {
                let result = result(object)?;
                self.result(result);
            }
            // The type of a reference may be left out.
            "" if object.has_only(&["id", "type"]) && object.peek("id").is_some() => {
                self.clients(raw);
            }
            kind if CLIENTS.contains(&kind) => self.clients(raw),
            _ => self.assistant(item::decode(raw, path, Found::Request)?),
        }
        Ok(())
    }

    fn message(&mut self, mut object: Object<'_, '_>) -> Result<(), DecodeError> {
        let role = object.peek("role").and_then(string).unwrap_or_default();
        if role == "assistant" {
            self.assistant(item::message(object, Found::Request)?);
            return Ok(());
        }
        let path = object.path().member("content");
        object.raw("type");
        let parts = content::decode(object.raw("content"), &path)?;
        let message = match &*object.required_string("role")? {
            "system" | "developer" => Message::System {
                parts,
                extra: object.rest(FORMAT),
            },
            "user" => Message::User {
                parts,
                extra: object.rest(FORMAT),
            },
            _ => return Err(object.invalid("role", "developer, system, user or assistant")),
        };
        self.0.push(message);
        Ok(())
    }

    fn assistant(&mut self, more: Vec<OutputPart>) {
        match self.0.last_mut() {
            Some(Message::Assistant { parts, .. }) => parts.extend(more),
            _ => self.0.push(Message::Assistant {
                parts: more,
                extra: Extra::default(),
            }),
        }
    }

    fn result(&mut self, result: ToolResult) {
        match self.0.last_mut() {
            Some(Message::Tool { results, .. }) => results.push(result),
            _ => self.0.push(Message::Tool {
                results: vec![result],
                extra: Extra::default(),
            }),
        }
    }

    fn clients(&mut self, raw: &RawValue) {
        self.0.push(Message::User {
            parts: vec![InputPart::Opaque(Opaque::new(FORMAT, raw.get()))],
            extra: Extra::default(),
        });
    }
}

fn result(mut object: Object<'_, '_>) -> Result<ToolResult, DecodeError> {
    let path = object.path().member("output");
    object.raw("type");
    Ok(ToolResult {
        call_id: object.required_string("call_id")?,
        parts: content::decode(object.raw("output"), &path)?,
        is_error: false,
        cache: None,
        extra: object.rest(FORMAT),
    })
}

/// Turns that are being written.
pub(super) struct Turns<'w, 'r> {
    items: Items<'w>,
    capabilities: &'r Capabilities,
    report: &'r mut Report,
    /// The last item belongs to a turn of the assistant.
    after_assistant: bool,
}

// === impl Turns ===

impl<'w, 'r> Turns<'w, 'r> {
    pub(super) fn new(
        items: Items<'w>,
        capabilities: &'r Capabilities,
        report: &'r mut Report,
    ) -> Self {
        Self {
            items,
            capabilities,
            report,
            after_assistant: false,
        }
    }

    /// Writes instructions that do not go into `instructions`.
    pub(super) fn system(&mut self, texts: &[Text]) -> Result<(), EncodeError> {
        if texts.is_empty() {
            return Ok(());
        }
        let parts: Vec<InputPart> = texts.iter().cloned().map(InputPart::Text).collect();
        self.said("system", &parts, &Extra::default())
    }

    pub(super) fn turn(&mut self, message: &Message) -> Result<(), EncodeError> {
        match message {
            Message::System { parts, extra } => self.said("system", parts, extra),
            Message::User { parts, extra } => self.user(parts, extra),
            Message::Assistant { parts, extra } => {
                self.assistant(parts, extra);
                Ok(())
            }
            Message::Tool { results, extra } => {
                for (name, ..) in extra.iter() {
                    self.report.note_in("message", name);
                }
                results.iter().try_for_each(|result| self.result(result))
            }
        }
    }

    fn said(&mut self, role: &str, parts: &[InputPart], extra: &Extra) -> Result<(), EncodeError> {
        self.after_assistant = false;
        let mut object = ObjectWriter::new(self.items.item());
        object.value("role", role);
        let out = object.key("content");
        content::encode(out, parts, self.capabilities, self.report)?;
        object.extra(extra, FORMAT, &MESSAGE_MEMBERS, "message", self.report);
        object.end();
        Ok(())
    }

    /// Items that the client made stand beside what the user says.
    fn user(&mut self, parts: &[InputPart], extra: &Extra) -> Result<(), EncodeError> {
        let alone = parts.len() == 1 && extra.is_empty();
        let (items, said): (Vec<_>, Vec<_>) = parts.iter().cloned().partition(is_clients);
        if items.is_empty() {
            return self.said("user", parts, extra);
        }
        if !alone {
            self.report.note("message.turns");
        }
        for item in &items {
            if let InputPart::Opaque(raw) = item {
                self.items.item().extend_from_slice(&raw.bytes);
            }
        }
        self.after_assistant = false;
        if said.is_empty() && extra.is_empty() {
            return Ok(());
        }
        self.said("user", &said, extra)
    }

    fn assistant(&mut self, parts: &[OutputPart], extra: &Extra) {
        for (name, ..) in extra.iter() {
            self.report.note_in("message", name);
        }
        let before = self.items.count();
        self.items.parts(parts, "completed", self.report);
        if self.items.count() > before {
            if self.after_assistant {
                // Nothing parts two turns of the assistant.
                self.report.note("message.turns");
            }
            self.after_assistant = true;
        }
    }

    fn result(&mut self, result: &ToolResult) -> Result<(), EncodeError> {
        self.after_assistant = false;
        if result.is_error {
            self.report.note("tool_result.is_error");
        }
        if result.cache.is_some() {
            self.report.note("cache_control");
        }
        let id = call_id(&result.call_id, Reader::Provider, self.report);
        let mut object = ObjectWriter::new(self.items.item());
        object.value("type", RESULT);
        object.value("call_id", id.as_str());
        let out = object.key("output");
        content::encode(out, &result.parts, self.capabilities, self.report)?;
        let what = "tool_result";
        object.extra(&result.extra, FORMAT, &RESULT_MEMBERS, what, self.report);
        object.end();
        Ok(())
    }
}

/// Whether a part is an item that the client made.
fn is_clients(part: &InputPart) -> bool {
    match part {
        InputPart::Opaque(raw) if raw.origin == FORMAT => {
            let kind = kind_of(&raw.bytes);
            kind.is_empty() || CLIENTS.contains(&kind.as_str())
        }
        _ => false,
    }
}
