//! Bench of the data plane: the sidecar beside a plain hyper proxy, nginx and no proxy at all.
//!
//! *Flow*: `fkm-bench` starts `bench-upstream` and the peers, one worker thread each, runs `loadgen` against every peer
//! in turn, scenario by scenario, several times over, and compares.
//!
//! *Guarantees*: all on loopback; every run and the whole are bounded in time; the processes end with `fkm-bench`,
//! however it ends. A comparison takes its two sides from the same pass, so that a machine that is slow for a minute is
//! slow for both.

pub mod body;
pub mod budget;
pub mod child;
pub mod control;
pub mod load;
pub mod peer;
pub mod proc;
pub mod report;
pub mod run;
pub mod scenario;
pub mod task;
