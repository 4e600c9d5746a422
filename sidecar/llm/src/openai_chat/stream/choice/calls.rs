//! Calls of a choice, which come in pieces: of tools, and of functions as they were before tools.

use super::{Choice, Open};
use crate::error::DecodeError;
use crate::ir::{BlockStart, Delta, Event, Extra};
use crate::json::{Object, is_string, string};
use crate::openai_chat::{FORMAT, tool_call};

// === impl Choice ===

impl Choice {
    /// The one call of before tools, whose first piece has the name; an empty one says nothing.
    pub(super) fn function_call(
        &mut self,
        delta: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let path = delta.path().member(tool_call::FUNCTION_CALL);
        let piece = delta.peek(tool_call::FUNCTION_CALL);
        let Some(raw) = piece.filter(|raw| raw.get().starts_with('{')) else {
            return Ok(());
        };
        delta.raw(tool_call::FUNCTION_CALL);
        let (name, arguments) = function(Object::from_raw(raw, &path)?)?;
        let goes_on = matches!(&self.open, Open::Call(id) if id == tool_call::ONE_CALL);
        match name.filter(|name| !name.is_empty()) {
            _ if goes_on => {}
            Some(name) => {
                self.any_call = true;
                let mut extra = Extra::default();
                extra.mark_one_call();
                let id = tool_call::ONE_CALL.to_owned();
                let start = BlockStart::ToolCall {
                    id: id.clone(),
                    name,
                    state: None,
                    extra,
                };
                self.begin(start, Open::Call(id), out);
            }
            None if arguments.is_empty() => return Ok(()),
            None => return Err(delta.invalid("function_call.name", "in the first piece of a call")),
        }
        if !arguments.is_empty() {
            self.add(Delta::Arguments(arguments), out);
        }
        Ok(())
    }

    pub(super) fn call(
        &mut self,
        mut call: Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if !matches!(&*call.kind(), "function" | "") {
            return Err(call.invalid("type", "`function`; other calls are not streamed"));
        }
        call.raw("type");
        let number: Option<u64> = call.take("index", "a whole number")?;
        let id = call.string("id")?.filter(|id| !id.is_empty());
        let path = call.path().member("function");
        let (name, arguments) = match call.raw("function") {
            Some(raw) => function(Object::from_raw(raw, &path)?)?,
            None => (None, String::new()),
        };
        if self.continues_call(number, id.as_deref()) {
            self.last_call = number.or(self.last_call);
        } else if let Some(name) = name.filter(|name| !name.is_empty()) {
            self.last_call = number.or(self.last_call);
            self.any_call = true;
            let id = id.unwrap_or_default();
            let start = BlockStart::ToolCall {
                id: id.clone(),
                name,
                state: tool_call::take_state(&mut call),
                extra: call.rest(FORMAT),
            };
            self.begin(start, Open::Call(id), out);
        } else {
            return Err(call.invalid(
                "function.name",
                "in the first piece of a call, whole calls one after the other",
            ));
        }
        if !arguments.is_empty() {
            self.add(Delta::Arguments(arguments), out);
        }
        Ok(())
    }

    /// Whether a piece belongs to the open call. Some count all calls as 0, some do not count, some repeat the id.
    fn continues_call(&self, number: Option<u64>, id: Option<&str>) -> bool {
        let Open::Call(open) = &self.open else {
            return false;
        };
        let same_number = number.is_none() || self.last_call.is_none() || number == self.last_call;
        same_number && id.is_none_or(|id| id == open)
    }
}

/// Name and arguments of a piece of a call.
fn function(mut function: Object<'_, '_>) -> Result<(Option<String>, String), DecodeError> {
    let name = function.string("name")?;
    let arguments = match function.raw("arguments") {
        None => String::new(),
        Some(raw) if is_string(raw) => string(raw)
            .ok_or_else(|| function.invalid("arguments", "a string"))?
            .into_owned(),
        Some(raw) => raw.get().to_owned(),
    };
    Ok((name, arguments))
}
