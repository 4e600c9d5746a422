//! A bad edit never undoes a revocation, and never grants more than the live spec says.

use fkm_crds::{
    AllowedRoutes, Duration, FromNamespaces, HostPattern, KeptKind, Media, MediaAddresses,
    MediaFetch, RouteNamespaces,
};
use fkm_snapshot::{Addresses, AnyFormat, Connection, HttpConnection, Provider};

use super::{accepted_before, backends, pool, provider, route, spoil_pool, spoil_route};
use crate::objects::Objects;

fn http(provider: &Provider) -> &HttpConnection {
    let Connection::Http(http) = &provider.connection else {
        panic!("{provider:?}")
    };
    http
}

fn keys(provider: &Provider) -> Vec<String> {
    let credentials = http(provider).credentials.iter();
    credentials
        .map(|credential| credential.sign_in.secrets()[0].to_string())
        .collect()
}

#[test]
fn removed_rules_and_backends_are_gone_despite_a_bad_edit() {
    let mut objects = accepted_before();
    spoil_route(&mut objects);
    let live = objects.routes.get_mut(&route()).unwrap();
    live.rules[0].backends.remove(1);
    live.rules.remove(1);
    let compiled = objects.compile();
    assert_eq!(backends(&compiled), [vec!["x"]]);
}

#[test]
fn revoked_namespaces_lose_a_pool_despite_a_bad_edit() {
    let mut objects = accepted_before();
    spoil_pool(&mut objects);
    let namespaces = RouteNamespaces {
        from: FromNamespaces::Same,
        selector: None,
    };
    objects.pools.get_mut(&pool()).unwrap().allowed_routes = Some(AllowedRoutes { namespaces });
    let compiled = objects.compile();
    assert_eq!(compiled.snapshot.rules[0].unavailable, "RefNotPermitted");
    assert!(compiled.secrets.is_empty());
}

#[test]
fn removed_providers_models_and_keys_are_gone_despite_a_bad_edit() {
    let mut objects = accepted_before();
    spoil_pool(&mut objects);
    let live = objects.pools.get_mut(&pool()).unwrap();
    live.providers.remove(1);
    let credentials = live.providers[0].credentials.as_mut().unwrap();
    credentials[0].api_key.as_mut().unwrap().secret_key_ref.key = "b".into();
    let compiled = objects.compile();
    assert_eq!(compiled.snapshot.pools["platform/chat"].providers.len(), 1);
    assert_eq!(keys(provider(&compiled)), ["platform/key/b"]);

    let models = objects.pools.get_mut(&pool()).unwrap().providers[0]
        .models
        .as_mut()
        .unwrap();
    models.remove(1);
    models[0].aliases = vec!["m1".into()];
    let compiled = objects.compile();
    assert_eq!(
        provider(&compiled).models.keys().collect::<Vec<_>>(),
        ["m1"]
    );
}

#[test]
fn a_key_never_goes_to_an_address_that_it_was_not_named_for() {
    let mut objects = accepted_before();
    let live = objects.pools.get_mut(&pool()).unwrap();
    live.providers[0].base_url = Some("http://2852039166/v1".into());
    let kept = objects.compile();
    assert_eq!(
        keys(provider(&kept)),
        ["platform/key/a"],
        "the old key, at the old address"
    );

    let live = objects.pools.get_mut(&pool()).unwrap();
    let credentials = live.providers[0].credentials.as_mut().unwrap();
    credentials[0].api_key.as_mut().unwrap().secret_key_ref.key = "b".into();
    let moved = objects.compile();
    assert!(
        moved.secrets.is_empty(),
        "neither the revoked key nor the new one at the old address"
    );
}

/// Sends what goes to a provider elsewhere.
type Change<'a> = &'a dyn Fn(&mut fkm_crds::Provider, &str);

/// A path is part of an address: behind one host, it may say whose the request is.
#[test]
fn a_new_key_never_goes_to_an_old_path() {
    let dialect = |path: &str| {
        let dialect = serde_json::json!({"path": path});
        Some(serde_json::from_value(dialect).unwrap())
    };
    let formats = |path: &str| {
        let formats = serde_json::json!([{"format": "OpenAIResponses", "path": path}]);
        Some(serde_json::from_value(formats).unwrap())
    };
    let moved = |change: Change<'_>| {
        let mut objects = accepted_before();
        spoil_pool(&mut objects);
        let accepted = objects.accepted_pools.get_mut(&pool()).unwrap();
        change(&mut accepted.providers[0], "/old");
        let live = objects.pools.get_mut(&pool()).unwrap();
        change(&mut live.providers[0], "/new");
        assert_eq!(keys(provider(&objects.compile())), ["platform/key/a"]);
        let live = objects.pools.get_mut(&pool()).unwrap();
        let credentials = live.providers[0].credentials.as_mut().unwrap();
        credentials[0].api_key.as_mut().unwrap().secret_key_ref.key = "b".into();
        objects.compile()
    };
    let changes: [Change<'_>; 3] = [
        &|provider, path| provider.dialect = dialect(path),
        &|provider, path| provider.formats = formats(path),
        &|provider, path| {
            provider.host_header = Some(format!("{}.test", &path[1..]).as_str().into());
        },
    ];
    for change in changes {
        assert!(moved(change).secrets.is_empty());
    }
}

#[test]
fn removed_formats_vectors_and_ranks_are_gone_despite_a_bad_edit() {
    let mut objects = accepted_before();
    let more = serde_json::json!({
        "formats": [
            {"format": "OpenAIResponses", "path": "/responses"},
            {"format": "OpenAICompletions", "path": "/completions"},
        ],
        "embeddings": {"path": "/vectors"},
        "rerank": {"path": "/rerank"},
    });
    let mut full = serde_json::to_value(&objects.pools[&pool()].providers[0]).unwrap();
    for (field, value) in more.as_object().unwrap() {
        full[field] = value.clone();
    }
    let full: fkm_crds::Provider = serde_json::from_value(full).unwrap();
    for pools in [&mut objects.pools, &mut objects.accepted_pools] {
        pools.get_mut(&pool()).unwrap().providers[0] = full.clone();
    }
    spoil_pool(&mut objects);
    let spoken = |objects: &Objects| -> Vec<String> {
        let compiled = objects.compile();
        let http = http(provider(&compiled));
        let formats = http.formats();
        let formats = formats.filter(|one| !matches!(one, AnyFormat::Relayed(_)));
        let formats = formats.map(|one| one.name().to_owned());
        let vectors = http.embeddings.iter().map(|one| one.path.clone());
        formats.chain(vectors).collect()
    };
    let all = [
        "openai.chat",
        "openai.responses",
        "openai.completions",
        "openai.embeddings",
        "cohere.rerank",
        "/vectors",
    ];
    assert_eq!(spoken(&objects), all);
    let live = &mut objects.pools.get_mut(&pool()).unwrap().providers[0];
    live.formats.as_mut().unwrap().remove(0);
    live.embeddings = None;
    live.rerank = None;
    let left = [
        "openai.chat",
        "openai.completions",
        "openai.embeddings",
        "/embeddings",
    ];
    assert_eq!(spoken(&objects), left);
}

/// A pool that fetches from these hosts, over plain HTTP in private networks.
fn fetching(hosts: &[&str]) -> Media {
    Media {
        fetch: MediaFetch {
            hosts: hosts.iter().map(|host| HostPattern::from(*host)).collect(),
            allow_http: Some(true),
            addresses: Some(MediaAddresses::Private),
            ..MediaFetch::default()
        },
    }
}

#[test]
fn leave_to_fetch_is_never_more_than_the_live_pool_gives() {
    let mut objects = accepted_before();
    objects.accepted_pools.get_mut(&pool()).unwrap().media = Some(fetching(&["a.test", "b.test"]));
    let served = |objects: &Objects| {
        let compiled = objects.compile();
        compiled.snapshot.pools["platform/chat"].media.clone()
    };
    // Spoilt elsewhere: what the live pool says of media is right, and holds.
    spoil_pool(&mut objects);
    assert_eq!(served(&objects), None);
    let live = Some(fetching(&["c.test"]));
    objects.pools.get_mut(&pool()).unwrap().media = live;
    assert_eq!(served(&objects).unwrap().hosts, ["c.test"]);
    // Spoilt itself: what both say.
    let mut live = fetching(&["b.test", "c.test"]);
    live.fetch.timeout = Some(Duration::from("1d"));
    live.fetch.allow_http = None;
    live.fetch.addresses = None;
    objects.pools.get_mut(&pool()).unwrap().media = Some(live.clone());
    let media = served(&objects).unwrap();
    assert_eq!(media.hosts, ["b.test"]);
    assert!(!media.plain_http);
    assert_eq!(media.addresses, Addresses::Public);
    live.fetch.hosts.remove(0);
    objects.pools.get_mut(&pool()).unwrap().media = Some(live);
    assert_eq!(served(&objects), None);
}

#[test]
fn what_may_be_kept_is_never_more_than_the_live_pool_says() {
    use KeptKind::{Batches, Files, Responses};
    let mut objects = accepted_before();
    let accepted = objects.accepted_pools.get_mut(&pool()).unwrap();
    accepted.providers[0].keeps = Some(vec![Files, Batches]);
    spoil_pool(&mut objects);
    for (live, expected) in [
        (Some(vec![Batches, Responses]), vec!["openai.batches"]),
        (Some(vec![]), vec![]),
        (None, vec![]),
        (
            Some(vec![Responses, Files, Batches]),
            vec!["openai.files", "openai.batches"],
        ),
    ] {
        objects.pools.get_mut(&pool()).unwrap().providers[0].keeps = live.clone();
        let compiled = objects.compile();
        let http = http(provider(&compiled));
        let kept: Vec<&str> = http.keeps.iter().map(|one| one.kept.name()).collect();
        assert_eq!(kept, expected, "{live:?}");
    }
}

#[test]
fn limits_of_fetching_are_never_above_those_of_the_live_pool() {
    const KI: u64 = 1024;
    let mut objects = accepted_before();
    let mut wide = fetching(&["a.test"]);
    wide.fetch.max_size = Some("8Mi".into());
    wide.fetch.max_items = Some(50);
    wide.fetch.timeout = Some(Duration::from("20s"));
    objects.accepted_pools.get_mut(&pool()).unwrap().media = Some(wide.clone());
    let served = |objects: &mut Objects, live: MediaFetch| {
        objects.pools.get_mut(&pool()).unwrap().media = Some(Media { fetch: live });
        let media = objects.compile().snapshot.pools["platform/chat"]
            .media
            .clone();
        let media = media.unwrap();
        (
            media.max_bytes / KI,
            media.max_total_bytes / KI,
            media.max_items,
            media.timeout.0,
        )
    };
    let mut live = wide.fetch;
    live.timeout = Some(Duration::from("1d"));
    let stored = (8 * KI, 20 * KI, 50, 20_000);
    assert_eq!(served(&mut objects, live.clone()), stored);
    live.max_total_size = Some("4Mi".into());
    live.max_items = None;
    let one_as_all = (4 * KI, 4 * KI, 20, 20_000);
    assert_eq!(served(&mut objects, live.clone()), one_as_all);
    live.max_total_size = Some("40Mi".into());
    live.max_size = Some("512Ki".into());
    live.timeout = Some(Duration::from("1s"));
    assert_eq!(served(&mut objects, live), (512, 20 * KI, 20, 1_000));
}
