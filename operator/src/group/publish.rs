//! Publishes the standing of each pod.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use fkm_crds::ProviderPool;
use fkm_push::ObjectRef;
use fkm_snapshot::{PodContext, Secrets};
use k8s_openapi::api::core::v1::Pod;
use kube::{Resource, ResourceExt};

use super::keys::keys;
use super::outcome::{Target, TargetPod, Targets};
use super::{Compiler, Memory, Served};
use crate::assignment::{Assignment, Payload, Standing};
use crate::index::{GroupKey, Groups, Phase, phase};
use crate::metrics::GroupCounts;
use crate::push::{Violation, judge};
use crate::secrets::SecretStates;

// === impl Compiler ===

impl Compiler {
    /// Gives every pod what its group has now. A group that is held back keeps what it had; one that turns out to lack a
    /// key is held back too.
    pub(super) fn publish(
        &self,
        groups: &Groups,
        held_back: &mut BTreeSet<GroupKey>,
        secrets: &SecretStates,
        memory: &mut Memory,
    ) -> Targets {
        let mut targets = Targets::new();
        let mut standing = HashSet::new();
        let mut counts = GroupCounts {
            groups: groups.len(),
            ..GroupCounts::default()
        };
        for (key, pods) in groups {
            let mut served = memory.groups.get_mut(key);
            if let Some(served) = served.as_deref_mut()
                && !held_back.contains(key)
                && !served.renew(secrets)
            {
                held_back.insert(key.clone());
            }
            let published = served
                .as_deref()
                .and_then(|served| served.published.as_ref());
            let mut aimed_at = Vec::new();
            for pod in pods {
                let Some(uid) = pod.uid() else { continue };
                let verdict = judge(pod, &self.judge);
                match &verdict {
                    Ok(()) => counts.pods += 1,
                    Err(_) => counts.denied += 1,
                }
                if phase(pod) != Phase::Terminating {
                    aimed_at.push(target_pod(pod, &uid, &verdict));
                }
                if let Some(is) = standing_of(pod, verdict, published) {
                    self.assignments.publish(&uid, is);
                }
                standing.insert(uid);
            }
            if let Some(served) = served {
                targets.insert(key.clone(), Arc::new(served.target(secrets, aimed_at)));
            }
        }
        for gone in memory.pods.difference(&standing) {
            self.assignments.remove(gone);
        }
        memory.pods = standing;
        counts.held_back = held_back.len();
        self.metrics.published(counts);
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

/// `None`: nothing can be said yet; what was said before stays.
fn standing_of(
    pod: &Pod,
    verdict: Result<(), Violation>,
    published: Option<&(Arc<Payload>, Arc<Secrets>)>,
) -> Option<Standing> {
    if let Err(violation) = verdict {
        return Some(Standing::Denied(violation));
    }
    let (snapshot, secrets) = published?.clone();
    Some(Standing::Granted(Assignment {
        snapshot,
        secrets,
        context: context(pod),
    }))
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
