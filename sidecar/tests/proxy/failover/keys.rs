//! What the state of a key or of its account means: for the next key, the next provider, and the client.

use fkm_upstream::Step;
use serde_json::json;

use crate::harness::{pair, provider, question, snapshot};

#[tokio::test]
async fn a_revoked_key_is_not_worth_asking_again_and_the_soonest_wait_is_told() {
    let (a, b, sidecar) = pair().await;
    a.script(vec![Step::status(401)]);
    b.script(vec![Step::status(401)]);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("x-should-retry")),
        (502, "false")
    );
    a.script(vec![Step::rate_limited(3)]);
    b.script(vec![Step::rate_limited(60)]);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(
        (reply.header("x-should-retry"), reply.header("retry-after")),
        ("true", "3")
    );
}

#[tokio::test]
async fn an_account_without_credit_is_not_worth_asking_again() {
    let (a, _b, sidecar) = pair().await;
    sidecar.apply(&snapshot(&[provider("a", &a.base_url(), 0)]));
    let body = json!({"error": {"message": "no credit", "type": "insufficient_quota", "param": null, "code": "insufficient_quota"}});
    let status = fkm_upstream::Status {
        status: 429,
        headers: Vec::new(),
        body: body.to_string(),
    };
    for (step, retry) in [
        (Step::Status(status), "false"),
        (Step::rate_limited(1), "true"),
    ] {
        a.script(vec![step]);
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("x-should-retry")),
            (429, retry)
        );
    }
}

#[tokio::test]
async fn a_rate_limited_key_falls_to_the_next_key_of_the_same_provider() {
    let (a, b, sidecar) = pair().await;
    let mut first = provider("a", &a.base_url(), 0);
    let spare = json!({"name": "spare", "secret": "test/keys/spare"});
    first["connection"]["http"]["credentials"]
        .as_array_mut()
        .unwrap()
        .push(spare);
    sidecar.apply(&snapshot(&[first, provider("b", &b.base_url(), 1)]));
    a.script(vec![Step::rate_limited(1), Step::answer("other key")]);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(
        (reply.header("x-fkm-provider"), reply.text().as_str()),
        ("a", "other key")
    );
    let keys: std::collections::BTreeSet<_> = a
        .requests()
        .iter()
        .map(|request| {
            request.headers["authorization"]
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    a.reset();
    a.script(vec![Step::status(500)]);
    assert_eq!(
        sidecar
            .chat(&question(false))
            .await
            .header("x-fkm-provider"),
        "b"
    );
    assert_eq!(
        a.requests().len(),
        1,
        "another key does not mend a server error"
    );
}
