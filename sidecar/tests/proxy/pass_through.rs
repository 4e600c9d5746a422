//! What a provider sees of a request: the received bytes but for the edited spans, our key, and no header unasked.

use bytes::Bytes;
use fkm_upstream::{Status, Step, Upstream};
use http::Method;
use serde_json::json;

use crate::harness::{KEY, Sidecar, anthropic, provider, question, send, snapshot};

#[tokio::test]
async fn bytes_are_kept_but_for_the_model() {
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &a.base_url(), 0)])).await;
    let body = "{ \"messages\" :[{\"role\":\"user\",\"content\":\"\\u00e9\\/ \\\"model\\\":\\\"m\\\"\"}],\r\n\t\"model\":  \"m\" , \"seed\": 123456789012345678901234567890, \"unknown\": {\"model\":\"m\", \"x\":1e-7}}\n";
    let reply = sidecar.post("/v1/chat/completions", body).await;
    assert_eq!(reply.status, 200);
    let expected = body.replacen("\"model\":  \"m\"", "\"model\":  \"m-upstream\"", 1);
    assert_eq!(a.requests()[0].body, expected);
}

#[tokio::test]
async fn no_header_reaches_a_provider_unasked() {
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &a.base_url(), 0)])).await;
    let headers = [
        ("authorization", "Bearer client-key"),
        ("x-api-key", "client-key"),
        ("api-key", "client-key"),
        ("cookie", "session=1"),
        ("openai-organization", "org-client"),
        ("openai-beta", "assistants=v2"),
        ("idempotency-key", "i-1"),
        ("x-client-request-id", "c-1"),
        ("x-stainless-lang", "python"),
        ("x-forwarded-for", "10.0.0.9"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("user-agent", "OpenAI/Python"),
        ("accept-encoding", "gzip"),
    ];
    let body = Bytes::from_static(br#"{"model":"m","messages":[]}"#);
    let url = sidecar.url("/openai/v1/chat/completions?key=client-key");
    let reply = send(Method::POST, &url, &headers, body).await;
    assert_eq!(reply.status, 200);
    let received = &a.requests()[0];
    assert_eq!(received.path, "/v1/chat/completions");
    assert_eq!(received.headers["authorization"], format!("Bearer {KEY}"));
    let mut names: Vec<&str> = received
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    names.sort_unstable();
    let expected = [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "openai-beta",
        "user-agent",
        "x-client-request-id",
    ];
    assert_eq!(names, expected);
    assert!(
        received.headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("fkm-sidecar/")
    );
}

#[tokio::test]
async fn anthropic_is_passed_through_with_its_own_headers() {
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[anthropic("a", &a.base_url(), 0)])).await;
    let body = br#"{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#;
    for path in ["/v1/messages", "/anthropic/v1/messages"] {
        a.reset();
        let headers = [
            ("anthropic-version", "2023-01-01"),
            ("anthropic-beta", "a,b"),
            ("x-api-key", "client-key"),
        ];
        let reply = send(
            Method::POST,
            &sidecar.url(path),
            &headers,
            Bytes::from_static(body),
        )
        .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(
            reply.json()["content"][0]["text"],
            "Hello from the upstream."
        );
        let received = &a.requests()[0];
        assert_eq!(received.headers["x-api-key"], KEY);
        assert_eq!(received.headers["anthropic-version"], "2023-01-01");
        assert_eq!(received.headers["anthropic-beta"], "a,b");
        assert!(received.headers.get("authorization").is_none());
        assert_eq!(
            received.body,
            std::str::from_utf8(body)
                .unwrap()
                .replace("\"m\"", "\"m-upstream\"")
        );
    }
}

#[tokio::test]
async fn the_output_limit_has_the_name_that_the_provider_wants() {
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[])).await;
    for (field, sent, expected) in [
        ("max_tokens", "max_completion_tokens", "max_tokens"),
        (
            "max_completion_tokens",
            "max_tokens",
            "max_completion_tokens",
        ),
        ("as_sent", "max_tokens", "max_tokens"),
    ] {
        a.reset();
        let mut provider = provider("a", &a.base_url(), 0);
        provider["connection"]["http"]["dialect"]["maxTokensField"] = json!(field);
        sidecar.apply(&snapshot(&[provider]));
        let reply = sidecar
            .chat(&json!({"model": "m", sent: 9, "messages": []}))
            .await;
        assert_eq!(reply.status, 200);
        let received: serde_json::Value = serde_json::from_slice(&a.requests()[0].body).unwrap();
        assert_eq!(
            received,
            json!({"model": "m-upstream", expected: 9, "messages": []})
        );
    }
}

#[tokio::test]
async fn the_providers_request_id_and_nothing_else_of_its_head_comes_back() {
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &a.base_url(), 0)])).await;
    let answer = br#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}"#;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req-7\r\nset-cookie: a=b\r\nopenai-organization: org\r\nserver: x\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    a.script(vec![fkm_upstream::Step::Raw(
        [head.as_bytes(), answer].concat(),
    )]);
    let reply = sidecar
        .post("/v1/chat/completions", r#"{"model":"m","messages":[]}"#)
        .await;
    assert_eq!(reply.body, &answer[..]);
    assert_eq!(reply.header("x-request-id"), "req-7");
    let mut names: Vec<&str> = reply.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let expected = [
        "content-length",
        "content-type",
        "date",
        "x-fkm-attempts",
        "x-fkm-model",
        "x-fkm-provider",
        "x-fkm-request-id",
        "x-request-id",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        (reply.header("x-fkm-provider"), reply.header("x-fkm-model")),
        ("a", "m-upstream")
    );
    assert_eq!(reply.header("x-fkm-request-id").len(), 32);
}

#[tokio::test]
async fn what_the_dialect_refuses_is_left_out_and_told() {
    let a = Upstream::start().await.unwrap();
    let mut refusing = provider("a", &a.base_url(), 0);
    let dialect = &mut refusing["connection"]["http"]["dialect"];
    dialect["drop"] = json!(["user", "logit_bias"]);
    dialect["rename"] = json!({"seed": "random_seed"});
    dialect["auth"] = json!("ApiKey");
    dialect["path"] = json!("/{model}/chat/completions");
    dialect["streamPath"] = json!("/live/{model}/chat/completions");
    let model = refusing["models"]["m"].as_object_mut().unwrap();
    model.insert("upstreamName".to_owned(), json!("models/m:1"));
    let sidecar = Sidecar::start(&snapshot(&[refusing])).await;
    let body = r#"{"user": "u",  "model":"m","messages":[], "seed":7, "logit_bias":{"1":1}}"#;
    let reply = sidecar.post("/v1/chat/completions", body).await;
    assert_eq!(reply.header("x-fkm-dropped"), "logit_bias, user");
    let body = r#"{"model":"m","messages":[],"stream":true}"#;
    let streamed = sidecar.post("/v1/chat/completions", body).await;
    assert_eq!(streamed.header("x-fkm-dropped"), "");
    let requests = a.requests();
    let expected = r#"{"model":"models/m:1","messages":[], "random_seed":7}"#;
    assert_eq!(requests[0].body, expected);
    assert_eq!(requests[0].path, "/v1/models%2Fm%3A1/chat/completions");
    assert_eq!(requests[1].path, "/v1/live/models%2Fm%3A1/chat/completions");
    assert_eq!(requests[0].header("api-key"), Some(KEY));
    assert_eq!(requests[0].header("authorization"), None);
}

#[tokio::test]
async fn a_request_id_that_repeats_the_key_is_not_shown_however_it_is_escaped() {
    let escaped: String = KEY
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect::<Vec<_>>()
        .concat();
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &a.base_url(), 0)])).await;
    for (id, shown) in [(escaped.as_str(), ""), ("req%20100", "req%20100")] {
        a.script(vec![Step::Status(Status {
            status: 200,
            headers: vec![("x-request-id".to_owned(), id.to_owned())],
            body: r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}"#.to_owned(),
        })]);
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("x-request-id"), shown);
    }
}

#[tokio::test]
async fn what_else_a_provider_says_of_an_error_reaches_clients_of_its_format_without_the_key() {
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &a.base_url(), 0)])).await;
    let bytes = KEY.bytes().map(|byte| format!("\\u{byte:04x}"));
    let escaped = bytes.collect::<Vec<_>>().concat();
    let body = format!(
        r#"{{"error":{{"message":"no such tool","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<f>{{1.50}}</f>","metadata":{{"raw":"of {KEY}","again":["{escaped}"],"n":1e2}}}}}}"#
    );
    let step = Step::Status(Status {
        status: 400,
        headers: Vec::new(),
        body,
    });
    a.script(vec![step.clone(), step]);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let expected = r#"{"error":{"message":"no such tool","type":"invalid_request_error","param":null,"code":"tool_use_failed","failed_generation":"<f>{1.50}</f>","metadata":{"raw":"of [redacted]","again":["[redacted]"],"n":1e2}}}"#;
    assert_eq!(reply.body, expected);
    let question = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
    let reply = sidecar.post("/v1/messages", question).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let members: Vec<String> = reply.json()["error"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(members, ["details", "message", "type"]);
}
