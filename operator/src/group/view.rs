//! Everything that is watched, as it stands at one moment: what one pass works on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fkm_crds::{LLMRoute, ProviderPool};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt};

use crate::object::{ObjectName, name_of};
use crate::watch::Stores;

/// Objects by name; cheap to make, for they are shared with the stores.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) routes: BTreeMap<ObjectName, Arc<LLMRoute>>,
    pub(crate) pools: BTreeMap<ObjectName, Arc<ProviderPool>>,
    pub(crate) namespaces: BTreeMap<String, Arc<PartialObjectMeta<Namespace>>>,
    pub(crate) config_maps: BTreeMap<ObjectName, Arc<ConfigMap>>,
    /// The names of all Secrets of the pools' namespaces.
    pub(crate) secrets: BTreeSet<ObjectName>,
    pub(crate) pods: Vec<Arc<Pod>>,
    pub(crate) revisions: Vec<Arc<ControllerRevision>>,
}

// === impl View ===

impl View {
    /// What the stores hold now.
    pub(crate) fn of(stores: &Stores) -> Self {
        let namespaces = stores.namespaces.state().into_iter();
        let mut pods = stores.pods.state();
        pods.sort_by_cached_key(|pod| name_of(&**pod));
        Self {
            routes: by_name(std::slice::from_ref(&stores.routes)),
            pools: by_name(&stores.pools),
            namespaces: namespaces
                .map(|namespace| (namespace.name_any(), namespace))
                .collect(),
            config_maps: by_name(&stores.config_maps),
            secrets: stores
                .secrets
                .iter()
                .flat_map(Store::state)
                .map(|secret| name_of(&*secret))
                .collect(),
            pods,
            revisions: stores.revisions.state(),
        }
    }

    /// The uids of the routes and pools that exist.
    pub(crate) fn owners(&self) -> BTreeSet<String> {
        let routes = self.routes.values().filter_map(|route| route.uid());
        routes
            .chain(self.pools.values().filter_map(|pool| pool.uid()))
            .collect()
    }
}

fn by_name<K: Resource<DynamicType = ()> + Clone + 'static>(
    stores: &[Store<K>],
) -> BTreeMap<ObjectName, Arc<K>> {
    let all = stores.iter().flat_map(Store::state);
    all.map(|object| (name_of(&*object), object)).collect()
}
