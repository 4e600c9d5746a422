//! What the compiler makes of what it accepts.

use fkm_compile::{Compiled, ObjectName, Verdict};
use fkm_crds::Reason;
use fkm_snapshot::{Connection, FailureClass, Millis, Rule};

use crate::objects::Objects;

const POOLS: &str = "
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
  - name: openai
    type: OpenAI
    credentials:
    - { name: one, type: APIKey, apiKey: { secretKeyRef: { name: key, key: a } } }
    - { name: two, type: APIKey, apiKey: { secretKeyRef: { name: key, key: gone } } }
    models: [{ name: gpt-5, aliases: [large] }, { name: gpt-5-mini, upstreamName: gpt-5-mini }, { name: mine, upstreamName: o3 }]
  - { name: claude, type: Anthropic, models: [{ name: claude-opus-5, aliases: [large] }] }
  - { name: idle, type: Simulated, weight: 0, simulated: {}, models: [{ name: idle-model }, { name: gpt-5 }] }
---
";

fn route(spec: &str) -> String {
    let spec = spec.trim().replace('\n', "\n  ");
    format!(
        "{POOLS}apiVersion: fluxkontext.dev/v1alpha1\nkind: LLMRoute\nmetadata: {{ name: r, namespace: shop }}\nspec:\n  defaults: {{ poolRef: {{ name: chat, namespace: platform }} }}\n  {spec}\n"
    )
}

fn compiled(spec: &str) -> Compiled {
    Objects::parse(&route(spec)).compile()
}

fn verdict(compiled: &Compiled) -> &Verdict {
    &compiled.routes[&ObjectName::new("shop", "r")]
}

/// `provider: models` of the snapshot's one pool.
fn reached(compiled: &Compiled) -> Vec<(String, Vec<String>)> {
    let pool = &compiled.snapshot.pools["platform/chat"];
    pool.providers
        .iter()
        .map(|one| (one.name.clone(), one.models.keys().cloned().collect()))
        .collect()
}

fn names(list: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    list.iter()
        .map(|(name, models)| (name.to_string(), owned(models)))
        .collect()
}

#[test]
fn only_what_a_rule_can_reach_leaves() {
    let pinned = compiled("rules: [{ name: a, backends: [{ name: x, model: gpt-5-mini }] }]");
    assert_eq!(reached(&pinned), names(&[("openai", &["gpt-5-mini"])]));
    let alias = compiled("rules: [{ name: a, backends: [{ name: x, model: large }] }]");
    assert_eq!(
        reached(&alias),
        names(&[("openai", &["gpt-5"]), ("claude", &["claude-opus-5"])])
    );
    let pattern = compiled(
        "rules: [{ name: a, matches: [{ models: ['claude-*'] }], backends: [{ name: x }] }]",
    );
    assert_eq!(reached(&pattern), names(&[("claude", &["claude-opus-5"])]));
    assert!(
        pattern.secrets.is_empty(),
        "a key of a provider that nothing reaches stays"
    );
    let all = compiled("rules: [{ name: a, backends: [{ name: x }] }]");
    assert_eq!(
        reached(&all),
        names(&[
            ("openai", &["gpt-5", "gpt-5-mini", "mine"]),
            ("claude", &["claude-opus-5"])
        ])
    );
}

#[test]
fn models_carry_what_the_catalogue_knows() {
    let compiled = compiled("rules: [{ name: a, backends: [{ name: x }] }]");
    let openai = &compiled.snapshot.pools["platform/chat"].providers[0];
    assert_eq!(openai.system, "openai");
    assert_eq!(openai.models["gpt-5"].max_output_tokens, Some(128_000));
    let price = openai.models["gpt-5"].price.as_ref().unwrap();
    assert_eq!(price.default[0].input, Some(1_250_000_000));
    assert_eq!(openai.models["gpt-5-mini"].upstream_name, "");
    assert_eq!(
        (
            openai.models["mine"].upstream_name.as_str(),
            openai.models["mine"].max_output_tokens
        ),
        ("o3", Some(100_000))
    );
    let Connection::Http(http) = &openai.connection else {
        panic!("{openai:?}")
    };
    assert_eq!(http.base_url, "https://api.openai.com/v1");
}

#[test]
fn a_missing_key_drops_its_credential_alone() {
    let compiled = compiled("rules: [{ name: a, backends: [{ name: x }] }]");
    assert_eq!(
        compiled
            .secrets
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["platform/key/a"]
    );
    assert_eq!(verdict(&compiled).resolved, Ok(()));
    let pool = &compiled.pools[&ObjectName::new("platform", "chat")];
    let complaint = pool.resolved.as_ref().unwrap_err();
    assert_eq!(complaint.reason, Reason::SecretNotFound);
    assert_eq!(
        complaint.faults[0].path,
        "spec.providers[0].credentials[1].apiKey.secretKeyRef.key"
    );
    assert_eq!(pool.accepted, Ok(vec![]));
}

#[test]
fn weight_zero_gets_nothing() {
    let compiled = compiled(
        "rules: [{ name: a, strategy: { type: Weighted }, backends: [{ name: x, model: gpt-5, weight: 0 }, { name: z, model: mine }] }]",
    );
    let rule = &compiled.snapshot.rules[0];
    assert_eq!(
        rule.backends
            .iter()
            .map(|one| (one.name.as_str(), one.weight))
            .collect::<Vec<_>>(),
        [("z", 1)]
    );
    assert_eq!(reached(&compiled), names(&[("openai", &["mine"])]));
    let idle = self::compiled("rules: [{ name: a, backends: [{ name: x, model: idle-model }] }]");
    let message = verdict(&idle).resolved.as_ref().unwrap_err().message();
    assert!(
        message.contains("\"idle\"") && message.contains("weight 0"),
        "{message}"
    );
}

fn only_rule(compiled: &Compiled) -> &Rule {
    assert_eq!(compiled.snapshot.rules.len(), 1);
    &compiled.snapshot.rules[0]
}

#[test]
fn a_rules_policy_replaces_the_defaults_value_by_value() {
    let spec = "
rules:
- name: a
  backends: [{ name: x }]
  policy: { timeouts: { attempt: 20s } }
";
    let yaml = route(spec).replace(
        "namespace: platform } }\n  rules",
        "namespace: platform }, policy: { timeouts: { request: 30s, attempt: 10s, connect: 1s }, fallback: { on: [Timeout] } } }\n  rules",
    );
    let compiled = Objects::parse(&yaml).compile();
    let policy = &only_rule(&compiled).policy;
    assert_eq!(policy.timeouts.request, Millis(30_000));
    assert_eq!(policy.timeouts.attempt, Some(Millis(20_000)));
    assert_eq!(policy.timeouts.connect, Millis(1_000));
    assert_eq!(policy.timeouts.between_events, Millis(60_000));
    assert_eq!(policy.fallback_on, [FailureClass::Timeout].into());
}

#[test]
fn fallback_omitted_is_all_and_empty_is_none() {
    let omitted = compiled("rules: [{ name: a, backends: [{ name: x }] }]");
    assert_eq!(
        only_rule(&omitted).policy.fallback_on.len(),
        FailureClass::ALL.len()
    );
    let empty =
        compiled("rules: [{ name: a, backends: [{ name: x }], policy: { fallback: { on: [] } } }]");
    assert!(only_rule(&empty).policy.fallback_on.is_empty());
}

#[test]
fn an_attempt_longer_than_the_built_in_request_is_refused() {
    let compiled = compiled(
        "rules: [{ name: a, backends: [{ name: x }], policy: { timeouts: { attempt: 11m } } }]",
    );
    let complaint = verdict(&compiled).accepted.as_ref().unwrap_err();
    assert_eq!(
        complaint.faults[0].path,
        "spec.rules[0].policy.timeouts.attempt"
    );
    assert!(compiled.snapshot.rules.is_empty());
}

#[test]
fn features_are_those_that_are_used() {
    let compiled = compiled(
        "rules: [{ name: a, backends: [{ name: x }] }, { name: b, strategy: { type: Weighted }, backends: [{ name: z, model: mine }] }]",
    );
    let requires: Vec<&str> = compiled
        .snapshot
        .requires
        .iter()
        .map(|feature| feature.0.as_str())
        .collect();
    assert_eq!(
        requires,
        [
            "format.anthropic.messages",
            "format.openai.chat",
            "format.openai.completions",
            "format.openai.embeddings",
            "format.openai.image_edits",
            "format.openai.image_variations",
            "format.openai.images",
            "format.openai.moderations",
            "format.openai.responses",
            "format.openai.speech",
            "format.openai.transcriptions",
            "format.openai.translations",
            "keeps.openai.responses",
            "strategy.priority",
            "strategy.weighted"
        ]
    );
}

/// Two more routes beside `r`: `old` and `new`.
fn three(priorities: [i32; 3]) -> Objects {
    let mut objects = Objects::parse(&route(
        "rules: [{ name: a, matches: [{ models: [gpt-5] }], backends: [{ name: x }] }]",
    ));
    let r = ObjectName::new("shop", "r");
    let spec = objects.routes[&r].clone();
    for (name, created) in [("old", 1), ("new", 3)] {
        let name = ObjectName::new("shop", name);
        objects.routes.insert(name.clone(), spec.clone());
        objects.created.insert(name, created);
    }
    objects.created.insert(r, 2);
    for (name, priority) in ["old", "r", "new"].into_iter().zip(priorities) {
        objects
            .routes
            .get_mut(&ObjectName::new("shop", name))
            .unwrap()
            .priority = Some(priority);
    }
    objects
}

#[test]
fn routes_are_ordered_by_priority_then_age_and_the_rest_is_shadowed() {
    for (priorities, first) in [
        ([0, 0, 0], "shop/old"),
        ([5, 5, 4], "shop/new"),
        ([1, 0, 0], "shop/r"),
    ] {
        let compiled = three(priorities).compile();
        assert_eq!(only_rule(&compiled).route, first);
        let conflicted = compiled.routes.values().filter(|verdict| {
            verdict.served.is_none()
                && verdict
                    .accepted
                    .as_ref()
                    .is_err_and(|complaint| complaint.reason == Reason::Conflicted)
        });
        assert_eq!(conflicted.count(), 2);
    }
}

#[test]
fn a_rule_is_unreachable_when_several_cover_it_together() {
    let compiled = compiled(
        "
rules:
- { name: a, matches: [{ models: [gpt-5] }], backends: [{ name: x }] }
- { name: b, matches: [{ models: ['claude-*'] }], backends: [{ name: x }] }
- { name: c, matches: [{ models: [gpt-5] }, { models: [claude-opus-5] }], backends: [{ name: x }] }
- { name: d, matches: [{ models: [gpt-5, mine] }], backends: [{ name: x }] }
",
    );
    let warnings = verdict(&compiled).accepted.as_ref().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].message.contains("rule \"a\" and rule \"b\""),
        "{warnings:?}"
    );
    assert_eq!(compiled.snapshot.rules.len(), 4);
}

#[test]
fn a_pool_is_its_own_namespaces_unless_it_says_otherwise() {
    for (allowed, ok) in [
        ("", false),
        ("allowedRoutes: { namespaces: { from: Same } }", false),
        ("allowedRoutes: { namespaces: { from: All } }", true),
    ] {
        let yaml = route("rules: [{ name: a, backends: [{ name: x }] }]")
            .replace("allowedRoutes: { namespaces: { from: All } }", allowed);
        let compiled = Objects::parse(&yaml).compile();
        assert_eq!(verdict(&compiled).resolved.is_ok(), ok, "{allowed}");
        assert_eq!(only_rule(&compiled).unavailable.is_empty(), ok);
    }
}

/// A model is asked for what it does alone: one that transcribes does not converse, one that converses does not paint.
#[test]
fn models_are_asked_for_what_they_do() {
    let yaml = route("rules: [{ name: all, backends: [{ name: same }] }]").replace(
        "models: [{ name: gpt-5, aliases: [large] }",
        "models: [{ name: whisper-1 }, { name: gpt-5, aliases: [large] }",
    );
    let compiled = Objects::parse(&yaml).compile();
    let models = &compiled.snapshot.pools["platform/chat"].providers[0].models;
    let formats = |name: &str| -> Vec<&str> {
        let formats = models[name].formats.iter();
        formats.map(|one| one.name()).collect()
    };
    let transcribes = ["openai.transcriptions", "openai.translations"];
    assert_eq!(formats("whisper-1"), transcribes);
    assert_eq!(formats("gpt-5"), ["openai.chat", "openai.responses"]);
}
