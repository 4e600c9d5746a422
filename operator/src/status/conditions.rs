//! The conditions: Accepted, `ResolvedRefs`, Programmed, Ready; Reconciling and Stalled only while true.

use fkm_crds::{ConditionType, Reason, SidecarCounts};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{Complaint, Delivery, Facts, PodFact};

/// How many pods a message names.
const NAMED_PODS: usize = 3;
/// The most characters of a message; the API server takes more, a person does not.
const MAX_MESSAGE_CHARS: usize = 1024;

/// One condition before it is dated.
struct Finding {
    condition: ConditionType,
    holds: bool,
    reason: Reason,
    message: String,
}

pub(super) fn conditions(facts: &Facts<'_>, counts: &SidecarCounts) -> Vec<Condition> {
    let mut findings = vec![accepted(facts), resolved(facts), programmed(facts, counts)];
    let ready = match findings.iter().find(|finding| !finding.holds) {
        None => Finding::new(ConditionType::Ready, true, Reason::Ready, String::new()),
        Some(first) => Finding::new(
            ConditionType::Ready,
            false,
            first.reason,
            first.message.clone(),
        ),
    };
    let transient = [stalled(&findings), reconciling(&findings)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>();
    findings.push(ready);
    findings.extend(transient);
    findings
        .into_iter()
        .map(|finding| finding.dated(facts))
        .collect()
}

fn accepted(facts: &Facts<'_>) -> Finding {
    match &facts.judgement.accepted {
        Ok(warning) => Finding::new(
            ConditionType::Accepted,
            true,
            Reason::Accepted,
            warning.clone(),
        ),
        Err(complaint) => {
            let served = match facts.judgement.served {
                Some(generation) => format!("; generation {generation} goes on serving"),
                None => "; nothing of it is served".to_owned(),
            };
            let message = format!("{}{served}", complaint.message);
            Finding::new(ConditionType::Accepted, false, complaint.reason, message)
        }
    }
}

fn resolved(facts: &Facts<'_>) -> Finding {
    match &facts.judgement.resolved {
        Ok(()) => Finding::new(
            ConditionType::ResolvedRefs,
            true,
            Reason::ResolvedRefs,
            String::new(),
        ),
        Err(Complaint { reason, message }) => {
            Finding::new(ConditionType::ResolvedRefs, false, *reason, message.clone())
        }
    }
}

fn programmed(facts: &Facts<'_>, counts: &SidecarCounts) -> Finding {
    let (holds, reason, message) = programmed_because(facts, counts);
    Finding::new(ConditionType::Programmed, holds, reason, message)
}

fn programmed_because(facts: &Facts<'_>, counts: &SidecarCounts) -> (bool, Reason, String) {
    let selected = counts.selected;
    if facts.judgement.accepted.is_err() {
        return (
            false,
            Reason::Rejected,
            "this generation was not accepted, so it is not sent".to_owned(),
        );
    }
    if selected == 0 {
        return (
            true,
            Reason::NoWorkloads,
            "no pod with a sidecar is selected".to_owned(),
        );
    }
    if counts.rejected > 0 {
        let rejected = named(facts, |pod| match &pod.delivery {
            Delivery::Rejected(message) => Some(format!("{}: {message}", pod.name)),
            _ => None,
        });
        return (
            false,
            Reason::Rejected,
            format!(
                "{} of {selected} sidecars refused it: {rejected}",
                counts.rejected
            ),
        );
    }
    if counts.programmed == selected {
        return (
            true,
            Reason::Programmed,
            format!("{selected} of {selected} sidecars run it"),
        );
    }
    let absent = facts.pods.iter().filter(|pod| is_absent(pod)).count();
    if absent > 0 {
        let pods = named(facts, |pod| match &pod.delivery {
            Delivery::Denied(why) if is_absent(pod) => Some(format!("{} ({why})", pod.name)),
            _ => is_absent(pod).then(|| pod.name.clone()),
        });
        return (
            false,
            Reason::Disconnected,
            format!("{absent} of {selected} sidecars are not connected: {pods}"),
        );
    }
    (
        false,
        Reason::Progressing,
        format!("{} of {selected} sidecars run it", counts.programmed),
    )
}

/// Runs and has no stream. A pod that has not started yet is on its way.
fn is_absent(pod: &PodFact) -> bool {
    match pod.delivery {
        Delivery::Denied(_) => true,
        Delivery::Disconnected => pod.running,
        Delivery::Waiting | Delivery::Programmed | Delivery::Rejected(_) => false,
    }
}

/// What `name` says of the first pods that it says something of.
fn named(facts: &Facts<'_>, name: impl Fn(&PodFact) -> Option<String>) -> String {
    let mut names = facts.pods.iter().filter_map(name);
    let mut text = names
        .by_ref()
        .take(NAMED_PODS)
        .collect::<Vec<_>>()
        .join(", ");
    if names.next().is_some() {
        text.push_str(", …");
    }
    text
}

/// True while only a change of the object can help.
fn stalled(findings: &[Finding]) -> Option<Finding> {
    let stuck = |finding: &&Finding| {
        finding.condition == ConditionType::Accepted || finding.reason == Reason::Rejected
    };
    let finding = findings
        .iter()
        .filter(|finding| !finding.holds)
        .find(stuck)?;
    Some(Finding::new(
        ConditionType::Stalled,
        true,
        finding.reason,
        finding.message.clone(),
    ))
}

/// True while sidecars are on their way to this generation.
fn reconciling(findings: &[Finding]) -> Option<Finding> {
    let finding = findings
        .iter()
        .find(|finding| finding.reason == Reason::Progressing)?;
    Some(Finding::new(
        ConditionType::Reconciling,
        true,
        finding.reason,
        finding.message.clone(),
    ))
}

// === impl Finding ===

impl Finding {
    fn new(condition: ConditionType, holds: bool, reason: Reason, message: String) -> Self {
        Self {
            condition,
            holds,
            reason,
            message,
        }
    }

    /// Keeps the transition time of a condition whose status stays.
    fn dated(self, facts: &Facts<'_>) -> Condition {
        let type_ = self.condition.name().to_owned();
        let status = if self.holds { "True" } else { "False" }.to_owned();
        let same = |old: &&Condition| old.type_ == type_ && old.status == status;
        let since = facts
            .previous
            .iter()
            .find(same)
            .map(|old| old.last_transition_time.clone());
        Condition {
            last_transition_time: since.unwrap_or_else(|| facts.now.clone()),
            message: shortened(self.message),
            observed_generation: Some(facts.generation),
            reason: self.reason.name().to_owned(),
            status,
            type_,
        }
    }
}

fn shortened(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS - 1) {
        message.truncate(end);
        message.push('…');
    }
    message
}
