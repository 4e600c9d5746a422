//! Reads the conversation.

use std::collections::{BTreeMap, VecDeque};

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::gemini::part::{self, Mint};
use crate::gemini::types::camel;
use crate::gemini::{FORMAT, tool_result};
use crate::ir::{Extra, InputPart, Message, OutputPart, ToolResult};
use crate::json::{Object, Path, array};

/// The calls so far. Results and calls may come without ids: a result then answers the first call of its tool that is not
/// answered yet.
struct Calls {
    mint: Mint,
    /// Tool by id.
    tools: BTreeMap<String, String>,
    /// Ids of calls that no result without an id has answered, by tool.
    open: BTreeMap<String, VecDeque<String>>,
}

/// Reads `contents` and adds the messages that they are.
pub(super) fn decode(
    object: &mut Object<'_, '_>,
    messages: &mut Vec<Message>,
) -> Result<(), DecodeError> {
    let path = object.path().member("contents");
    let list = object.required("contents")?;
    let list = match list.get().starts_with('{') {
        // A single content is taken, too.
        true => vec![list],
        false => array(list, &path)?,
    };
    let mut calls = Calls {
        mint: Mint::new(String::new()),
        tools: BTreeMap::new(),
        open: BTreeMap::new(),
    };
    for (index, raw) in list.into_iter().enumerate() {
        content(raw, &path.item(index), &mut calls, messages)?;
    }
    Ok(())
}

fn content(
    raw: &RawValue,
    path: &Path<'_>,
    calls: &mut Calls,
    messages: &mut Vec<Message>,
) -> Result<(), DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    let role = object.string("role")?.unwrap_or_default();
    let parts_path = path.member("parts");
    let parts = match object.raw("parts") {
        Some(raw) if raw.get().starts_with('{') => vec![raw],
        Some(raw) => array(raw, &parts_path)?,
        None => Vec::new(),
    };
    match role.as_str() {
        "model" => {
            let parts = calls.model(&parts, &parts_path)?;
            let extra = object.rest(FORMAT);
            messages.push(Message::Assistant { parts, extra });
        }
        // The second is what results were once sent in.
        "" | "user" | "function" => {
            let (results, said) = calls.user(&parts, &parts_path)?;
            user(results, said, object.rest(FORMAT), messages);
        }
        _ => return Err(object.invalid("role", "user or model")),
    }
    Ok(())
}

/// Results of tools make a turn of their own, before what else the user says.
fn user(
    results: Vec<ToolResult>,
    parts: Vec<InputPart>,
    extra: Extra,
    messages: &mut Vec<Message>,
) {
    match (results.is_empty(), parts.is_empty()) {
        (true, _) => messages.push(Message::User { parts, extra }),
        (false, true) => messages.push(Message::Tool { results, extra }),
        (false, false) => {
            messages.push(Message::Tool {
                results,
                extra: Extra::default(),
            });
            messages.push(Message::User { parts, extra });
        }
    }
}

// === impl Calls ===

impl Calls {
    fn model(
        &mut self,
        parts: &[&RawValue],
        path: &Path<'_>,
    ) -> Result<Vec<OutputPart>, DecodeError> {
        let mut said = Vec::with_capacity(parts.len());
        for (index, raw) in parts.iter().enumerate() {
            let before = said.len();
            part::decode_output(raw, &path.item(index), &mut self.mint, &mut said)?;
            for part in &said[before..] {
                if let OutputPart::ToolCall(call) = part {
                    self.tools.insert(call.id.clone(), call.name.clone());
                    let open = self.open.entry(call.name.clone()).or_default();
                    open.push_back(call.id.clone());
                }
            }
        }
        Ok(said)
    }

    fn user(
        &mut self,
        parts: &[&RawValue],
        path: &Path<'_>,
    ) -> Result<(Vec<ToolResult>, Vec<InputPart>), DecodeError> {
        let mut results = Vec::new();
        let mut said = Vec::new();
        for (index, raw) in parts.iter().enumerate() {
            let path = path.item(index);
            let mut object = Object::from_raw(raw, &path)?;
            camel(&mut object, &part::MEMBERS);
            if object.peek("functionResponse").is_some() {
                let found = tool_result::decode(object)?;
                results.push(self.result(found));
            } else {
                said.push(part::decode_input(raw, &path)?);
            }
        }
        Ok((results, said))
    }

    fn result(&mut self, found: tool_result::Found) -> ToolResult {
        let id = match &found.id {
            Some(id) => id.clone(),
            None => {
                let open = self.open.get_mut(&found.name);
                let first = open.and_then(VecDeque::pop_front);
                first.unwrap_or_else(|| self.mint.id())
            }
        };
        let known = self.tools.get(&id).map(String::as_str);
        found.of_call(id, known)
    }
}
