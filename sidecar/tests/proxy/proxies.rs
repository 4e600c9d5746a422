//! HTTP proxies between sidecar and provider: who is asked for what, with which credentials, and what they carry.

mod refusals;

use std::collections::BTreeSet;
use std::sync::Arc;

use fkm_sidecar::network::{NetworkSettings, Resolver};
use fkm_upstream::{Proxy, Upstream};
use serde_json::{Value, json};

use crate::front::{Ca, Front, http2_only, until_left_twice};
use crate::harness::{KEY, Sidecar, Speaks, anthropic, provider, question, snapshot};
use crate::token_server::TokenServer;

/// `user:p@ss/word`, in a URL and in a header.
const IN_URL: &str = "user:p%40ss%2Fword@";
const IN_HEADER: &str = "Basic dXNlcjpwQHNzL3dvcmQ=";
const PASSWORD: &str = "p@ss/word";

/// An environment with these variables, in which no name has an address: only the proxy knows any.
fn environment(variables: &[(&str, String)]) -> NetworkSettings {
    let mut mistakes = Vec::new();
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    };
    let settings = NetworkSettings::from_environment(variable, &mut mistakes);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    NetworkSettings {
        resolver: Resolver::Function(Arc::new(|_| Vec::new())),
        ..settings
    }
}

fn https_proxy(proxy: &Proxy) -> NetworkSettings {
    let url = format!("http://{IN_URL}{}", proxy.address());
    environment(&[("HTTPS_PROXY", url)])
}

fn external(mut provider: Value, network: Value) -> Value {
    let http = &mut provider["connection"]["http"];
    http["locality"] = json!("External");
    http["network"] = network;
    provider
}

/// A sidecar behind a proxy that wants credentials, TLS for `api.test` in front of an upstream, and the CA.
async fn behind_proxy() -> (Upstream, Proxy, Sidecar, Ca) {
    let a = Upstream::start().await.unwrap();
    let ca = Ca::new();
    let front = Front::start(a.address(), ca.server(&["api.test"])).await;
    let proxy = Proxy::start().await.unwrap();
    proxy.route("api.test:443", front.address());
    proxy.demand(IN_HEADER);
    let sidecar = Sidecar::start_in(https_proxy(&proxy), &snapshot(&[])).await;
    (a, proxy, sidecar, ca)
}

#[tokio::test]
async fn every_kind_of_key_goes_through_the_tunnel_and_the_password_no_further() {
    let (a, proxy, sidecar, ca) = behind_proxy().await;
    let tls = json!({"tls": {"caPem": ca.pem()}});
    let url = "https://api.test/v1";
    for (auth, header, value) in [
        ("Bearer", "authorization", format!("Bearer {KEY}")),
        ("ApiKey", "api-key", KEY.to_owned()),
        ("XGoogApiKey", "x-goog-api-key", KEY.to_owned()),
        ("XApiKey", "x-api-key", KEY.to_owned()),
    ] {
        let speaks = match auth {
            "XApiKey" => Speaks::Anthropic,
            _ => Speaks::OpenAi,
        };
        let mut provider = match speaks {
            Speaks::Anthropic => anthropic("a", url, 0),
            Speaks::OpenAi => provider("a", url, 0),
        };
        provider["connection"]["http"]["dialect"]["auth"] = json!(auth);
        sidecar.apply(&snapshot(&[external(provider, tls.clone())]));
        a.reset();
        for stream in [false, true] {
            let reply = speaks.ask(&sidecar, stream).await;
            assert_eq!(reply.status, 200, "{auth}: {reply:?}");
            let seen = speaks.read(&reply, stream);
            assert!(seen.complete && !seen.error, "{auth}: {seen:?}");
        }
        for request in a.requests() {
            assert_eq!(request.header(header), Some(value.as_str()), "{auth}");
            assert_eq!(request.header("proxy-authorization"), None, "{auth}");
            assert_eq!(request.header("host"), Some("api.test"), "{auth}");
        }
    }
    let asked = proxy.asked();
    assert!(!asked.is_empty());
    for asked in asked {
        assert_eq!(
            (asked.method.as_str(), asked.target.as_str()),
            ("CONNECT", "api.test:443")
        );
        assert_eq!(asked.header("proxy-authorization"), Some(IN_HEADER));
        let names: Vec<&str> = asked.headers.keys().map(http::HeaderName::as_str).collect();
        assert_eq!(names, ["host", "proxy-authorization"]);
    }
}

#[tokio::test]
async fn every_kind_of_sign_in_goes_through_the_tunnel_with_its_token_server() {
    let (a, proxy, sidecar, ca) = behind_proxy().await;
    let server = TokenServer::tokens(3600).await;
    let front = Front::start(server.address, ca.server(&["login.test"])).await;
    proxy.route("login.test:443", front.address());
    let google = json!({
        "type": "service_account", "private_key_id": "kid", "private_key": include_str!("sign_in/key-for-tests.pem"),
        "client_email": "fkm@p.iam.gserviceaccount.com", "token_uri": "https://login.test/token",
    });
    let google = google.to_string();
    let secrets = [("google", google.as_str())];
    let key = "test/keys/main";
    for (sign_in, asked) in [
        (
            json!({"oauthClientCredentials": {"tokenUrl": "https://login.test/token", "clientId": "id", "clientSecret": key}}),
            true,
        ),
        (
            json!({"azureEntra": {
                "authorityUrl": "https://login.test", "tenantId": "t", "clientId": "c", "scope": "s", "source": {"clientSecret": key},
            }}),
            true,
        ),
        (
            json!({"googleServiceAccount": {"key": "test/keys/google", "scopes": ["s"], "tokenUrl": "https://login.test/token"}}),
            true,
        ),
        (
            json!({"aws": {
                "region": "eu-west-1", "service": "bedrock", "source": {"static": {"accessKeyId": key, "secretAccessKey": key}},
            }}),
            false,
        ),
    ] {
        let mut provider = provider("a", "https://api.test/v1", 0);
        provider["connection"]["http"]["credentials"] =
            json!([{"name": "main", "signIn": sign_in}]);
        a.reset();
        let before = server.asked().len();
        let network = json!({"tls": {"caPem": ca.pem()}, "hostHeader": "host.test"});
        sidecar.apply_with(&snapshot(&[external(provider, network)]), &secrets);
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 200, "{sign_in}: {reply:?}");
        let requests = a.requests();
        let shown = requests[0].header("authorization").unwrap();
        let begins = if asked {
            "Bearer token-"
        } else {
            "AWS4-HMAC-SHA256 "
        };
        assert!(shown.starts_with(begins), "{sign_in}: {shown}");
        assert_eq!(requests[0].header("host"), Some("host.test"));
        assert_eq!(
            server.asked().len(),
            before + usize::from(asked),
            "{sign_in}"
        );
    }
    let targets: BTreeSet<String> = proxy.asked().into_iter().map(|one| one.target).collect();
    assert!(targets.contains("login.test:443"), "{targets:?}");
}

#[tokio::test]
async fn a_pool_may_have_its_own_proxy_or_none() {
    let (a, of_environment, sidecar, _) = behind_proxy().await;
    let own = Proxy::start().await.unwrap();
    own.demand(IN_HEADER);
    let ca = Ca::new();
    let front = Front::start(a.address(), ca.server(&["api.test"])).await;
    own.route("api.test:443", front.address());
    let through = json!({"through": {
        "url": own.url(), "credentials": {"username": "test/px/username", "password": "test/px/password"},
    }});
    let mut network = json!({"proxy": through, "tls": {"caPem": ca.pem()}});
    // A proxy of a pool is no more inside the pod than its provider.
    let inside = snapshot(&[external(
        provider("a", "https://api.test/v1", 0),
        network.clone(),
    )]);
    let secrets = [("test/px/username", "user"), ("test/px/password", PASSWORD)];
    sidecar.apply_with(&inside, &secrets);
    let reply = sidecar.chat(&question(false)).await;
    assert!(reply.message().contains("loopback"), "{reply:?}");
    assert!(own.asked().is_empty());

    let mut local = provider("a", "https://api.test/v1", 0);
    local["connection"]["http"]["network"] = network.clone();
    let local = snapshot(&[local]);
    sidecar.apply_with(&local, &secrets);
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert!(!own.asked().is_empty());
    assert!(of_environment.asked().is_empty());
    let missing = sidecar.try_apply(&local, &secrets[..1]).unwrap_err();
    assert!(
        missing[0].message.contains("test/px/password"),
        "{missing:?}"
    );

    // Another password takes effect, and the old connections with the old one end.
    let wrong = [
        ("test/px/username", "user"),
        ("test/px/password", "hunter2"),
    ];
    sidecar.apply_with(&local, &wrong);
    let message = sidecar.chat(&question(false)).await.message();
    assert!(
        message.contains("does not take its credentials"),
        "{message}"
    );
    assert!(!message.contains("hunter2"), "{message}");

    // None: straight to the provider, for which no name is needed here.
    network["proxy"] = json!("direct");
    network["tls"]["serverName"] = json!("api.test");
    let mut direct = provider("a", &format!("https://127.0.0.1:{}/v1", front.port), 0);
    direct["connection"]["http"]["network"] = network;
    sidecar.apply(&snapshot(&[direct]));
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert!(of_environment.asked().is_empty());
}

#[tokio::test]
async fn no_proxy_and_the_pod_itself_are_reached_straight() {
    let a = Upstream::start().await.unwrap();
    let proxy = Proxy::start().await.unwrap();
    let (url, address) = (proxy.url(), a.address());
    let mut settings = environment(&[
        ("HTTP_PROXY", url),
        (
            "NO_PROXY",
            format!("other.test:1, direct.test:{}", address.port()),
        ),
    ]);
    settings.resolver = Resolver::Function(Arc::new(move |_| vec![address.ip()]));
    let sidecar = Sidecar::start_in(settings, &snapshot(&[])).await;
    for host in ["direct.test", "sub.direct.test", "localhost", "127.0.0.1"] {
        let url = format!("http://{host}:{}/v1", address.port());
        sidecar.apply(&snapshot(&[provider("a", &url, 0)]));
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 200, "{host}: {reply:?}");
    }
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
    let url = format!("http://other.test:{}/v1", address.port());
    sidecar.apply(&snapshot(&[provider("a", &url, 0)]));
    sidecar.chat(&question(false)).await;
    assert_eq!(proxy.asked().len(), 1);
}

#[tokio::test]
async fn plain_http_is_forwarded_by_whole_urls_or_tunnelled_where_those_would_not_do() {
    let a = Upstream::start().await.unwrap();
    let proxy = Proxy::start().await.unwrap();
    proxy.demand(IN_HEADER);
    proxy.route("api.test:80", a.address());
    let url = format!("http://{IN_URL}{}", proxy.address());
    let settings = environment(&[("http_proxy", url)]);
    let forwarded = external(provider("a", "http://api.test/v1", 0), json!({}));
    let sidecar = Sidecar::start_in(settings, &snapshot(&[forwarded])).await;
    for stream in [false, true] {
        assert_eq!(sidecar.chat(&question(stream)).await.status, 200);
    }
    let named = json!({"hostHeader": "other.test"});
    let named = external(provider("a", "http://api.test/v1", 0), named);
    sidecar.apply(&snapshot(&[named]));
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    let requests = a.requests();
    assert_eq!(requests[0].path, "/v1/chat/completions");
    assert_eq!(requests[0].header("host"), Some("api.test"));
    assert_eq!(requests[2].header("host"), Some("other.test"));
    assert_eq!(requests[2].header("proxy-authorization"), None);
    let asked = proxy.asked();
    let methods: Vec<&str> = asked.iter().map(|asked| asked.method.as_str()).collect();
    assert!(matches!(methods[..], ["POST", .., "CONNECT"]), "{asked:?}");
    assert!(
        asked
            .iter()
            .all(|asked| asked.header("proxy-authorization") == Some(IN_HEADER))
    );
}

#[tokio::test]
async fn a_proxy_may_be_reached_over_tls_and_the_corporate_ca_vouches_for_it() {
    let a = Upstream::start().await.unwrap();
    let ca = Ca::new();
    let provider_front = Front::start(a.address(), ca.server(&["api.test"])).await;
    let proxy = Proxy::start().await.unwrap();
    proxy.route("api.test:443", provider_front.address());
    let proxy_front = Front::start(proxy.address(), ca.server(&["localhost"])).await;
    let url = format!("https://localhost:{}", proxy_front.port);
    let mut settings = environment(&[("HTTPS_PROXY", url)]);
    settings.resolver = Resolver::System;
    let trusted = external(
        provider("a", "https://api.test/v1", 0),
        json!({"tls": {"caPem": ca.pem()}}),
    );
    let sidecar = Sidecar::start_in(settings, &snapshot(&[trusted])).await;
    let reply = sidecar.chat(&question(true)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.streamed().done);
    assert_eq!(proxy.asked()[0].target, "api.test:443");
    let untrusted = external(provider("a", "https://api.test/v1", 0), json!({}));
    sidecar.apply(&snapshot(&[untrusted]));
    let message = sidecar.chat(&question(false)).await.message();
    assert!(
        message.contains("proxy https://localhost") && message.contains("certificate"),
        "{message}"
    );
}

#[tokio::test]
async fn http2_is_spoken_behind_the_tunnel_and_goaway_is_honoured() {
    let ca = Ca::new();
    let (port, connections) = http2_only(2, ca.server(&["api.test"])).await;
    let proxy = Proxy::start().await.unwrap();
    proxy.route("api.test:443", ([127, 0, 0, 1], port).into());
    let network = json!({"tls": {"caPem": ca.pem()}});
    let provider = external(provider("a", "https://api.test/v1", 0), network);
    let sidecar = Sidecar::start_in(https_proxy(&proxy), &snapshot(&[provider])).await;
    until_left_twice(&sidecar, &connections, "by h2 for api.test").await;
    assert!(proxy.asked().len() >= 3);
}
