//! The mark of a call in the words that OpenAI's chat had before tools: `function_call`, one a message, without an id.
//!
//! On a request it says that the client knows these words only: the answer's calls get the mark on their way to it. On a call
//! or a result it says that it came in them.

use fkm_dialect::Format;

use crate::ir::{Extra, Message, OutputPart, RawJson, Weight};

const NAME: &str = "function_call";

// === impl Extra ===

impl Extra {
    /// Sets the mark.
    pub(crate) fn mark_one_call(&mut self) {
        self.insert_quiet(Format::OpenAiChat, NAME, RawJson::string(NAME));
    }

    /// Whether the mark is set; a member of this name that somebody sent is none.
    pub(crate) fn is_one_call(&self) -> bool {
        self.all()
            .any(|(name, member)| name == NAME && member.weight == Weight::Quiet)
    }
}

// === impl Message ===

impl Message {
    /// Whether it is an assistant's whose call has the mark.
    pub(crate) fn is_one_call(&self) -> bool {
        let Self::Assistant { parts, .. } = self else {
            return false;
        };
        parts.iter().any(|part| match part {
            OutputPart::ToolCall(call) => call.extra.is_one_call(),
            _ => false,
        })
    }
}
