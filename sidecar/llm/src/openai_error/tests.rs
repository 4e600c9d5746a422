//! Shapes of error bodies of the family, and the one that clients get.

use fkm_dialect::FailureClass;

use super::*;

fn read(status: u16, body: &str) -> ProviderError {
    decode(status, &HeaderMap::new(), body.as_bytes())
}

#[test]
fn every_shape_of_the_family_is_read() {
    for (body, message) in [
        (
            r#"{"error":{"message":"m1","type":"t","param":"p","code":"c"}}"#,
            "m1",
        ),
        (r#"{"error":"m2"}"#, "m2"),
        (
            r#"[{"error":{"code":400,"message":"m3","status":"INVALID_ARGUMENT"}}]"#,
            "m3",
        ),
        (r#"{"object":"error","message":"m4","code":400}"#, "m4"),
        (r#"{"detail":[{"loc":["body"],"msg":"m5"}]}"#, "m5"),
        (
            r#"{"message":{"detail":[{"loc":["body","a",0],"msg":"m6"},{"loc":["query"],"msg":"m7"}]}}"#,
            "a.0: m6; query: m7",
        ),
        (r#"{"detail":"m8"}"#, "m8"),
        (
            r#"{"errors":[{"message":"m9","code":5007}],"success":false}"#,
            "m9",
        ),
        (r#"{"detail":[1]}"#, "[1]"),
        ("plain text", "plain text"),
        ("", "the provider answered with status 400"),
    ] {
        assert_eq!(read(400, body).message, message, "{body}");
    }
    let all = read(
        400,
        r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#,
    );
    assert_eq!(
        (
            all.kind.as_deref(),
            all.param.as_deref(),
            all.code.as_deref()
        ),
        (Some("t"), Some("p"), Some("c"))
    );
}

#[test]
fn a_number_names_the_status_inside_an_answer() {
    let limited = decode_inside(br#"{"error":{"message":"slow down","code":429},"choices":[]}"#);
    assert_eq!(limited.class, Some(FailureClass::RateLimited));
    let groq = decode_inside(
        br#"{"error":{"message":"bad tool","code":"tool_use_failed","status_code":400}}"#,
    );
    assert_eq!((groq.status, groq.class), (400, None));
    // A real status is not overruled by the body.
    assert_eq!(
        read(500, r#"{"error":{"message":"m","code":400}}"#).status,
        500
    );
}

#[test]
fn clients_get_all_four_members() {
    let error = ClientError::new(ErrorKind::NotFound, "no model `x`").with_param("model");
    let body: Value = serde_json::from_slice(&encode(&error)).unwrap();
    let expected = serde_json::json!({"error": {
        "message": "no model `x`", "type": "invalid_request_error", "param": "model", "code": "model_not_found",
    }});
    assert_eq!(body, expected);
    for kind in ErrorKind::ALL {
        let body: Value = serde_json::from_slice(&encode(&ClientError::new(kind, "m"))).unwrap();
        let members: Vec<&String> = body["error"].as_object().unwrap().keys().collect();
        assert_eq!(members, ["code", "message", "param", "type"], "{kind:?}");
    }
}

#[test]
fn what_else_the_family_says_reaches_its_clients() {
    let error = read(
        400,
        r#"{"error":{"message":"m","code":"tool_use_failed","failed_generation":"{\"a\":1.50}","status_code":400}}"#,
    );
    let body = String::from_utf8(encode(&ClientError::from(&error))).unwrap();
    assert_eq!(
        body,
        r#"{"error":{"message":"m","type":"invalid_request_error","param":null,"code":"tool_use_failed","failed_generation":"{\"a\":1.50}","status_code":400}}"#
    );
    let refused = read(401, r#"{"error":{"message":"m","project":"ours"}}"#);
    let body = String::from_utf8(encode(&ClientError::from(&refused))).unwrap();
    assert!(!body.contains("ours"), "{body}");
}

#[test]
fn a_stream_ends_with_the_error_and_nothing_else() {
    let frame = encode_frame(&ClientError::new(ErrorKind::Upstream, "gone"));
    assert_eq!(
        frame,
        "data: {\"error\":{\"message\":\"gone\",\"type\":\"server_error\",\"param\":null,\"code\":\"provider_error\"}}\n\n"
    );
}
