//! Routes into one snapshot of bounded size; what does not fit, or can never match, is refused.

use std::collections::BTreeMap;

use fkm_crds::Reason;
use fkm_snapshot::{MAX_PAYLOAD_BYTES, Snapshot};

use crate::conflict::{self, Shadows};
use crate::dereference::{Pools, ResolvedRoute};
use crate::{Complaint, Fault, ObjectName, Verdict, build};

/// A snapshot that fits, and what became of the routes.
pub(crate) struct Fitted {
    pub(crate) snapshot: Snapshot,
    pub(crate) verdicts: BTreeMap<ObjectName, Verdict>,
}

/// Builds the snapshot of these routes; while it is too large, the youngest is refused.
pub(crate) fn fit(mut routes: Vec<ResolvedRoute>, pools: &Pools<'_>) -> Fitted {
    conflict::sort(&mut routes);
    let mut verdicts = BTreeMap::new();
    loop {
        let shadows: Vec<Shadows> = (0..routes.len())
            .map(|index| conflict::shadows(&routes, index))
            .collect();
        let taking_part = routes
            .iter()
            .zip(&shadows)
            .filter(|(_, shadows)| !shadows.conflicted);
        let snapshot = build::snapshot(taking_part.map(|(route, _)| route), pools);
        let size = snapshot.to_payload().len();
        if size <= MAX_PAYLOAD_BYTES {
            let judged = routes.into_iter().zip(shadows);
            verdicts.extend(
                judged.map(|(route, shadows)| (route.name.clone(), verdict(route, shadows))),
            );
            return Fitted { snapshot, verdicts };
        }
        let refused = routes.remove(youngest(&routes, &shadows));
        verdicts.insert(refused.name.clone(), too_large(refused, size));
    }
}

/// The youngest of the routes whose rules are in the snapshot.
fn youngest(routes: &[ResolvedRoute], shadows: &[Shadows]) -> usize {
    let taking_part = routes.iter().zip(shadows).enumerate();
    taking_part
        .filter(|(_, (route, shadows))| !shadows.conflicted && !route.rules.is_empty())
        .max_by_key(|(_, (route, _))| (route.created, &route.name))
        .map(|(index, _)| index)
        .expect("a snapshot without rules is not too large")
}

fn verdict(route: ResolvedRoute, shadows: Shadows) -> Verdict {
    let accepted = if !route.invalid.is_empty() {
        Err(Complaint {
            reason: Reason::Invalid,
            faults: route.invalid,
        })
    } else if shadows.conflicted {
        Err(Complaint {
            reason: Reason::Conflicted,
            faults: shadows.unreachable,
        })
    } else {
        Ok(shadows.unreachable)
    };
    Verdict {
        accepted,
        resolved: Complaint::of(route.unresolved),
        served: route.served.filter(|_| !shadows.conflicted),
    }
}

fn too_large(route: ResolvedRoute, size: usize) -> Verdict {
    let message = format!(
        "with this route the snapshot of its pods has {size} bytes, and {MAX_PAYLOAD_BYTES} is the most; use fewer or smaller pools, rules or CA bundles"
    );
    let fault = Fault::new(Reason::TooLarge, "spec.rules", message);
    Verdict {
        accepted: Err(Complaint {
            reason: Reason::TooLarge,
            faults: vec![fault],
        }),
        resolved: Complaint::of(route.unresolved),
        served: None,
    }
}
