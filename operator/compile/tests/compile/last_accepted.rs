//! A bad edit keeps the good build.

mod revocation;

use fkm_compile::{Compiled, ObjectName};
use fkm_crds::{Duration, Policy, Timeouts};
use fkm_snapshot::Provider;

use crate::objects::{ACCEPTED, LIVE, Objects};

const MANIFESTS: &str = "
apiVersion: v1
kind: Secret
metadata: { name: key, namespace: platform }
stringData: { a: one, b: two }
---
apiVersion: fluxkontext.dev/v1alpha1
kind: ProviderPool
metadata: { name: chat, namespace: platform }
spec:
  allowedRoutes: { namespaces: { from: All } }
  providers:
  - name: vllm
    type: OpenAICompatible
    baseURL: https://vllm.example.com/v1
    credentials: [{ name: main, type: APIKey, apiKey: { secretKeyRef: { name: key, key: a } } }]
    models: [{ name: m1 }, { name: m2 }]
  - { name: sim, type: Simulated, simulated: {}, models: [{ name: m1 }] }
---
apiVersion: fluxkontext.dev/v1alpha1
kind: LLMRoute
metadata: { name: r, namespace: shop }
spec:
  defaults: { poolRef: { name: chat, namespace: platform } }
  rules:
  - { name: a, matches: [{ models: [m1] }], backends: [{ name: x, model: m1 }, { name: z, model: m2 }] }
  - { name: b, backends: [{ name: x }] }
";

fn route() -> ObjectName {
    ObjectName::new("shop", "r")
}

fn pool() -> ObjectName {
    ObjectName::new("platform", "chat")
}

/// Objects of which an earlier generation, equal so far, was accepted.
fn accepted_before() -> Objects {
    let mut objects = Objects::parse(MANIFESTS);
    objects.accepted_routes = objects.routes.clone();
    objects.accepted_pools = objects.pools.clone();
    objects
}

/// Makes the live route invalid in itself.
fn spoil_route(objects: &mut Objects) {
    let route = objects.routes.get_mut(&route()).unwrap();
    let timeouts = Timeouts {
        request: Some(Duration::from("1d")),
        ..Timeouts::default()
    };
    route.rules[0].policy = Some(Policy {
        timeouts: Some(timeouts),
        fallback: None,
    });
}

/// Makes the live pool invalid in itself.
fn spoil_pool(objects: &mut Objects) {
    let pool = objects.pools.get_mut(&pool()).unwrap();
    let alias = pool.providers[0].models.as_ref().unwrap()[1].name.clone();
    pool.providers[0].models.as_mut().unwrap()[0]
        .aliases
        .push(alias);
}

fn backends(compiled: &Compiled) -> Vec<Vec<&str>> {
    let rules = compiled.snapshot.rules.iter();
    rules
        .map(|rule| {
            rule.backends
                .iter()
                .map(|backend| backend.name.as_str())
                .collect()
        })
        .collect()
}

fn provider(compiled: &Compiled) -> &Provider {
    &compiled.snapshot.pools["platform/chat"].providers[0]
}

#[test]
fn a_bad_edit_of_a_route_keeps_the_good_build() {
    let mut objects = accepted_before();
    let good = objects.compile();
    spoil_route(&mut objects);
    let kept = objects.compile();
    assert_eq!(kept.payload, good.payload);
    assert_eq!(good.routes[&route()].served, Some(LIVE));
    assert_eq!(kept.routes[&route()].served, Some(ACCEPTED));
    let complaint = kept.routes[&route()].accepted.as_ref().unwrap_err();
    assert_eq!(
        complaint.faults[0].path,
        "spec.rules[0].policy.timeouts.request"
    );
}

#[test]
fn without_an_accepted_one_a_bad_route_takes_no_part() {
    let mut objects = accepted_before();
    objects.accepted_routes.clear();
    spoil_route(&mut objects);
    let compiled = objects.compile();
    assert_eq!(compiled.payload, b"{}");
    assert_eq!(compiled.routes[&route()].served, None);
}

#[test]
fn a_bad_edit_of_a_pool_keeps_the_good_build() {
    let mut objects = accepted_before();
    let good = objects.compile();
    spoil_pool(&mut objects);
    let kept = objects.compile();
    assert_eq!(kept.payload, good.payload);
    assert_eq!(kept.pools[&pool()].served, Some(ACCEPTED));
    assert!(kept.pools[&pool()].accepted.is_err());
    assert_eq!(kept.routes[&route()].accepted, Ok(vec![]));
}

#[test]
fn a_bad_pool_that_never_was_good_drops_its_backends() {
    let mut objects = accepted_before();
    objects.accepted_pools.clear();
    spoil_pool(&mut objects);
    let compiled = objects.compile();
    assert_eq!(compiled.snapshot.rules[0].unavailable, "BackendNotFound");
    let message = compiled.routes[&route()]
        .resolved
        .as_ref()
        .unwrap_err()
        .message();
    assert!(message.contains("not accepted"), "{message}");
}

#[test]
fn a_route_refers_to_what_its_live_spec_names() {
    let mut objects = accepted_before();
    spoil_route(&mut objects);
    let live = objects.routes.get_mut(&route()).unwrap();
    live.rules[0].backends[0].model = Some("m2".into());
    live.defaults
        .as_mut()
        .unwrap()
        .pool_ref
        .as_mut()
        .unwrap()
        .name = "none".into();
    let compiled = objects.compile();
    assert_eq!(compiled.snapshot.rules[0].unavailable, "BackendNotFound");
    assert!(compiled.snapshot.pools.is_empty());
}

#[test]
fn paths_point_into_the_live_spec() {
    let mut objects = accepted_before();
    spoil_route(&mut objects);
    let live = objects.routes.get_mut(&route()).unwrap();
    live.rules.swap(0, 1);
    live.rules[1].backends.swap(0, 1);
    live.rules[1].backends[0].model = Some("gone".into());
    let compiled = objects.compile();
    let complaint = compiled.routes[&route()].resolved.as_ref().unwrap_err();
    assert_eq!(complaint.faults[0].path, "spec.rules[1].backends[0].model");
}

/// The objects with a rule and a pool of which all traffic goes to the first.
fn weighted() -> Objects {
    let yaml = MANIFESTS
        .replace(
            "rules:\n  - { name: a, matches: [{ models: [m1] }], backends: [{ name: x, model: m1 }, { name: z, model: m2 }] }",
            "rules:\n  - { name: a, strategy: { type: Weighted }, matches: [{ models: [m1] }], backends: [{ name: x, model: m1 }, { name: z, model: m2, weight: 0 }] }",
        )
        .replace("{ name: sim,", "{ name: sim, weight: 0,");
    let mut objects = Objects::parse(&yaml);
    objects.accepted_routes = objects.routes.clone();
    objects.accepted_pools = objects.pools.clone();
    objects
}

fn rules(compiled: &Compiled) -> Vec<(&str, &str)> {
    let rules = compiled.snapshot.rules.iter();
    rules
        .map(|rule| (rule.name.as_str(), rule.unavailable.as_str()))
        .collect()
}

#[test]
fn a_rule_that_lost_its_weights_goes_alone() {
    let mut objects = weighted();
    spoil_route(&mut objects);
    let live = objects.routes.get_mut(&route()).unwrap();
    live.rules[0].backends.remove(0);
    let compiled = objects.compile();
    assert_eq!(rules(&compiled), [("b", "")]);
    assert_eq!(compiled.routes[&route()].served, Some(ACCEPTED));

    let live = objects.routes.get_mut(&route()).unwrap();
    live.rules[0].backends[0].weight = Some(3);
    let compiled = objects.compile();
    assert_eq!(
        backends(&compiled),
        [vec!["z"], vec!["x"]],
        "a live weight holds where none is left"
    );
}

#[test]
fn a_rule_that_lost_its_pool_goes_alone() {
    let mut objects = accepted_before();
    for routes in [&mut objects.routes, &mut objects.accepted_routes] {
        let route = routes.get_mut(&route()).unwrap();
        let default = route.defaults.as_ref().unwrap().pool_ref.clone();
        route.rules[1].backends[0].pool_ref = default;
    }
    objects.routes.get_mut(&route()).unwrap().defaults = None;
    let compiled = objects.compile();
    assert!(compiled.routes[&route()].accepted.is_err());
    assert_eq!(rules(&compiled), [("b", "")]);
}

#[test]
fn a_pool_that_lost_its_weights_answers_nothing_or_by_the_live_ones() {
    let mut objects = weighted();
    let live = objects.pools.get_mut(&pool()).unwrap();
    live.providers.remove(0);
    let compiled = objects.compile();
    assert_eq!(compiled.pools[&pool()].served, Some(ACCEPTED));
    assert!(compiled.pools[&pool()].accepted.is_err());
    assert_eq!(
        rules(&compiled),
        [("a", "ModelNotFound"), ("b", "ModelNotFound")]
    );
    let message = compiled.routes[&route()]
        .resolved
        .as_ref()
        .unwrap_err()
        .message();
    assert!(message.contains("weight 0"), "{message}");

    let live = objects.pools.get_mut(&pool()).unwrap();
    live.providers[0].weight = Some(2);
    live.providers[0].base_url = Some("https://sim.example.com".into());
    let compiled = objects.compile();
    assert!(compiled.pools[&pool()].accepted.is_err());
    assert_eq!(provider(&compiled).name, "sim");
    assert_eq!(provider(&compiled).weight, 2);
}

/// A certificate for an address that is not encrypted: the provider stays as it was, and so do its neighbours.
#[test]
fn a_wrong_tls_keeps_every_provider() {
    let mut objects = accepted_before();
    for pools in [&mut objects.pools, &mut objects.accepted_pools] {
        let pool = pools.get_mut(&pool()).unwrap();
        pool.providers[0].base_url = Some("http://vllm.example.com/v1".into());
    }
    let good = objects.compile();
    let tls = serde_json::json!({"caCertificateRef": {"kind": "ConfigMap", "name": "ca"}});
    let live = objects.pools.get_mut(&pool()).unwrap();
    live.providers[0].tls = Some(serde_json::from_value(tls).unwrap());
    let kept = objects.compile();
    assert!(kept.pools[&pool()].accepted.is_err());
    assert_eq!(kept.payload, good.payload);
}
