//! How a model is told to think: `thinkingConfig`.
//!
//! Models from the third generation on take a level, those before a budget of tokens, none both
//! (<https://ai.google.dev/gemini-api/docs/thinking>). A budget of 0 is off. Thoughts are shown (`includeThoughts`) when a
//! client that asks for thinking does not say otherwise: clients of other formats expect to see them.

use fkm_dialect::Thinking;

use crate::format::Target;
use crate::gemini::FORMAT;
use crate::gemini::types::camel;
use crate::ir::{Effort, Extra, RawJson, Request};
use crate::json::{Object, ObjectWriter, Path, Report, string};

const CONFIG: &str = "generationConfig.thinkingConfig";
const SHOWN: &str = "generationConfig.thinkingConfig.includeThoughts";

const MEMBERS: [&str; 3] = ["includeThoughts", "thinkingBudget", "thinkingLevel"];

const LEVELS: [(Effort, &str); 5] = [
    (Effort::Minimal, "MINIMAL"),
    (Effort::Low, "LOW"),
    (Effort::Medium, "MEDIUM"),
    (Effort::High, "HIGH"),
    (Effort::XHigh, "XHIGH"),
];

/// Whether a member of the request's unknown ones is written here.
pub(super) fn is_ours(name: &str) -> bool {
    name == SHOWN
}

/// Reads `thinkingConfig`, when it is one that the representation has.
pub(super) fn decode(config: &mut Object<'_, '_>, request: &mut Request, extra: &mut Extra) {
    let Some(read) = config.peek("thinkingConfig").and_then(|raw| {
        let mut thinking = Object::from_raw(raw, &Path::Root).ok()?;
        read(&mut thinking)
    }) else {
        return;
    };
    config.raw("thinkingConfig");
    request.effort = read.effort;
    request.thinking_budget = read.budget;
    let asked = read.effort.is_some_and(|effort| effort != Effort::None)
        || read.budget.is_some_and(|tokens| tokens > 0);
    if read.shown.unwrap_or_default() != asked {
        let shown = RawJson::from(&serde_json::Value::Bool(read.shown.unwrap_or_default()));
        extra.insert(FORMAT, SHOWN, shown);
    }
}

#[derive(Debug)]
struct Read {
    shown: Option<bool>,
    effort: Option<Effort>,
    budget: Option<u64>,
}

/// `None` for a budget of -1 (as the model sees fit), both in one, levels that are not known.
fn read(thinking: &mut Object<'_, '_>) -> Option<Read> {
    camel(thinking, &MEMBERS);
    let shown = thinking.take("includeThoughts", "true or false").ok()?;
    let budget: Option<u64> = thinking.take("thinkingBudget", "a whole number").ok()?;
    let effort = match thinking.raw("thinkingLevel") {
        Some(raw) => {
            let word = string(raw)?.to_ascii_uppercase();
            let (effort, _) = LEVELS.iter().find(|(_, level)| *level == word)?;
            Some(*effort)
        }
        None => None,
    };
    let known = thinking.is_empty() && (effort.is_none() || budget.is_none());
    known.then_some(Read {
        shown,
        effort,
        budget,
    })
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Budget(u64),
    Level(Effort),
}

/// Writes `thinkingConfig` into `generationConfig`.
pub(super) fn encode(
    config: &mut ObjectWriter<'_>,
    request: &Request,
    target: &Target<'_>,
    report: &mut Report,
) {
    let shown = request.extra.get(FORMAT, SHOWN);
    if request.extra.get(FORMAT, CONFIG).is_some() {
        // As the client put it; there is nothing to add.
        note_left_out(request, report);
        return;
    }
    let wish = wish(request, target, report);
    if wish.is_none() && shown.is_none() {
        return;
    }
    let mut thinking = ObjectWriter::new(config.key("thinkingConfig"));
    match (shown, wish) {
        (Some(shown), _) => thinking.value("includeThoughts", shown),
        (None, Some(Wish::Budget(0)) | None) => {}
        (None, Some(_)) => thinking.value("includeThoughts", &true),
    }
    match wish {
        Some(Wish::Budget(tokens)) => thinking.value("thinkingBudget", &tokens),
        Some(Wish::Level(effort)) => {
            let level = LEVELS.iter().find(|(known, _)| *known == effort);
            thinking.optional("thinkingLevel", level.map(|(_, word)| word));
        }
        None => {}
    }
    thinking.end();
}

fn note_left_out(request: &Request, report: &mut Report) {
    if request.effort.is_some() {
        report.note("reasoning_effort");
    }
    if request.thinking_budget.is_some() {
        report.note("thinking_budget");
    }
}

fn wish(request: &Request, target: &Target<'_>, report: &mut Report) -> Option<Wish> {
    let (effort, budget) = (request.effort, request.thinking_budget);
    if effort.is_none() && budget.is_none() {
        return None;
    }
    match target.capabilities.thinking {
        Thinking::Unknown => match budget {
            Some(tokens) if effort.is_none() => Some(Wish::Budget(tokens)),
            _ => {
                if budget.is_some() {
                    report.note("thinking_budget");
                }
                effort.map(|effort| level_or_off(effort, report))
            }
        },
        Thinking::Never => {
            if effort != Some(Effort::None) {
                note_left_out(request, report);
            }
            None
        }
        Thinking::Budget => {
            let tokens = budget.or_else(|| effort.map(Effort::budget_tokens));
            tokens.map(Wish::Budget)
        }
        Thinking::Effort | Thinking::Adaptive => {
            let effort = effort.or_else(|| as_effort(budget, report));
            effort.map(|effort| level_or_off(effort, report))
        }
        Thinking::Always => {
            let effort = effort.or_else(|| as_effort(budget, report));
            effort.map(|effort| {
                if effort == Effort::None {
                    report.note("reasoning_effort");
                    return Wish::Level(least(target));
                }
                level_or_off(effort, report)
            })
        }
    }
}

/// The least level of a model that always thinks.
fn least(target: &Target<'_>) -> Effort {
    let known = target.capabilities.efforts.iter().copied();
    let known = known.filter(|effort| *effort != Effort::None);
    known.min().unwrap_or(Effort::Low)
}

fn as_effort(budget: Option<u64>, report: &mut Report) -> Option<Effort> {
    let effort = budget.map(Effort::of_budget);
    if effort.is_some() {
        report.note("thinking_budget");
    }
    effort
}

/// The level, the nearest where there is no word for it; off is a budget of 0, whatever the model.
fn level_or_off(effort: Effort, report: &mut Report) -> Wish {
    if effort == Effort::None {
        return Wish::Budget(0);
    }
    let known = LEVELS.map(|(effort, _)| effort);
    let nearest = effort.nearest(&known).unwrap_or(effort);
    if nearest != effort {
        report.note("reasoning_effort");
    }
    Wish::Level(nearest)
}
