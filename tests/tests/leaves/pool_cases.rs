//! A case for every leaf of `ProviderPool`.

use serde_json::{Value, json};

use crate::case::{Case, pool as change};
use crate::objects::{backend, pool, provider, route, rule, simulated};
use crate::scene::{Ask, MOST, Scene, question, stream};

pub(crate) fn all() -> Vec<Case> {
    let mut cases = allowed_routes();
    cases.extend(providers());
    cases.extend(credentials());
    cases.extend(models());
    cases.extend(tls());
    cases.extend(network());
    cases.extend(simulations());
    cases
}

/// The route that uses `pool` in `llm`.
fn to_pool() -> Value {
    route("chat", &json!({"rules": [rule(&[backend("pool")])]}))
}

/// One pool with these providers, and one question for `m`.
fn scene(providers: &[Value]) -> Scene {
    Scene::new([pool("pool", providers), to_pool()])
}

fn allowed_routes() -> Vec<Case> {
    let open_to = |namespaces: Value| {
        let mut pool = pool("pool", &[provider("a", "$A")]);
        pool["spec"]["allowedRoutes"]["namespaces"] = namespaces;
        Scene::new([pool, to_pool()])
    };
    let labels =
        |labels: Value| open_to(json!({"from": "Selector", "selector": {"matchLabels": labels}}));
    let expression =
        |one: Value| open_to(json!({"from": "Selector", "selector": {"matchExpressions": [one]}}));
    let listed =
        |operator| expression(json!({"key": "team", "operator": operator, "values": ["shop"]}));
    let at = |field: &str| format!("/spec/allowedRoutes/namespaces/{field}");
    let first = |field: &str| at(&format!("selector/matchExpressions/0/{field}"));
    let forbids = |pointer: &str, value: &str, scene: &Scene| {
        change(pointer, value).shows(scene, "200 by a", "ResolvedRefs=False RefNotPermitted")
    };
    let in_shop = listed("In");
    let exists = expression(json!({"key": "team", "operator": "Exists"}));
    let not_in = expression(json!({"key": "team", "operator": "NotIn", "values": ["bank"]}));
    vec![
        forbids(&at("from"), "Same", &open_to(json!({"from": "All"}))),
        change(&at("from"), "All").shows(
            &labels(json!({"team": "shop"})),
            "200 by a",
            "selector must be given if and only if from is Selector; from is All",
        ),
        forbids(
            &at("selector/matchLabels/team"),
            "bank",
            &labels(json!({"team": "shop"})),
        ),
        forbids(&first("key"), "tribe", &in_shop),
        forbids(&first("operator"), "NotIn", &in_shop),
        forbids(&first("values/0"), "bank", &in_shop),
        forbids(&first("operator"), "DoesNotExist", &exists),
        forbids(&first("operator"), "In", &not_in),
    ]
}

fn providers() -> Vec<Case> {
    let at = |field: &str| format!("/spec/providers/0/{field}");
    let with = |field: &str, value: Value| {
        let mut a = provider("a", "$A");
        a[field] = value;
        a
    };
    let b = || provider("b", "$B");
    let often = |a: Value| scene(&[a, b()]).asking([Ask::Often(question("m"))]);
    let mut asks_for_tokens = question("m");
    asks_for_tokens["max_completion_tokens"] = json!(9);
    let preset = scene(&[with("preset", json!("groq"))]).asking([Ask::Chat(asks_for_tokens)]);
    let mut with_key = with("type", json!("OpenAI"));
    with_key["credentials"] = key();
    let openai = scene(&[with_key]).asking([Ask::Chat(question("m")), Ask::Models]);
    let both = r#"answered by ["a", "b"]"#;
    let sent = r#""max_completion_tokens":9"#;
    vec![
        change(&at("name"), "z").shows(
            &scene(&[provider("a", "$A")]),
            "200 by a as m",
            "200 by z as m",
        ),
        change(&at("type"), "Anthropic").shows(
            &openai,
            r#"/v1/chat/completions authorization="Bearer key-main""#,
            r#"/v1/v1/messages x-api-key="key-main""#,
        ),
        change(&at("type"), "OpenAICompatible").shows(
            &openai,
            r#""owned_by":"openai""#,
            r#""owned_by":"a""#,
        ),
        change(&at("type"), "Simulated").shows(
            &openai,
            "200 by a",
            "simulated must be given if and only if type is Simulated",
        ),
        change(&at("preset"), "deepseek").shows(&preset, sent, r#""max_tokens":9"#),
        change(&at("baseURL"), "$B").shows(
            &scene(&[provider("a", "$A")]),
            "a got POST",
            "b got POST",
        ),
        change(&at("priority"), 2).shows(
            &scene(&[with("priority", json!(0)), with_priority(b(), 1)]),
            "200 by a",
            "200 by b",
        ),
        change(&at("weight"), 1).shows(
            &often(with("weight", json!(0))),
            r#"answered by ["b"]"#,
            both,
        ),
        change(&at("weight"), MOST).shows(
            &often(with("weight", json!(1))),
            both,
            r#"answered by ["a"]"#,
        ),
        change(&at("locality/scope"), "External").shows(
            &scene(&[provider("a", "$A")]),
            "200 by a",
            "set locality.scope to Local",
        ),
    ]
}

/// One credential.
fn key() -> Value {
    let secret = json!({"name": "keys", "key": "main"});
    json!([{"name": "main", "type": "APIKey", "apiKey": {"secretKeyRef": secret}}])
}

fn with_priority(mut provider: Value, priority: i32) -> Value {
    provider["priority"] = json!(priority);
    provider
}

fn credentials() -> Vec<Case> {
    let at = |field: &str| format!("/spec/providers/0/credentials/0/{field}");
    let mut a = provider("a", "$A");
    a["credentials"] = key();
    let scene = scene(&[a]).asking([
        Ask::Chat(question("m")),
        Ask::Config("/snapshot/pools/llm~1pool/providers/0/connection/http/credentials/0/name"),
    ]);
    let key = "Bearer key-main";
    vec![
        change(&at("name"), "first").shows(
            &scene,
            r#"credentials/0/name "main""#,
            r#"credentials/0/name "first""#,
        ),
        change(&at("type"), "Password").shows(
            &scene,
            "200 by a",
            "refused by schema: spec.providers[0].credentials[0].type",
        ),
        change(&at("apiKey/secretKeyRef/key"), "spare").shows(&scene, key, "Bearer key-spare"),
        change(&at("apiKey/secretKeyRef/name"), "more-keys").shows(&scene, key, "Bearer key-more"),
    ]
}

fn models() -> Vec<Case> {
    let at = |field: &str| format!("/spec/providers/0/models/0/{field}");
    let mut a = provider("a", "$A");
    a["models"] = json!([{"name": "m", "upstreamName": "m-upstream", "aliases": ["alias"]}]);
    let scene = scene(&[a]).asking([Ask::Chat(question("m")), Ask::Chat(question("alias"))]);
    vec![
        change(&at("name"), "n").shows(&scene, r#""m" 200 by a"#, r#""m" 404 by nobody"#),
        change(&at("upstreamName"), "n").shows(&scene, r#""model":"m-upstream""#, r#""model":"n""#),
        change(&at("aliases/0"), "other").shows(
            &scene,
            r#""alias" 200 by a"#,
            r#""alias" 404 by nobody"#,
        ),
    ]
}

fn tls() -> Vec<Case> {
    let at = |field: &str| format!("/spec/providers/0/tls/{field}");
    let spoken = |base_url: &str, tls: Value| {
        let mut a = provider("a", base_url);
        a["tls"] = tls;
        scene(&[a])
    };
    let trusting = |name: &str| json!({"caCertificateRef": {"kind": "ConfigMap", "name": name}});
    let plain = spoken("$TLS", trusting("ca"));
    let mut both = trusting("other-ca");
    both["publicRoots"] = json!(true);
    let named = spoken("$TLS", json!({"serverName": "localhost"}));
    let known = spoken(
        "$MUTUAL",
        json!({"clientCertificateRef": {"name": "client"}}),
    );
    vec![
        change(&at("caCertificateRef/name"), "other-ca").shows(
            &plain,
            "200 by a",
            "invalid peer certificate",
        ),
        change(&at("caCertificateRef/kind"), "Secret").shows(
            &plain,
            "200 by a",
            "refused by schema: spec.providers[0].tls.caCertificateRef.kind",
        ),
        change(&at("publicRoots"), false).shows(
            &spoken("$TLS", both),
            "200 by a",
            "invalid peer certificate",
        ),
        change(&at("serverName"), "other.test").shows(
            &named,
            "200 by a",
            "invalid peer certificate",
        ),
        change(&at("clientCertificateRef/name"), "other-client")
            .shows(&known, "200 by a", "502 by"),
    ]
}

fn network() -> Vec<Case> {
    let at = |field: &str| format!("/spec/providers/0/{field}");
    let with = |base_url: &str, field: &str, value: Value| {
        let mut a = provider("a", base_url);
        a[field] = value;
        scene(&[a])
    };
    let through = json!({"type": "HTTP", "url": "$PROXY", "credentialsRef": {"name": "login"}});
    let tunnelled = with("$TLS", "proxy", through);
    let got = "proxy got CONNECT of Basic Zmx1eDpvbmU=";
    let none = with("$TLS", "proxy", json!({"type": "None"}));
    let named = with("$A", "hostHeader", json!("one.test"));
    let negotiated = with("$A", "http2", json!("Negotiated"));
    vec![
        change(&at("proxy/type"), "HTTP").shows(
            &none,
            "200 by a",
            "url must be given if and only if type is HTTP",
        ),
        change(&at("proxy/url"), "$OTHER_PROXY").shows(
            &tunnelled,
            format!("\n{got}"),
            format!("other {got}"),
        ),
        change(&at("proxy/credentialsRef/name"), "other-login").shows(
            &tunnelled,
            got,
            "proxy got CONNECT of Basic Zmx1eDp0d28=",
        ),
        change(&at("hostHeader"), "two.test").shows(&named, "host=one.test", "host=two.test"),
        change(&at("http2"), "PriorKnowledge").shows(&negotiated, "200 by a", "502 by"),
    ]
}

fn simulations() -> Vec<Case> {
    let at = |field: &str| format!("/spec/providers/0/simulated/{field}");
    let timed = |behaviour: Value| {
        let mut route = to_pool();
        route["spec"]["defaults"] = json!({"policy": {"timeouts": {"attempt": "2s"}}});
        Scene::new([pool("pool", &[simulated(&behaviour)]), route])
    };
    let text = scene(&[simulated(&json!({"text": "one two"}))]);
    let cut = scene(&[simulated(&json!({"text": "one two", "cutAfterEvents": 0}))])
        .asking([Ask::Chat(stream("m"))]);
    let failing = timed(json!({"errorRate": "1", "error": "Overloaded"}));
    let overloaded = "a/m: Overloaded: status 503";
    let fails = |error: &str, message: &str| {
        change(&at("error"), error).shows(&failing, overloaded, format!("a/m: {message}"))
    };
    vec![
        change(&at("text"), "three").shows(&text, r#""one two", stop"#, r#""three", stop"#),
        change(&at("latency"), "10s").shows(
            &timed(json!({"latency": "0s"})),
            "200 by a",
            "timeouts.attempt is over",
        ),
        change(&at("cutAfterEvents"), 1).shows(&cut, r#""one two", stop"#, r#""one ", error"#),
        change(&at("errorRate"), "1").shows(
            &scene(&[simulated(&json!({"errorRate": "0"}))]),
            "200 by a",
            overloaded,
        ),
        fails("RateLimited", "RateLimited: status 429"),
        fails("ServerError", "ServerError: status 500"),
        fails("ConnectFailure", "ConnectFailure: simulated"),
        fails("Timeout", "Timeout: timeouts.attempt is over"),
    ]
}
