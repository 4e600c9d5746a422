//! Steps *match* and *plan*: the first rule for the model as sent, and its candidates in the order to try.

use std::sync::Arc;

use fkm_llm::RequestScan;
use fkm_snapshot::AnyFormat;

use crate::error::{ExchangeError, Reason};
use crate::owner::Claim;
use crate::runtime::{Candidate, Runtime};

/// As many names as an error lists.
const LISTED: usize = 20;

/// The model that a body names.
pub(crate) fn model_in(scan: &RequestScan) -> Result<Arc<str>, ExchangeError> {
    let named = scan.model.as_ref().filter(|model| !model.name.is_empty());
    named
        .map(|model| Arc::from(model.name.as_str()))
        .ok_or_else(|| {
            let message = "`model` is missing; name the model to ask";
            let mut error = ExchangeError::new(Reason::BadRequest, message);
            error.client.param = Some("model".to_owned());
            error
        })
}

/// The index of the rule that matches, and the plan.
pub(crate) fn run(
    runtime: &Runtime,
    model: &str,
    format: AnyFormat,
) -> Result<(usize, Vec<Candidate>), ExchangeError> {
    let Some(index) = runtime.rules.iter().position(|rule| rule.matches(model)) else {
        return Err(not_found(
            runtime,
            &format!("no rule of this pod matches model {model:.200?}"),
        ));
    };
    let rule = &runtime.rules[index];
    if !rule.unavailable.is_empty() {
        let message = format!(
            "rule {:?} of route {} has no usable backend: {}; see the route's condition ResolvedRefs",
            rule.name, rule.route, rule.unavailable
        );
        return Err(ExchangeError::new(Reason::RuleUnavailable, message));
    }
    let plan = rule.plan(model, format);
    if plan.is_empty() {
        let message = format!(
            "rule {:?} of route {} has no provider for model {model:.200?} that serves {}",
            rule.name,
            rule.route,
            format.operation().name()
        );
        return Err(not_found(runtime, &message));
    }
    Ok((index, plan))
}

/// Those candidates that keep what the request needs: there is nobody else to ask.
pub(crate) fn owned(
    mut plan: Vec<Candidate>,
    claim: &Claim,
) -> Result<Vec<Candidate>, ExchangeError> {
    plan.retain(|candidate| candidate.owner().is_some_and(|owner| owner.is(claim)));
    match plan.is_empty() {
        true => Err(claim.unknown()),
        false => Ok(plan),
    }
}

fn not_found(runtime: &Runtime, what: &str) -> ExchangeError {
    let names: Vec<&str> = runtime
        .models
        .keys()
        .map(String::as_str)
        .take(LISTED)
        .collect();
    let more = runtime.models.len().saturating_sub(names.len());
    let there = match (names.is_empty(), runtime.rules.is_empty(), more) {
        (_, true, _) => "no LLMRoute selects this pod".to_owned(),
        (true, false, _) => "no name is listed".to_owned(),
        (false, _, 0) => format!("there are: {}", names.join(", ")),
        (false, _, more) => format!(
            "there are: {} and {more} more (GET /v1/models)",
            names.join(", ")
        ),
    };
    let mut error = ExchangeError::new(Reason::ModelNotFound, format!("{what}; {there}"));
    error.client.param = Some("model".to_owned());
    error
}
