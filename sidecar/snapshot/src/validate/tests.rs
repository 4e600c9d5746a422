//! Every check of the contract, each with one wrong value in an otherwise good snapshot.

use serde_json::{Value, json};

use super::*;

fn good() -> Value {
    json!({
        "pools": {"a/chat": {"providers": [{
            "name": "openai", "system": "openai",
            "connection": {"http": {
                "baseUrl": "https://api.example.com/v1",
                "dialect": {"format": "openai.chat", "path": "/chat/completions", "auth": "Bearer"},
                "credentials": [{"name": "main", "secret": "a/key/apiKey"}],
            }},
            "models": {"gpt-4o": {"aliases": ["large"]}},
        }]}},
        "rules": [{
            "route": "b/r", "name": "all", "matches": [{"models": ["gpt-*"]}],
            "backends": [{"name": "x", "pool": "a/chat", "model": "large"}],
        }],
    })
}

fn verdict(value: &Value) -> Result<ValidSnapshot, Vec<Problem>> {
    ValidSnapshot::from_payload(&serde_json::to_vec(value).unwrap())
}

#[test]
fn good_is_taken_and_its_payload_is_stable() {
    let valid = verdict(&good()).unwrap();
    let again = ValidSnapshot::try_new(valid.get()).unwrap();
    assert_eq!(again.get(), valid.get());
    assert_eq!(
        again.hash(),
        ValidSnapshot::try_new(again.get()).unwrap().hash()
    );
}

#[test]
fn empty_is_valid() {
    let valid = ValidSnapshot::try_new(&Snapshot::default()).unwrap();
    assert_eq!(valid.get().to_payload(), b"{}");
}

/// Each a pointer, a wrong value, and the path and code of what is said.
fn check(cases: &[(&str, Value, &str, ProblemCode)]) {
    for (pointer, wrong, path, code) in cases.iter().cloned() {
        let mut value = good();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match value.pointer_mut(parent).unwrap() {
            Value::Object(map) => drop(map.insert(key.replace("~1", "/"), wrong)),
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = wrong,
            other => panic!("{pointer}: {other}"),
        }
        let problems = verdict(&value).expect_err(pointer);
        assert_eq!(
            (problems[0].path.as_str(), problems[0].code),
            (path, code),
            "{problems:?}"
        );
    }
}

#[test]
fn each_wrong_record_is_named() {
    check(&[
        (
            "/pools/a~1chat/providers/0/connection/http/embeddings",
            json!({"format": "openai.embeddings", "path": "x"}),
            "pools[a/chat].providers[0].connection.http.embeddings.path",
            ProblemCode::Invalid,
        ),
        (
            "/pools/a~1chat/providers/0/connection/http/beside",
            json!([{"format": "openai.chat", "path": "/x", "auth": "Bearer"}]),
            "pools[a/chat].providers[0].connection.http.beside",
            ProblemCode::Invalid,
        ),
        (
            "/pools/a~1chat/providers/0/connection/http/dialect",
            json!(null),
            "pools[a/chat].providers[0].connection.http",
            ProblemCode::Invalid,
        ),
        (
            "/pools/a~1chat/providers/0/models/gpt-4o/formats",
            json!(["cohere.rerank"]),
            "pools[a/chat].providers[0].models[gpt-4o].formats",
            ProblemCode::Invalid,
        ),
    ]);
}

#[test]
fn each_wrong_value_is_named() {
    let cases = [
        (
            "/requires",
            json!(["time-travel"]),
            "requires",
            ProblemCode::Unsupported,
        ),
        ("/extra", json!(1), "extra", ProblemCode::Malformed),
        (
            "/rules/0/backends/0/pool",
            json!("a/none"),
            "rules[0].backends[0].pool",
            ProblemCode::Unresolved,
        ),
        (
            "/rules/0/backends/0/model",
            json!("gpt-9"),
            "rules[0].backends[0].model",
            ProblemCode::Unresolved,
        ),
        (
            "/rules/0/backends",
            json!([]),
            "rules[0].backends",
            ProblemCode::Invalid,
        ),
        (
            "/rules/0/matches/0/models/0",
            json!("a*b"),
            "rules[0].matches[0].models[0]",
            ProblemCode::Invalid,
        ),
        (
            "/pools/a~1chat/providers/0/weight",
            json!(-1),
            "pools.a/chat.providers[0].weight",
            ProblemCode::Malformed,
        ),
        (
            "/pools/a~1chat/providers/0/connection/http/baseUrl",
            json!("ftp://x"),
            "pools[a/chat].providers[0].connection.http.baseUrl",
            ProblemCode::Invalid,
        ),
        (
            "/pools/a~1chat/providers/0/connection/http/dialect/path",
            json!("x"),
            "pools[a/chat].providers[0].connection.http.dialect.path",
            ProblemCode::Invalid,
        ),
        (
            "/pools/a~1chat/providers/0/models/gpt-4o/aliases",
            json!(["x", "large", "x"]),
            "pools[a/chat].providers[0].models",
            ProblemCode::Invalid,
        ),
        (
            "/pools/a~1chat/providers/0/connection",
            json!({"simulated": {"text": "x", "errorPerMillion": 1_000_001}}),
            "pools[a/chat].providers[0].connection.simulated.errorPerMillion",
            ProblemCode::Invalid,
        ),
    ];
    check(&cases);
}

#[test]
fn a_price_list_that_does_not_rise_is_refused() {
    let mut value = good();
    value["pools"]["a/chat"]["providers"][0]["models"]["gpt-4o"]["price"] =
        json!({"default": [{"above": 9, "input": 1}]});
    let problems = verdict(&value).expect_err("it begins above 0");
    assert_eq!(
        problems[0].path,
        "pools[a/chat].providers[0].models[gpt-4o].price"
    );
}

#[test]
fn all_problems_come_at_once() {
    let mut value = good();
    value["rules"][0]["backends"][0]["pool"] = json!("a/none");
    value["rules"][0]["matches"][0]["models"][0] = json!("a*b");
    assert_eq!(verdict(&value).unwrap_err().len(), 2);
}

#[test]
fn zero_weights_are_refused_where_weights_decide() {
    let mut value = good();
    value["rules"][0]["backends"][0]["weight"] = json!(0);
    assert!(verdict(&value).is_ok());
    value["rules"][0]["strategy"] = json!("Weighted");
    assert_eq!(verdict(&value).unwrap_err()[0].path, "rules[0].backends");
}

#[test]
fn duplicate_rules_and_providers_are_refused() {
    let mut value = good();
    let rule = value["rules"][0].clone();
    value["rules"].as_array_mut().unwrap().push(rule);
    assert_eq!(verdict(&value).unwrap_err()[0].path, "rules[1].name");
    let mut value = good();
    let provider = value["pools"]["a/chat"]["providers"][0].clone();
    value["pools"]["a/chat"]["providers"]
        .as_array_mut()
        .unwrap()
        .push(provider);
    assert_eq!(
        verdict(&value).unwrap_err()[0].path,
        "pools[a/chat].providers[1].name"
    );
}

#[test]
fn trailing_bytes_and_oversize_are_refused() {
    assert_eq!(
        ValidSnapshot::from_payload(b"{} x").unwrap_err()[0].code,
        ProblemCode::Malformed
    );
    let large = vec![b' '; MAX_PAYLOAD_BYTES + 1];
    assert_eq!(
        ValidSnapshot::from_payload(&large).unwrap_err()[0].code,
        ProblemCode::TooLarge
    );
}

#[test]
fn a_rule_has_backends_or_says_why_not() {
    let mut value = good();
    value["rules"][0]["unavailable"] = json!("ModelNotFound");
    assert_eq!(verdict(&value).unwrap_err()[0].path, "rules[0].backends");
    value["rules"][0]["backends"] = json!([]);
    let valid = verdict(&value).unwrap();
    assert_eq!(valid.get().rules[0].unavailable, "ModelNotFound");
    assert_eq!(
        ValidSnapshot::try_new(valid.get()).unwrap().get(),
        valid.get()
    );
    value["rules"][0]
        .as_object_mut()
        .unwrap()
        .remove("backends");
    assert!(verdict(&value).is_ok());
}
