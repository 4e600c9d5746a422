//! What a pool's and a rule's fields do: weights, priorities, strategies, aliases, names, the simulated provider, addresses
//! and trust.

use std::collections::BTreeMap;
use std::time::Duration;

use fkm_upstream::{Step, Upstream};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::{Sidecar, pair, provider, question, snapshot};

/// How often each provider answered, of 200.
async fn shares(sidecar: &Sidecar) -> BTreeMap<String, u32> {
    let mut shares = BTreeMap::new();
    for _ in 0..200 {
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 200);
        *shares
            .entry(reply.header("x-fkm-provider").to_owned())
            .or_default() += 1;
    }
    shares
}

#[tokio::test]
async fn providers_of_a_tier_share_by_weight_and_zero_gets_none() {
    let (a, b, sidecar) = pair().await;
    for (weights, expected) in [((3, 1), 120..=180), ((1, 1), 70..=130), ((0, 5), 0..=0)] {
        let mut providers = [
            provider("a", &a.base_url(), 0),
            provider("b", &b.base_url(), 0),
        ];
        providers[0]["weight"] = json!(weights.0);
        providers[1]["weight"] = json!(weights.1);
        sidecar.apply(&snapshot(&providers));
        let shares = shares(&sidecar).await;
        assert!(
            expected.contains(shares.get("a").unwrap_or(&0)),
            "{weights:?}: {shares:?}"
        );
    }
}

#[tokio::test]
async fn the_lower_priority_is_first() {
    let (a, b, sidecar) = pair().await;
    sidecar.apply(&snapshot(&[
        provider("a", &a.base_url(), 2),
        provider("b", &b.base_url(), 1),
    ]));
    assert_eq!(
        shares(&sidecar).await,
        BTreeMap::from([("b".to_owned(), 200)])
    );
}

/// Two pools of one provider each, and a rule with a backend for each.
fn two_backends(a: &Upstream, b: &Upstream) -> Value {
    json!({
        "pools": {
            "test/a": {"providers": [provider("a", &a.base_url(), 0)]},
            "test/b": {"providers": [provider("b", &b.base_url(), 0)]},
        },
        "rules": [{"route": "test/route", "name": "all", "backends": [
            {"name": "a", "pool": "test/a"}, {"name": "b", "pool": "test/b"},
        ]}],
    })
}

#[tokio::test]
async fn strategies_order_the_backends() {
    let (a, b, sidecar) = pair().await;
    let mut snapshot = two_backends(&a, &b);
    sidecar.apply(&snapshot);
    assert_eq!(
        shares(&sidecar).await,
        BTreeMap::from([("a".to_owned(), 200)]),
        "Priority: as listed"
    );
    snapshot["rules"][0]["strategy"] = json!("Weighted");
    snapshot["rules"][0]["backends"][1]["weight"] = json!(3);
    sidecar.apply(&snapshot);
    let weighted = shares(&sidecar).await;
    assert!((120..=180).contains(&weighted["b"]), "{weighted:?}");
    a.set_default(Step::status(500));
    assert_eq!(
        shares(&sidecar).await,
        BTreeMap::from([("b".to_owned(), 200)]),
        "the one not drawn is for failover"
    );
}

#[tokio::test]
async fn a_backends_model_aliases_and_upstream_names() {
    let (a, _b, sidecar) = pair().await;
    let mut first = provider("a", &a.base_url(), 0);
    first["models"]["large"] = json!({});
    let mut snapshot = snapshot(&[first]);
    let sent = |a: &Upstream| -> Value {
        serde_json::from_slice(&a.requests().last().unwrap().body).unwrap()
    };
    for (model, asked, upstream) in [
        ("", "m", "m-upstream"),
        ("", "alias", "m-upstream"),
        ("", "large", "large"),
        ("alias", "whatever", "m-upstream"),
        ("large", "m", "large"),
    ] {
        snapshot["rules"][0]["backends"][0]["model"] = json!(model);
        sidecar.apply(&snapshot);
        let reply = sidecar.chat(&json!({"model": asked, "messages": []})).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("x-fkm-model")),
            (200, upstream),
            "{model:?} {asked}"
        );
        assert_eq!(sent(&a)["model"], upstream);
    }
}

#[tokio::test]
async fn the_first_rule_that_matches_decides() {
    let (a, b, sidecar) = pair().await;
    let mut snapshot = two_backends(&a, &b);
    snapshot["rules"] = json!([
        {"route": "test/r", "name": "one", "matches": [{"models": ["x", "alias"]}, {"models": ["*-b"]}], "backends": [{"name": "b", "pool": "test/b", "model": "m"}]},
        {"route": "test/r", "name": "rest", "backends": [{"name": "a", "pool": "test/a", "model": "m"}]},
    ]);
    sidecar.apply(&snapshot);
    for (model, provider) in [("alias", "b"), ("any-b", "b"), ("m", "a"), ("b-any", "a")] {
        let reply = sidecar.chat(&json!({"model": model, "messages": []})).await;
        assert_eq!(reply.header("x-fkm-provider"), provider, "{model}");
    }
}

#[tokio::test]
async fn a_rule_without_a_backend_says_why() {
    let (a, _b, sidecar) = pair().await;
    let mut snapshot = snapshot(&[provider("a", &a.base_url(), 0)]);
    let broken = json!({"route": "t/r", "name": "broken", "matches": [{"models": ["x"]}], "backends": [], "unavailable": "SecretNotFound"});
    snapshot["rules"].as_array_mut().unwrap().insert(0, broken);
    sidecar.apply(&snapshot);
    let reply = sidecar.chat(&json!({"model": "x", "messages": []})).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["error"]["code"]),
        (502, &json!("rule_unavailable"))
    );
    let message = reply.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.contains("SecretNotFound") && message.contains("t/r"),
        "{message}"
    );
    assert_eq!(
        sidecar.chat(&question(false)).await.status,
        200,
        "the other rules serve"
    );
}

#[tokio::test]
async fn addresses_are_checked_when_connecting_whatever_the_spelling() {
    let own = Sidecar::start(&snapshot(&[])).await;
    let cases = [
        ("http://169.254.169.254/v1", "Local", "link-local"),
        ("http://[::ffff:169.254.169.254]/v1", "Local", "link-local"),
        ("http://2852039166/v1", "Local", "link-local"),
        ("http://0xa9fea9fe/v1", "External", "link-local"),
        ("http://0251.0376.0251.0376/v1", "External", "link-local"),
        ("http://127.0.0.1:9/v1", "External", "loopback"),
        ("http://localhost:9/v1", "External", "loopback"),
        (
            "http://0.0.0.0:9/v1",
            "Local",
            "not the address of one host",
        ),
        (
            &format!("http://{}/v1", own.address()),
            "Local",
            "own ports",
        ),
        (
            &format!("http://localhost:{}/v1", own.address().port()),
            "Local",
            "own ports",
        ),
    ];
    for (url, locality, part) in cases {
        let mut provider = provider("a", url, 0);
        provider["connection"]["http"]["locality"] = json!(locality);
        own.apply(&snapshot(&[provider]));
        let reply = own.chat(&question(false)).await;
        assert_eq!(reply.status, 502, "{url}");
        let message = reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            message.contains("ConnectFailure") && message.contains(part),
            "{url}: {message}"
        );
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (a, b, sidecar) = pair().await;
    a.script(vec![Step::Status(fkm_upstream::Status {
        status: 307,
        headers: vec![("location".to_owned(), format!("{}/elsewhere", b.base_url()))],
        body: String::new(),
    })]);
    sidecar.apply(&snapshot(&[provider("a", &a.base_url(), 0)]));
    assert_eq!(sidecar.chat(&question(false)).await.status, 502);
    assert!(b.requests().is_empty());
}

fn simulated(fields: &Value) -> Value {
    let mut simulated = json!({"text": "one two three"});
    simulated
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    snapshot(&[json!({
        "name": "sim", "system": "simulated", "connection": {"simulated": simulated}, "models": {"m": {}},
    })])
}

#[tokio::test]
async fn the_simulated_provider_answers_and_fails_as_told() {
    let sidecar = Sidecar::start(&simulated(&json!({}))).await;
    assert_eq!(sidecar.chat(&question(false)).await.text(), "one two three");
    let streamed = sidecar.chat(&question(true)).await.streamed();
    assert_eq!(
        (streamed.text.as_str(), streamed.done, streamed.error),
        ("one two three", true, false)
    );
    for (error, status) in [
        ("Overloaded", 503),
        ("RateLimited", 429),
        ("ServerError", 502),
        ("ConnectFailure", 502),
    ] {
        sidecar.apply(&simulated(
            &json!({"errorPerMillion": 1_000_000, "error": error}),
        ));
        assert_eq!(
            sidecar.chat(&question(false)).await.status,
            status,
            "{error}"
        );
    }
    let mut timeout = simulated(&json!({"errorPerMillion": 1_000_000, "error": "Timeout"}));
    timeout["rules"][0]["policy"] = json!({"timeouts": {"attempt": 100}});
    sidecar.apply(&timeout);
    assert_eq!(sidecar.chat(&question(false)).await.status, 504);

    sidecar.apply(&simulated(&json!({"cutAfterEvents": 2})));
    let streamed = sidecar.chat(&question(true)).await.streamed();
    assert_eq!(
        (streamed.text.as_str(), streamed.done, streamed.error),
        ("one two ", false, true)
    );

    sidecar.apply(&simulated(&json!({"latency": 200})));
    let began = Instant::now();
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(200));

    sidecar.apply(&simulated(&json!({"errorPerMillion": 500_000})));
    let mut failed = 0;
    for _ in 0..200 {
        failed += u32::from(sidecar.chat(&question(false)).await.status != 200);
    }
    assert!((60..=140).contains(&failed), "{failed} of 200");
}
