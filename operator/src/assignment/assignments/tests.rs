use std::time::Duration;

use fkm_push::ObjectRef;
use fkm_snapshot::{PodContext, Secrets, Snapshot, ValidSnapshot};
use tokio::time::timeout;

use super::*;
use crate::assignment::{Assignment, Payload};
use crate::push::Violation;

fn granted(generation: i64, secrets_version: &str) -> Standing {
    let object = ObjectRef {
        kind: "LLMRoute".into(),
        namespace: "shop".into(),
        name: "chat".into(),
        uid: "r".into(),
        generation,
    };
    let snapshot = ValidSnapshot::try_new(&Snapshot::default()).unwrap();
    Standing::Granted(Assignment {
        snapshot: Arc::new(Payload::new(&snapshot, vec![object])),
        secrets: Arc::new(Secrets {
            version: secrets_version.into(),
            ..Secrets::default()
        }),
        context: PodContext::default(),
    })
}

async fn is_woken(subscription: &mut Subscription) -> bool {
    let woken = timeout(Duration::from_secs(1), subscription.changed()).await;
    subscription.current();
    woken.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_session_is_woken_by_what_makes_a_difference_only() {
    let table = Assignments::new();
    table.publish("u", granted(1, "s1"));
    let mut subscription = table.subscribe("u");
    assert!(matches!(subscription.current(), Standing::Granted(_)));
    for (standing, difference) in [
        (granted(1, "s1"), false),
        (granted(2, "s1"), true),
        (granted(2, "s2"), true),
        (Standing::Denied(Violation::HostPid), true),
        (Standing::Denied(Violation::HostPid), false),
        (Standing::Denied(Violation::HostNetwork), true),
        (granted(2, "s2"), true),
    ] {
        table.publish("u", standing.clone());
        assert_eq!(
            is_woken(&mut subscription).await,
            difference,
            "{standing:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_may_be_asked_for_before_it_is_known_and_after_it_is_gone() {
    let table = Assignments::new();
    let mut subscription = table.subscribe("u");
    assert!(matches!(subscription.current(), Standing::Unknown));
    table.publish("u", granted(1, ""));
    assert!(is_woken(&mut subscription).await);
    table.remove("u");
    assert!(is_woken(&mut subscription).await);
    assert!(matches!(subscription.current(), Standing::Unknown));
    table.publish("u", granted(1, ""));
    assert!(is_woken(&mut subscription).await);
    assert!(matches!(subscription.current(), Standing::Granted(_)));
}

#[test]
fn nothing_is_kept_of_pods_that_never_were() {
    let table = Assignments::new();
    let first = table.subscribe("u");
    let second = table.subscribe("u");
    drop(first);
    assert_eq!(table.len(), 1);
    drop(second);
    assert!(table.is_empty());

    table.publish("u", granted(1, ""));
    drop(table.subscribe("u"));
    assert_eq!(table.len(), 1);
    let subscription = table.subscribe("u");
    table.remove("u");
    assert_eq!(table.len(), 1);
    drop(subscription);
    assert!(table.is_empty());
}
