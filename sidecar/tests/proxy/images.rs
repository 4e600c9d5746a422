//! Pictures: generated from JSON, changed by forms, whole and as streams; and what of it is counted.

use std::time::Duration;

use bytes::Bytes;
use fkm_upstream::{Step, Upstream};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::formats::http;
use crate::harness::{KEY, Reply, Sidecar, provider, send, snapshot};

/// A provider that takes everything that is passed on, where `OpenAI` does.
pub(crate) fn relaying(name: &str, base_url: &str, priority: i32) -> Value {
    let mut provider = provider(name, base_url, priority);
    let formats = fkm_llm::RelayFormat::ALL.map(|format| json!({"format": format}));
    provider["connection"]["http"]["relays"] = json!(formats);
    provider
}

/// Two upstreams, `a` before `b`, and a sidecar in front of them.
pub(crate) async fn pair() -> (Upstream, Upstream, Sidecar) {
    let (a, b) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    let providers = [
        relaying("a", &a.base_url(), 0),
        relaying("b", &b.base_url(), 1),
    ];
    let sidecar = Sidecar::start(&snapshot(&providers)).await;
    (a, b, sidecar)
}

/// A form of these parts: the rest of their disposition, and their value.
pub(crate) fn form(parts: &[(&str, &[u8])]) -> Bytes {
    let mut body = Vec::new();
    for (name, value) in parts {
        let head = format!("--XyZ\r\nContent-Disposition: form-data; {name}\r\n\r\n");
        body.extend([head.as_bytes(), value, b"\r\n"].concat());
    }
    body.extend(b"--XyZ--\r\n");
    body.into()
}

pub(crate) const FORM: &str = "multipart/form-data; boundary=XyZ";

pub(crate) async fn post_form(sidecar: &Sidecar, path: &str, body: Bytes) -> Reply {
    let headers = [("content-type", FORM), ("authorization", "Bearer mine")];
    send(Method::POST, &sidecar.url(path), &headers, body).await
}

pub(crate) async fn metrics(sidecar: &Sidecar) -> String {
    let url = format!("http://{}/metrics", sidecar.running.addresses().probe);
    let metrics = send(Method::GET, &url, &[], Bytes::new()).await;
    String::from_utf8(metrics.body.to_vec()).unwrap()
}

/// A stream that is cut off where its text ends, or that ends as it should.
pub(crate) fn events(text: &str, broken: bool) -> Step {
    let last = if broken { "" } else { "0\r\n\r\n" };
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let body = format!("{:x}\r\n{text}\r\n{last}", text.len());
    Step::Raw([head, &body].concat().into_bytes())
}

const ANSWER: &str = r#" {"created": 1, "data": [{"b64_json": "aGk="}, {"b64_json": "aGk="}], "odd": 1e999,
    "usage": {"input_tokens": 5, "output_tokens": 272, "total_tokens": 277}}"#;
const PARTIAL: &str = "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"aGk=\"}\n\n";
const COMPLETED: &str = "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"aGk=\",\"usage\":{\"input_tokens\":3,\"output_tokens\":4}}\n\n";

fn question(stream: bool) -> String {
    json!({"prompt": "a cat", "model": "alias", "stream": stream, "odd": 1}).to_string()
}

#[tokio::test]
async fn pictures_go_through_as_they_came_and_are_counted() {
    let (a, _b, sidecar) = pair().await;
    a.script(vec![http("200 OK", "application/json", ANSWER.as_bytes())]);
    let reply = sidecar
        .post("/v1/images/generations", question(false))
        .await;
    assert_eq!(
        (reply.status, &*reply.body),
        (StatusCode::OK, ANSWER.as_bytes())
    );
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("x-fkm-model"), "m-upstream");
    let sent = a.requests().pop().unwrap();
    assert_eq!(sent.path, "/v1/images/generations");
    assert_eq!(
        sent.header("authorization"),
        Some(&*format!("Bearer {KEY}"))
    );
    assert_eq!(
        sent.body,
        question(false).replace("alias", "m-upstream").as_bytes()
    );
    let metrics = metrics(&sidecar).await;
    let labels = r#"{provider="a",model="m-upstream"} 2"#;
    assert!(
        metrics.contains(&format!("fkm_images_total{labels}")),
        "{metrics}"
    );
    let tokens = r#"token_type="output"} 272"#;
    assert!(metrics.contains(tokens), "{metrics}");
}

#[tokio::test]
async fn a_stream_of_pictures_ends_complete_or_with_an_error() {
    let (a, b, sidecar) = pair().await;
    let whole = format!("{PARTIAL}{COMPLETED}");
    a.script(vec![events(&whole, false)]);
    let reply = sidecar.post("/v1/images/generations", question(true)).await;
    assert_eq!(reply.body, whole);
    assert!(
        reply
            .header("content-type")
            .starts_with("text/event-stream")
    );
    let metrics = metrics(&sidecar).await;
    let labels = r#"{provider="a",model="m-upstream"} 1"#;
    assert!(
        metrics.contains(&format!("fkm_images_total{labels}")),
        "{metrics}"
    );

    for broken in [true, false] {
        a.script(vec![events(PARTIAL, broken)]);
        let reply = sidecar.post("/v1/images/generations", question(true)).await;
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        let error = text.strip_prefix(PARTIAL).unwrap();
        let error = error.strip_prefix("data: ").unwrap().trim_end();
        let error: Value = serde_json::from_str(error).unwrap();
        assert_eq!(error["error"]["code"], "provider_broken_answer", "{broken}");
    }

    // Nothing was shown yet: the next provider answers.
    a.script(vec![events(": wait\n\n", true)]);
    b.script(vec![events(&whole, false)]);
    let reply = sidecar.post("/v1/images/generations", question(true)).await;
    assert_eq!(reply.header("x-fkm-provider"), "b");
}

#[tokio::test]
async fn a_picture_is_changed_by_a_form_or_by_json() {
    let (a, _b, sidecar) = pair().await;
    let picture: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let of = |model: &[u8]| {
        form(&[
            ("name=\"image[]\"; filename=\"a.png\"", &picture),
            ("name=\"model\"", model),
            ("name=\"n\"", b"2"),
        ])
    };
    for path in ["/v1/images/edits", "/v1/images/variations"] {
        a.script(vec![http("200 OK", "application/json", ANSWER.as_bytes())]);
        let reply = post_form(&sidecar, path, of(b"alias")).await;
        assert_eq!(reply.body, ANSWER);
        let sent = a.requests().pop().unwrap();
        assert_eq!(sent.path, path);
        assert_eq!(sent.header("content-type"), Some(FORM));
        assert_eq!(sent.body, of(b"m-upstream"), "{path}");
    }
    a.script(vec![http("200 OK", "application/json", ANSWER.as_bytes())]);
    let reply = sidecar.post("/v1/images/edits", question(false)).await;
    assert_eq!(reply.body, ANSWER);
    assert_eq!(a.requests().pop().unwrap().json()["model"], "m-upstream");
}

#[tokio::test]
async fn a_deployment_of_azure_is_the_model() {
    let (a, _b, sidecar) = pair().await;
    a.script(vec![http("200 OK", "application/json", ANSWER.as_bytes())]);
    let path = "/openai/deployments/alias/images/edits?api-version=1";
    let body = form(&[("name=\"image\"; filename=\"a\"", b"x")]);
    let reply = post_form(&sidecar, path, body).await;
    assert_eq!(reply.body, ANSWER);
    let sent = String::from_utf8(a.requests().pop().unwrap().body.to_vec()).unwrap();
    assert!(
        sent.contains("name=\"model\"\r\n\r\nm-upstream\r\n"),
        "{sent}"
    );
}

#[tokio::test]
async fn whoever_fails_is_followed_by_the_next() {
    let (a, b, sidecar) = pair().await;
    let failures = [
        Step::status(500),
        Step::rate_limited(1),
        http(
            "200 OK",
            "application/json",
            br#"{"created": 1, "data": []}"#,
        ),
        http(
            "200 OK",
            "application/json",
            br#"{"error": {"message": "busy", "code": 503}}"#,
        ),
        http("200 OK", "text/html", b"<html>Please log in</html>"),
        http("200 OK", "text/event-stream", PARTIAL.as_bytes()),
        Step::Drop(fkm_upstream::End::Reset),
    ];
    for failure in failures {
        a.script(vec![failure.clone()]);
        b.script(vec![http("200 OK", "application/json", ANSWER.as_bytes())]);
        let reply = sidecar
            .post("/v1/images/generations", question(false))
            .await;
        let by = (
            reply.header("x-fkm-provider"),
            reply.header("x-fkm-attempts"),
        );
        assert_eq!(by, ("b", "2"), "{failure:?}: {reply:?}");
    }
    let refusal = r#"{"error": {"message": "Unknown parameter: 'quality'.", "type": "invalid_request_error", "param": "quality", "code": "unknown_parameter"}}"#;
    a.script(vec![http(
        "400 Bad Request",
        "application/json",
        refusal.as_bytes(),
    )]);
    let reply = sidecar
        .post("/v1/images/generations", question(false))
        .await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let error = &reply.json()["error"];
    assert_eq!(error["code"], "unknown_parameter");
    assert_eq!(error["param"], "quality");
}

#[tokio::test]
async fn what_is_no_request_is_refused_by_name() {
    let (a, _b, sidecar) = pair().await;
    let model: (&str, &[u8]) = ("name=\"model\"", b"alias");
    let unclosed = form(&[model]);
    let unclosed = unclosed.slice(..unclosed.len() - 6);
    let long = [b'a'; 2000];
    for (content_type, body, expected, param) in [
        (
            FORM,
            form(&[model, model]),
            "`model` appears twice",
            "model",
        ),
        (
            FORM,
            form(&[("name=\"n\"", b"1")]),
            "`model` is missing",
            "model",
        ),
        (
            FORM,
            form(&[("name=\"model\"", &long)]),
            "`model` must be a text of at most 1024",
            "model",
        ),
        (
            FORM,
            form(&[model, ("name=\"stream\"", b"maybe")]),
            "`stream` must be true or false",
            "stream",
        ),
        (FORM, unclosed, "its closing boundary is missing", ""),
        (
            FORM,
            Bytes::from_static(b"{}"),
            "its boundary is not in it",
            "",
        ),
        (
            "multipart/form-data",
            form(&[model]),
            "needs a boundary",
            "",
        ),
        ("application/json", form(&[model]), "not valid JSON", ""),
    ] {
        let headers = [("content-type", content_type)];
        let url = sidecar.url("/v1/images/edits");
        let reply = send(Method::POST, &url, &headers, body).await;
        assert_eq!(
            reply.status,
            StatusCode::BAD_REQUEST,
            "{expected}: {reply:?}"
        );
        let message = reply.message();
        assert!(message.contains(expected), "{message}");
        let named = reply.json()["error"]["param"].clone();
        assert_eq!(named.as_str().unwrap_or_default(), param, "{expected}");
    }
    assert_eq!(a.requests().len(), 0);
}

#[tokio::test]
async fn a_model_of_another_kind_is_not_asked() {
    let upstream = Upstream::start().await.unwrap();
    let mut provider = relaying("a", &upstream.base_url(), 0);
    provider["models"] = json!({
        "chat": {"formats": ["openai.chat"]}, "painter": {"formats": ["openai.images"]},
    });
    let sidecar = Sidecar::start(&snapshot(&[provider])).await;
    for (path, model) in [
        ("/v1/images/generations", "chat"),
        ("/v1/chat/completions", "painter"),
        ("/v1/images/edits", "painter"),
    ] {
        let body = json!({"model": model, "prompt": "p", "messages": []}).to_string();
        let reply = sidecar.post(path, body).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}: {reply:?}");
    }
    assert_eq!(upstream.requests().len(), 0);
    let listed = sidecar.get("/v1/models").await.json().to_string();
    assert!(listed.contains("painter"), "{listed}");
}

#[tokio::test]
async fn pictures_larger_than_any_prompt_are_taken_to_be_changed() {
    let (a, _b, sidecar) = pair().await;
    let picture = vec![7; 40 * 1024 * 1024];
    let parts: [(&str, &[u8]); 2] = [
        ("name=\"model\"", b"alias"),
        ("name=\"image\"; filename=\"a\"", &picture),
    ];
    a.script(vec![http("200 OK", "application/json", ANSWER.as_bytes())]);
    let reply = post_form(&sidecar, "/v1/images/edits", form(&parts)).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let url = sidecar.url("/v1/audio/transcriptions");
    let headers = [("content-type", FORM)];
    let reply = send(Method::POST, &url, &headers, form(&parts)).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_form_along() {
    let (a, _b, sidecar) = pair().await;
    a.script(vec![Step::Hang]);
    let body = form(&[("name=\"model\"", b"alias")]);
    let mut socket = TcpStream::connect(sidecar.address()).await.unwrap();
    let head = format!(
        "POST /v1/images/edits HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket
        .write_all(&[head.as_bytes(), &body].concat())
        .await
        .unwrap();
    let waited = Duration::from_secs(2);
    let came = a.wait_until(waited, |requests| requests.len() == 1).await;
    came.unwrap();
    drop(socket);
    let left = a
        .wait_until(waited, |requests| requests[0].cancelled())
        .await;
    left.unwrap();
    let metrics = metrics(&sidecar).await;
    assert!(metrics.contains("fkm_request_bodies_bytes 0"), "{metrics}");
}

#[tokio::test]
async fn a_provider_that_says_nothing_is_given_up() {
    let upstream = Upstream::start().await.unwrap();
    let mut snapshot = snapshot(&[relaying("a", &upstream.base_url(), 0)]);
    snapshot["rules"][0]["policy"] = json!({"timeouts": {"request": 300}});
    let sidecar = Sidecar::start(&snapshot).await;
    upstream.script(vec![Step::Hang]);
    let reply = sidecar
        .post("/v1/images/generations", question(false))
        .await;
    assert_eq!(reply.status, StatusCode::GATEWAY_TIMEOUT, "{reply:?}");
    // A stream in the middle of which it falls silent ends with an error.
    let silent = "event: image_generation.partial_image\ndata: {}\n\n";
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9999\r\n\r\n{silent}"
    );
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", hanging.local_addr().unwrap());
    snapshot["pools"]["test/pool"]["providers"] = json!([relaying("a", &base, 0)]);
    sidecar.apply(&snapshot);
    let serving = tokio::spawn(async move {
        let (mut socket, _) = hanging.accept().await.unwrap();
        let mut read = [0; 4096];
        assert!(socket.read(&mut read).await.unwrap() > 0);
        socket.write_all(head.as_bytes()).await.unwrap();
        // Until the sidecar closes.
        while socket.read(&mut read).await.is_ok_and(|read| read > 0) {}
    });
    let reply = sidecar.post("/v1/images/generations", question(true)).await;
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(
        text.starts_with(silent) && text.contains("timeouts.request is over"),
        "{text}"
    );
    serving.await.unwrap();
}
