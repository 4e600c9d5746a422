//! Facts in, conditions out: one line a case.

use k8s_openapi::jiff::Timestamp;

use super::*;

const EARLY: Time = Time(Timestamp::constant(100, 0));
const LATE: Time = Time(Timestamp::constant(200, 0));

fn good() -> Judgement {
    Judgement {
        accepted: Ok(String::new()),
        resolved: Ok(()),
        served: Some(7),
    }
}

fn complaint(reason: Reason) -> Complaint {
    Complaint {
        reason,
        message: "spec.x: 1 is wrong; write 2".to_owned(),
    }
}

fn pods(deliveries: &[(bool, Delivery)]) -> Vec<PodFact> {
    let pod = |(index, (running, delivery)): (usize, &(bool, Delivery))| PodFact {
        name: format!("pod-{index}"),
        running: *running,
        delivery: delivery.clone(),
    };
    deliveries.iter().enumerate().map(pod).collect()
}

fn facts<'a>(
    judgement: &'a Judgement,
    pods: &'a [PodFact],
    previous: &'a [Condition],
) -> Facts<'a> {
    Facts {
        generation: 7,
        judgement,
        pods,
        previous,
        now: &EARLY,
    }
}

/// `Type=status reason` of each condition.
fn shown(conditions: &[Condition]) -> String {
    let one = |c: &Condition| format!("{}={} {}", c.type_, c.status, c.reason);
    conditions.iter().map(one).collect::<Vec<_>>().join(" | ")
}

/// Of an object whose spec and references are good.
fn check_good(case: &str, deliveries: &[(bool, Delivery)], summary: &str, rest: &str) {
    let conditions = format!("Accepted=True Accepted | ResolvedRefs=True ResolvedRefs | {rest}");
    check(case, &good(), deliveries, summary, &conditions);
}

/// A pool's conditions are those that a route would have.
fn check(
    case: &str,
    judgement: &Judgement,
    deliveries: &[(bool, Delivery)],
    summary: &str,
    conditions: &str,
) {
    let pods = pods(deliveries);
    let status = route(facts(judgement, &pods, &[]));
    assert_eq!(shown(&status.conditions), conditions, "{case}");
    assert_eq!(status.sidecars.unwrap().summary, summary, "{case}");
    assert!(
        status
            .conditions
            .iter()
            .all(|c| c.observed_generation == Some(7)),
        "{case}"
    );
    let of_pool = pool(facts(judgement, &pods, &[]), 3);
    assert_eq!(of_pool.conditions, status.conditions, "{case}");
    assert_eq!(of_pool.attached_routes, Some(3), "{case}");
}

#[test]
fn programmed_when_every_sidecar_runs_it() {
    let ready = "Programmed=True Programmed | Ready=True Ready";
    check_good(
        "no pods",
        &[],
        "0/0",
        "Programmed=True NoWorkloads | Ready=True Ready",
    );
    check_good(
        "all",
        &[(true, Delivery::Programmed), (true, Delivery::Programmed)],
        "2/2",
        ready,
    );
}

#[test]
fn progressing_while_sidecars_are_on_their_way() {
    let progressing =
        "Programmed=False Progressing | Ready=False Progressing | Reconciling=True Progressing";
    check_good(
        "one has not answered",
        &[(true, Delivery::Programmed), (true, Delivery::Waiting)],
        "1/2",
        progressing,
    );
    check_good(
        "one has not started",
        &[
            (true, Delivery::Programmed),
            (false, Delivery::Disconnected),
        ],
        "1/2",
        progressing,
    );
}

#[test]
fn disconnected_when_one_that_should_be_connected_is_not() {
    let disconnected = "Programmed=False Disconnected | Ready=False Disconnected";
    check_good(
        "no stream",
        &[(true, Delivery::Waiting), (true, Delivery::Disconnected)],
        "0/2",
        disconnected,
    );
    check_good(
        "denied",
        &[(false, Delivery::Denied("foreign image".to_owned()))],
        "0/1",
        disconnected,
    );
}

#[test]
fn rejected_when_one_refused_it() {
    let refused = Delivery::Rejected("rules[0].name: x".to_owned());
    let deliveries = [
        (true, Delivery::Programmed),
        (true, refused),
        (true, Delivery::Disconnected),
    ];
    let rejected = "Programmed=False Rejected | Ready=False Rejected | Stalled=True Rejected";
    check_good("one of three", &deliveries, "1/3", rejected);
}

#[test]
fn unresolved_references_leave_the_rest_programmed() {
    let judgement = Judgement {
        resolved: Err(complaint(Reason::SecretNotFound)),
        ..good()
    };
    let expected = "Accepted=True Accepted | ResolvedRefs=False SecretNotFound | Programmed=True Programmed | Ready=False SecretNotFound";
    check(
        "missing secret",
        &judgement,
        &[(true, Delivery::Programmed)],
        "1/1",
        expected,
    );
}

#[test]
fn a_spec_that_is_not_accepted_is_programmed_nowhere() {
    let refused = |served| Judgement {
        accepted: Err(complaint(Reason::Invalid)),
        served,
        ..good()
    };
    let expected = "Accepted=False Invalid | ResolvedRefs=True ResolvedRefs | Programmed=False Rejected | Ready=False Invalid | Stalled=True Invalid";
    check(
        "an older one serves",
        &refused(Some(6)),
        &[(true, Delivery::Programmed)],
        "0/1",
        expected,
    );
    check("never good", &refused(None), &[], "0/0", expected);
}

#[test]
fn messages_tell_what_and_where() {
    let judgement = Judgement {
        accepted: Err(complaint(Reason::Invalid)),
        served: Some(6),
        ..good()
    };
    let status = route(facts(&judgement, &[], &[]));
    assert_eq!(
        status.conditions[0].message,
        "spec.x: 1 is wrong; write 2; generation 6 goes on serving"
    );
    let judgement = good();
    let pods = pods(&[
        (true, Delivery::Denied("foreign image".to_owned())),
        (true, Delivery::Disconnected),
    ]);
    let status = route(facts(&judgement, &pods, &[]));
    assert_eq!(
        status.conditions[2].message,
        "2 of 2 sidecars are not connected: pod-0 (foreign image), pod-1"
    );
}

#[test]
fn rejections_name_pod_generation_and_path_and_are_ten() {
    let judgement = good();
    let refused = vec![(true, Delivery::Rejected("rules[0].name: x".to_owned())); 12];
    let pods = pods(&refused);
    let status = route(facts(&judgement, &pods, &[]));
    assert_eq!(status.rejections.len(), 10);
    let first = &status.rejections[0];
    assert_eq!(
        (first.pod.as_str(), first.generation, first.message.as_str()),
        ("pod-0", 7, "rules[0].name: x")
    );
    let message = &status.conditions[2].message;
    assert!(
        message.starts_with("12 of 12 sidecars refused it: pod-0: rules[0].name: x, pod-1"),
        "{message}"
    );
    assert!(message.ends_with(", …"), "{message}");
}

#[test]
fn transition_time_moves_with_the_status_only() {
    let judgement = good();
    let waiting = pods(&[(true, Delivery::Waiting)]);
    let programmed = pods(&[(true, Delivery::Programmed)]);
    let first = route(facts(&judgement, &waiting, &[]));
    assert!(
        first
            .conditions
            .iter()
            .all(|c| c.last_transition_time == EARLY)
    );

    let later = Facts {
        now: &LATE,
        ..facts(&judgement, &waiting, &first.conditions)
    };
    assert_eq!(route(later), first, "the same facts give the same status");

    let changed = route(Facts {
        pods: &programmed,
        ..later
    });
    let at = |name: &str| {
        changed
            .conditions
            .iter()
            .find(|c| c.type_ == name)
            .unwrap()
            .last_transition_time
            .clone()
    };
    assert_eq!(
        (at("Accepted"), at("Programmed"), at("Ready")),
        (EARLY, LATE, LATE)
    );
    assert!(changed.conditions.iter().all(|c| c.type_ != "Reconciling"));
}

#[test]
fn long_messages_are_cut_at_a_character() {
    let message = "ä".repeat(5000);
    let accepted = Err(Complaint {
        reason: Reason::Invalid,
        message,
    });
    let judgement = Judgement {
        accepted,
        served: None,
        ..good()
    };
    let status = route(facts(&judgement, &[], &[]));
    assert_eq!(status.conditions[0].message.chars().count(), 1024);
}
