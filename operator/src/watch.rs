//! Watches of the API server, one a kind and namespace, into stores that the rest reads.
//!
//! *Guarantees*: nothing is read from a store before its first list is complete ([`Stores::synced`]), so a restart never
//! looks like an empty cluster; what nobody reads is pruned before it is kept; every change of a store moves [`Changes`].
//!
//! *Caveats*: a watch that fails is tried again for ever, with back-off; what it said last stays in its store.

mod prune;

use std::fmt;
use std::pin::{Pin, pin};

use fkm_crds::{LLMRoute, ProviderPool};
use futures_util::{Stream, StreamExt};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, Config, Event, watcher};
use kube::{Api, Client, Error, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::args::Settings;
use crate::metrics::WatchMetrics;
use crate::revision;

/// The label that says of a pod that it was given our sidecar.
pub const INJECTED_LABEL: &str = "fluxkontext.dev/injected";

/// How long one watch of pods may last: for so long, and a little more, a connection that died without a word hides that
/// a pod may have no keys any more.
const PODS_WATCH_SECONDS: u32 = 60;

/// Moves whenever something that decisions depend on has changed. Cheap to clone; level-triggered: who is late sees
/// only that there was a change, and reads the newest state.
#[derive(Clone, Debug)]
pub struct Changes(watch::Sender<()>);

/// Read handles of everything that is watched.
#[derive(Clone)]
pub struct Stores {
    /// Pools, one store a pool namespace.
    pub pools: Vec<Store<ProviderPool>>,
    /// Routes of all namespaces.
    pub routes: Store<LLMRoute>,
    /// Names and labels of all namespaces.
    pub namespaces: Store<PartialObjectMeta<Namespace>>,
    /// Config maps, one store a pool namespace.
    pub config_maps: Vec<Store<ConfigMap>>,
    /// Which Secrets exist in which version, one store a pool namespace. No values.
    pub secrets: Vec<Store<PartialObjectMeta<Secret>>>,
    /// Pods that carry our sidecar, pruned.
    pub pods: Store<Pod>,
    /// The specs accepted last.
    pub revisions: Store<ControllerRevision>,
}

/// A watch to be run until shutdown.
pub struct Watch {
    /// For logs: the kind.
    pub name: &'static str,
    /// Follows the kind for ever.
    pub run: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What a watched kind must be able to do.
pub trait Watched:
    Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static
{
}

impl<K> Watched for K where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static
{
}

/// Collects the watches as they are set up.
struct Setup<'a> {
    changes: &'a Changes,
    metrics: &'a WatchMetrics,
    watches: Vec<Watch>,
}

/// Sets up every watch. The stores fill while the returned watches run.
pub fn watches(
    client: &Client,
    settings: &Settings,
    changes: &Changes,
    metrics: &WatchMetrics,
) -> (Stores, Vec<Watch>) {
    let mut setup = Setup {
        changes,
        metrics,
        watches: Vec::new(),
    };
    let client = || client.clone();
    // Pods are many: a list from the API server's own memory will do, the watch then catches up.
    let pods = Config::default()
        .labels(&format!("{INJECTED_LABEL}=true"))
        .any_semantic()
        .timeout(PODS_WATCH_SECONDS);
    let revisions = Config::default().labels(revision::SELECTOR);
    let mut stores = Stores {
        pools: Vec::new(),
        routes: setup.add(
            "LLMRoute",
            Api::all(client()),
            Config::default(),
            prune::route,
        ),
        namespaces: setup.add(
            "Namespace",
            Api::all(client()),
            Config::default(),
            prune::namespace,
        ),
        config_maps: Vec::new(),
        secrets: Vec::new(),
        pods: setup.add("Pod", Api::all(client()), pods, prune::pod),
        revisions: setup.add(
            "ControllerRevision",
            Api::namespaced(client(), &settings.namespace),
            revisions,
            prune::revision,
        ),
    };
    for namespace in &settings.pool_namespaces {
        let config = Config::default;
        stores.pools.push(setup.add(
            "ProviderPool",
            Api::namespaced(client(), namespace),
            config(),
            prune::pool,
        ));
        let api = Api::namespaced(client(), namespace);
        stores
            .config_maps
            .push(setup.add("ConfigMap", api, config(), prune::config_map));
        stores.secrets.push(setup.add(
            "Secret",
            Api::namespaced(client(), namespace),
            config(),
            prune::secret,
        ));
    }
    (stores, setup.watches)
}

/// Keeps one store equal to what the API server says.
async fn follow<K: Watched>(
    kind: &'static str,
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    mut writer: Writer<K>,
    changes: Changes,
    metrics: WatchMetrics,
) {
    let mut events = pin!(events);
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                writer.apply_watcher_event(&event);
                // Between Init and InitDone the store still shows the old state.
                if !matches!(event, Event::Init | Event::InitApply(_)) {
                    changes.notify();
                }
            }
            Err(error) => {
                metrics.failed(kind);
                report(kind, &error);
            }
        }
    }
}

fn report(kind: &'static str, error: &watcher::Error) {
    let status = match error {
        watcher::Error::InitialListFailed(Error::Api(status))
        | watcher::Error::WatchStartFailed(Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status.code),
        _ => None,
    };
    let error = error as &dyn std::error::Error;
    match status {
        Some(403) => warn!(
            kind,
            error, "watch refused; maybe the RBAC of the operator is not applied in this namespace"
        ),
        Some(404) => warn!(
            kind,
            error, "kind not served; maybe the CRDs are not applied"
        ),
        // The server has forgotten the version we stood at: the list that follows is the cure.
        Some(410) => debug!(kind, error, "watch expired; listing again"),
        _ => warn!(kind, error, "watch failed; trying again"),
    }
}

// === impl Changes ===

impl Changes {
    /// Nothing has changed yet.
    pub fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// Wakes everybody who waits.
    pub fn notify(&self) {
        self.0.send_replace(());
    }

    /// A waiter that sees the changes from here on.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Stores ===

impl Stores {
    /// Waits until every first list is complete. For one caller only: of several that wait at the same time, the store wakes
    /// the last. `false`: a watch has ended before, which only a shutdown does.
    pub async fn synced(&self) -> bool {
        let mut complete = self.routes.wait_until_ready().await.is_ok()
            && self.namespaces.wait_until_ready().await.is_ok()
            && self.pods.wait_until_ready().await.is_ok()
            && self.revisions.wait_until_ready().await.is_ok();
        for store in &self.pools {
            complete &= store.wait_until_ready().await.is_ok();
        }
        for store in &self.config_maps {
            complete &= store.wait_until_ready().await.is_ok();
        }
        for store in &self.secrets {
            complete &= store.wait_until_ready().await.is_ok();
        }
        complete
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

// === impl Watch ===

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

// === impl Setup ===

impl Setup<'_> {
    fn add<K: Watched>(
        &mut self,
        kind: &'static str,
        api: Api<K>,
        config: Config,
        prune: fn(&mut K),
    ) -> Store<K> {
        let (store, writer) = reflector::store();
        let events = watcher(api, config).default_backoff().modify(prune);
        let run = Box::pin(follow(
            kind,
            events,
            writer,
            self.changes.clone(),
            self.metrics.clone(),
        ));
        self.watches.push(Watch { name: kind, run });
        store
    }
}
