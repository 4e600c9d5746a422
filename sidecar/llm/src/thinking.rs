//! How Anthropic's models are told to think, by themselves or behind another provider: a member `thinking` and a word for the
//! effort, which each format has in a place of its own.
//!
//! Which of them a model takes differs by model (<https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking>):
//! a budget of at least 1024 tokens below `max_tokens`, or `adaptive` within an effort. A forced tool goes with no budget, and
//! a conversation in the middle of a tool loop must show the thinking before the calls.

use fkm_dialect::{Format, Thinking};

use crate::format::Target;
use crate::ir::{Effort, Message, OutputPart, Request, ToolChoice};
use crate::json::{Object, ObjectWriter, Path, Report};

/// The least budget that is taken.
const MIN_BUDGET: u64 = 1024;

/// The words for an effort that are known.
const EFFORTS: [Effort; 5] = [
    Effort::Low,
    Effort::Medium,
    Effort::High,
    Effort::XHigh,
    Effort::Max,
];

/// What is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) thinking: Option<Mode>,
    /// A word of [`EFFORTS`].
    pub(crate) effort: Option<Effort>,
}

/// The forms of `thinking`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Within so many tokens.
    Enabled(u64),
    /// As it sees fit.
    Adaptive,
    /// Not at all.
    Disabled,
}

/// Takes `thinking`, when it is a budget or `disabled`; other forms are left where they are.
pub(crate) fn take_thinking(object: &mut Object<'_, '_>) -> (Option<Effort>, Option<u64>) {
    let read = |object: &Object<'_, '_>| {
        let mut thinking = Object::from_raw(object.peek("thinking")?, &Path::Root).ok()?;
        let kind = thinking.kind();
        thinking.raw("type");
        let budget: Option<u64> = thinking.take("budget_tokens", "a number").ok()?;
        match (&*kind, budget, thinking.is_empty()) {
            ("enabled", Some(tokens), true) if tokens > 0 => Some((None, Some(tokens))),
            ("disabled", None, true) => Some((Some(Effort::None), None)),
            _ => None,
        }
    };
    let found = read(object);
    if found.is_some() {
        object.raw("thinking");
    }
    found.unwrap_or_default()
}

/// Takes `effort`, when it is a word that is known.
pub(crate) fn take_effort(config: &mut Object<'_, '_>) -> Option<Effort> {
    let word = crate::json::string(config.peek("effort")?)?;
    let effort = Effort::from_name(&word).filter(|effort| EFFORTS.contains(effort))?;
    config.raw("effort");
    Some(effort)
}

/// What a model of `target` is told; `limit` is the limit of output. When the client wrote a `thinking` of a form that only the
/// format knows (`as_written`), that stands.
pub(crate) fn wish(
    request: &Request,
    target: &Target<'_>,
    limit: u64,
    as_written: bool,
    report: &mut Report,
) -> Wish {
    let mut wish = match as_written {
        true => beside_written(request, report),
        false => wanted(request, target, limit, report),
    };
    let home = target.dialect.format;
    let refused = match wish.thinking {
        Some(Mode::Enabled(_)) => forces_a_tool(request) || hides_thinking(&request.messages, home),
        _ => false,
    };
    if refused {
        report.note("thinking");
        wish.thinking = None;
    }
    wish
}

fn beside_written(request: &Request, report: &mut Report) -> Wish {
    let (effort, budget) = (request.effort, request.thinking_budget);
    if budget.is_some() || effort == Some(Effort::None) {
        report.note("thinking_budget");
    }
    within_effort(effort, report)
}

fn wanted(request: &Request, target: &Target<'_>, limit: u64, report: &mut Report) -> Wish {
    let (effort, budget) = (request.effort, request.thinking_budget);
    let asked = effort.or_else(|| budget.map(Effort::of_budget));
    match target.capabilities.thinking {
        _ if asked.is_none() => Wish::default(),
        Thinking::Unknown => Wish {
            thinking: budget.map(Mode::Enabled).or_else(|| off(effort)),
            ..within_effort(effort, report)
        },
        Thinking::Never => {
            if asked != Some(Effort::None) {
                report.note("reasoning_effort");
            }
            Wish::default()
        }
        Thinking::Budget => Wish {
            thinking: within_limit(effort, budget, limit, report),
            effort: None,
        },
        Thinking::Effort => Wish {
            thinking: off(asked),
            ..within_effort(asked, report)
        },
        Thinking::Adaptive => Wish {
            thinking: off(asked).or(Some(Mode::Adaptive)),
            ..within_effort(asked, report)
        },
        Thinking::Always => {
            if asked == Some(Effort::None) {
                report.note("reasoning_effort");
            }
            let least = asked.map(|effort| effort.max(Effort::Low));
            within_effort(least, report)
        }
    }
}

fn off(effort: Option<Effort>) -> Option<Mode> {
    (effort == Some(Effort::None)).then_some(Mode::Disabled)
}

/// The word, where there is one for it.
fn within_effort(effort: Option<Effort>, report: &mut Report) -> Wish {
    let word = effort
        .filter(|effort| *effort != Effort::None)
        .and_then(|effort| effort.nearest(&EFFORTS));
    if word.is_some() && word != effort {
        report.note("reasoning_effort");
    }
    Wish {
        thinking: None,
        effort: word,
    }
}

/// A budget that the provider takes.
fn within_limit(
    effort: Option<Effort>,
    budget: Option<u64>,
    limit: u64,
    report: &mut Report,
) -> Option<Mode> {
    let tokens = budget.or_else(|| effort.map(Effort::budget_tokens))?;
    if tokens == 0 {
        return Some(Mode::Disabled);
    }
    let fitting = tokens.max(MIN_BUDGET).min(limit.saturating_sub(1));
    if fitting < MIN_BUDGET {
        report.note("thinking_budget");
        return None;
    }
    if budget.is_some_and(|budget| budget != fitting) {
        report.note("thinking_budget");
    }
    Some(Mode::Enabled(fitting))
}

fn forces_a_tool(request: &Request) -> bool {
    matches!(
        request.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Function(_))
    )
}

/// Whether the last turn of the model, in the middle of a tool loop, shows calls without the thinking before them.
fn hides_thinking(messages: &[Message], home: Format) -> bool {
    let [.., Message::Assistant { parts, .. }, Message::Tool { .. }] = messages else {
        return false;
    };
    let calls = parts
        .iter()
        .any(|part| matches!(part, OutputPart::ToolCall(_)));
    let shown = match parts.first() {
        Some(OutputPart::Reasoning(thought)) => thought
            .state
            .as_ref()
            .is_some_and(|state| state.origin == home),
        _ => false,
    };
    calls && !shown
}

// === impl Wish ===

impl Wish {
    /// Whether the model thinks, so that it takes no `temperature` but 1 and no `top_k`.
    pub(crate) fn thinks(self) -> bool {
        matches!(self.thinking, Some(Mode::Enabled(_) | Mode::Adaptive))
    }

    /// Writes `thinking`.
    pub(crate) fn write(self, object: &mut ObjectWriter<'_>) {
        let Some(mode) = self.thinking else {
            return;
        };
        let mut thinking = ObjectWriter::new(object.key("thinking"));
        match mode {
            Mode::Enabled(tokens) => {
                thinking.value("type", "enabled");
                thinking.value("budget_tokens", &tokens);
            }
            Mode::Adaptive => {
                thinking.value("type", "adaptive");
                // A client that asked in words of another format wants to read the thoughts.
                thinking.value("display", "summarized");
            }
            Mode::Disabled => thinking.value("type", "disabled"),
        }
        thinking.end();
    }
}
