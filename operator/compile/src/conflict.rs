//! Several routes on one pod: their order, and which rules can never be reached.

use fkm_crds::Reason;
use fkm_snapshot::ModelPattern;

use crate::dereference::{ResolvedRoute, ResolvedRule};
use crate::{Fault, RouteInput};

/// What can never match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shadows {
    /// A warning for each rule of the route that is out of reach.
    pub(crate) unreachable: Vec<Fault>,
    /// Whether every rule is, because of other routes alone.
    pub(crate) conflicted: bool,
}

/// The routes, oldest first: the order in which they may claim room in the snapshot.
pub(crate) fn ordered<'r, 'a>(routes: &'r [RouteInput<'a>]) -> Vec<&'r RouteInput<'a>> {
    let mut routes: Vec<&RouteInput<'_>> = routes.iter().collect();
    routes.sort_by_key(|route| (route.meta.created, route.meta.object_name()));
    routes
}

/// Sorts routes into the order in which their rules are tried.
pub(crate) fn sort(routes: &mut [ResolvedRoute]) {
    routes.sort_by(|a, b| {
        let key = |route: &ResolvedRoute| (route.priority, route.created);
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
}

/// What of the route at `index` can never match, after the routes before it.
pub(crate) fn shadows(routes: &[ResolvedRoute], index: usize) -> Shadows {
    let route = &routes[index];
    let mut shadows = Shadows::default();
    let mut by_others = 0;
    for (r, rule) in route.rules.iter().enumerate() {
        let others = routes[..index]
            .iter()
            .flat_map(|other| other.rules.iter().map(move |rule| (Some(other), rule)));
        if let Some(rules) = covering(rule, others.clone()) {
            by_others += 1;
            shadows.unreachable.push(warning(rule, &rules));
            continue;
        }
        let own = route.rules[..r].iter().map(|rule| (None, rule));
        if let Some(rules) = covering(rule, others.chain(own)) {
            shadows.unreachable.push(warning(rule, &rules));
        }
    }
    shadows.conflicted = by_others > 0 && by_others == route.rules.len();
    shadows
}

type Earlier<'a> = (Option<&'a ResolvedRoute>, &'a ResolvedRule);

/// Rules that together match all that `rule` matches.
fn covering<'a>(
    rule: &ResolvedRule,
    earlier: impl Iterator<Item = Earlier<'a>>,
) -> Option<Vec<Earlier<'a>>> {
    let earlier: Vec<Earlier<'_>> = earlier.collect();
    let mut found: Vec<Earlier<'_>> = Vec::new();
    for pattern in patterns(rule) {
        let first = earlier
            .iter()
            .find(|(_, rule)| patterns(rule).iter().any(|one| one.covers(&pattern)))?;
        if !found.iter().any(|(_, rule)| std::ptr::eq(*rule, first.1)) {
            found.push(*first);
        }
    }
    Some(found)
}

/// Every pattern of a rule; `*` where it matches every name.
fn patterns(rule: &ResolvedRule) -> Vec<ModelPattern> {
    if rule.matches.is_empty() || rule.matches.iter().any(Vec::is_empty) {
        return vec![ModelPattern::Prefix(String::new())];
    }
    rule.matches.iter().flatten().cloned().collect()
}

fn warning(rule: &ResolvedRule, covering: &[Earlier<'_>]) -> Fault {
    let named: Vec<String> = covering
        .iter()
        .map(|(route, rule)| match route {
            Some(route) => format!("rule {:?} of route {}", rule.name, route.name),
            None => format!("rule {:?}", rule.name),
        })
        .collect();
    let message = format!(
        "rule {:?} is never reached, because all that it matches goes to {} before; match something else, or move it forward",
        rule.name,
        named.join(" and ")
    );
    Fault::new(
        Reason::Conflicted,
        format!("{}.matches", rule.path),
        message,
    )
}
