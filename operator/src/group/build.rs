//! Compiles groups and packs what comes out, on a thread of its own. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fkm_compile::{Compiled, Verdict, World};
use fkm_push::ObjectRef;
use fkm_snapshot::{Problem, SecretId, ValidSnapshot};
use kube::{Resource, ResourceExt};
use thiserror::Error;
use tokio::time::Instant;

use super::material::{Fingerprint, Material};
use crate::assignment::Payload;
use crate::index::GroupKey;
use crate::metrics::GroupMetrics;
use crate::object::ObjectName;

/// What compilation made of one group.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) payload: Arc<Payload>,
    /// The keys that the snapshot needs.
    pub(crate) secrets: BTreeSet<SecretId>,
    pub(crate) routes: BTreeMap<ObjectName, Verdict>,
}

/// A fault of our own: compile made what the sidecar's own check refuses.
#[derive(Debug, Error)]
#[error("the compiled snapshot is not valid: {}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))]
pub(crate) struct BuildError(Vec<Problem>);

/// Everything that one pass compiled.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) groups: Vec<(GroupKey, Result<Built, BuildError>)>,
    pub(crate) pools: BTreeMap<ObjectName, Verdict>,
}

/// Compiles the groups, and judges every pool whose Secrets are known. What a group had before goes with its key, for an equal payload is kept.
pub(crate) fn build(
    material: &Material,
    groups: Vec<(GroupKey, Fingerprint, Option<Arc<Payload>>)>,
    metrics: &GroupMetrics,
) -> Batch {
    let world = material.world();
    let pools = material
        .view
        .pools
        .keys()
        .filter(|name| !material.is_pending(name));
    let pools = pools
        .filter_map(|name| Some((name.clone(), fkm_compile::judge_pool(name, &world)?)))
        .collect();
    let mut built = Vec::new();
    for (key, fingerprint, before) in groups {
        let start = Instant::now();
        let result = group(material, &world, &key, fingerprint, before);
        metrics.compiled(start.elapsed().as_secs_f64());
        built.push((key, result));
    }
    Batch {
        groups: built,
        pools,
    }
}

// === impl Built ===

impl Built {
    /// Whether one of these objects is in it.
    pub(crate) fn names_any(&self, uids: &BTreeSet<String>) -> bool {
        self.payload
            .objects
            .iter()
            .any(|object| uids.contains(&object.uid))
    }
}

fn group(
    material: &Material,
    world: &World<'_>,
    key: &GroupKey,
    fingerprint: Fingerprint,
    before: Option<Arc<Payload>>,
) -> Result<Built, BuildError> {
    let compiled = fkm_compile::compile(&material.inputs(key, world));
    let snapshot = ValidSnapshot::from_payload(&compiled.payload).map_err(BuildError)?;
    let objects = objects(material, &compiled);
    let payload = match before {
        Some(before) if before.hash == snapshot.hash() && *before.objects == *objects => before,
        Some(before) if before.hash == snapshot.hash() => Arc::new(before.with_objects(objects)),
        _ => Arc::new(Payload::new(&snapshot, objects)),
    };
    Ok(Built {
        fingerprint,
        payload,
        secrets: compiled.secrets,
        routes: compiled.routes,
    })
}

/// The generations that are in the snapshot.
fn objects(material: &Material, compiled: &Compiled) -> Vec<ObjectRef> {
    let mut objects = Vec::new();
    for (name, verdict) in &compiled.routes {
        let route = material.view.routes.get(name);
        objects.extend(route.and_then(|route| object(&**route, name, verdict)));
    }
    for (name, verdict) in &compiled.pools {
        let pool = material.view.pools.get(name);
        objects.extend(pool.and_then(|pool| object(&**pool, name, verdict)));
    }
    objects
}

fn object<K: Resource<DynamicType = ()>>(
    object: &K,
    name: &ObjectName,
    verdict: &Verdict,
) -> Option<ObjectRef> {
    Some(ObjectRef {
        kind: K::kind(&()).into_owned(),
        namespace: name.namespace.clone(),
        name: name.name.clone(),
        uid: object.uid()?,
        generation: verdict.served?,
    })
}
