//! The address rule at connect time: the address that was checked is the one that is dialled, for every connection anew.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fkm_sidecar::network::{NetworkSettings, Resolver};
use fkm_upstream::{Options, Upstream};
use serde_json::json;

use crate::harness::{Sidecar, provider, question, snapshot};

/// An environment with these names.
fn resolving(look_up: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> NetworkSettings {
    NetworkSettings {
        resolver: Resolver::Function(Arc::new(look_up)),
        ..NetworkSettings::default()
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn names_that_lead_to_metadata_are_refused() {
    const CASES: [(&str, &str); 12] = [
        ("169.254.169.254", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::169.254.169.254", "link-local"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("2002:a9fe:a9fe::1", "link-local"),
        ("fe80::1", "link-local"),
        ("fd00:ec2::254", "link-local"),
        ("168.63.129.16", "link-local"),
        ("127.0.0.1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("0.0.0.0", "not the address of one host"),
        ("224.0.0.1", "not the address of one host"),
    ];
    let case = |name: &str| {
        name.trim_matches(|c: char| !c.is_ascii_digit())
            .parse::<usize>()
    };
    let settings = resolving(move |name| vec![ip(CASES[case(name).unwrap()].0)]);
    let sidecar = Sidecar::start_in(settings, &snapshot(&[])).await;
    for (index, (address, part)) in CASES.iter().enumerate() {
        let mut provider = provider("a", &format!("http://case{index}.test:9/v1"), 0);
        provider["connection"]["http"]["locality"] = json!("External");
        sidecar.apply(&snapshot(&[provider]));
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 502, "{address}");
        let message = reply.message();
        assert!(
            message.contains("ConnectFailure") && message.contains(part),
            "{address}: {message}"
        );
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_later_is_checked_again() {
    let a = Upstream::start().await.unwrap();
    let good = Arc::new(AtomicUsize::new(usize::MAX));
    let looked_up = Arc::new(AtomicUsize::new(0));
    let (left, count) = (good.clone(), looked_up.clone());
    let settings = resolving(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let good = left.load(Ordering::SeqCst) > 0;
        vec![ip(if good { "127.0.0.1" } else { "169.254.169.254" })]
    });
    let url = format!("http://rebinding.test:{}/v1", a.address().port());
    let snapshot = snapshot(&[provider("a", &url, 0)]);
    let sidecar = Sidecar::start_in(settings, &snapshot).await;
    for _ in 0..3 {
        assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    }
    // One look-up for one connection: what was checked is what was dialled, and nobody asked again in between.
    assert_eq!(looked_up.load(Ordering::SeqCst), 1);
    assert!(a.requests().iter().all(|request| request.connection == 0));

    good.store(0, Ordering::SeqCst);
    a.refuse().await;
    a.reopen().unwrap();
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.status, 502);
    assert!(reply.message().contains("link-local"), "{reply:?}");
    assert_eq!(a.requests().len(), 3, "nothing was dialled");
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_dialled_are() {
    let a = Upstream::start().await.unwrap();
    let settings = resolving(|_| vec![ip("169.254.169.254"), ip("127.0.0.1")]);
    let url = format!("http://mixed.test:{}/v1", a.address().port());
    let sidecar = Sidecar::start_in(settings, &snapshot(&[provider("a", &url, 0)])).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
}

#[tokio::test]
async fn a_name_without_an_address_says_so() {
    let settings = resolving(|_| Vec::new());
    let nowhere = snapshot(&[provider("a", "http://nowhere.test:9/v1", 0)]);
    let sidecar = Sidecar::start_in(settings, &nowhere).await;
    let message = sidecar.chat(&question(false)).await.message();
    assert!(message.contains("the name has no address"), "{message}");
}

#[tokio::test]
async fn both_families_are_tried_and_literals_of_either_are_dialled() {
    let six = Options {
        listen: "[::1]:0".parse().unwrap(),
        ..Options::default()
    };
    let six = Upstream::start_with(six).await.unwrap();
    let four = Upstream::start().await.unwrap();
    let settings = resolving(|_| vec![ip("::1"), ip("127.0.0.1")]);
    let sidecar = Sidecar::start_in(settings, &snapshot(&[])).await;
    let literal = format!("http://[::1]:{}/v1", six.address().port());
    let named = |upstream: &Upstream| format!("http://both.test:{}/v1", upstream.address().port());
    for url in [literal, named(&six), named(&four)] {
        sidecar.apply(&snapshot(&[provider("a", &url, 0)]));
        let began = tokio::time::Instant::now();
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 200, "{url}: {reply:?}");
        assert!(began.elapsed() < Duration::from_secs(2), "{url}");
    }
    let requests = six.requests();
    let host = format!("[::1]:{}", six.address().port());
    assert_eq!(requests[0].header("host"), Some(host.as_str()));
    assert_eq!((requests.len(), four.requests().len()), (2, 1));
}
