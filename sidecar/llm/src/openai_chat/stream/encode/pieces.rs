//! What stands in the deltas: calls, whole or in pieces, and the state of thoughts.

use serde::Serialize;

use crate::ir::{Extra, Opaque, canonical_arguments};
use crate::json::{ObjectWriter, Report};
use crate::openai_chat::{FORMAT, reasoning, tool_call};

/// A call on its way to a client that wants it in one piece.
pub(super) struct WholeCall {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) state: Option<Opaque>,
    pub(super) extra: Extra,
}

/// The delta of a call's first piece.
#[derive(Serialize)]
pub(super) struct FunctionOut<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
}

// === impl WholeCall ===

impl WholeCall {
    /// A call that needs no arguments has an empty object all the same.
    pub(super) fn write(&self, delta: &mut ObjectWriter<'_>, index: usize) {
        let arguments = canonical_arguments(&self.arguments);
        let named = (&*self.id, &*self.name, arguments);
        call(delta, index, named, self.state.as_ref(), &self.extra);
    }
}

/// A call, or its first piece: id and name, no arguments yet.
pub(super) fn call(
    delta: &mut ObjectWriter<'_>,
    index: usize,
    (id, name, arguments): (&str, &str, &str),
    state: Option<&Opaque>,
    extra: &Extra,
) {
    let out = delta.key("tool_calls");
    out.push(b'[');
    let mut object = ObjectWriter::new(out);
    object.value("index", &index);
    object.value("id", id);
    object.value("type", "function");
    object.value("function", &FunctionOut { name, arguments });
    if let Some(state) = state {
        tool_call::write_state(&mut object, state);
    }
    let known = ["index", "id", "type", "function"];
    object.extra(extra, FORMAT, &known, "", &mut Report::default());
    object.end();
    out.push(b']');
}

/// Another piece of the arguments of a call: of the one with this number, or of the only one.
pub(super) fn arguments(delta: &mut ObjectWriter<'_>, index: Option<usize>, text: &str) {
    #[derive(Serialize)]
    struct Piece<'a> {
        index: usize,
        function: Arguments<'a>,
    }
    #[derive(Serialize)]
    struct Arguments<'a> {
        arguments: &'a str,
    }
    let function = Arguments { arguments: text };
    match index {
        Some(index) => delta.value("tool_calls", &[Piece { index, function }]),
        None => delta.value(tool_call::FUNCTION_CALL, &function),
    }
}

/// The state of a thought.
pub(super) fn thought(
    delta: &mut ObjectWriter<'_>,
    index: usize,
    text: Option<&str>,
    state: &crate::ir::Opaque,
) {
    let out = delta.key("reasoning_details");
    out.push(b'[');
    match state.origin == FORMAT {
        true => {
            reasoning::own_entry(out, index, text, state);
        }
        false => reasoning::foreign_entry(out, index, text, Some(&state.wrap(FORMAT))),
    }
    out.push(b']');
}
