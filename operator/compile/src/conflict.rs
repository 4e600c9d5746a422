//! Several routes on one pod: their order, and which rules can never be reached.

use fkm_crds::Reason;

use crate::dereference::{ResolvedRoute, ResolvedRule};
use crate::patterns::PatternIndex;
use crate::{Fault, ObjectName, RouteInput};

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

/// What decides the order in which the rules of routes are tried.
pub(crate) fn order(route: &ResolvedRoute) -> (i32, i64, &ObjectName) {
    (route.priority, route.created, &route.name)
}

/// What of each of these routes can never match. They are in the order in which their rules are tried.
pub(crate) fn shadows(routes: &[&ResolvedRoute]) -> Vec<Shadows> {
    let mut claimed = PatternIndex::new();
    let mut all = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let mut shadows = Shadows::default();
        let mut by_others = 0;
        for (r, rule) in route.rules.iter().enumerate() {
            let Some(before) = claim(rule, (index, r), &mut claimed) else {
                continue;
            };
            by_others += usize::from(before.iter().all(|(route, _)| *route < index));
            shadows
                .unreachable
                .push(warning(rule, &before, index, routes));
        }
        shadows.conflicted = by_others > 0 && by_others == route.rules.len();
        all.push(shadows);
    }
    all
}

/// A rule, as route and rule of it; lower ones are tried first.
type Place = (usize, usize);

/// Claims for `rule` what no rule before it has; the first rules that match, where they leave nothing to it.
fn claim<'a>(
    rule: &'a ResolvedRule,
    place: Place,
    claimed: &mut PatternIndex<'a, Place>,
) -> Option<Vec<Place>> {
    let mut before = Vec::new();
    let mut left = Vec::new();
    for pattern in &rule.patterns {
        match claimed.covering(pattern) {
            Some(first) if before.contains(&first) => {}
            Some(first) => before.push(first),
            None => left.push(pattern),
        }
    }
    let reached = !left.is_empty();
    for pattern in left {
        claimed.insert(pattern, place);
    }
    (!reached).then_some(before)
}

fn warning(rule: &ResolvedRule, before: &[Place], own: usize, routes: &[&ResolvedRoute]) -> Fault {
    let named: Vec<String> = before
        .iter()
        .map(|&(index, r)| {
            let route = routes[index];
            let name = &route.rules[r].name;
            if index == own {
                format!("rule {name:?}")
            } else {
                format!("rule {name:?} of route {}", route.name)
            }
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
