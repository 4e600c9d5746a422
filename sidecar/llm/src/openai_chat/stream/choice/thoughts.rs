//! Thoughts of a choice: those that can be read grow as they come, the others wait until those around them are complete.

use super::{Choice, Open};
use crate::error::DecodeError;
use crate::ir::{BlockStart, Delta, Event, Extra};
use crate::json::Object;
use crate::openai_chat::reasoning::{self, Entry};

// === impl Choice ===

impl Choice {
    pub(super) fn reasoning(
        &mut self,
        delta: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let entries = reasoning::take_entries(delta)?;
        let text = reasoning::take_text(delta)?;
        if !entries.iter().any(Entry::is_text) {
            self.plain_reasoning(text.unwrap_or_default(), out);
        }
        for entry in entries {
            match entry.is_text() {
                true => self.entry(entry, out),
                false => self.hide(entry),
            }
        }
        Ok(())
    }

    pub(super) fn plain_reasoning(&mut self, text: String, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        if !matches!(self.open, Open::Reasoning(_)) {
            let extra = Extra::default();
            let start = BlockStart::Reasoning { extra };
            self.begin_beside_hidden(start, Open::Reasoning(None), out);
        }
        self.add(Delta::Reasoning(text), out);
    }

    /// A piece of a thought that can be read.
    fn entry(&mut self, mut entry: Entry, out: &mut Vec<Event>) {
        let text = entry.take_text().unwrap_or_default();
        match &mut self.open {
            Open::Reasoning(Some(open)) if open.continues(&entry) => open.merge(entry),
            _ => {
                let extra = Extra::default();
                let start = BlockStart::Reasoning { extra };
                self.begin(start, Open::Reasoning(Some(entry)), out);
            }
        }
        if !text.is_empty() {
            self.add(Delta::Reasoning(text), out);
        }
    }

    /// A piece of a thought that cannot be read.
    fn hide(&mut self, entry: Entry) {
        match self.hidden.last_mut() {
            Some(last) if last.continues(&entry) => last.merge(entry),
            _ => self.hidden.push(entry),
        }
    }

    pub(super) fn flush_hidden(&mut self, out: &mut Vec<Event>) {
        for entry in std::mem::take(&mut self.hidden) {
            if let Some(state) = entry.into_state() {
                let extra = Extra::default();
                self.start(BlockStart::HiddenReasoning { state, extra }, out);
                self.stop(out);
            }
        }
    }
}
