//! A whole answer from the events of a stream.

use std::collections::BTreeMap;

use crate::error::StreamFault;
use crate::ir::{
    BlockStart, Choice, Delta, Event, Extra, FinishReason, OutputPart, Reasoning, Response, Start,
    Text, ToolCall,
};

/// Folds events to the answer that they make, in canonical form.
///
/// An [`Event::Error`] is [`StreamFault::Provider`]; a choice without a finish reason, or no choice at all, is
/// [`StreamFault::Incomplete`].
pub fn fold(events: impl IntoIterator<Item = Event>) -> Result<Response, StreamFault> {
    let mut folder = Folder::default();
    for event in events {
        folder.take(event)?;
    }
    folder.finish()
}

/// The events that make an answer: each part in one piece, the choices one after the other, usage before the end.
pub fn unfold(response: &Response) -> Vec<Event> {
    let mut events = vec![Event::Start(Start {
        id: response.id.clone(),
        model: response.model.clone(),
        created: response.created,
        extra: response.extra.clone(),
    })];
    events.extend(response.usage.map(Event::Usage));
    for choice in &response.choices {
        let index = choice.index;
        for (block, part) in (0..).zip(&choice.parts) {
            unfold_part(part, index, block, &mut events);
        }
        events.push(Event::Stop {
            choice: index,
            reason: choice.finish_reason.clone(),
            extra: choice.extra.clone(),
        });
    }
    events
}

/// The events of one part.
pub(crate) fn unfold_part(part: &OutputPart, choice: u32, block: u32, events: &mut Vec<Event>) {
    let (start, deltas) = match part {
        OutputPart::Text(part) => {
            let extra = part.extra.clone();
            let citations = part.citations.iter().cloned().map(Delta::Citation);
            let deltas = std::iter::once(Delta::Text(part.text.clone())).chain(citations);
            (BlockStart::Text { extra }, deltas.collect())
        }
        OutputPart::Reasoning(part) => unfold_reasoning(part),
        OutputPart::ToolCall(call) => {
            let start = BlockStart::ToolCall {
                id: call.id.clone(),
                name: call.name.clone(),
                state: call.state.clone(),
                extra: call.extra.clone(),
            };
            (start, vec![Delta::Arguments(call.arguments.clone())])
        }
        OutputPart::Refusal(text) => (BlockStart::Refusal, vec![Delta::Refusal(text.clone())]),
        OutputPart::Image(image) => (BlockStart::Image(image.clone()), vec![]),
        OutputPart::Opaque(raw) => (BlockStart::Opaque(raw.clone()), vec![]),
    };
    events.push(Event::BlockStart {
        choice,
        block,
        start,
    });
    events.extend(deltas.into_iter().map(|delta| Event::Delta {
        choice,
        block,
        delta,
    }));
    events.push(Event::BlockStop { choice, block });
}

fn unfold_reasoning(part: &Reasoning) -> (BlockStart, Vec<Delta>) {
    let extra = part.extra.clone();
    match (&part.text, &part.state) {
        (None, Some(state)) => {
            let state = state.clone();
            (BlockStart::HiddenReasoning { state, extra }, vec![])
        }
        (text, state) => {
            let text = text.clone().map(Delta::Reasoning);
            let state = state.clone().map(Delta::State);
            let deltas = text.into_iter().chain(state).collect();
            (BlockStart::Reasoning { extra }, deltas)
        }
    }
}

/// Collects events.
#[derive(Debug, Default)]
struct Folder {
    response: Response,
    choices: BTreeMap<u32, Partial>,
}

/// A choice on its way.
#[derive(Debug, Default)]
struct Partial {
    parts: BTreeMap<u32, OutputPart>,
    finish_reason: Option<FinishReason>,
    extra: Extra,
}

// === impl Folder ===

impl Folder {
    fn take(&mut self, event: Event) -> Result<(), StreamFault> {
        match event {
            Event::Start(start) => {
                self.response.id = start.id;
                self.response.model = start.model;
                self.response.created = start.created;
                self.response.extra = start.extra;
            }
            Event::BlockStart {
                choice,
                block,
                start,
            } => {
                let parts = &mut self.choices.entry(choice).or_default().parts;
                parts.insert(block, begin(start));
            }
            Event::Delta {
                choice,
                block,
                delta,
            } => {
                let partial = self.choices.entry(choice).or_default();
                let part = partial.parts.get_mut(&block);
                part.and_then(|part| add(part, delta))
                    .ok_or_else(|| StreamFault::Malformed {
                        detail: "a piece of a part that has not begun or is of another kind"
                            .to_owned(),
                    })?;
            }
            Event::BlockStop { .. } => {}
            Event::Usage(usage) => self.response.usage = Some(usage),
            Event::Stop {
                choice,
                reason,
                extra,
            } => {
                let partial = self.choices.entry(choice).or_default();
                partial.finish_reason = Some(reason);
                partial.extra = extra;
            }
            Event::Error(error) => return Err(StreamFault::Provider(Box::new(error))),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Response, StreamFault> {
        if self.choices.is_empty() {
            return Err(StreamFault::Incomplete);
        }
        for (index, partial) in self.choices {
            self.response.choices.push(Choice {
                index,
                parts: partial.parts.into_values().collect(),
                finish_reason: partial.finish_reason.ok_or(StreamFault::Incomplete)?,
                extra: partial.extra,
            });
        }
        Ok(self.response.canonical())
    }
}

fn begin(start: BlockStart) -> OutputPart {
    match start {
        BlockStart::Text { extra } => OutputPart::Text(Text {
            extra,
            ..Text::default()
        }),
        BlockStart::Reasoning { extra } => OutputPart::Reasoning(Reasoning {
            text: Some(String::new()),
            state: None,
            extra,
        }),
        BlockStart::HiddenReasoning { state, extra } => OutputPart::Reasoning(Reasoning {
            text: None,
            state: Some(state),
            extra,
        }),
        BlockStart::ToolCall {
            id,
            name,
            state,
            extra,
        } => OutputPart::ToolCall(ToolCall {
            id,
            name,
            state,
            extra,
            ..ToolCall::default()
        }),
        BlockStart::Refusal => OutputPart::Refusal(String::new()),
        BlockStart::Image(image) => OutputPart::Image(image),
        BlockStart::Opaque(raw) => OutputPart::Opaque(raw),
    }
}

/// Adds a delta; `None` when it does not fit the part.
fn add(part: &mut OutputPart, delta: Delta) -> Option<()> {
    match (part, delta) {
        (OutputPart::Text(part), Delta::Text(text)) => part.text.push_str(&text),
        (OutputPart::Text(part), Delta::Citation(citation)) => part.citations.push(citation),
        (OutputPart::Reasoning(part), Delta::Reasoning(text)) => {
            part.text.get_or_insert_default().push_str(&text);
        }
        (OutputPart::Reasoning(part), Delta::State(state)) => match &mut part.state {
            Some(before) if before.origin == state.origin => {
                before.bytes.extend_from_slice(&state.bytes);
            }
            slot => *slot = Some(state),
        },
        (OutputPart::ToolCall(part), Delta::Arguments(text)) => part.arguments.push_str(&text),
        (OutputPart::Refusal(part), Delta::Refusal(text)) => part.push_str(&text),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests;
