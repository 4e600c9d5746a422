//! What is to be said about a body beside the body: what could not be written, and which names were changed.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::format::Encoded;
use crate::names::{Rule, ToolNames};

/// Collected while a body is written.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What could not be expressed.
    dropped: BTreeSet<String>,
    tool_names: ToolNames,
}

/// The most names that are reported.
const MAX_NAMES: usize = 32;

/// Longer names are cut.
const MAX_NAME_BYTES: usize = 64;

// === impl Report ===

impl Report {
    pub(crate) fn note(&mut self, name: &str) {
        let name = name
            .chars()
            .take(MAX_NAME_BYTES)
            .map(|c| match c {
                ',' | ';' | '"' => '_',
                c if c.is_ascii_graphic() => c,
                _ => '_',
            })
            .collect();
        if self.dropped.len() < MAX_NAMES {
            self.dropped.insert(name);
        }
    }

    /// Notes the member `name` of a `what`; of the request itself when that is empty.
    pub(crate) fn note_in(&mut self, what: &str, name: &str) {
        if what.is_empty() {
            self.note(name);
        } else {
            self.note(&format!("{what}.{name}"));
        }
    }

    /// The name of a tool as it is sent; one that had to be changed is kept for the answer.
    pub(crate) fn tool_name<'a>(&mut self, name: &'a str, rule: &Rule) -> Cow<'a, str> {
        self.tool_names.send(name, rule)
    }

    /// The answer is the arguments of a call of this tool.
    pub(crate) fn answer_comes_by(&mut self, tool: &str) {
        self.tool_names.answer_comes_by(tool);
    }

    /// The client knows calls in the words of before tools only.
    pub(crate) fn calls_are_single(&mut self) {
        self.tool_names.calls_are_single();
    }

    /// The body with what is to be said about it.
    pub(crate) fn into_encoded(self, body: Vec<u8>) -> Encoded {
        Encoded {
            body,
            dropped: self.dropped.into_iter().collect(),
            tool_names: self.tool_names,
        }
    }
}
