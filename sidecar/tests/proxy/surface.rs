//! What a sidecar shows: models, the config dump, probes, metrics, the end.

use std::time::Duration;

use bytes::Bytes;
use fkm_snapshot::Secrets;
use fkm_upstream::{Step, Streamed, Upstream};
use http::Method;
use serde_json::json;

use crate::harness::{KEY, Sidecar, anthropic, pair, provider, question, send, snapshot};

async fn probe(sidecar: &Sidecar, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", sidecar.running.addresses().probe);
    let reply = send(Method::GET, &url, &[], Bytes::new()).await;
    (
        reply.status.as_u16(),
        String::from_utf8(reply.body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn models_are_the_literal_matches_and_what_patterns_reach() {
    let (a, b, sidecar) = pair().await;
    let mut snapshot = snapshot(&[
        provider("a", &a.base_url(), 0),
        anthropic("b", &b.base_url(), 1),
    ]);
    snapshot["rules"] = json!([
        {"route": "t/r", "name": "1", "matches": [{"models": ["literal", "al*"]}], "backends": [{"name": "x", "pool": "test/pool"}]},
    ]);
    sidecar.apply(&snapshot);
    for path in ["/v1/models", "/openai/v1/models"] {
        let list = sidecar.get(path).await.json();
        assert_eq!(list["object"], "list");
        let ids: Vec<_> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["alias", "literal"]);
        assert_eq!(list["data"][0]["owned_by"], "openai");
    }
    snapshot["rules"][0]["matches"] = json!([]);
    sidecar.apply(&snapshot);
    let list = sidecar.get("/v1/models").await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn without_a_snapshot_nothing_is_ready_and_with_an_empty_one_all_is() {
    let any = "127.0.0.1:0".parse().unwrap();
    let settings = fkm_sidecar::args::Settings {
        listen: vec![any],
        admin_listen: vec![any],
        probe_listen: any,
        source: fkm_sidecar::args::Source::Embedded,
        drain: Duration::from_secs(1),
        ambient: fkm_sidecar::signin::ambient::Ambient::default(),
        network: fkm_sidecar::network::NetworkSettings::default(),
    };
    let running = fkm_sidecar::app::Running::start(&settings).await.unwrap();
    let sidecar = Sidecar { running };
    assert_eq!(probe(&sidecar, "/readyz").await.0, 503);
    assert_eq!(probe(&sidecar, "/livez").await.0, 200);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (503, "1")
    );
    sidecar
        .running
        .store()
        .apply(b"{}", &Secrets::default())
        .unwrap();
    assert_eq!(probe(&sidecar, "/readyz").await.0, 200);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.status, 404);
    assert!(
        reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("no LLMRoute selects this pod")
    );
}

#[tokio::test]
async fn a_bad_snapshot_changes_nothing() {
    let (a, _b, sidecar) = pair().await;
    let before = sidecar.running.store().applied();
    let mut bad = snapshot(&[provider("a", &a.base_url(), 0)]);
    bad["rules"][0]["backends"][0]["pool"] = json!("test/none");
    let refused = sidecar
        .running
        .store()
        .apply(bad.to_string().as_bytes(), &Secrets::default());
    assert_eq!(refused.unwrap_err()[0].path, "rules[0].backends[0].pool");
    let good = snapshot(&[provider("a", &a.base_url(), 0)]).to_string();
    let refused = sidecar
        .running
        .store()
        .apply(good.as_bytes(), &Secrets::default());
    assert!(
        refused.unwrap_err()[0].message.contains("test/keys/main"),
        "a key is missing"
    );
    let mut ca = snapshot(&[provider("a", "https://localhost/v1", 0)]);
    let http = &mut ca["pools"]["test/pool"]["providers"][0]["connection"]["http"];
    http["credentials"] = json!([]);
    http["network"] = json!({"tls": {"caPem": "no certificate"}});
    let refused = sidecar
        .running
        .store()
        .apply(ca.to_string().as_bytes(), &Secrets::default());
    assert!(
        refused.unwrap_err()[0]
            .path
            .ends_with("http.network.tls.caPem")
    );
    assert_eq!(sidecar.running.store().applied(), before);
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert!(
        probe(&sidecar, "/metrics")
            .await
            .1
            .contains("fkm_snapshots_rejected_total 3")
    );
}

#[tokio::test]
async fn the_config_dump_shows_the_snapshot_and_no_key() {
    let (_a, _b, sidecar) = pair().await;
    let url = format!("http://{}/config", sidecar.running.addresses().admin[0]);
    let reply = send(Method::GET, &url, &[], Bytes::new()).await;
    let dump = reply.json();
    assert_eq!(
        dump["hash"],
        sidecar.running.store().applied().unwrap().0.to_string()
    );
    assert_eq!(dump["snapshot"]["rules"][0]["route"], "test/route");
    assert!(!String::from_utf8_lossy(&reply.body).contains(KEY));
    let reply = send(Method::GET, &url, &[("host", "evil.example")], Bytes::new()).await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn a_key_that_a_provider_echoes_goes_no_further() {
    let (a, _b, sidecar) = pair().await;
    sidecar.apply(&snapshot(&[provider("a", &a.base_url(), 0)]));
    for status in [400, 401, 500] {
        a.script(vec![Step::EchoKey { status }]);
        let reply = sidecar.chat(&question(false)).await;
        let shown = format!(
            "{:?} {}",
            reply.headers,
            String::from_utf8_lossy(&reply.body)
        );
        assert!(!shown.contains(KEY), "{status}: {shown}");
        let sent = format!(
            "{:?}",
            a.requests().last().unwrap().headers["authorization"].to_str()
        );
        assert!(sent.contains(KEY), "the search finds a planted key");
    }
}

#[tokio::test]
async fn a_key_in_a_providers_request_id_goes_no_further() {
    let (a, _b, sidecar) = pair().await;
    let answer = r#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}"#;
    for (id, shown) in [("req-1", true), (KEY, false), (&"x".repeat(300), false)] {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: {id}\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        a.script(vec![Step::Raw((head + answer).into_bytes())]);
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 200);
        assert_eq!(!reply.header("x-request-id").is_empty(), shown, "{id}");
    }
}

#[tokio::test]
async fn streams_count_as_in_flight() {
    let (a, _b, sidecar) = pair().await;
    a.script(vec![Step::Streamed(Streamed {
        delay_millis: 30,
        ..Streamed::counting(20)
    })]);
    let body = question(true);
    let looking = async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        probe(&sidecar, "/metrics").await.1
    };
    let (stream, during) = tokio::join!(sidecar.chat(&body), looking);
    assert!(during.contains("fkm_requests_in_flight 1"), "{during}");
    assert!(stream.streamed().done);
    assert!(
        probe(&sidecar, "/metrics")
            .await
            .1
            .contains("fkm_requests_in_flight 0")
    );
}

#[tokio::test]
async fn a_change_cuts_no_stream() {
    let (a, b, sidecar) = pair().await;
    a.script(vec![Step::Streamed(Streamed {
        delay_millis: 20,
        ..Streamed::counting(20)
    })]);
    let body = question(true);
    let streaming = sidecar.chat(&body);
    let change = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        sidecar.apply(&snapshot(&[provider("b", &b.base_url(), 0)]));
        sidecar.chat(&question(false)).await
    };
    let (stream, next) = tokio::join!(streaming, change);
    assert_eq!(next.header("x-fkm-provider"), "b");
    let streamed = stream.streamed();
    assert!(
        streamed.done && !streamed.error && streamed.text.ends_with("19 "),
        "{streamed:?}"
    );
}

#[tokio::test]
async fn draining_lets_streams_end_and_tells_those_that_cannot() {
    let a = Upstream::start().await.unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let settings = fkm_sidecar::args::Settings {
        listen: vec![any],
        admin_listen: vec![any],
        probe_listen: any,
        source: fkm_sidecar::args::Source::Embedded,
        drain: Duration::from_millis(700),
        ambient: fkm_sidecar::signin::ambient::Ambient::default(),
        network: fkm_sidecar::network::NetworkSettings::default(),
    };
    let running = fkm_sidecar::app::Running::start(&settings).await.unwrap();
    let sidecar = Sidecar { running };
    sidecar.apply(&snapshot(&[provider("a", &a.base_url(), 0)]));
    let (url, address) = (sidecar.url("/v1/chat/completions"), sidecar.address());
    let body = Bytes::from(question(true).to_string());
    let start = |pieces, delay_millis| {
        a.set_default(Step::Streamed(Streamed {
            delay_millis,
            ..Streamed::counting(pieces)
        }));
        let (url, body) = (url.clone(), body.clone());
        tokio::spawn(async move { send(Method::POST, &url, &[], body).await })
    };
    let short = start(10, 30);
    a.wait_until(Duration::from_secs(2), |requests| requests.len() == 1)
        .await
        .unwrap();
    let long = start(1_000, 30);
    a.wait_until(Duration::from_secs(2), |requests| requests.len() == 2)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!sidecar.running.shut_down().await);
    let short = short.await.unwrap().streamed();
    assert!(short.done && !short.error, "{short:?}");
    let long = long.await.unwrap();
    assert!(
        long.streamed().error && !long.streamed().done,
        "{:?}",
        long.frames()
    );
    assert!(long.frames().last().unwrap().contains("shutting down"));
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}
