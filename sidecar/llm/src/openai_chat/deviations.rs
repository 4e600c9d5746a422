//! What members of the family want otherwise, below the top level of a request: edits of the places where it stands.

mod parts;

use std::ops::Range;

use fkm_dialect::{Dialect, Documents, RequiredChoice, Sound, Thoughts, ToolCallIds};

use memchr::memmem;

use crate::names::Rule;
use crate::patches::Patches;
use crate::scan::{Member, items, members};

/// The ids of tool calls that Mistral takes.
const NINE: Rule = Rule {
    max: 9,
    others: "",
    first: None,
};

/// Changes a member of a request to what the dialect wants.
pub(super) fn fit_member(text: &str, member: &Member, dialect: &Dialect, patches: &mut Patches) {
    match &*member.name(text) {
        "messages" if has_to_change(member.text(text), dialect) => {
            Messages {
                text,
                dialect,
                patches,
            }
            .fit(&member.value);
        }
        "tools" if !dialect.strict_tools => leave_strict_out(text, &member.value, patches),
        "tool_choice" => fit_choice(text, member, dialect.required_choice, patches),
        "temperature" => fit_temperature(text, member, dialect, patches),
        _ => {}
    }
}

/// Whether the messages have to be walked over: not for members that are nowhere in them.
fn has_to_change(messages: &str, dialect: &Dialect) -> bool {
    let has = |word: &str| memmem::find(messages.as_bytes(), word.as_bytes()).is_some();
    dialect.changes_every_message()
        || (!dialect.developer_role && has("developer"))
        || (dialect.thoughts != Thoughts::AsSent && has("reasoning"))
        || (dialect.documents != Documents::AsSent && has("\"file\""))
        || (dialect.sound != Sound::AsSent && has("\"input_audio\""))
}

fn fit_choice(text: &str, member: &Member, word: RequiredChoice, patches: &mut Patches) {
    if member.string(text).as_deref() != Some("required") {
        return;
    }
    match word {
        RequiredChoice::Required => {}
        RequiredChoice::Any => patches.quote(&member.value, "any"),
        RequiredChoice::Auto => {
            patches.quote(&member.value, "auto");
            patches.note("tool_choice");
        }
    }
}

fn fit_temperature(text: &str, member: &Member, dialect: &Dialect, patches: &mut Patches) {
    let Some(most) = &dialect.max_temperature else {
        return;
    };
    let asked: Option<f64> = member.text(text).parse().ok();
    if asked
        .zip(most.as_f64())
        .is_some_and(|(asked, most)| asked > most)
    {
        patches.write(&member.value, most);
        patches.note("temperature");
    }
}

/// `strict` of every function. A schema that is not enforced by force still says what is wanted.
fn leave_strict_out(text: &str, tools: &Range<usize>, patches: &mut Patches) {
    for tool in items(text, tools) {
        for function in members(text, &tool) {
            if function.name(text) == "function" {
                let found = members(text, &function.value);
                let removed: Vec<bool> =
                    found.iter().map(|one| one.name(text) == "strict").collect();
                if removed.contains(&true) {
                    patches.note("tools.strict");
                }
                patches.remove(&found, &removed);
            }
        }
    }
}

/// The messages of one request.
struct Messages<'a> {
    text: &'a str,
    dialect: &'a Dialect,
    patches: &'a mut Patches,
}

const REASONING_CONTENT: &str = "reasoning_content";
const REASONING: &str = "reasoning";

// === impl Messages ===

impl Messages<'_> {
    fn fit(&mut self, place: &Range<usize>) {
        let messages: Vec<(Range<usize>, Vec<Member>)> = items(self.text, place)
            .into_iter()
            .map(|place| (place.clone(), members(self.text, &place)))
            .collect();
        for (place, message) in &messages {
            self.message(place, message);
        }
    }

    fn role(&self, message: &[Member]) -> String {
        let role = self
            .find(message, "role")
            .and_then(|at| message[at].string(self.text));
        role.unwrap_or_default().into_owned()
    }

    fn find(&self, message: &[Member], name: &str) -> Option<usize> {
        message
            .iter()
            .position(|member| member.name(self.text) == name)
    }

    fn message(&mut self, place: &Range<usize>, message: &[Member]) {
        let mut removed = vec![false; message.len()];
        for (member, removed) in message.iter().zip(&mut removed) {
            let name = member.name(self.text);
            *removed = self.dialect.drop_in_messages.contains(&*name);
            if *removed {
                self.patches.note(&format!("messages.{name}"));
            }
        }
        match &*self.role(message) {
            "developer" if !self.dialect.developer_role => {
                if let Some(at) = self.find(message, "role") {
                    self.patches.quote(&message[at].value, "system");
                }
            }
            "user" => self.parts(message),
            "assistant" => {
                self.thoughts(place, message, &mut removed);
                self.content(place, message);
                self.calls(message);
            }
            "tool" => {
                let id = self.find(message, "tool_call_id");
                self.id(id.map(|at| &message[at]));
                self.parts(message);
            }
            _ => {}
        }
        self.patches.remove(message, &removed);
    }

    fn parts(&mut self, message: &[Member]) {
        if let Some(at) = self.find(message, "content") {
            parts::fit(self.text, &message[at].value, self.dialect, self.patches);
        }
    }

    /// An assistant that only calls has no content.
    fn content(&mut self, place: &Range<usize>, message: &[Member]) {
        if self.dialect.null_content {
            return;
        }
        match self.find(message, "content").map(|at| &message[at]) {
            Some(content) if content.text(self.text) == "null" => {
                self.patches.quote(&content.value, "");
            }
            Some(_) => {}
            None => {
                let inside = place.start + 1;
                self.patches.replace(inside..inside, "\"content\":\"\",");
            }
        }
    }

    fn calls(&mut self, message: &[Member]) {
        if self.dialect.tool_call_ids == ToolCallIds::Any {
            return;
        }
        let calls = self.find(message, "tool_calls").map(|at| &message[at]);
        for call in calls
            .map(|calls| items(self.text, &calls.value))
            .unwrap_or_default()
        {
            let call = members(self.text, &call);
            let id = self.find(&call, "id");
            self.id(id.map(|at| &call[at]));
        }
    }

    /// Calls and results get the same id, for it depends on nothing but the old one.
    fn id(&mut self, member: Option<&Member>) {
        let rule = match self.dialect.tool_call_ids {
            // A record of this format cannot say `Never`.
            ToolCallIds::Any | ToolCallIds::Never => return,
            ToolCallIds::NineAlphanumerics => &NINE,
        };
        if let Some(member) = member
            && let Some(id) = member.string(self.text)
            && let fitting = rule.fit(&id)
            && fitting != id
        {
            self.patches.quote(&member.value, &fitting);
        }
    }

    /// Puts thoughts where the provider wants them, and takes them out where it does not.
    fn thoughts(&mut self, place: &Range<usize>, message: &[Member], removed: &mut [bool]) {
        let (name, keeps_details) = match self.dialect.thoughts {
            Thoughts::AsSent => return,
            Thoughts::ReasoningContent => (Some(REASONING_CONTENT), false),
            Thoughts::Reasoning => (Some(REASONING), false),
            Thoughts::ReasoningDetails => (Some(REASONING), true),
            Thoughts::Content | Thoughts::Never => (None, false),
        };
        let held = [REASONING_CONTENT, REASONING].map(|name| self.find(message, name));
        let says = |at: &usize| !is_empty(message[*at].text(self.text));
        let wanted = name.and_then(|name| self.find(message, name).filter(says));
        let kept = wanted.or_else(|| {
            held.into_iter()
                .flatten()
                .find(says)
                .filter(|_| name.is_some())
        });
        for at in held.into_iter().flatten().filter(|at| Some(*at) != kept) {
            removed[at] = true;
            // Some providers say the same in both.
            let twin = kept
                .is_some_and(|kept| message[kept].text(self.text) == message[at].text(self.text));
            if !twin {
                self.note_thought(&message[at]);
            }
        }
        match (kept, name) {
            (Some(at), Some(name)) if message[at].name(self.text) != name => {
                self.patches.quote(&message[at].key, name);
            }
            (None, Some(name)) => self.missing(place, message, name),
            _ => {}
        }
        if !keeps_details && let Some(at) = self.find(message, "reasoning_details") {
            removed[at] = true;
            self.note_thought(&message[at]);
        }
    }

    /// A message that calls has thoughts, where the provider insists on it.
    fn missing(&mut self, place: &Range<usize>, message: &[Member], name: &str) {
        let calls = self.find(message, "tool_calls");
        let calls = calls.is_some_and(|at| !is_empty(message[at].text(self.text)));
        if calls && self.dialect.calls_need_thoughts {
            self.patches
                .insert(place.start + 1, format!("\"{name}\":\" \","));
        }
    }

    fn note_thought(&mut self, member: &Member) {
        if !is_empty(member.text(self.text)) {
            self.patches.note("thinking");
        }
    }
}

/// Whether a value says nothing.
fn is_empty(value: &str) -> bool {
    matches!(value, "null" | "\"\"" | "[]" | "{}")
}
