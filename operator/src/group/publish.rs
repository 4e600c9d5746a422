//! Publishes the standing of each pod.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use fkm_crds::ProviderPool;
use fkm_push::ObjectRef;
use fkm_snapshot::PodContext;
use k8s_openapi::api::core::v1::Pod;
use kube::{Resource, ResourceExt};

use super::keys::keys;
use super::outcome::{Target, TargetPod, Targets};
use super::{Compiler, Memory, Served};
use crate::assignment::{Assignment, Standing};
use crate::index::{GroupKey, Groups, Phase, phase};
use crate::metrics::GroupCounts;
use crate::push::{Violation, judge};
use crate::secrets::SecretStates;

/// Whether each pod may have keys, by its uid.
pub(super) type Verdicts = HashMap<String, Result<(), Violation>>;

// === impl Compiler ===

impl Compiler {
    /// Cuts off the pods that may have nothing, and those that are gone; says of the others that they are known.
    pub(super) fn refuse(&self, groups: &Groups, memory: &mut Memory) -> Verdicts {
        let mut verdicts = Verdicts::new();
        for pod in groups.values().flatten() {
            let Some(uid) = pod.uid() else { continue };
            let verdict = judge(pod, &self.judge);
            match &verdict {
                Ok(()) => self.assignments.await_assignment(&uid),
                Err(violation) => {
                    let denied = Standing::Denied(violation.clone());
                    self.assignments.publish(&uid, denied);
                }
            }
            verdicts.insert(uid, verdict);
        }
        for gone in memory
            .pods
            .iter()
            .filter(|uid| !verdicts.contains_key(*uid))
        {
            self.assignments.remove(gone);
        }
        memory.pods = verdicts.keys().cloned().collect();
        verdicts
    }

    /// Gives every pod that may have it what its group has now. A group that is held back keeps what it had; one that
    /// turns out to lack a key is held back too.
    pub(super) fn publish(
        &self,
        groups: &Groups,
        verdicts: &Verdicts,
        held_back: &mut BTreeSet<GroupKey>,
        secrets: &SecretStates,
        memory: &mut Memory,
    ) -> Targets {
        let mut targets = Targets::new();
        for (key, pods) in groups {
            let Some(served) = memory.groups.get_mut(key) else {
                continue;
            };
            if !held_back.contains(key) && !served.renew(secrets) {
                held_back.insert(key.clone());
            }
            let mut aimed_at = Vec::new();
            for pod in pods {
                let Some(uid) = pod.uid() else { continue };
                let Some(verdict) = verdicts.get(&uid) else {
                    continue;
                };
                if phase(pod) != Phase::Terminating {
                    aimed_at.push(target_pod(pod, &uid, verdict));
                }
                if let (Ok(()), Some(assignment)) = (verdict, served.assignment(pod)) {
                    self.assignments
                        .publish(&uid, Standing::Granted(assignment));
                }
            }
            targets.insert(key.clone(), Arc::new(served.target(secrets, aimed_at)));
        }
        let denied = verdicts.values().filter(|verdict| verdict.is_err()).count();
        self.metrics.published(GroupCounts {
            groups: groups.len(),
            pods: verdicts.len() - denied,
            denied,
            held_back: held_back.len(),
        });
        targets
    }
}

// === impl Served ===

impl Served {
    /// Publishes what was built, with its keys. `false`: a key is gone since; what was published stays.
    fn renew(&mut self, states: &SecretStates) -> bool {
        let Some(fresh) = keys(&self.built.secrets, states) else {
            return false;
        };
        let kept = self.published.take().map(|(_, secrets)| secrets);
        let secrets = kept
            .filter(|kept| kept.version == fresh.version)
            .unwrap_or_else(|| Arc::new(fresh));
        self.published = Some((self.built.payload.clone(), secrets));
        true
    }

    /// What a pod gets. `None`: nothing was published yet; what was said before stays.
    fn assignment(&self, pod: &Pod) -> Option<Assignment> {
        let (snapshot, secrets) = self.published.clone()?;
        Some(Assignment {
            snapshot,
            secrets,
            context: context(pod),
        })
    }

    fn target(&self, states: &SecretStates, pods: Vec<TargetPod>) -> Target {
        let is_pool = |object: &&ObjectRef| object.kind == ProviderPool::kind(&());
        let pools = self.built.payload.objects.iter().filter(is_pool);
        Target {
            hash: self.built.payload.hash,
            secrets_version: keys(&self.built.secrets, states)
                .map(|keys| keys.version)
                .unwrap_or_default(),
            pools: pools
                .map(|pool| format!("{}/{}", pool.namespace, pool.name))
                .collect(),
            pods,
        }
    }
}

fn context(pod: &Pod) -> PodContext {
    let account = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.service_account_name.clone());
    PodContext {
        pod: pod.name_any(),
        namespace: pod.namespace().unwrap_or_default(),
        service_account: account.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned()),
    }
}

/// What the API server fills in where a pod names none.
const DEFAULT_ACCOUNT: &str = "default";

fn target_pod(pod: &Pod, uid: &str, verdict: &Result<(), Violation>) -> TargetPod {
    TargetPod {
        namespace: pod.namespace().unwrap_or_default(),
        name: pod.name_any(),
        uid: uid.to_owned(),
        running: phase(pod) == Phase::Running,
        denied: verdict.as_ref().err().map(ToString::to_string),
    }
}
