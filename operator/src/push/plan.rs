//! What is to be sent next: pure, from what the sidecar holds and what it should have.
//!
//! *Guarantees*: nothing is sent that the sidecar holds already, and no snapshot whose hash it refused, until it took
//! another.

use fkm_push::{Ack, Hello, Nack};
use fkm_snapshot::{PodContext, SnapshotHash};

use crate::assignment::Assignment;

/// What a sidecar has in use and what it will not take, as far as this stream knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holding {
    context: Option<PodContext>,
    hash: Option<SnapshotHash>,
    secrets_version: String,
    refused_hash: Option<SnapshotHash>,
    refused_secrets: Option<String>,
}

/// The messages to send, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) context: bool,
    pub(super) secrets: bool,
    pub(super) snapshot: bool,
}

/// What a sidecar has in use after it took a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) hash: SnapshotHash,
    pub(super) secrets_version: String,
}

// === impl Holding ===

impl Holding {
    pub(super) fn new(hello: &Hello) -> Self {
        Self {
            context: None,
            hash: hello.applied_hash,
            secrets_version: hello.applied_secrets_version.clone(),
            refused_hash: None,
            refused_secrets: None,
        }
    }

    /// What is missing.
    pub(super) fn plan(&self, wanted: &Assignment) -> Plan {
        let snapshot = self.hash != Some(wanted.snapshot.hash)
            && self.refused_hash != Some(wanted.snapshot.hash);
        let differ = self.secrets_version != wanted.secrets.version;
        let refused = self.refused_secrets.as_ref() == Some(&wanted.secrets.version);
        // A snapshot that the sidecar keeps in spite of a newer one still gets rotated keys.
        let for_the_one_in_use = self.hash.is_some() && !refused;
        Plan {
            context: self.context.as_ref() != Some(&wanted.context),
            secrets: differ && (snapshot || for_the_one_in_use),
            snapshot,
        }
    }

    /// Whether it is all in use.
    pub(super) fn has(&self, wanted: &Assignment) -> bool {
        self.hash == Some(wanted.snapshot.hash) && self.secrets_version == wanted.secrets.version
    }

    /// What an Ack of this plan says. None: the plan has nothing that is answered.
    pub(super) fn expected(&self, plan: Plan, wanted: &Assignment) -> Option<Expected> {
        let hash = match (plan.snapshot, plan.secrets) {
            (true, _) => wanted.snapshot.hash,
            (false, true) => self.hash?,
            (false, false) => return None,
        };
        let secrets_version = match plan.secrets {
            true => wanted.secrets.version.clone(),
            false => self.secrets_version.clone(),
        };
        Some(Expected {
            hash,
            secrets_version,
        })
    }

    pub(super) fn sent_context(&mut self, context: &PodContext) {
        self.context = Some(context.clone());
    }

    pub(super) fn acked(&mut self, plan: Plan, ack: Ack) {
        self.hash = Some(ack.hash);
        self.secrets_version = ack.secrets_version;
        self.refused_secrets = None;
        if plan.snapshot {
            self.refused_hash = None;
        }
    }

    pub(super) fn nacked(&mut self, plan: Plan, expected: Expected, nack: &Nack) {
        self.hash = nack.kept_hash;
        self.secrets_version.clone_from(&nack.kept_secrets_version);
        self.refuse(plan, expected);
    }

    /// This delivery is not to be tried again.
    pub(super) fn refuse(&mut self, plan: Plan, expected: Expected) {
        if plan.snapshot {
            self.refused_hash = Some(expected.hash);
        } else {
            self.refused_secrets = Some(expected.secrets_version);
        }
    }
}

// === impl Plan ===

impl Plan {
    pub(super) fn is_empty(self) -> bool {
        !(self.context || self.secrets || self.snapshot)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fkm_snapshot::{Secrets, Snapshot, ValidSnapshot};

    use super::*;
    use crate::assignment::Payload;

    fn wanted(feature: Option<&str>, secrets_version: &str) -> Assignment {
        let mut snapshot = Snapshot::default();
        snapshot.requires.extend(feature.map(Into::into));
        let snapshot = ValidSnapshot::try_new(&snapshot).unwrap();
        Assignment {
            snapshot: Arc::new(Payload::new(&snapshot, [])),
            secrets: Arc::new(Secrets {
                version: secrets_version.into(),
                ..Secrets::default()
            }),
            context: PodContext::default(),
        }
    }

    fn one(secrets_version: &str) -> Assignment {
        wanted(None, secrets_version)
    }

    fn other(secrets_version: &str) -> Assignment {
        wanted(Some("strategy.weighted"), secrets_version)
    }

    fn holding(assignment: &Assignment) -> Holding {
        let mut holding = Holding::new(&Hello {
            applied_hash: Some(assignment.snapshot.hash),
            applied_secrets_version: assignment.secrets.version.clone(),
            ..Hello::default()
        });
        holding.sent_context(&assignment.context);
        holding
    }

    fn nack(kept: &Assignment, refused: &Assignment) -> Nack {
        Nack {
            version: 1,
            hash: refused.snapshot.hash,
            problems: Vec::new(),
            kept_hash: Some(kept.snapshot.hash),
            kept_secrets_version: kept.secrets.version.clone(),
        }
    }

    const NOTHING: Plan = Plan {
        context: false,
        secrets: false,
        snapshot: false,
    };
    const SECRETS: Plan = Plan {
        secrets: true,
        ..NOTHING
    };
    const SNAPSHOT: Plan = Plan {
        snapshot: true,
        ..NOTHING
    };
    const BOTH: Plan = Plan {
        secrets: true,
        ..SNAPSHOT
    };

    #[test]
    fn only_what_differs_is_sent() {
        let holding = holding(&one("s1"));
        assert_eq!(holding.plan(&one("s1")), NOTHING);
        assert_eq!(holding.plan(&one("s2")), SECRETS);
        assert_eq!(holding.plan(&other("s1")), SNAPSHOT);
        assert_eq!(holding.plan(&other("s2")), BOTH);
    }

    #[test]
    fn a_new_sidecar_gets_all_but_secrets_that_are_not_there() {
        let new = Holding::new(&Hello::default());
        let all = Plan {
            context: true,
            ..BOTH
        };
        assert_eq!(new.plan(&one("s1")), all);
        let no_secrets = Plan {
            secrets: false,
            ..all
        };
        assert_eq!(new.plan(&one("")), no_secrets);
    }

    #[test]
    fn a_refused_hash_is_not_sent_again_but_keys_still_rotate() {
        let (kept, refused) = (one("s1"), other("s1"));
        let mut holding = holding(&kept);
        let expected = holding.expected(SNAPSHOT, &refused).unwrap();
        holding.nacked(SNAPSHOT, expected, &nack(&kept, &refused));
        assert_eq!(holding.plan(&refused), NOTHING);
        assert!(!holding.has(&refused));
        assert_eq!(holding.plan(&other("s2")), SECRETS);
        let expected = holding.expected(SECRETS, &other("s2")).unwrap();
        assert_eq!(expected.hash, kept.snapshot.hash);
        assert_eq!(expected.secrets_version, "s2");
        assert_eq!(holding.plan(&kept), NOTHING);
    }

    #[test]
    fn refused_secrets_are_sent_again_with_another_snapshot_only() {
        let kept = one("s1");
        let mut holding = holding(&kept);
        let expected = holding.expected(SECRETS, &one("s2")).unwrap();
        holding.nacked(SECRETS, expected, &nack(&kept, &one("s2")));
        assert_eq!(holding.plan(&one("s2")), NOTHING);
        assert_eq!(holding.plan(&one("s3")), SECRETS);
        assert_eq!(holding.plan(&other("s2")), BOTH);
    }

    #[test]
    fn a_first_snapshot_that_is_refused_leaves_nothing_to_send_secrets_for() {
        let mut holding = Holding::new(&Hello::default());
        holding.sent_context(&PodContext::default());
        let refused = other("s1");
        let expected = holding.expected(BOTH, &refused).unwrap();
        let nack = Nack {
            kept_hash: None,
            kept_secrets_version: String::new(),
            ..nack(&refused, &refused)
        };
        holding.nacked(BOTH, expected, &nack);
        assert_eq!(holding.plan(&refused), NOTHING);
        assert_eq!(holding.plan(&one("s1")), BOTH);
    }

    #[test]
    fn a_refused_hash_may_be_tried_again_after_another_was_taken_but_not_after_secrets_alone() {
        let (kept, refused) = (one("s1"), other("s1"));
        let mut holding = holding(&kept);
        let expected = holding.expected(SNAPSHOT, &refused).unwrap();
        holding.nacked(SNAPSHOT, expected, &nack(&kept, &refused));
        let ack = |hash| Ack {
            version: 2,
            hash,
            secrets_version: "s1".into(),
        };
        holding.acked(SECRETS, ack(kept.snapshot.hash));
        assert_eq!(holding.plan(&refused), NOTHING);
        holding.acked(SNAPSHOT, ack(SnapshotHash::of(b"third")));
        assert_eq!(holding.plan(&refused), SNAPSHOT);
    }
}
