//! Snapshots that would be too large, routes that shadow each other, and how much work many routes are.
#![expect(
    clippy::disallowed_types,
    reason = "the time of the machine is what is measured"
)]

use std::fmt::Write as _;
use std::ops::Range;
use std::time::{Duration, Instant};

use fkm_compile::{Compiled, ObjectName, Verdict};
use fkm_crds::{LLMRouteSpec, Reason, Timeouts};
use fkm_snapshot::MAX_PAYLOAD_BYTES;
use serde_json::json;

use crate::objects::{ACCEPTED, LIVE, Objects};

fn name(route: &str) -> ObjectName {
    ObjectName::new("shop", route)
}

/// Sixteen pools, of which a snapshot has room for twelve.
fn pools() -> Objects {
    let text = "x".repeat(8_000);
    let mut yaml = String::new();
    for pool in 0..16 {
        writeln!(yaml, "apiVersion: fluxkontext.dev/v1alpha1\nkind: ProviderPool\nmetadata: {{ name: p{pool}, namespace: shop }}\nspec:\n  providers:").unwrap();
        for provider in 0..32 {
            writeln!(yaml, "  - {{ name: s{provider}, type: Simulated, models: [{{ name: m }}], simulated: {{ text: {text} }} }}").unwrap();
        }
        yaml += "---\n";
    }
    Objects::parse(yaml.trim_end_matches("---\n"))
}

/// A route for models that begin with `prefix`, to these pools.
fn route(prefix: &str, pools: Range<usize>) -> LLMRouteSpec {
    let backends: Vec<_> = pools
        .map(|pool| json!({"name": format!("b{pool}"), "poolRef": {"name": format!("p{pool}")}, "model": "m"}))
        .collect();
    let rule = json!({"name": prefix, "matches": [{"models": [format!("{prefix}*")]}], "backends": backends});
    serde_json::from_value(json!({"rules": [rule]})).unwrap()
}

impl Objects {
    /// Adds a route; the ones that are added later are younger.
    fn add_route(&mut self, route: &str, live: LLMRouteSpec, accepted: Option<LLMRouteSpec>) {
        let created = i64::try_from(self.routes.len()).unwrap();
        self.routes.insert(name(route), live);
        self.created.insert(name(route), created);
        self.accepted_routes
            .extend(accepted.map(|spec| (name(route), spec)));
    }
}

/// The generation of each route that is in the snapshot, in the order in which they are tried.
fn served(compiled: &Compiled) -> Vec<(&str, i64)> {
    let rules = compiled.snapshot.rules.iter();
    rules
        .map(|rule| {
            let route = rule.route.strip_prefix("shop/").unwrap();
            (route, compiled.routes[&name(route)].served.unwrap())
        })
        .collect()
}

fn refused(verdict: &Verdict) -> Option<Reason> {
    verdict
        .accepted
        .as_ref()
        .err()
        .map(|complaint| complaint.reason)
}

#[test]
fn the_youngest_route_makes_room() {
    let mut objects = pools();
    objects.add_route("c", route("c", 10..16), None);
    objects.add_route("b", route("b", 4..10), None);
    objects.add_route("a", route("a", 0..4), None);
    let compiled = objects.compile();
    assert_eq!(served(&compiled), [("c", LIVE), ("b", LIVE)]);
    let verdict = &compiled.routes[&name("a")];
    assert_eq!(refused(verdict), Some(Reason::TooLarge));
    assert_eq!(verdict.served, None);
}

#[test]
fn a_too_large_edit_leaves_the_good_one_serving() {
    let mut objects = pools();
    objects.add_route("a", route("a", 0..1), None);
    let good = objects.compile();
    let accepted = route("a", 0..1);
    objects.accepted_routes.insert(name("a"), accepted);
    objects.routes.insert(name("a"), route("a", 0..16));
    let kept = objects.compile();
    assert_eq!(kept.payload, good.payload);
    let verdict = &kept.routes[&name("a")];
    assert_eq!(verdict.served, Some(ACCEPTED));
    let complaint = verdict.accepted.as_ref().unwrap_err();
    assert_eq!(complaint.reason, Reason::TooLarge);
    let message = complaint.message();
    assert!(
        message.contains("this generation") && message.contains("3145728"),
        "{message}"
    );
}

#[test]
fn a_too_large_edit_undoes_no_removal() {
    let mut objects = pools();
    objects.add_route("a", route("a", 1..16), Some(route("a", 0..3)));
    let compiled = objects.compile();
    let backends = compiled.snapshot.rules[0].backends.iter();
    let names: Vec<&str> = backends.map(|backend| backend.name.as_str()).collect();
    assert_eq!(names, ["b1", "b2"]);
}

#[test]
fn an_older_route_that_grows_takes_no_room_from_younger_ones() {
    let mut objects = pools();
    objects.add_route("old", route("old", 0..13), Some(route("old", 0..1)));
    objects.add_route("edited", route("edited", 0..2), Some(route("edited", 0..1)));
    objects.add_route("new", route("new", 0..1), None);
    objects.add_route("same", route("same", 2..3), Some(route("same", 2..3)));
    let compiled = objects.compile();
    assert_eq!(
        served(&compiled),
        [
            ("old", ACCEPTED),
            ("edited", LIVE),
            ("new", LIVE),
            ("same", LIVE)
        ]
    );
    for (route, reason) in [
        ("old", Some(Reason::TooLarge)),
        ("edited", None),
        ("new", None),
        ("same", None),
    ] {
        assert_eq!(refused(&compiled.routes[&name(route)]), reason, "{route}");
    }
}

#[test]
fn what_a_route_leaves_goes_to_the_next_that_fits() {
    let mut objects = pools();
    objects.add_route("first", route("first", 0..8), None);
    objects.add_route("large", route("large", 8..16), None);
    objects.add_route("small", route("small", 8..10), None);
    let compiled = objects.compile();
    assert_eq!(served(&compiled), [("first", LIVE), ("small", LIVE)]);
}

/// Room is judged to the byte.
#[test]
fn the_last_byte_counts() {
    let mut objects = pools();
    objects.add_route("a", route("a", 0..12), None);
    let room = MAX_PAYLOAD_BYTES - objects.compile().payload.len();
    let grow = |objects: &mut Objects, bytes: usize| {
        for pool in 0..12 {
            let share = bytes / 12 + usize::from(pool < bytes % 12);
            let pool = objects.pools.get_mut(&name(&format!("p{pool}"))).unwrap();
            let simulated = pool.providers[0].simulated.as_mut().unwrap();
            simulated
                .text
                .as_mut()
                .unwrap()
                .push_str(&"y".repeat(share));
        }
    };
    grow(&mut objects, room);
    let full = objects.compile();
    assert_eq!(full.payload.len(), MAX_PAYLOAD_BYTES);
    grow(&mut objects, 1);
    let message = objects.compile().routes[&name("a")]
        .accepted
        .as_ref()
        .unwrap_err()
        .message();
    assert!(message.contains("has 3145729 bytes"), "{message}");
}

/// What a route that is refused shadowed is in reach again, and asks for room too.
#[test]
fn a_refused_route_shadows_nothing() {
    let mut objects = pools();
    objects.add_route("large", route("", 0..16), None);
    objects.add_route("small", route("small", 0..1), None);
    let compiled = objects.compile();
    assert_eq!(served(&compiled), [("small", LIVE)]);
    assert_eq!(
        refused(&compiled.routes[&name("large")]),
        Some(Reason::TooLarge)
    );
}

#[test]
fn a_route_both_invalid_and_conflicted_is_told_both() {
    let mut objects = pools();
    objects.add_route("first", route("", 0..1), None);
    let mut live = route("second", 0..1);
    live.rules[0].policy = Some(fkm_crds::Policy {
        timeouts: Some(Timeouts {
            request: Some("1d".into()),
            ..Timeouts::default()
        }),
        fallback: None,
    });
    objects.add_route("second", live, Some(route("second", 0..1)));
    let compiled = objects.compile();
    let verdict = &compiled.routes[&name("second")];
    assert_eq!(verdict.served, None);
    let complaint = verdict.accepted.as_ref().unwrap_err();
    assert_eq!(complaint.reason, Reason::Invalid);
    let message = complaint.message();
    assert!(
        message.contains("timeouts.request") && message.contains("of route shop/first"),
        "{message}"
    );
}

/// Routes as large as the schema takes them: 128 patterns a rule, each its own or all covered by an earlier route.
fn maximal(route: usize, shared: bool) -> LLMRouteSpec {
    let owner = if shared { 0 } else { route };
    let rule = |r: usize| {
        let models = |m: usize| -> Vec<String> {
            (0..16)
                .map(|p| {
                    format!(
                        "model-{owner}-{r}-{m}-{p}{}",
                        if p % 2 == 0 { "" } else { "*" }
                    )
                })
                .collect()
        };
        let matches: Vec<_> = (0..8).map(|m| json!({"models": models(m)})).collect();
        json!({"name": format!("rule-{r}"), "matches": matches, "backends": [{"name": "b", "poolRef": {"name": "p0"}, "model": "m"}]})
    };
    let rules: Vec<_> = (0..16).map(rule).collect();
    serde_json::from_value(json!({"rules": rules})).unwrap()
}

/// Generous: a hundredth of what comparing every rule with every earlier one takes.
const BOUND: Duration = Duration::from_mins(1);

#[test]
fn work_grows_with_the_routes_and_not_with_their_square() {
    for shared in [false, true] {
        let mut objects = pools();
        for index in 0..200 {
            objects.add_route(
                &format!("r{index:03}"),
                maximal(index, shared),
                Some(maximal(index + 1_000, shared)),
            );
        }
        let start = Instant::now();
        let compiled = objects.compile();
        assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
        let fit = compiled.routes.values().filter(|one| one.served.is_some());
        let fit = fit.count();
        if shared {
            assert_eq!(fit, 1, "the first shadows all others");
        } else {
            assert!((20..200).contains(&fit), "{fit} fit");
        }
    }
}
