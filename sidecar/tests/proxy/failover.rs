//! A fault of the first provider, whatever it is, before anything was shown: the client gets the second one's answer in
//! the same request.

mod keys;
mod time;

use fkm_upstream::{Answer, BreakBody, Cut, End, Step, Streamed};
use serde_json::json;

use crate::harness::{Seen, Sidecar, Speaks, pair, provider, question, snapshot};

/// Every fault that can come before the first content, for whole answers and for streams.
fn faults() -> Vec<(&'static str, Step)> {
    let cut = |after, end| {
        Step::Streamed(Streamed {
            cut: Cut::AfterFrame(after),
            end,
            ..Streamed::default()
        })
    };
    vec![
        ("429", Step::rate_limited(2)),
        ("500", Step::status(500)),
        ("503", Step::status(503)),
        ("529", Step::status(529)),
        ("401: our key, not the client's", Step::status(401)),
        ("404: our model, not the client's", Step::status(404)),
        ("redirect", Step::status(302)),
        ("hang", Step::Hang),
        ("hang after headers", Step::HangAfterHeaders),
        ("drop", Step::Drop(End::Close)),
        ("reset", Step::Drop(End::Reset)),
        ("not HTTP", Step::Raw(b"hello\r\n\r\n".to_vec())),
        ("break body", Step::BreakBody(BreakBody { answer: Answer::default(), after: 20, end: End::Close })),
        ("break body by reset", Step::BreakBody(BreakBody { answer: Answer::default(), after: 20, end: End::Reset })),
        ("stream cut before its first frame", cut(0, End::Close)),
        ("stream ended before its first frame", cut(0, End::Clean)),
        ("stream cut after its role", cut(1, End::Close)),
        ("stream reset after its role", cut(1, End::Reset)),
        ("stream ended after its role", cut(1, End::Clean)),
        ("error inside a stream", Step::Streamed(Streamed {
            frames: vec!["data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n".to_owned()],
            ..Streamed::default()
        })),
        ("html instead of json", Step::Raw(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>".to_vec(),
        )),
        ("empty answer", Step::Raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n".to_vec())),
        ("error under status 200", Step::Raw(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 31\r\n\r\n{\"error\":{\"message\":\"not today\"}}"[..].to_vec(),
        )),
    ]
}

/// All faults, for a client of one format and providers of another.
async fn every_fault_fails_over(client: Speaks, providers: Speaks) {
    let (a, b, sidecar) = pair().await;
    let both = [
        providers.provider("a", &a.base_url(), 0),
        providers.provider("b", &b.base_url(), 1),
    ];
    let mut snapshot = snapshot(&both);
    snapshot["rules"][0]["policy"] = json!({"timeouts": {"attempt": 300}});
    sidecar.apply(&snapshot);
    for (name, fault) in faults() {
        for stream in [false, true] {
            let case = format!("{name}, {client:?} to {providers:?}, stream {stream}");
            a.script(vec![fault.clone(), fault.clone()]);
            b.script(vec![Step::answer("from b")]);
            let reply = client.ask(&sidecar, stream).await;
            assert_eq!(reply.status, 200, "{case}: {reply:?}");
            assert_eq!(reply.header("x-fkm-provider"), "b", "{case}");
            assert_eq!(reply.header("x-fkm-attempts"), "2", "{case}");
            let seen = client.read(&reply, stream);
            let expected = Seen {
                text: "from b".to_owned(),
                complete: true,
                error: false,
            };
            assert_eq!(seen, expected, "{case}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn every_fault_before_the_first_content_fails_over_in_one_format() {
    for format in Speaks::BOTH {
        every_fault_fails_over(format, format).await;
    }
}

#[tokio::test]
async fn every_fault_before_the_first_content_fails_over_through_a_translation() {
    every_fault_fails_over(Speaks::OpenAi, Speaks::Anthropic).await;
    every_fault_fails_over(Speaks::Anthropic, Speaks::OpenAi).await;
}

#[tokio::test]
async fn failover_may_change_the_providers_format() {
    let (a, b, sidecar) = pair().await;
    for (client, first, second) in [
        (Speaks::OpenAi, Speaks::OpenAi, Speaks::Anthropic),
        (Speaks::Anthropic, Speaks::OpenAi, Speaks::Anthropic),
        (Speaks::OpenAi, Speaks::Anthropic, Speaks::OpenAi),
    ] {
        let both = [
            first.provider("a", &a.base_url(), 0),
            second.provider("b", &b.base_url(), 1),
        ];
        sidecar.apply(&snapshot(&both));
        for stream in [false, true] {
            a.script(vec![Step::status(503)]);
            b.script(vec![Step::answer("from b")]);
            let reply = client.ask(&sidecar, stream).await;
            assert_eq!(reply.header("x-fkm-provider"), "b");
            assert_eq!(client.read(&reply, stream).text, "from b");
        }
    }
}

#[tokio::test]
async fn a_refused_connection_fails_over() {
    let (a, _b, sidecar) = pair().await;
    a.refuse().await;
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("x-fkm-provider")),
        (200, "b")
    );
    a.reopen().unwrap();
    assert_eq!(
        sidecar
            .chat(&question(false))
            .await
            .header("x-fkm-provider"),
        "a"
    );
}

#[tokio::test]
async fn when_all_fail_the_error_lists_the_attempts_and_says_when_to_ask_again() {
    let (a, b, sidecar) = pair().await;
    a.script(vec![Step::status(500)]);
    b.script(vec![Step::rate_limited(7)]);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("retry-after"), "7");
    assert_eq!(reply.header("x-fkm-attempts"), "2");
    let message = reply.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    for part in [
        "2 attempts",
        "a/m-upstream",
        "ServerError",
        "b/m-upstream",
        "RateLimited",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[tokio::test]
async fn the_clients_own_fault_is_answered_and_does_not_fail_over() {
    let (a, b, sidecar) = pair().await;
    for status in [400, 422] {
        a.script(vec![Step::status(status)]);
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, status);
        assert!(reply.json()["error"]["message"].is_string());
    }
    assert!(b.requests().is_empty());
}

#[tokio::test]
async fn fallback_on_decides_which_failures_count() {
    let (a, b, sidecar) = pair().await;
    let providers = [
        provider("a", &a.base_url(), 0),
        provider("b", &b.base_url(), 1),
    ];
    let mut snapshot = snapshot(&providers);
    for (on, status, expected) in [
        (json!([]), 500, 502),
        (json!(["RateLimited"]), 500, 502),
        (json!(["RateLimited"]), 429, 200),
        (json!(["ServerError"]), 500, 200),
    ] {
        snapshot["rules"][0]["policy"] = json!({"fallbackOn": on});
        sidecar.apply(&snapshot);
        a.script(vec![Step::status(status)]);
        assert_eq!(
            sidecar.chat(&question(false)).await.status,
            expected,
            "{on} after {status}"
        );
    }
}

#[tokio::test]
async fn two_pools_may_have_providers_of_one_name() {
    let (a, b, sidecar) = pair().await;
    let snapshot = json!({
        "pools": {
            "test/1": {"providers": [provider("same", &a.base_url(), 0)]},
            "test/2": {"providers": [provider("same", &b.base_url(), 0)]},
        },
        "rules": [{"route": "test/route", "name": "all", "backends": [
            {"name": "1", "pool": "test/1"}, {"name": "2", "pool": "test/2"},
        ]}],
    });
    sidecar.apply(&snapshot);
    a.script(vec![Step::status(500)]);
    b.script(vec![Step::answer("from b")]);
    assert_eq!(sidecar.chat(&question(false)).await.text(), "from b");
}

#[tokio::test]
async fn a_format_that_cannot_express_the_request_is_passed_over() {
    let (a, b, sidecar) = pair().await;
    let mut question = question(false);
    question["n"] = json!(2);
    let order = |first: Speaks, second: Speaks| {
        snapshot(&[
            first.provider("a", &a.base_url(), 0),
            second.provider("b", &b.base_url(), 1),
        ])
    };
    // Anthropic's format knows no `n`: the OpenAI provider is asked.
    sidecar.apply(&order(Speaks::Anthropic, Speaks::OpenAi));
    let reply = sidecar.chat(&question).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("x-fkm-provider")),
        (200, "b")
    );
    assert!(a.requests().is_empty());
    // An outage stays an outage, whoever comes next.
    sidecar.apply(&order(Speaks::OpenAi, Speaks::Anthropic));
    a.script(vec![Step::status(500)]);
    let reply = sidecar.chat(&question).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("x-should-retry")),
        (502, "true")
    );
    // Nobody can: that is the answer.
    sidecar.apply(&order(Speaks::Anthropic, Speaks::Anthropic));
    let reply = sidecar.chat(&question).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["error"]["code"]),
        (400, &json!("not_expressible"))
    );
}

#[tokio::test]
async fn a_stale_pooled_connection_is_nobodys_fault() {
    let options = fkm_upstream::Options::default();
    let a = fkm_upstream::Upstream::start_with(options).await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &a.base_url(), 0)])).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    // The provider closes the pooled connection when the next request is already on its way.
    a.script(vec![Step::Drop(End::Close), Step::answer("second try")]);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("x-fkm-attempts")),
        (200, "1"),
        "{reply:?}"
    );
    assert_eq!(reply.text(), "second try");
    // A fresh connection that is closed at once is the provider's fault.
    a.refuse().await;
    a.reopen().unwrap();
    a.script(vec![Step::Drop(End::Close), Step::answer("never")]);
    assert_eq!(sidecar.chat(&question(false)).await.status, 502);
}
