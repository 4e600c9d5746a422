//! Turns what passes found out, and what sidecars said, into status and events.
//!
//! *Flow*: an [`Outcome`] or an acknowledgement changes → a short wait for more → a status for each object → written
//! when it differs, at once when a condition turns, else once a second at most.
//!
//! *Caveats*: ends at once when the process is to end: the streams that close then say nothing about the sidecars.

mod delivery;
mod pace;
mod written;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fkm_crds::{ConditionType, LLMRoute, ProviderPool};
use fkm_snapshot::SnapshotHash;
use futures_util::{StreamExt, stream};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use kube::runtime::reflector::Store;
use kube::{Client, ResourceExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span, warn};

use self::delivery::delivery;
use self::pace::Pace;
use self::written::Written;
use crate::apply::{self, Applied, Reported};
use crate::assignment::{Acknowledgement, Acknowledgements};
use crate::events::{Notice, Notices, PUSH};
use crate::group::{DEBOUNCE, Found, Outcome, TargetPod};
use crate::metrics::WriteMetrics;
use crate::object::{ObjectName, name_of};
use crate::status::{self, Delivery, Facts, PodFact};
use crate::watch::Stores;

/// Writes at one time.
const CONCURRENCY: usize = 8;
/// How soon what was put off or failed is looked at again.
const AGAIN: Duration = Duration::from_millis(500);

/// What a report reads and writes.
pub(crate) struct Report {
    pub(crate) client: Client,
    pub(crate) stores: Stores,
    pub(crate) outcomes: watch::Receiver<Arc<Outcome>>,
    pub(crate) acknowledgements: Acknowledgements,
    pub(crate) notices: Notices,
    pub(crate) metrics: WriteMetrics,
}

/// What is remembered from pass to pass.
struct Memory {
    pace: Pace,
    routes: Written<LLMRoute>,
    pools: Written<ProviderPool>,
    /// The refusals that were told, by the uid of the pod.
    refused: HashMap<String, SnapshotHash>,
}

/// A status that is to be written.
struct Due<K: Reported> {
    current: Arc<K>,
    /// The version of the object that the store has.
    seen: String,
    desired: K::Status,
}

// === impl Report ===

impl Report {
    /// Until the process is to end.
    pub(crate) async fn run(mut self, stopping: CancellationToken) {
        let mut memory = Memory::new(Instant::now());
        let mut acknowledged = self.acknowledgements.subscribe();
        loop {
            let complete = self
                .pass(&mut memory)
                .instrument(info_span!("report"))
                .await;
            tokio::select! {
                () = stopping.cancelled() => return,
                more = DEBOUNCE.next(&mut self.outcomes) => if !more { return },
                more = DEBOUNCE.next(&mut acknowledged) => if !more { return },
                () = sleep(AGAIN), if !complete => {}
            }
        }
    }

    /// Writes what is due. `false`: something is left to do even if nothing changes.
    async fn pass(&mut self, memory: &mut Memory) -> bool {
        let outcome = self.outcomes.borrow_and_update().clone();
        let acknowledged = self.acknowledgements.all().into_iter();
        let acknowledged = acknowledged.map(|one| (one.pod.uid.clone(), one)).collect();
        self.tell_refusals(&outcome, &acknowledged, &mut memory.refused);

        let make = |found: &Found<LLMRoute>, facts: Facts<'_>| {
            let _ = found;
            status::route(facts)
        };
        let store = std::slice::from_ref(&self.stores.routes);
        let routes = self
            .write(
                &outcome.routes,
                store,
                &acknowledged,
                (&memory.pace, &mut memory.routes),
                make,
            )
            .await;
        let make = |found: &Found<ProviderPool>, facts: Facts<'_>| {
            status::pool(facts, found.attached_routes)
        };
        let store = &self.stores.pools;
        let pools = self
            .write(
                &outcome.pools,
                store,
                &acknowledged,
                (&memory.pace, &mut memory.pools),
                make,
            )
            .await;
        routes && pools
    }

    async fn write<K: Reported>(
        &self,
        found: &[Found<K>],
        stores: &[Store<K>],
        acknowledged: &HashMap<String, Acknowledgement>,
        (pace, written): (&Pace, &mut Written<K>),
        make: impl Fn(&Found<K>, Facts<'_>) -> K::Status,
    ) -> bool {
        let now = Time(
            Timestamp::from_second(Timestamp::now().as_second())
                .expect("a clock inside its own range"),
        );
        let mut complete = true;
        let mut due = Vec::new();
        for found in found {
            // An outcome may be older than what its own write has put into the store.
            let Some(live) = live(stores, &*found.object) else {
                continue;
            };
            let current = written.current(&live);
            let pods = pod_facts(found, acknowledged);
            let generation = found.object.meta().generation.unwrap_or_default();
            let previous = current.status().map_or(&[][..], K::conditions);
            let facts = Facts {
                generation,
                judgement: &found.judgement,
                pods: &pods,
                previous,
                now: &now,
            };
            let desired = make(found, facts);
            if current.status() == Some(&desired) {
                continue;
            }
            let last = written.last(&current.uid().unwrap_or_default());
            if pace.admits_at(Instant::now(), last, previous, K::conditions(&desired)) {
                due.push(Due {
                    seen: live.resource_version().unwrap_or_default(),
                    current,
                    desired,
                });
            } else {
                complete = false;
            }
        }
        written.retain(found);
        complete & self.write_due(due, written).await
    }

    async fn write_due<K: Reported>(&self, due: Vec<Due<K>>, written: &mut Written<K>) -> bool {
        let mut complete = true;
        let mut writes = stream::iter(due)
            .map(async |due| {
                (
                    apply::apply(&self.client, &*due.current, &due.desired).await,
                    due,
                )
            })
            .buffer_unordered(CONCURRENCY);
        while let Some((applied, due)) = writes.next().await {
            let name = name_of(&*due.current);
            let kind = K::KIND;
            match applied {
                Ok(Applied::Written(object)) => {
                    self.metrics.wrote(kind, true);
                    self.tell_turns(&*due.current, K::conditions(&due.desired));
                    log(kind, &name, K::conditions(&due.desired));
                    written.wrote(due.seen, object, Instant::now());
                }
                Ok(Applied::Equal | Applied::Outdated | Applied::Gone) => {}
                // The next pass sees whether it is another object by now, or only one that moves.
                Ok(Applied::Conflict) => complete = false,
                Err(error) => {
                    self.metrics.wrote(kind, false);
                    complete = false;
                    warn!(kind, %name, error = &error as &dyn std::error::Error, "status not written; trying again");
                }
            }
        }
        complete
    }

    /// An event for each condition that turned bad, or bad in another way.
    fn tell_turns<K: Reported>(&self, object: &K, desired: &[Condition]) {
        let previous = object.status().map_or(&[][..], K::conditions);
        for condition in desired {
            let action = match condition.type_.as_str() {
                accepted if accepted == ConditionType::Accepted.name() => "Validate",
                resolved if resolved == ConditionType::ResolvedRefs.name() => "ResolveReferences",
                _ => continue,
            };
            let same = |old: &Condition| {
                old.type_ == condition.type_
                    && old.status == condition.status
                    && old.message == condition.message
            };
            if condition.status == "False" && !previous.iter().any(same) {
                let regarding = ObjectReference {
                    resource_version: object.resource_version(),
                    ..object.object_ref(&())
                };
                let reason = condition.reason.clone();
                self.notices.tell(Notice {
                    regarding,
                    action,
                    reason: reason.into(),
                    note: condition.message.clone(),
                });
            }
        }
    }

    /// An event for each pod that refused a snapshot, once a snapshot.
    fn tell_refusals(
        &self,
        outcome: &Outcome,
        acknowledged: &HashMap<String, Acknowledgement>,
        told: &mut HashMap<String, SnapshotHash>,
    ) {
        told.retain(|uid, hash| {
            let rejected = acknowledged.get(uid).and_then(|one| one.rejected.as_ref());
            rejected.is_some_and(|rejected| rejected.hash == *hash)
        });
        let targets = outcome.routes.iter().flat_map(|found| &found.groups);
        for (target, pod) in
            targets.flat_map(|target| target.pods.iter().map(move |pod| (target, pod)))
        {
            let Delivery::Rejected(note) = delivery(target, pod, acknowledged.get(&pod.uid)) else {
                continue;
            };
            if told.insert(pod.uid.clone(), target.hash) != Some(target.hash) {
                let regarding = pod.object_ref();
                self.notices.tell(Notice {
                    regarding,
                    action: PUSH,
                    reason: "SnapshotRejected".into(),
                    note,
                });
            }
        }
    }
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report").finish_non_exhaustive()
    }
}

// === impl Memory ===

impl Memory {
    fn new(start: Instant) -> Self {
        Self {
            pace: Pace::new(start),
            routes: Written::new(),
            pools: Written::new(),
            refused: HashMap::new(),
        }
    }
}

/// The object as the store has it, unless another one has its name by now.
fn live<K: Reported>(stores: &[Store<K>], object: &K) -> Option<Arc<K>> {
    let reference = kube::runtime::reflector::ObjectRef::from_obj(object);
    let live = stores.iter().find_map(|store| store.get(&reference))?;
    (live.meta().uid == object.meta().uid).then_some(live)
}

/// The pods of all groups that an object reaches, by name.
fn pod_facts<K>(found: &Found<K>, acknowledged: &HashMap<String, Acknowledgement>) -> Vec<PodFact> {
    let several_namespaces = found
        .groups
        .windows(2)
        .any(|pair| namespace(&pair[0].pods) != namespace(&pair[1].pods));
    let mut facts = Vec::new();
    for target in &found.groups {
        facts.extend(target.pods.iter().map(|pod| PodFact {
            name: if several_namespaces {
                format!("{}/{}", pod.namespace, pod.name)
            } else {
                pod.name.clone()
            },
            running: pod.running,
            delivery: delivery(target, pod, acknowledged.get(&pod.uid)),
        }));
    }
    facts.sort_by(|one, other| one.name.cmp(&other.name));
    facts
}

fn namespace(pods: &[TargetPod]) -> Option<&str> {
    pods.first().map(|pod| pod.namespace.as_str())
}

fn log(kind: &'static str, name: &ObjectName, conditions: &[Condition]) {
    let ready = conditions
        .iter()
        .find(|condition| condition.type_ == ConditionType::Ready.name());
    if let Some(Condition {
        status,
        reason,
        message,
        observed_generation,
        ..
    }) = ready
    {
        let generation = observed_generation.unwrap_or_default();
        info!(kind, %name, generation, ready = status, reason, detail = message, "status written");
    }
}
