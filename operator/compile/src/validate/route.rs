//! A route alone.

use std::collections::BTreeSet;

use fkm_crds::{
    Backend as BackendSpec, Defaults, FailureClass as FailureSpec, LLMRouteSpec,
    Policy as PolicySpec, PoolRef, Rule as RuleSpec, StrategyType,
};
use fkm_snapshot::{FailureClass, ModelPattern, Policy, Strategy, all_failures};

use super::timeouts::{self, Given};
use super::{duplicates, weight};
use crate::{Fault, ObjectName};

/// A route whose own fields are right. Its references may still lead nowhere.
#[derive(Clone, Debug)]
pub(crate) struct ValidRoute {
    pub(crate) priority: i32,
    pub(crate) rules: Vec<ValidRule>,
}

#[derive(Clone, Debug)]
pub(crate) struct ValidRule {
    pub(crate) name: String,
    /// Where it stands: `spec.rules[0]`.
    pub(crate) path: String,
    /// Any of these, each any of its patterns; none: every request.
    pub(crate) matches: Vec<Vec<ModelPattern>>,
    pub(crate) strategy: Strategy,
    pub(crate) backends: Vec<ValidBackend>,
    pub(crate) policy: Policy,
}

#[derive(Clone, Debug)]
pub(crate) struct ValidBackend {
    pub(crate) name: String,
    /// Where it stands: `spec.rules[0].backends[1]`.
    pub(crate) path: String,
    pub(crate) weight: u32,
    pub(crate) pool: ObjectName,
    /// Where the pool is named.
    pub(crate) pool_path: String,
    /// `None`: the model that the client asks for.
    pub(crate) model: Option<String>,
}

/// Judges the spec of a route in this namespace.
pub(crate) fn route(namespace: &str, spec: &LLMRouteSpec) -> Result<ValidRoute, Vec<Fault>> {
    let mut faults = Vec::new();
    let none = Defaults::default();
    let context = Context::new(
        namespace,
        spec.defaults.as_ref().unwrap_or(&none),
        &mut faults,
    );
    if spec.rules.is_empty() {
        faults.push(Fault::invalid(
            "spec.rules",
            "it is empty; give at least one rule",
        ));
    }
    duplicates(
        "spec.rules",
        spec.rules.iter().map(|rule| rule.name.0.as_str()),
        &mut faults,
    );
    let rules = spec.rules.iter().enumerate();
    let rules =
        rules.map(|(index, rule)| context.rule(&format!("spec.rules[{index}]"), rule, &mut faults));
    let valid = ValidRoute {
        priority: spec.priority.unwrap_or(0),
        rules: rules.collect(),
    };
    if faults.is_empty() {
        Ok(valid)
    } else {
        Err(faults)
    }
}

/// What the rules of one route have in common.
struct Context<'a> {
    namespace: &'a str,
    defaults: &'a Defaults,
    timeouts: Given,
    /// Whether the defaults' own time limits contradict each other.
    torn: bool,
}

// === impl Context ===

impl<'a> Context<'a> {
    fn new(namespace: &'a str, defaults: &'a Defaults, faults: &mut Vec<Fault>) -> Self {
        let path = "spec.defaults.policy";
        let timeouts = timeouts::read(path, defaults.policy.as_ref(), faults);
        let before = faults.len();
        timeouts.check(path, faults);
        Self {
            namespace,
            defaults,
            timeouts,
            torn: faults.len() > before,
        }
    }

    fn rule(&self, path: &str, rule: &RuleSpec, faults: &mut Vec<Fault>) -> ValidRule {
        let backends_path = format!("{path}.backends");
        duplicates(
            &backends_path,
            rule.backends.iter().map(|backend| backend.name.0.as_str()),
            faults,
        );
        let strategy = match rule.strategy.map(|strategy| strategy.r#type) {
            None | Some(StrategyType::Priority) => Strategy::Priority,
            Some(StrategyType::Weighted) => Strategy::Weighted,
        };
        check_weights(&backends_path, rule, strategy, faults);
        let backends = rule.backends.iter().enumerate();
        ValidRule {
            name: rule.name.0.clone(),
            path: path.to_owned(),
            matches: matches(path, rule, faults),
            strategy,
            backends: backends
                .filter_map(|(index, backend)| {
                    self.backend(&format!("{backends_path}[{index}]"), backend, faults)
                })
                .collect(),
            policy: self.policy(path, rule.policy.as_ref(), faults),
        }
    }

    fn backend(
        &self,
        path: &str,
        backend: &BackendSpec,
        faults: &mut Vec<Fault>,
    ) -> Option<ValidBackend> {
        let own = backend
            .pool_ref
            .as_ref()
            .map(|pool| (pool, format!("{path}.poolRef")));
        let default = || {
            Some((
                self.defaults.pool_ref.as_ref()?,
                "spec.defaults.poolRef".to_owned(),
            ))
        };
        let Some((pool, pool_path)) = own.or_else(default) else {
            let message = format!(
                "backend {:?} names no pool and there is no spec.defaults.poolRef; give one of them",
                backend.name.0
            );
            faults.push(Fault::invalid(format!("{path}.poolRef"), message));
            return None;
        };
        Some(ValidBackend {
            name: backend.name.0.clone(),
            path: path.to_owned(),
            weight: weight(backend.weight),
            pool: self.pool_name(pool),
            pool_path,
            model: backend.model.as_ref().map(|model| model.0.clone()),
        })
    }

    fn pool_name(&self, pool: &PoolRef) -> ObjectName {
        let namespace = pool
            .namespace
            .as_ref()
            .map_or(self.namespace, |namespace| &namespace.0);
        ObjectName::new(namespace, &pool.name.0)
    }

    fn policy(&self, path: &str, own: Option<&PolicySpec>, faults: &mut Vec<Fault>) -> Policy {
        let path = format!("{path}.policy");
        let given = timeouts::read(&path, own, faults);
        let merged = given.over(self.timeouts);
        if given != Given::default() && !self.torn {
            merged.check(&path, faults);
        }
        let on = |policy: Option<&PolicySpec>| policy?.fallback.as_ref()?.on.clone();
        let fallback_on = on(own).or_else(|| on(self.defaults.policy.as_ref()));
        Policy {
            timeouts: merged.effective(),
            fallback_on: fallback_on.map_or_else(all_failures, failures),
        }
    }
}

fn matches(path: &str, rule: &RuleSpec, faults: &mut Vec<Fault>) -> Vec<Vec<ModelPattern>> {
    let mut matches = Vec::new();
    for (m, one) in rule.matches.iter().enumerate() {
        let mut patterns = Vec::new();
        for (p, pattern) in one.models.iter().flatten().enumerate() {
            match ModelPattern::try_new(&pattern.0) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => {
                    faults.push(Fault::invalid(
                        format!("{path}.matches[{m}].models[{p}]"),
                        error.to_string(),
                    ));
                }
            }
        }
        matches.push(patterns);
    }
    matches
}

fn check_weights(path: &str, rule: &RuleSpec, strategy: Strategy, faults: &mut Vec<Fault>) {
    if rule.backends.is_empty() {
        faults.push(Fault::invalid(
            path,
            "it is empty; give at least one backend",
        ));
        return;
    }
    let weighted = strategy == Strategy::Weighted;
    if !weighted && rule.backends.iter().any(|backend| backend.weight.is_some()) {
        let message = "a weight is given, which only strategy.type Weighted obeys; set that or remove the weight";
        faults.push(Fault::invalid(path, message));
    }
    if weighted
        && rule
            .backends
            .iter()
            .all(|backend| weight(backend.weight) == 0)
    {
        let message = "every backend has weight 0; give at least one a weight above 0";
        faults.push(Fault::invalid(path, message));
    }
}

fn failures(listed: Vec<FailureSpec>) -> BTreeSet<FailureClass> {
    listed.into_iter().map(failure).collect()
}

fn failure(class: FailureSpec) -> FailureClass {
    match class {
        FailureSpec::ConnectFailure => FailureClass::ConnectFailure,
        FailureSpec::RateLimited => FailureClass::RateLimited,
        FailureSpec::Overloaded => FailureClass::Overloaded,
        FailureSpec::ServerError => FailureClass::ServerError,
        FailureSpec::Timeout => FailureClass::Timeout,
        FailureSpec::BrokenStream => FailureClass::BrokenStream,
        FailureSpec::CredentialRejected => FailureClass::CredentialRejected,
        FailureSpec::ModelUnavailable => FailureClass::ModelUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_classes_have_one_set_of_names() {
        for class in FailureClass::ALL {
            let spec: FailureSpec = serde_json::from_value(class.name().into()).unwrap();
            assert_eq!(failure(spec), class);
        }
    }
}
