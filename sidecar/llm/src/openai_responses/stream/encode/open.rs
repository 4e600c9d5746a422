//! The item of a stream that is being written.

use bytes::Bytes;

use crate::ir::{Delta, Extra, Opaque};
use crate::json::{ObjectWriter, Report};
use crate::openai_responses::ids::{self, ID};
use crate::openai_responses::item::CALL;
use crate::openai_responses::output::write_call_extra;
use crate::openai_responses::stream::encode::message::Message;
use crate::openai_responses::stream::encode::told::Told;
use crate::openai_responses::{FORMAT, reasoning};

/// The item that is open.
pub(super) enum Open {
    Message(Message),
    Call(Call),
    Thought(Thought),
}

pub(super) struct Call {
    item: String,
    id: String,
    name: String,
    arguments: String,
    extra: Extra,
}

pub(super) struct Thought {
    id: String,
    text: String,
    state: Option<Opaque>,
}

// === impl Open ===

impl Open {
    pub(super) fn call(
        (id, name): (&str, &str),
        extra: &Extra,
        told: &mut Told,
        out: &mut Vec<Bytes>,
    ) -> Self {
        let own = ids::text(extra, ID);
        let call = Call {
            item: own.unwrap_or_else(|| told.id("fc")),
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: String::new(),
            extra: extra.clone(),
        };
        told.added(|out| call.write(out, "in_progress"), out);
        Self::Call(call)
    }

    pub(super) fn thought(extra: &Extra, told: &mut Told, out: &mut Vec<Bytes>) -> Self {
        let id = reasoning::streamed_id(extra, told.id("rs"));
        told.added(|out| reasoning::write_item(out, &id, None, None), out);
        told.about(
            "response.reasoning_summary_part.added",
            &id,
            summary(""),
            out,
        );
        Self::Thought(Thought {
            id,
            text: String::new(),
            state: None,
        })
    }

    pub(super) fn delta(&mut self, delta: &Delta, told: &mut Told, out: &mut Vec<Bytes>) {
        match (self, delta) {
            (Self::Message(message), delta) => message.delta(delta, told, out),
            (Self::Call(call), Delta::Arguments(text)) => call.delta(text, told, out),
            (Self::Thought(thought), Delta::Reasoning(text)) if !text.is_empty() => {
                thought.text.push_str(text);
                let kind = "response.reasoning_summary_text.delta";
                told.about(kind, &thought.id, of_summary("delta", text), out);
            }
            (Self::Thought(thought), Delta::State(more)) => match &mut thought.state {
                Some(state) if state.origin == more.origin => {
                    state.bytes.extend_from_slice(&more.bytes);
                }
                state => *state = Some(more.clone()),
            },
            _ => {}
        }
    }

    pub(super) fn end(self, status: &str, told: &mut Told, out: &mut Vec<Bytes>) {
        let mut item = Vec::new();
        match self {
            Self::Message(mut message) => {
                message.end_piece(told, out);
                message.write(&mut item, status);
            }
            Self::Call(mut call) => {
                call.end(told, out);
                call.write(&mut item, status);
            }
            Self::Thought(thought) => thought.end(&mut item, told, out),
        }
        told.done(&item, out);
    }
}

// === impl Call ===

impl Call {
    fn write(&self, out: &mut Vec<u8>, status: &str) {
        let mut object = ObjectWriter::new(out);
        object.value("type", CALL);
        object.value(ID, &self.item);
        object.value("call_id", &self.id);
        object.value("name", &self.name);
        object.value("arguments", &self.arguments);
        object.value("status", status);
        write_call_extra(&mut object, &self.extra, &mut Report::default());
        object.end();
    }

    fn delta(&mut self, text: &str, told: &mut Told, out: &mut Vec<Bytes>) {
        if text.is_empty() {
            return;
        }
        self.arguments.push_str(text);
        let members = |object: &mut ObjectWriter<'_>| object.value("delta", text);
        told.about(
            "response.function_call_arguments.delta",
            &self.item,
            members,
            out,
        );
    }

    /// A call that needs no arguments has an empty object all the same.
    fn end(&mut self, told: &mut Told, out: &mut Vec<Bytes>) {
        if self.arguments.trim_ascii().is_empty() {
            self.delta("{}", told, out);
        }
        let members = |object: &mut ObjectWriter<'_>| {
            object.value("name", &self.name);
            object.value("arguments", &self.arguments);
        };
        told.about(
            "response.function_call_arguments.done",
            &self.item,
            members,
            out,
        );
    }
}

// === impl Thought ===

impl Thought {
    fn end(self, item: &mut Vec<u8>, told: &mut Told, out: &mut Vec<Bytes>) {
        let kind = "response.reasoning_summary_text.done";
        told.about(kind, &self.id, of_summary("text", &self.text), out);
        let kind = "response.reasoning_summary_part.done";
        told.about(kind, &self.id, summary(&self.text), out);
        let text = Some(self.text.as_str());
        match self.state.as_ref().and_then(reasoning::Own::new) {
            // Streams have no place to say what was dropped.
            Some(own) => own.write(item, text, &mut Report::default()),
            None => {
                let state = self.state.filter(|state| state.origin != FORMAT);
                let sealed = state.map(|state| state.wrap(FORMAT));
                reasoning::write_item(item, &self.id, text, sealed.as_deref());
            }
        }
    }
}

/// The members of an event about the only part of a summary.
fn summary(text: &str) -> impl FnOnce(&mut ObjectWriter<'_>) {
    move |object| {
        object.value("summary_index", &0);
        reasoning::write_part(object.key("part"), text);
    }
}

fn of_summary<'a>(name: &'a str, text: &'a str) -> impl FnOnce(&mut ObjectWriter<'_>) + 'a {
    move |object| {
        object.value("summary_index", &0);
        object.value(name, text);
    }
}
