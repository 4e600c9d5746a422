//! Writes the conversation: `systemInstruction` and `contents`.
//!
//! The results of one step are in one content. In the current turn (all that follows what the user last said) the first call of
//! each step must be signed; one that is not (it is another model's, or the client lost the signature) is marked as such, and
//! reported as `tool_call.thought_signature`. Models that are known not to think, or to think within a budget (those before the
//! third generation), do not ask for it.

use std::collections::BTreeMap;

use fkm_dialect::{Thinking, ToolCallIds};

use crate::error::EncodeError;
use crate::format::Target;
use crate::gemini::part::{self, Direction, Outputs};
use crate::gemini::{FORMAT, tool_result};
use crate::ir::{Extra, InputPart, Message, OutputPart, Request, Text, ToolResult};
use crate::json::{ObjectWriter, Report, write_array};

const MEMBERS: [&str; 2] = ["role", "parts"];

/// A conversation as this format divides it.
pub(super) struct Conversation<'a> {
    system: Vec<&'a Text>,
    /// Instructions before the conversation that are more than texts.
    instructions: &'a [InputPart],
    extra: Option<&'a Extra>,
    messages: &'a [Message],
    /// The first message of the current turn.
    current: usize,
    signed: bool,
    /// Whether calls and results say which they are.
    ids: bool,
}

/// The place of each call so far among all of them and the tool that it names, by the id of the call.
type Calls<'a> = BTreeMap<&'a str, (usize, &'a str)>;

// === impl Conversation ===

impl<'a> Conversation<'a> {
    pub(super) fn new(request: &'a Request, target: &Target<'_>) -> Self {
        let mut this = Self {
            system: request.system.iter().collect(),
            instructions: &[],
            extra: None,
            messages: &request.messages,
            current: 0,
            signed: !matches!(
                target.capabilities.thinking,
                Thinking::Never | Thinking::Budget
            ),
            ids: target.dialect.tool_call_ids != ToolCallIds::Never,
        };
        while let [Message::System { parts, extra }, rest @ ..] = this.messages
            && extra.is_empty()
            && parts.iter().all(InputPart::is_text)
        {
            this.system
                .extend(parts.iter().filter_map(InputPart::as_text));
            this.messages = rest;
        }
        this.system.retain(|text| !text.is_empty());
        if let [Message::System { parts, extra }, rest @ ..] = this.messages
            && this.system.is_empty()
        {
            (this.instructions, this.extra) = (parts, Some(extra));
            this.messages = rest;
        }
        let said =
            |message: &Message| matches!(message, Message::User { .. } | Message::System { .. });
        let last = this.messages.iter().rposition(said);
        this.current = last.map_or(0, |index| index + 1);
        this
    }

    pub(super) fn write(
        &self,
        object: &mut ObjectWriter<'_>,
        report: &mut Report,
    ) -> Result<(), EncodeError> {
        self.write_system(object, report)?;
        let out = object.key("contents");
        out.push(b'[');
        let mut calls = Calls::new();
        let first = out.len();
        let mut messages = self.messages;
        while let [message, rest @ ..] = messages {
            let before = out.len();
            if before > first {
                out.push(b',');
            }
            let start = out.len();
            messages = match message {
                Message::Tool { .. } => {
                    let taken = results_of_step(messages);
                    self.write_results(out, &messages[..taken], &calls, report)?;
                    &messages[taken..]
                }
                _ => {
                    let index = self.messages.len() - messages.len();
                    self.write_message(out, message, index, report)?;
                    rest
                }
            };
            if let Message::Assistant { parts, .. } = message {
                note_calls(parts, &mut calls);
            }
            if out.len() == start {
                out.truncate(before);
            }
        }
        out.push(b']');
        Ok(())
    }

    fn write_system(
        &self,
        object: &mut ObjectWriter<'_>,
        report: &mut Report,
    ) -> Result<(), EncodeError> {
        if self.system.is_empty() && self.extra.is_none() {
            return Ok(());
        }
        let mut content = ObjectWriter::new(object.key("systemInstruction"));
        let out = content.key("parts");
        out.push(b'[');
        for (index, text) in self.system.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            part::write_text(out, text, None, report);
        }
        for (index, part) in self.instructions.iter().enumerate() {
            if index + self.system.len() > 0 {
                out.push(b',');
            }
            part::encode_input(out, part, report)?;
        }
        out.push(b']');
        if let Some(extra) = self.extra {
            content.extra(extra, FORMAT, &MEMBERS, "message", report);
        }
        content.end();
        Ok(())
    }

    fn write_message(
        &self,
        out: &mut Vec<u8>,
        message: &Message,
        index: usize,
        report: &mut Report,
    ) -> Result<(), EncodeError> {
        match message {
            Message::User { parts, extra } => write_user(out, parts, extra, report),
            Message::System { parts, extra } => {
                report.note("messages.system");
                write_user(out, parts, extra, report)
            }
            Message::Assistant { parts, extra } => {
                let how = Outputs {
                    direction: Direction::Request,
                    signed: self.signed && index >= self.current,
                    ids: self.ids,
                };
                write_model(out, parts, extra, how, report)
            }
            // Written by step.
            Message::Tool { .. } => Ok(()),
        }
    }

    fn write_results(
        &self,
        out: &mut Vec<u8>,
        messages: &[Message],
        calls: &Calls<'_>,
        report: &mut Report,
    ) -> Result<(), EncodeError> {
        let mut all: Vec<&ToolResult> = Vec::new();
        let mut more = None;
        for message in messages {
            if let Message::Tool { results, extra } = message {
                all.extend(results);
                more = Some(extra);
            }
        }
        let none = Extra::default();
        let extra = more.unwrap_or(&none);
        if all.is_empty() && extra.is_empty() {
            return Ok(());
        }
        let call = |result: &ToolResult| calls.get(result.call_id.as_str()).copied();
        if !self.ids {
            all.sort_by_key(|result| call(result).map(|(place, _)| place));
        }
        let mut content = ObjectWriter::new(out);
        content.value("role", "user");
        let list = content.key("parts");
        list.push(b'[');
        for (index, result) in all.into_iter().enumerate() {
            if index > 0 {
                list.push(b',');
            }
            let tool = call(result).map(|(_, tool)| tool);
            tool_result::encode(list, result, tool, self.ids, report)?;
        }
        list.push(b']');
        content.extra(extra, FORMAT, &MEMBERS, "message", report);
        content.end();
        Ok(())
    }
}

/// How many messages from here on hold results of the same step.
fn results_of_step(messages: &[Message]) -> usize {
    let plain =
        |message: &Message| matches!(message, Message::Tool { extra, .. } if extra.is_empty());
    let first = usize::from(!messages.is_empty());
    if !messages.first().is_some_and(plain) {
        return first;
    }
    messages.iter().take_while(|message| plain(message)).count()
}

fn note_calls<'a>(parts: &'a [OutputPart], calls: &mut Calls<'a>) {
    for part in parts {
        if let OutputPart::ToolCall(call) = part {
            calls.insert(&call.id, (calls.len(), &call.name));
        }
    }
}

/// A content without parts is refused: an empty turn is an empty text.
fn write_user(
    out: &mut Vec<u8>,
    parts: &[InputPart],
    extra: &Extra,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let mut content = ObjectWriter::new(out);
    content.value("role", "user");
    let list = content.key("parts");
    let mut written = Ok(());
    let said = parts
        .iter()
        .filter(|part| !matches!(part, InputPart::Text(text) if text.is_empty()));
    let before = list.len();
    write_array(list, said, |out, part| {
        if written.is_ok() {
            written = part::encode_input(out, part, report);
        }
    });
    written?;
    if &list[before..] == b"[]" {
        list.truncate(before);
        list.extend_from_slice(br#"[{"text":""}]"#);
    }
    content.extra(extra, FORMAT, &MEMBERS, "message", report);
    content.end();
    Ok(())
}

/// Writes nothing when nothing of the turn can be said.
fn write_model(
    out: &mut Vec<u8>,
    parts: &[OutputPart],
    extra: &Extra,
    how: Outputs,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let before = out.len();
    let mut content = ObjectWriter::new(out);
    content.value("role", "model");
    let list = content.key("parts");
    list.push(b'[');
    let start = list.len();
    part::encode_outputs(list, parts, how, report)?;
    let empty = list.len() == start;
    list.push(b']');
    content.extra(extra, FORMAT, &MEMBERS, "message", report);
    content.end();
    if empty && extra.is_empty() {
        out.truncate(before);
    }
    Ok(())
}
