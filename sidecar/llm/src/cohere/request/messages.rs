//! Writes a conversation. Documents of users go to the top of the request, images of tools to a user's message.

use fkm_dialect::{Capabilities, Thinking};

use crate::cohere::{FORMAT, Reader, content, message};
use crate::error::EncodeError;
use crate::ir::{
    Extra, File, FileSource, InputPart, Message, OutputPart, Request, Text, ToolResult,
};
use crate::json::{ObjectWriter, Report};

const MEMBERS: [&str; 2] = ["role", "content"];
const TOOL_MEMBERS: [&str; 3] = ["role", "content", "tool_call_id"];

/// What stands in a tool's message whose whole result is in the user's message after it.
const FOLLOWS: &str = "The result is in the message that follows.";

/// A conversation on its way.
pub(super) struct Conversation<'a, 'r> {
    out: &'r mut Vec<u8>,
    first: usize,
    capabilities: &'a Capabilities,
    report: &'r mut Report,
    /// What users gave to read.
    documents: Vec<&'a File>,
}

/// Writes the messages; gives the documents of users.
pub(super) fn write<'a>(
    out: &mut Vec<u8>,
    request: &'a Request,
    capabilities: &'a Capabilities,
    report: &mut Report,
) -> Result<Vec<&'a File>, EncodeError> {
    out.push(b'[');
    let mut conversation = Conversation {
        first: out.len(),
        out,
        capabilities,
        report,
        documents: Vec::new(),
    };
    conversation.instructions(&request.system)?;
    for message in &request.messages {
        conversation.message(message)?;
    }
    conversation.out.push(b']');
    Ok(conversation.documents)
}

// === impl Conversation ===

impl<'a> Conversation<'a, '_> {
    fn separate(&mut self) {
        if self.out.len() > self.first {
            self.out.push(b',');
        }
    }

    fn instructions(&mut self, texts: &[Text]) -> Result<(), EncodeError> {
        if texts.is_empty() {
            return Ok(());
        }
        let parts: Vec<InputPart> = texts.iter().cloned().map(InputPart::Text).collect();
        let parts: Vec<&InputPart> = parts.iter().collect();
        self.turn("system", &parts, &Extra::default())
    }

    fn message(&mut self, message: &'a Message) -> Result<(), EncodeError> {
        match message {
            Message::System { parts, extra } => {
                let parts: Vec<&InputPart> = parts.iter().collect();
                self.turn("system", &parts, extra)
            }
            Message::User { parts, extra } => {
                let parts = self.take_documents(parts);
                self.turn("user", &parts, extra)
            }
            Message::Assistant { parts, extra } => {
                self.assistant(parts, extra);
                Ok(())
            }
            Message::Tool { results, extra } => {
                for (name, ..) in extra.iter() {
                    self.report.note_in("message", name);
                }
                self.results(results)
            }
        }
    }

    fn turn(&mut self, role: &str, parts: &[&InputPart], extra: &Extra) -> Result<(), EncodeError> {
        self.separate();
        let mut object = ObjectWriter::new(self.out);
        object.value("role", role);
        let write = match role {
            "system" => content::encode_systems,
            _ => content::encode_users,
        };
        content::encode_input(object.key("content"), parts, write, self.report)?;
        object.extra(extra, FORMAT, &MEMBERS, "message", self.report);
        object.end();
        Ok(())
    }

    /// Users have no documents in their messages: they are given beside the conversation, where the model cites them.
    fn take_documents(&mut self, parts: &'a [InputPart]) -> Vec<&'a InputPart> {
        let mut rest = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                InputPart::File(file) if matches!(file.source, FileSource::Text(_)) => {
                    self.report.note("file.position");
                    for (name, ..) in file.extra.iter() {
                        self.report.note_in("file", name);
                    }
                    self.documents.push(file);
                }
                part => rest.push(part),
            }
        }
        rest
    }

    /// A model that does not think is shown no thoughts.
    fn assistant(&mut self, parts: &'a [OutputPart], extra: &Extra) {
        self.separate();
        let is_thought = |part: &OutputPart| matches!(part, OutputPart::Reasoning(_));
        if self.capabilities.thinking == Thinking::Never && parts.iter().any(is_thought) {
            self.report.note("thinking");
            let parts: Vec<OutputPart> = parts.iter().filter(|p| !is_thought(p)).cloned().collect();
            message::encode(self.out, &parts, extra, Reader::Provider, self.report);
            return;
        }
        message::encode(self.out, parts, extra, Reader::Provider, self.report);
    }

    /// One message a result. What only users may show comes in a message of theirs, after all results.
    fn results(&mut self, results: &[ToolResult]) -> Result<(), EncodeError> {
        let mut moved = Vec::new();
        for result in results {
            self.result(result, &mut moved)?;
        }
        if moved.is_empty() {
            return Ok(());
        }
        self.report.note("tool_result.content");
        let moved: Vec<&InputPart> = moved.iter().collect();
        self.turn("user", &moved, &Extra::default())
    }

    fn result(
        &mut self,
        result: &ToolResult,
        moved: &mut Vec<InputPart>,
    ) -> Result<(), EncodeError> {
        if result.is_error {
            self.report.note("tool_result.is_error");
        }
        if result.cache.is_some() {
            self.report.note("cache_control");
        }
        let is_users = |part: &&InputPart| matches!(part, InputPart::Image(_));
        let (rest, mut kept): (Vec<_>, Vec<_>) = result.parts.iter().partition(is_users);
        let follows = InputPart::Text(Text::plain(FOLLOWS));
        if !rest.is_empty() {
            let title = format!("The result of the call {}:", result.call_id);
            moved.push(InputPart::Text(Text::plain(title)));
            moved.extend(rest.into_iter().cloned());
            if kept.is_empty() {
                kept.push(&follows);
            }
        }
        self.separate();
        let mut object = ObjectWriter::new(self.out);
        object.value("role", "tool");
        object.value("tool_call_id", &result.call_id);
        let out = object.key("content");
        content::encode_input(out, &kept, content::encode_tools, self.report)?;
        object.extra(
            &result.extra,
            FORMAT,
            &TOOL_MEMBERS,
            "tool_result",
            self.report,
        );
        object.end();
        Ok(())
    }
}
