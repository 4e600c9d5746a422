//! From the objects of the folder to what one pod is to have, and all that is wrong. Pure.

use std::collections::{BTreeMap, BTreeSet};

use fkm_compile::{Inputs, ObjectName, Verdict, compile, judge_pool};
use fkm_snapshot::SecretId;

use super::changes::State;
use super::found::Found;
use super::settings::Pod;
use crate::lint::{self, Judged, Stage};
use crate::manifests::Manifests;

/// What compilation made of the folder.
#[derive(Debug)]
pub(super) struct Build {
    pub(super) payload: Vec<u8>,
    pub(super) rules: usize,
    /// The keys that the snapshot needs.
    pub(super) secrets: BTreeSet<SecretId>,
    /// In the order of the files.
    pub(super) found: Vec<Found>,
}

/// The documents that are no objects at all, or stand twice; empty where all can be read.
pub(super) fn unreadable(manifests: &Manifests) -> Vec<Found> {
    manifests
        .judged()
        .iter()
        .flat_map(|judged| {
            let unreadable = judged
                .findings
                .iter()
                .filter(|one| one.stage == Stage::Yaml);
            unreadable.map(|finding| Found::new(&judged.origin, finding, false))
        })
        .collect()
}

/// Compiles what the pod is to have, and remembers which specs were accepted.
pub(super) fn build(state: &mut State, pod: Option<&Pod>) -> Build {
    let mut world = state.manifests.world();
    world.pools = state.objects.pools();
    let compiled = compile(&Inputs {
        routes: state.objects.routes(pod),
        world: &world,
    });
    let judged = world.pools.keys();
    let pools: BTreeMap<ObjectName, Verdict> = judged
        .filter_map(|name| Some((name.clone(), judge_pool(name, &world)?)))
        .collect();
    let (routes_accepted, pools_accepted) = (accepted(&compiled.routes), accepted(&pools));
    let found = found(state, compiled.routes, pools);
    state.objects.accept(&routes_accepted, &pools_accepted);
    Build {
        payload: compiled.payload,
        rules: compiled.snapshot.rules.len(),
        secrets: compiled.secrets,
        found,
    }
}

fn accepted(verdicts: &BTreeMap<ObjectName, Verdict>) -> BTreeSet<ObjectName> {
    let accepted = verdicts
        .iter()
        .filter(|(_, verdict)| verdict.accepted.is_ok());
    accepted.map(|(name, _)| name.clone()).collect()
}

/// Everything that is wrong: what an API server would refuse, and what the operator would say of the others.
fn found(
    state: &State,
    mut routes: BTreeMap<ObjectName, Verdict>,
    mut pools: BTreeMap<ObjectName, Verdict>,
) -> Vec<Found> {
    let mut found = Vec::new();
    for Judged { origin, findings } in state.manifests.judged() {
        let name = origin.object_name();
        let earlier = state.objects.has(&origin.kind, &name);
        let refused = findings.iter();
        found.extend(refused.map(|finding| Found::new(origin, finding, earlier)));
        let verdicts = match origin.kind.as_str() {
            "LLMRoute" => &mut routes,
            "ProviderPool" => &mut pools,
            _ => continue,
        };
        if let Some(verdict) = verdicts.remove(&name) {
            let served = verdict.served.is_some();
            let findings = lint::findings(verdict);
            found.extend(
                findings
                    .iter()
                    .map(|finding| Found::new(origin, finding, served)),
            );
        }
    }
    found
}
