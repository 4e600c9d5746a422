//! How many sidecars follow an object, and which of them refused it.

use fkm_crds::{Rejection, SidecarCounts};

use super::{Delivery, Facts};

/// The most rejections in a status.
const MAX_REJECTIONS: usize = 10;

/// Counts the pods. While another generation than the live one is served, none is programmed.
pub(super) fn counts(facts: &Facts<'_>) -> SidecarCounts {
    let count = |wanted: fn(&Delivery) -> bool| {
        let count = facts
            .pods
            .iter()
            .filter(|pod| wanted(&pod.delivery))
            .count();
        i32::try_from(count).unwrap_or(i32::MAX)
    };
    let selected = count(|_| true);
    let programmed = match facts.serves_live_spec() {
        true => count(|delivery| *delivery == Delivery::Programmed),
        false => 0,
    };
    SidecarCounts {
        selected,
        connected: count(|delivery| {
            !matches!(delivery, Delivery::Denied(_) | Delivery::Disconnected)
        }),
        programmed,
        rejected: count(|delivery| matches!(delivery, Delivery::Rejected(_))),
        summary: format!("{programmed}/{selected}"),
    }
}

/// The first pods that refused it.
pub(super) fn rejections(facts: &Facts<'_>) -> Vec<Rejection> {
    let generation = facts.judgement.served.unwrap_or(facts.generation);
    let rejections = facts.pods.iter().filter_map(|pod| match &pod.delivery {
        Delivery::Rejected(message) => Some(Rejection {
            pod: pod.name.clone(),
            generation,
            message: message.clone(),
        }),
        _ => None,
    });
    rejections.take(MAX_REJECTIONS).collect()
}
