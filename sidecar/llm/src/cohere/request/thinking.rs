//! How a model is told to think: `{"type": "enabled", "token_budget": …}` or `{"type": "disabled"}`
//! (<https://docs.cohere.com/docs/reasoning>).

use fkm_dialect::Thinking;

use crate::cohere::FORMAT;
use crate::format::Target;
use crate::ir::{Effort, Request};
use crate::json::{Object, ObjectWriter, Path, Report};

const NAME: &str = "thinking";

/// Takes `thinking`, when it is a budget or `disabled`; other forms are left where they are.
pub(super) fn take(object: &mut Object<'_, '_>) -> (Option<Effort>, Option<u64>) {
    let read = |object: &Object<'_, '_>| {
        let mut thinking = Object::from_raw(object.peek(NAME)?, &Path::Root).ok()?;
        let kind = thinking.kind();
        thinking.raw("type");
        let budget: Option<u64> = thinking.take("token_budget", "a number").ok()?;
        match (&*kind, budget, thinking.is_empty()) {
            ("enabled", Some(tokens), true) if tokens > 0 => Some((None, Some(tokens))),
            ("disabled", None, true) => Some((Some(Effort::None), None)),
            _ => None,
        }
    };
    let found = read(object);
    if found.is_some() {
        object.raw(NAME);
    }
    found.unwrap_or_default()
}

/// The most tokens to think, 0 for none: as the client said, or what its word stands for. `None`: nothing is said.
fn budget(request: &Request, target: &Target<'_>, report: &mut Report) -> Option<u64> {
    let said = request.thinking_budget;
    let tokens = said.or_else(|| request.effort.map(Effort::budget_tokens))?;
    let name = if said.is_some() {
        "thinking_budget"
    } else {
        "reasoning_effort"
    };
    if request.extra.get(FORMAT, NAME).is_some() {
        report.note(name);
        return None;
    }
    match (target.capabilities.thinking, tokens) {
        (Thinking::Never, 0) => None,
        (Thinking::Never, _) | (Thinking::Always, 0) => {
            report.note(name);
            None
        }
        _ => Some(tokens),
    }
}

/// Writes `thinking`, and says whether it did.
pub(super) fn write(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    target: &Target<'_>,
    report: &mut Report,
) -> bool {
    let Some(tokens) = budget(request, target, report) else {
        return false;
    };
    let mut thinking = ObjectWriter::new(object.key(NAME));
    if tokens == 0 {
        thinking.value("type", "disabled");
    } else {
        thinking.value("type", "enabled");
        thinking.value("token_budget", &tokens);
    }
    thinking.end();
    true
}
