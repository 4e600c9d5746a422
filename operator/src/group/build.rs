//! Compiles groups and packs what comes out, on a thread of its own. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use fkm_compile::{Compiled, Verdict, World};
use fkm_push::ObjectRef;
use fkm_snapshot::{Problem, SecretId, ValidSnapshot};
use kube::{Resource, ResourceExt};
use thiserror::Error;
use tokio::time::Instant;
use tracing::error;

use super::material::{Fingerprint, Material};
use crate::assignment::Payload;
use crate::index::GroupKey;
use crate::metrics::GroupMetrics;
use crate::object::ObjectName;
use crate::task;

/// What compilation made of one group.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) payload: Arc<Payload>,
    /// The keys that the snapshot needs.
    pub(crate) secrets: BTreeSet<SecretId>,
    pub(crate) routes: BTreeMap<ObjectName, Verdict>,
}

/// A fault of our own.
#[derive(Debug, Error)]
pub(crate) enum BuildError {
    /// Compile made what the sidecar's own check refuses.
    #[error("the compiled snapshot is not valid: {}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Problem>),
    /// Compile broke down.
    #[error("compilation panicked: {0}")]
    Panicked(String),
}

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
    let judge = |name| catch_unwind(AssertUnwindSafe(|| fkm_compile::judge_pool(name, &world)));
    let pools = pools
        .filter_map(|name| match judge(name) {
            Ok(verdict) => Some((name.clone(), verdict?)),
            Err(panic) => {
                error!(pool = %name, error = task::panic_text(&*panic), "pool not judged; what its status says stays");
                None
            }
        })
        .collect();
    let mut built = Vec::new();
    for (key, fingerprint, before) in groups {
        let start = Instant::now();
        let result = isolated(|| group(material, &world, &key, fingerprint, before));
        metrics.compiled(start.elapsed().as_secs_f64());
        built.push((key, result));
    }
    Batch {
        groups: built,
        pools,
    }
}

/// A panic over one group must not hold up the others.
fn isolated(build: impl FnOnce() -> Result<Built, BuildError>) -> Result<Built, BuildError> {
    // What it works on is only read, or its own.
    catch_unwind(AssertUnwindSafe(build))
        .unwrap_or_else(|panic| Err(BuildError::Panicked(task::panic_text(&*panic))))
}

fn group(
    material: &Material,
    world: &World<'_>,
    key: &GroupKey,
    fingerprint: Fingerprint,
    before: Option<Arc<Payload>>,
) -> Result<Built, BuildError> {
    let compiled = fkm_compile::compile(&material.inputs(key, world));
    let snapshot = ValidSnapshot::from_payload(&compiled.payload).map_err(BuildError::Invalid)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_its_group() {
        let result = isolated(|| panic!("no {}", "bread"));
        assert_eq!(
            result.unwrap_err().to_string(),
            "compilation panicked: no bread"
        );
    }
}
