//! The two kinds and the catalogue to the snapshot of one group of pods.
//!
//! *Flow*: [`validate`] each object alone (the last accepted spec stands in for a bad edit) → [`dereference`] what they
//! name → order the routes and find [`conflict`]s → [`build`] the snapshot → [`fit`] it into its bound.
//!
//! *Guarantees*: pure (no client, no clock); equal inputs give equal bytes; every snapshot passes
//! [`ValidSnapshot::try_new`](fkm_snapshot::ValidSnapshot::try_new); every refusal names field, value and fix. What is
//! invalid in an object itself never takes effect; references, `allowedRoutes` and removals always do. The work grows with
//! the size of the inputs; with its square only where routes shadow each other and each is too large.
#![warn(missing_docs)]

mod build;
mod conflict;
mod dereference;
mod fit;
mod inputs;
mod last_accepted;
mod patterns;
mod validate;
mod verdict;

pub use inputs::{
    Form, Inputs, Meta, ObjectName, PoolInput, RouteInput, SecretKeys, Stored, World,
};
pub use verdict::{Complaint, Fault, Verdict};

use std::collections::{BTreeMap, BTreeSet};

use fkm_snapshot::{SecretId, Snapshot};

/// What became of one group of pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// What its sidecars get.
    pub snapshot: Snapshot,
    /// The payload of the snapshot: its bytes as they are to be sent.
    pub payload: Vec<u8>,
    /// The keys that the snapshot names; all of them exist.
    pub secrets: BTreeSet<SecretId>,
    /// What is to be said of each route that was given.
    pub routes: BTreeMap<ObjectName, Verdict>,
    /// What is to be said of each pool that a route names and that exists.
    pub pools: BTreeMap<ObjectName, Verdict>,
}

/// Compiles the snapshot of the pods that these routes select.
pub fn compile(inputs: &Inputs<'_>) -> Compiled {
    let mut pools = dereference::Pools::new(inputs.world);
    let routes = conflict::ordered(&inputs.routes);
    let resolved: Vec<_> = routes
        .iter()
        .map(|route| dereference::route(route, &mut pools))
        .collect();
    let fitted = fit::fit(&resolved, &pools);
    Compiled {
        secrets: build::secrets(&fitted.snapshot),
        payload: fitted.payload,
        snapshot: fitted.snapshot,
        routes: fitted.verdicts,
        pools: pools.into_verdicts(),
    }
}

/// What is to be said of a pool, whether or not a route names it.
pub fn judge_pool(name: &ObjectName, world: &World<'_>) -> Option<Verdict> {
    let mut pools = dereference::Pools::new(world);
    pools.get(name)?;
    pools.into_verdicts().remove(name)
}
