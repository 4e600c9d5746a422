//! Names and ids that a provider takes only in a form of its own: mapped so that the answer's can be mapped back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::ir::{BlockStart, Delta, Event, Extra, FinishReason};

/// What a name or an id may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// The most characters.
    pub(crate) max: usize,
    /// The characters beside ASCII letters and digits.
    pub(crate) others: &'static str,
    /// The first character must be a letter, or one of these.
    pub(crate) first: Option<&'static str>,
}

/// The tools of one request that the client knows by other names, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolNames {
    /// What was sent, and what the client calls it.
    changed: BTreeMap<String, String>,
    /// The tool whose arguments are the answer: the client asked for JSON, and knows of no tool.
    answer: Option<String>,
    /// The client knows calls as they were before tools (see [`Extra::is_one_call`]).
    one_call: bool,
}

/// The hex digits of a hash that keep two long names apart.
const HASH_DIGITS: usize = 10;

// === impl Rule ===

impl Rule {
    fn fits(&self, name: &str) -> bool {
        let mut chars = name.chars();
        let Some(first) = chars.next() else {
            return false;
        };
        let begins = self
            .first
            .is_none_or(|others| first.is_ascii_alphabetic() || others.contains(first));
        let allowed = |c: char| c.is_ascii_alphanumeric() || self.others.contains(c);
        begins && name.len() <= self.max && name.chars().all(allowed)
    }

    /// The name itself where it fits; otherwise what is left of it and a hash of the whole, so that equal names stay equal
    /// and different ones different.
    pub(crate) fn fit<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.fits(name) {
            return Cow::Borrowed(name);
        }
        let digest = hex::encode(Sha256::digest(name));
        let room = self.max.saturating_sub(HASH_DIGITS + 1);
        let kept = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .skip_while(|c| self.first.is_some() && !c.is_ascii_alphabetic());
        let mut out: String = kept.take(room).collect();
        let begin = if out.is_empty() { "t" } else { "" };
        out.insert_str(0, begin);
        out.truncate(room.max(1));
        let separator = if self.others.contains('_') { "_" } else { "" };
        out.push_str(separator);
        out.push_str(&digest[..HASH_DIGITS.min(self.max.saturating_sub(out.len()))]);
        Cow::Owned(out)
    }
}

// === impl ToolNames ===

impl ToolNames {
    /// The name as it is sent; what had to be changed is kept.
    pub(crate) fn send<'a>(&mut self, name: &'a str, rule: &Rule) -> Cow<'a, str> {
        let sent = rule.fit(name);
        if let Cow::Owned(changed) = &sent {
            self.changed.insert(changed.clone(), name.to_owned());
        }
        sent
    }

    /// What the client calls a tool that the provider names `sent`.
    pub fn restore<'a>(&'a self, sent: &'a str) -> &'a str {
        self.changed.get(sent).map_or(sent, String::as_str)
    }

    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.answer.is_none() && !self.one_call
    }

    pub(crate) fn answer_comes_by(&mut self, tool: &str) {
        self.answer = Some(tool.to_owned());
    }

    pub(crate) fn calls_are_single(&mut self) {
        self.one_call = true;
    }

    /// Marks a call as one that the client knows in the words of before tools only.
    pub(crate) fn mark(&self, call: &mut Extra) {
        if self.one_call {
            call.mark_one_call();
        }
    }

    /// Whether the arguments of this tool are the answer.
    pub(crate) fn is_answer(&self, sent: &str) -> bool {
        self.answer
            .as_deref()
            .is_some_and(|answer| answer == self.restore(sent))
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.changed.extend(other.changed);
        self.answer = other.answer.or_else(|| self.answer.take());
        self.one_call |= other.one_call;
    }
}

/// Gives the events of one stream the names by which the client knows its tools.
#[derive(Debug, Default)]
pub(crate) struct Restorer {
    /// The call whose arguments are the answer: its choice and block.
    answer: Option<(u32, u32)>,
}

// === impl Restorer ===

impl Restorer {
    pub(crate) fn restore(&mut self, event: &mut Event, names: &ToolNames) {
        match event {
            Event::BlockStart {
                choice,
                block,
                start,
            } => {
                let BlockStart::ToolCall { name, extra, .. } = start else {
                    return;
                };
                if names.is_answer(name) {
                    self.answer = Some((*choice, *block));
                    let extra = Extra::default();
                    *start = BlockStart::Text { extra };
                } else {
                    *name = names.restore(name).to_owned();
                    names.mark(extra);
                }
            }
            Event::Delta {
                choice,
                block,
                delta: delta @ Delta::Arguments(_),
            } if self.answer == Some((*choice, *block)) => {
                if let Delta::Arguments(text) = delta {
                    *delta = Delta::Text(std::mem::take(text));
                }
            }
            Event::Stop { reason, .. }
                if self.answer.is_some() && *reason == FinishReason::ToolCalls =>
            {
                *reason = FinishReason::Stop;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRICT: Rule = Rule {
        max: 64,
        others: "_-",
        first: Some(""),
    };
    const NINE: Rule = Rule {
        max: 9,
        others: "",
        first: None,
    };

    #[test]
    fn what_fits_is_left_alone() {
        let mut names = ToolNames::default();
        assert_eq!(names.send("get_weather-2", &STRICT), "get_weather-2");
        assert!(names.is_empty());
        assert_eq!(names.restore("get_weather-2"), "get_weather-2");
    }

    #[test]
    fn what_does_not_fit_comes_back() {
        let mut names = ToolNames::default();
        let long = "a".repeat(65);
        for name in ["2 fast", "grüße", "", "a.b", &long] {
            let sent = names.send(name, &STRICT).into_owned();
            assert!(STRICT.fits(&sent), "{sent}");
            assert_eq!(names.restore(&sent), name);
        }
    }

    proptest! {
        #[test]
        fn every_name_fits_in_the_end(name in any::<String>(), other in any::<String>()) {
            for rule in [&STRICT, &NINE] {
                let (fitted, again) = (rule.fit(&name), rule.fit(&other));
                prop_assert!(rule.fits(&fitted), "{}", fitted);
                prop_assert_eq!(name == other, fitted == again);
            }
        }
    }
}
