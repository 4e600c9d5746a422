//! What routes and pools name: pools, models, Secrets, certificates; and whether they may.

mod pool;
mod route;

pub(crate) use pool::{PoolState, Pools, UsableProvider};
pub(crate) use route::{ResolvedRoute, ResolvedRule, each_once, route};
