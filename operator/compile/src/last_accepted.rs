//! Which spec of an object takes effect: the live one, or what is left of the last accepted one.
//!
//! *Guarantees*: the last accepted spec stands in only while the live one is invalid in itself, and even then the live
//! one decides what is gone (rules, backends, providers, models, formats, vectors, ranks), what is referred to (pools,
//! models, Secrets, config maps), who may refer (`allowedRoutes`, which is read from the live spec alone), what clients
//! may keep and what may be fetched: a typo never undoes a revocation. A key never goes to an address (paths and
//! `hostHeader` are part of it) that it was not named for. What removals leave unable to answer goes alone: its
//! neighbours stay. Where only weights of 0 are left, the live ones hold.

use fkm_crds::{
    Backend, ByteSize, Credential, Defaults, KeptKind, LLMRouteSpec, Media, MediaFetch, Model,
    Provider, ProviderPoolSpec, ProviderType, Rule, SpokenFormat,
};

use crate::validate::{self, ValidPool, ValidRoute};
use crate::{Fault, PoolInput, RouteInput};

/// The spec that takes effect, judged.
#[derive(Clone, Debug)]
pub(crate) struct Effective<V> {
    /// `None`: nothing of the object takes effect.
    pub(crate) valid: Option<Served<V>>,
    /// What is wrong with the live spec itself.
    pub(crate) faults: Vec<Fault>,
}

#[derive(Clone, Debug)]
pub(crate) struct Served<V> {
    pub(crate) spec: V,
    pub(crate) generation: i64,
}

/// The spec of a route that takes effect.
pub(crate) fn route(input: &RouteInput<'_>) -> Effective<ValidRoute> {
    match validate::route(input.meta.namespace, input.live) {
        Ok(spec) => live(spec, input.meta.generation),
        Err(faults) => Effective {
            valid: earlier_route(input),
            faults,
        },
    }
}

/// What is left of the last accepted spec of a route, if that is another than the live one.
pub(crate) fn earlier_route(input: &RouteInput<'_>) -> Option<Served<ValidRoute>> {
    let RouteInput { meta, live, .. } = input;
    let stored = input.accepted?;
    if stored.generation == meta.generation {
        return None;
    }
    let remaining = remaining_route(stored.spec, live, meta.namespace);
    let mut spec = validate::route(meta.namespace, &remaining).ok()?;
    relocate_route(&mut spec, live);
    Some(Served {
        spec,
        generation: stored.generation,
    })
}

/// The spec of a pool that takes effect.
pub(crate) fn pool(input: &PoolInput<'_>) -> Effective<ValidPool> {
    match validate::pool(input.live) {
        Ok(spec) => live(spec, input.generation),
        Err(faults) => Effective {
            valid: earlier_pool(input),
            faults,
        },
    }
}

fn earlier_pool(input: &PoolInput<'_>) -> Option<Served<ValidPool>> {
    let stored = input.accepted?;
    if stored.generation == input.generation {
        return None;
    }
    let remaining = remaining_pool(stored.spec, input.live);
    let mut spec = validate::providers(&remaining).ok()?;
    if spec.providers.is_empty() {
        return None;
    }
    relocate_pool(&mut spec, input.live);
    Some(Served {
        spec,
        generation: stored.generation,
    })
}

fn live<V>(spec: V, generation: i64) -> Effective<V> {
    Effective {
        valid: Some(Served { spec, generation }),
        faults: Vec::new(),
    }
}

fn remaining_route(stored: &LLMRouteSpec, live: &LLMRouteSpec, namespace: &str) -> LLMRouteSpec {
    let mut spec = stored.clone();
    spec.workload_selector.clone_from(&live.workload_selector);
    let live_default = live
        .defaults
        .as_ref()
        .and_then(|defaults| defaults.pool_ref.as_ref());
    let defaults = spec.defaults.get_or_insert_with(Defaults::default);
    defaults.pool_ref = live_default.cloned();
    let mut rules = std::mem::take(&mut spec.rules);
    rules.retain_mut(|rule| {
        let named = |one: &&Rule| one.name == rule.name;
        let live = live.rules.iter().find(named);
        live.is_some_and(|live| keep_rule(rule, live, live_default.is_some()))
            && is_right_alone(rule, &spec, namespace)
    });
    spec.rules = rules;
    spec
}

/// Takes the live rule's references and removals over; whether anything is left.
fn keep_rule(rule: &mut Rule, live: &Rule, has_default: bool) -> bool {
    rule.backends.retain_mut(|backend| {
        let named = |one: &&Backend| one.name == backend.name;
        let Some(live) = live.backends.iter().find(named) else {
            return false;
        };
        backend.pool_ref.clone_from(&live.pool_ref);
        backend.model.clone_from(&live.model);
        backend.pool_ref.is_some() || has_default
    });
    if rule.backends.iter().all(|one| one.weight == Some(0)) {
        for backend in &mut rule.backends {
            let named = |one: &&Backend| one.name == backend.name;
            backend.weight = live
                .backends
                .iter()
                .find(named)
                .and_then(|live| live.weight);
        }
    }
    !rule.backends.is_empty()
}

/// Whether a route of this one rule could be accepted: where not, only this rule goes.
fn is_right_alone(rule: &Rule, route: &LLMRouteSpec, namespace: &str) -> bool {
    let alone = LLMRouteSpec {
        rules: vec![rule.clone()],
        ..route.clone()
    };
    validate::route(namespace, &alone).is_ok()
}

fn remaining_pool(stored: &ProviderPoolSpec, live: &ProviderPoolSpec) -> ProviderPoolSpec {
    let mut spec = stored.clone();
    spec.allowed_routes.clone_from(&live.allowed_routes);
    spec.media = remaining_media(stored.media.as_ref(), live.media.as_ref());
    spec.providers.retain_mut(|provider| {
        let Some(live) = named_provider(provider, live) else {
            return false;
        };
        let remaining = remaining_provider(provider, live);
        remaining.map(|remaining| *provider = remaining).is_some()
    });
    if spec.providers.iter().all(|one| one.weight == Some(0)) {
        for provider in &mut spec.providers {
            provider.weight = named_provider(provider, live).and_then(|live| live.weight);
        }
    }
    spec
}

/// What may be fetched: as the live spec says where that is right; else no more than both say.
fn remaining_media(stored: Option<&Media>, live: Option<&Media>) -> Option<Media> {
    let live = live?;
    if validate::is_right_media(&live.fetch) {
        return Some(live.clone());
    }
    let (mut media, live) = (stored?.clone(), &live.fetch);
    let fetch = &mut media.fetch;
    fetch.hosts.retain(|host| live.hosts.contains(host));
    if live.allow_http != Some(true) {
        fetch.allow_http = None;
    }
    fetch.addresses = fetch.addresses.min(live.addresses);
    lower_limits(fetch, live);
    validate::is_right_media(fetch).then_some(media)
}

/// Sets each limit that the live spec sets lower, as far as that is a limit.
fn lower_limits(fetch: &mut MediaFetch, live: &MediaFetch) {
    let bytes = |size: &ByteSize| size.bytes().ok();
    lower(
        &mut fetch.max_total_size,
        live.max_total_size.as_ref(),
        validate::MEDIA_TOTAL_BYTES,
        bytes,
    );
    lower(
        &mut fetch.max_size,
        live.max_size.as_ref(),
        validate::MEDIA_BYTES,
        bytes,
    );
    lower(
        &mut fetch.max_items,
        live.max_items.as_ref(),
        validate::MEDIA_ITEMS,
        |items| u32::try_from(*items).ok().filter(|items| *items > 0),
    );
    lower(
        &mut fetch.timeout,
        live.timeout.as_ref(),
        validate::MEDIA_TIMEOUT.into(),
        |timeout| timeout.parse().ok().filter(|timeout| !timeout.is_zero()),
    );
    let total = fetch.max_total_size.as_ref().and_then(bytes);
    let one = fetch.max_size.as_ref().and_then(bytes);
    if one > Some(total.unwrap_or(validate::MEDIA_TOTAL_BYTES)) {
        fetch.max_size = None;
    }
}

/// `usual` is what an omitted limit stands for.
fn lower<T: Clone, N: Ord>(
    stored: &mut Option<T>,
    live: Option<&T>,
    usual: N,
    number: impl Fn(&T) -> Option<N>,
) {
    let live_number = live.map(&number);
    let stored_number = stored.as_ref().map(&number);
    let usual = Some(usual);
    let live_number = live_number.as_ref().unwrap_or(&usual);
    if live_number.is_some() && live_number < stored_number.as_ref().unwrap_or(&usual) {
        *stored = live.cloned();
    }
}

fn named_provider<'a>(provider: &Provider, live: &'a ProviderPoolSpec) -> Option<&'a Provider> {
    live.providers.iter().find(|one| one.name == provider.name)
}

/// The provider with the live one's references and removals, if that leaves anything that is right.
fn remaining_provider(stored: &Provider, live: &Provider) -> Option<Provider> {
    let right = |provider: &Provider| {
        let alone = ProviderPoolSpec {
            allowed_routes: None,
            media: None,
            providers: vec![provider.clone()],
        };
        validate::providers(&alone).is_ok()
    };
    let mut provider = stored.clone();
    provider.keeps = granted(stored.keeps.as_deref(), live.keeps.as_deref());
    keep_formats(&mut provider, live);
    if !keep_models(&mut provider, live) {
        return None;
    }
    if provider.r#type == ProviderType::Simulated {
        return right(&provider).then_some(provider);
    }
    if same_address(&provider, live) {
        let mut referring = provider.clone();
        referring.credentials.clone_from(&live.credentials);
        referring.tls.clone_from(&live.tls);
        referring.proxy.clone_from(&live.proxy);
        if right(&referring) {
            return keeps_keys(&referring, stored).then_some(referring);
        }
    }
    keep_credentials(&mut provider, live);
    if !names_the_same_secrets(&provider, live) {
        return None;
    }
    (keeps_keys(&provider, stored) && right(&provider)).then_some(provider)
}

/// What clients may keep: no more than both say. Who says nothing says answers alone.
fn granted(stored: Option<&[KeptKind]>, live: Option<&[KeptKind]>) -> Option<Vec<KeptKind>> {
    let says = |kinds: Option<&[KeptKind]>, kind| {
        kinds.map_or(kind == KeptKind::Responses, |kinds| kinds.contains(&kind))
    };
    if stored.is_none() && says(live, KeptKind::Responses) {
        return None;
    }
    let stored = stored.unwrap_or_default().iter().copied();
    Some(stored.filter(|kind| says(live, *kind)).collect())
}

/// Whether it has a key, if it had one.
fn keeps_keys(provider: &Provider, stored: &Provider) -> bool {
    stored.credentials.is_none() || provider.credentials.is_some()
}

/// Leaves what it speaks besides its dialect as far as the live spec still says that it does.
fn keep_formats(provider: &mut Provider, live: &Provider) {
    let named = live.formats.as_deref().unwrap_or_default();
    let is_named = |one: &SpokenFormat| named.iter().any(|live| live.format == one.format);
    let stored = provider.formats.take().unwrap_or_default();
    let kept: Vec<_> = stored.into_iter().filter(is_named).collect();
    provider.formats = (!kept.is_empty()).then_some(kept);
    provider.embeddings.take_if(|_| live.embeddings.is_none());
    provider.rerank.take_if(|_| live.rerank.is_none());
}

/// Whether everything that goes to the provider goes where the live spec sends it.
fn same_address(provider: &Provider, live: &Provider) -> bool {
    let host = |one: &Provider| {
        let parts = (one.preset.clone(), one.base_url.clone());
        (one.r#type, parts, one.host_header.clone())
    };
    let paths = |one: &Provider| {
        let dialect = one.dialect.clone().unwrap_or_default();
        let vectors = one.embeddings.as_ref().map(|one| one.path.clone());
        let ranks = one.rerank.as_ref().map(|one| one.path.clone());
        let dialect = [dialect.path, dialect.stream_path, dialect.count_path];
        (dialect, vectors, ranks)
    };
    let named = live.formats.as_deref().unwrap_or_default();
    let mut formats = provider.formats.iter().flatten();
    host(provider) == host(live)
        && paths(provider) == paths(live)
        && formats.all(|one| named.contains(one))
}

/// Whether the live spec still shows the same certificate, and the same proxy the same password.
fn names_the_same_secrets(provider: &Provider, live: &Provider) -> bool {
    let identity = |provider: &Provider| {
        let tls = provider.tls.as_ref();
        tls.and_then(|tls| tls.client_certificate_ref.clone())
    };
    let proxy = provider.proxy.as_ref();
    let has_password = proxy.is_some_and(|proxy| proxy.credentials_ref.is_some());
    let same_identity = identity(provider).is_none() || identity(provider) == identity(live);
    same_identity && (!has_password || provider.proxy == live.proxy)
}

/// Leaves the keys that the live spec still names.
fn keep_credentials(provider: &mut Provider, live: &Provider) {
    let named = live.credentials.as_deref().unwrap_or_default();
    let kept: Option<Vec<Credential>> = provider.credentials.take().map(|stored| {
        stored
            .into_iter()
            .filter(|one| named.contains(one))
            .collect()
    });
    provider.credentials = kept.filter(|kept| !kept.is_empty());
}

fn keep_models(provider: &mut Provider, live: &Provider) -> bool {
    let Some(named) = &live.models else {
        return true;
    };
    let is_named = |model: &Model| named.iter().any(|one| one.name == model.name);
    let kept: Vec<Model> = match provider.models.take() {
        Some(stored) => stored.into_iter().filter(is_named).collect(),
        None => named.iter().map(bare).collect(),
    };
    let left = !kept.is_empty();
    provider.models = Some(kept);
    left
}

/// A model of the catalogue, by its name alone: what else the live spec says of it was not accepted.
fn bare(model: &Model) -> Model {
    Model {
        name: model.name.clone(),
        upstream_name: None,
        aliases: Vec::new(),
    }
}

/// Lets the paths point into the live spec, which is what its author sees.
fn relocate_route(spec: &mut ValidRoute, live: &LLMRouteSpec) {
    for rule in &mut spec.rules {
        let position = live.rules.iter().position(|one| one.name.0 == rule.name);
        let Some((r, live)) = position.map(|r| (r, &live.rules[r])) else {
            continue;
        };
        rule.path = format!("spec.rules[{r}]");
        for backend in &mut rule.backends {
            let position = live
                .backends
                .iter()
                .position(|one| one.name.0 == backend.name);
            let own_pool = backend.pool_path.starts_with(&backend.path);
            backend.path = format!("{}.backends[{}]", rule.path, position.unwrap_or_default());
            if own_pool {
                backend.pool_path = format!("{}.poolRef", backend.path);
            }
        }
    }
}

fn relocate_pool(spec: &mut ValidPool, live: &ProviderPoolSpec) {
    for provider in &mut spec.providers {
        if let Some(p) = live
            .providers
            .iter()
            .position(|one| one.name.0 == provider.name)
        {
            provider.path = format!("spec.providers[{p}]");
        }
    }
}
