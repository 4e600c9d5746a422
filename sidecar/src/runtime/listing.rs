//! Names: what a rule matches, and what `/v1/models` lists.

use std::collections::BTreeMap;

use fkm_snapshot::{ModelPattern, Rule, ValidSnapshot};

/// The literal names of the matches; for patterns or none, the names and aliases of the backends that would match.
pub(super) fn listed_models(snapshot: &ValidSnapshot) -> BTreeMap<String, String> {
    let mut listed = BTreeMap::new();
    for rule in &snapshot.get().rules {
        let patterns = rule_patterns(rule);
        for pattern in &patterns {
            if let ModelPattern::Literal(name) = pattern {
                listed
                    .entry(name.clone())
                    .or_insert_with(|| rule.route.clone());
            }
        }
        for (name, owner) in reachable_names(rule, snapshot) {
            if patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name)) {
                listed
                    .entry(name.to_owned())
                    .or_insert_with(|| owner.to_owned());
            }
        }
    }
    listed
}

/// The patterns of a rule; none: it matches every name, as a match without models does.
pub(super) fn rule_patterns(rule: &Rule) -> Vec<ModelPattern> {
    if rule.matches.iter().any(|matcher| matcher.models.is_empty()) {
        return Vec::new();
    }
    let patterns = rule.matches.iter().flat_map(|matcher| &matcher.models);
    patterns
        .filter_map(|pattern| ModelPattern::try_new(pattern).ok())
        .collect()
}

fn reachable_names<'a>(
    rule: &'a Rule,
    snapshot: &'a ValidSnapshot,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let backends = rule.backends.iter();
    backends.flat_map(|backend| {
        let pool = snapshot.get().pools.get(&backend.pool);
        let providers = pool.into_iter().flat_map(|pool| &pool.providers);
        providers.flat_map(move |provider| {
            let models = provider.models.iter();
            models
                .filter(move |(name, model)| {
                    backend.model.is_empty()
                        || **name == backend.model
                        || model.aliases.contains(&backend.model)
                })
                .flat_map(|(name, model)| std::iter::once(name).chain(&model.aliases))
                .map(|name| (name.as_str(), provider.system.as_str()))
        })
    })
}
