//! Whatever the kinds hold, valid or not: the compiler does not panic, and what it makes is valid.

use fkm_compile::ObjectName;
use fkm_crds::{
    AllowedRoutes, Backend, BaseUrl, ByteSize, Defaults, Dialect, Duration, FromNamespaces,
    HostPattern, LLMRouteSpec, Locality, Match, Media, MediaAddresses, MediaFetch, Model,
    ModelPattern, Policy, PoolRef, Provider, ProviderPoolSpec, ProviderType, RouteNamespaces, Rule,
    Scope, Simulated, Strategy as RuleStrategy, StrategyType, Timeouts,
};
use fkm_snapshot::{MAX_PAYLOAD_BYTES, ValidSnapshot};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::objects::{LIVE, Objects};

const NAMES: [&str; 4] = ["a", "b", "c", "gpt-5"];

fn name() -> impl Strategy<Value = &'static str> {
    select(&NAMES[..])
}

fn model() -> impl Strategy<Value = Model> {
    (name(), of(name()), prop::collection::vec(name(), 0..2)).prop_map(
        |(name, upstream, aliases)| Model {
            name: name.into(),
            upstream_name: upstream.map(Into::into),
            aliases: aliases.into_iter().map(Into::into).collect(),
        },
    )
}

fn provider() -> impl Strategy<Value = Provider> {
    let kinds = select(
        &[
            ProviderType::OpenAI,
            ProviderType::Anthropic,
            ProviderType::OpenAICompatible,
            ProviderType::Simulated,
        ][..],
    );
    let urls = select(
        &[
            "https://x.example/v1",
            "http://127.0.0.1:1/",
            "nonsense",
            "http://2852039166",
        ][..],
    );
    let presets = select(&["groq", "grok"][..]);
    let models = prop::collection::vec(model(), 1..3);
    (
        name(),
        kinds,
        of(urls),
        of(presets),
        of(0..2i32),
        of(models),
        any::<bool>(),
        any::<bool>(),
        of(dialect()),
    )
        .prop_map(
            |(name, r#type, url, preset, weight, models, local, simulated, dialect)| Provider {
                name: name.into(),
                r#type,
                preset: preset.map(Into::into),
                base_url: url.map(BaseUrl::from),
                priority: None,
                weight,
                locality: local.then_some(Locality {
                    scope: Scope::Local,
                }),
                credentials: None,
                models,
                tls: None,
                proxy: None,
                host_header: None,
                http2: None,
                simulated: simulated.then(Simulated::default),
                dialect,
                formats: None,
                embeddings: None,
                rerank: None,
                keeps: None,
            },
        )
}

/// Some of these contradict themselves.
fn dialect() -> impl Strategy<Value = Dialect> {
    let members = select(&["seed", "user", "model"][..]);
    let decimals = select(&["1", "0.5", "hot"][..]);
    (of(members.clone()), of(members), of(decimals)).prop_map(|(drop, rename, decimal)| Dialect {
        drop: drop.map(|name| vec![name.into()]),
        rename: rename.map(|name| [(name.to_owned(), "lot".into())].into()),
        max_temperature: decimal.map(Into::into),
        ..Dialect::default()
    })
}

/// Some of these fetch nothing, or from everywhere.
fn media() -> impl Strategy<Value = Media> {
    let hosts =
        select(&["a.test", "*", "*.test:8443", "https://a"][..]).prop_map(HostPattern::from);
    let sizes = || of(select(&["1Ki", "30Mi", "0"][..]).prop_map(ByteSize::from));
    let addresses = select(&[MediaAddresses::Public, MediaAddresses::Local][..]);
    let hosts = prop::collection::vec(hosts, 0..3);
    (hosts, sizes(), sizes(), of(addresses), of(0..200i32)).prop_map(
        |(hosts, max_size, max_total_size, addresses, max_items)| Media {
            fetch: MediaFetch {
                hosts,
                allow_http: None,
                addresses,
                max_size,
                max_total_size,
                max_items,
                timeout: None,
            },
        },
    )
}

fn pool() -> impl Strategy<Value = ProviderPoolSpec> {
    let from = select(
        &[
            FromNamespaces::Same,
            FromNamespaces::All,
            FromNamespaces::Selector,
        ][..],
    );
    let providers = prop::collection::vec(provider(), 0..4);
    (of(from), providers, of(media())).prop_map(|(from, providers, media)| ProviderPoolSpec {
        media,
        allowed_routes: from.map(|from| AllowedRoutes {
            namespaces: RouteNamespaces {
                from,
                selector: None,
            },
        }),
        providers,
    })
}

fn pool_ref() -> impl Strategy<Value = PoolRef> {
    (name(), of(select(&["here", "there"][..]))).prop_map(|(name, namespace)| PoolRef {
        name: name.into(),
        namespace: namespace.map(Into::into),
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let duration = || of(select(&["0s", "1s", "20m", "1d"][..]).prop_map(Duration::from));
    (duration(), duration()).prop_map(|(request, attempt)| Policy {
        timeouts: Some(Timeouts {
            request,
            attempt,
            ..Timeouts::default()
        }),
        fallback: None,
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let patterns = select(&["a", "b*", "*c", "*", "a*b", "gpt-5"][..]).prop_map(ModelPattern::from);
    let one_match = of(prop::collection::vec(patterns, 1..3)).prop_map(|models| Match { models });
    let kinds = select(&[StrategyType::Weighted, StrategyType::Priority][..]);
    let backend = (name(), of(pool_ref()), of(name()), of(0..2i32)).prop_map(
        |(name, pool_ref, model, weight)| Backend {
            name: name.into(),
            pool_ref,
            model: model.map(Into::into),
            weight,
        },
    );
    (
        name(),
        prop::collection::vec(one_match, 0..3),
        of(kinds),
        prop::collection::vec(backend, 0..3),
        of(policy()),
    )
        .prop_map(|(name, matches, strategy, backends, policy)| Rule {
            name: name.into(),
            matches,
            strategy: strategy.map(|r#type| RuleStrategy { r#type }),
            backends,
            policy,
        })
}

fn route() -> impl Strategy<Value = LLMRouteSpec> {
    let defaults =
        (of(pool_ref()), of(policy())).prop_map(|(pool_ref, policy)| Defaults { pool_ref, policy });
    (
        of(-1..2i32),
        of(defaults),
        prop::collection::vec(rule(), 0..4),
    )
        .prop_map(|(priority, defaults, rules)| LLMRouteSpec {
            workload_selector: None,
            priority,
            defaults,
            rules,
        })
}

fn objects() -> impl Strategy<Value = Objects> {
    let pools =
        || prop::collection::btree_map((select(&["here", "there"][..]), name()), pool(), 0..4);
    let routes = || prop::collection::btree_map(name(), route(), 0..4);
    (pools(), pools(), routes(), routes()).prop_map(
        |(pools, accepted_pools, routes, accepted_routes)| {
            let pool = |((namespace, name), spec)| (ObjectName::new(namespace, name), spec);
            let route = |(name, spec)| (ObjectName::new("here", name), spec);
            Objects {
                pools: pools.into_iter().map(pool).collect(),
                accepted_pools: accepted_pools.into_iter().map(pool).collect(),
                routes: routes.into_iter().map(route).collect(),
                accepted_routes: accepted_routes.into_iter().map(route).collect(),
                ..Objects::default()
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_snapshot_is_valid(objects in objects()) {
        let compiled = objects.compile();
        let valid = ValidSnapshot::try_new(&compiled.snapshot);
        prop_assert!(valid.is_ok(), "{valid:?}\n{:#?}", compiled.snapshot);
        prop_assert!(compiled.snapshot.to_payload() == compiled.payload);
        prop_assert!(compiled.payload.len() <= MAX_PAYLOAD_BYTES);
        prop_assert_eq!(compiled.routes.len(), objects.routes.len());
        for (name, verdict) in &compiled.routes {
            let present = compiled.snapshot.rules.iter().any(|rule| rule.route == name.to_string());
            prop_assert_eq!(present, verdict.served.is_some(), "{}: {:?}", name, verdict);
            prop_assert_eq!(verdict.served == Some(LIVE), verdict.accepted.is_ok(), "{}: {:?}", name, verdict);
        }
        for rule in &compiled.snapshot.rules {
            let verdict = &compiled.routes.iter().find(|(name, _)| rule.route == name.to_string()).unwrap().1;
            prop_assert!(rule.unavailable.is_empty() || verdict.resolved.is_err());
        }
    }
}
