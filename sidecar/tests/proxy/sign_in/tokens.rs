//! The life of a token, by the grant `client_credentials`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fkm_upstream::{Status, Step, Upstream};
use serde_json::{Value, json};

use super::{bearer, shown, signed_in};
use crate::harness::{KEY, Sidecar, provider, question, snapshot};
use crate::token_server::{Gives, TokenServer, token};

/// A client whose secret is [`KEY`].
fn client(server: &TokenServer) -> Value {
    json!({"oauthClientCredentials": {
        "tokenUrl": server.url("/oauth2/token"), "clientId": "an id", "clientSecret": "test/keys/main",
    }})
}

async fn sidecar(upstream: &Upstream, sign_in: &Value) -> Sidecar {
    Sidecar::start(&snapshot(&[signed_in(upstream, sign_in)])).await
}

#[tokio::test]
async fn the_client_is_shown_to_the_token_server_and_the_token_to_the_provider() {
    let (a, server) = (
        Upstream::start().await.unwrap(),
        TokenServer::tokens(3600).await,
    );
    let mut sign_in = client(&server);
    sign_in["oauthClientCredentials"]["scopes"] = json!(["read", "write"]);
    sign_in["oauthClientCredentials"]["audience"] = json!("https://models");
    let sidecar = sidecar(&a, &sign_in).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    sign_in["oauthClientCredentials"]["authentication"] = json!("Body");
    sidecar.apply(&snapshot(&[signed_in(&a, &sign_in)]));
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert_eq!(shown(&a, "authorization"), [bearer(1), bearer(2)]);
    let asked = server.asked();
    for one in &asked {
        assert_eq!(
            (one.method.as_str(), one.path.as_str()),
            ("POST", "/oauth2/token")
        );
        assert_eq!(one.form["grant_type"], "client_credentials");
        assert_eq!(one.form["scope"], "read write");
        assert_eq!(one.form["audience"], "https://models");
    }
    // base64 of `an+id:` and the key
    assert!(
        asked[0]
            .header("authorization")
            .starts_with("Basic YW4raWQ6c2stdGVzdC0wMTIz")
    );
    assert!(!asked[0].form.contains_key("client_secret"));
    assert_eq!(
        (
            asked[1].form["client_id"].as_str(),
            asked[1].form["client_secret"].as_str()
        ),
        ("an id", KEY)
    );
    assert_eq!(asked[1].header("authorization"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_requests_asks_for_one_token() {
    let a = Upstream::start().await.unwrap();
    let server = TokenServer::start(300, |number, _| Gives::token(number, 3600)).await;
    let sidecar = Arc::new(sidecar(&a, &client(&server)).await);
    let asking = (0..1000).map(|_| {
        let sidecar = sidecar.clone();
        tokio::spawn(async move { sidecar.chat(&question(false)).await.status })
    });
    for asked in asking.collect::<Vec<_>>() {
        assert_eq!(asked.await.unwrap(), 200);
    }
    assert_eq!(server.asked().len(), 1);
    let tokens: BTreeSet<String> = shown(&a, "authorization").into_iter().collect();
    assert_eq!(tokens, BTreeSet::from([bearer(1)]));
    assert_eq!(a.requests().len(), 1000);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_survives_snapshots() {
    let (a, server) = (
        Upstream::start().await.unwrap(),
        TokenServer::tokens(4).await,
    );
    let declared = snapshot(&[signed_in(&a, &client(&server))]);
    let sidecar = Sidecar::start(&declared).await;
    sidecar.chat(&question(false)).await;
    sidecar.apply(&declared);
    sidecar.chat(&question(false)).await;
    assert_eq!(server.asked().len(), 1, "a new snapshot costs no token");
    // renewed in the last quarter, used to the last tenth
    tokio::time::sleep(Duration::from_millis(3200)).await;
    sidecar.chat(&question(false)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    sidecar.chat(&question(false)).await;
    assert_eq!(
        shown(&a, "authorization"),
        [bearer(1), bearer(1), bearer(1), bearer(2)]
    );
    assert_eq!(server.asked().len(), 2);
    // nobody asked in the meantime: the next one waits
    tokio::time::sleep(Duration::from_secs(4)).await;
    sidecar.chat(&question(false)).await;
    assert_eq!(shown(&a, "authorization").last().unwrap(), &bearer(3));
}

#[tokio::test]
async fn a_new_secret_is_a_new_token() {
    let (a, server) = (
        Upstream::start().await.unwrap(),
        TokenServer::tokens(3600).await,
    );
    let declared = snapshot(&[signed_in(&a, &client(&server))]);
    let sidecar = Sidecar::start(&declared).await;
    sidecar.chat(&question(false)).await;
    sidecar.apply_with(&declared, &[("main", "another secret")]);
    sidecar.chat(&question(false)).await;
    assert_eq!(shown(&a, "authorization"), [bearer(1), bearer(2)]);
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_request_sent_once_more() {
    for status in [401, 403] {
        let (a, server) = (
            Upstream::start().await.unwrap(),
            TokenServer::tokens(3600).await,
        );
        let sidecar = sidecar(&a, &client(&server)).await;
        assert_eq!(sidecar.chat(&question(false)).await.status, 200);
        a.script(vec![Step::status(status), Step::answer("again")]);
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.text().as_str()),
            (200, "again")
        );
        assert_eq!(
            shown(&a, "authorization"),
            [bearer(1), bearer(1), bearer(2)]
        );
        // the provider refuses whatever it is shown
        a.set_default(Step::status(status));
        for _ in 0..3 {
            let reply = sidecar.chat(&question(false)).await;
            assert_eq!(reply.status, 502, "{reply:?}");
            assert!(String::from_utf8_lossy(&reply.body).contains("CredentialRejected"));
        }
        assert_eq!(
            server.asked().len(),
            2,
            "a new token is not thrown away at once"
        );
        assert_eq!(a.requests().len(), 6);
    }
}

#[tokio::test]
async fn a_credential_that_cannot_sign_in_falls_to_the_next() {
    let a = Upstream::start().await.unwrap();
    let refuses = json!({"error": "invalid_client", "error_description": format!("no client with secret {KEY}")});
    let server = TokenServer::start(0, move |_, _| Gives::json(401, &refuses)).await;
    let mut provider = signed_in(&a, &client(&server));
    let declared = snapshot(std::slice::from_ref(&provider));
    let sidecar = Sidecar::start(&declared).await;
    let reply = sidecar.chat(&question(false)).await;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert_eq!(reply.status, 502, "{text}");
    let said = format!(
        "{} gave no credentials, status 401: invalid_client: no client with secret [redacted]",
        server.address
    );
    assert!(text.contains(&said), "{text}");
    assert!(a.requests().is_empty());
    let credentials = provider["connection"]["http"]["credentials"]
        .as_array_mut()
        .unwrap();
    credentials.push(json!({"name": "spare", "secret": "test/keys/spare"}));
    sidecar.apply(&snapshot(&[provider]));
    for _ in 0..2 {
        assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    }
    assert_eq!(
        shown(&a, "authorization"),
        ["Bearer sk-spare", "Bearer sk-spare"]
    );
}

#[tokio::test]
async fn what_a_provider_repeats_of_a_token_is_taken_out() {
    let (a, server) = (
        Upstream::start().await.unwrap(),
        TokenServer::tokens(3600).await,
    );
    let sidecar = sidecar(&a, &client(&server)).await;
    for number in [1, 2] {
        let body = json!({"error": {"message": format!("bad request by {}", token(number)), "type": "x", "code": null}});
        a.script(vec![Step::Status(Status {
            status: 400,
            headers: vec![("x-request-id".to_owned(), token(number))],
            body: body.to_string(),
        })]);
        let reply = sidecar.chat(&question(false)).await;
        let text = format!(
            "{:?} {}",
            reply.headers,
            String::from_utf8_lossy(&reply.body)
        );
        assert_eq!(reply.status, 400);
        assert!(text.contains("[redacted]") || number == 2, "{text}");
        assert!(!text.contains(&token(1)), "{text}");
    }
}

#[tokio::test]
async fn a_token_server_is_under_the_rules_of_addresses() {
    let a = Upstream::start().await.unwrap();
    let mut sign_in =
        json!({"oauthClientCredentials": {"clientId": "id", "clientSecret": "test/keys/main"}});
    for (url, said) in [
        (
            "http://169.254.169.254/latest/api/token",
            "link-local or metadata address",
        ),
        ("http://2852039166/token", "link-local or metadata address"),
        (
            "http://[::ffff:169.254.169.254]/token",
            "link-local or metadata address",
        ),
        ("http://127.0.0.1:1/token", "was not reached"),
    ] {
        sign_in["oauthClientCredentials"]["tokenUrl"] = json!(url);
        let sidecar = sidecar(&a, &sign_in).await;
        let reply = sidecar.chat(&question(false)).await;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(reply.status == 502 && text.contains(said), "{url}: {text}");
    }
    // outside of the pod: no loopback, and nothing unencrypted
    sign_in["oauthClientCredentials"]["tokenUrl"] = json!("https://127.0.0.1:1/token");
    let mut external = signed_in(&a, &sign_in);
    external["connection"]["http"]["locality"] = json!("External");
    let sidecar = Sidecar::start(&snapshot(&[external, provider("b", &a.base_url(), 1)])).await;
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.header("x-fkm-provider"), "b");
}

#[tokio::test]
async fn what_was_asked_for_is_counted_and_how_long_it_lasts_is_told() {
    let a = Upstream::start().await.unwrap();
    let server = TokenServer::start(0, |number, _| match number {
        1 => Gives::token(number, 3600),
        _ => Gives::json(401, &json!({"error": "invalid_client"})),
    })
    .await;
    let sidecar = sidecar(&a, &client(&server)).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    let page = sidecar.metrics().await;
    let fetched = r#"fkm_token_fetches_total{kind="OAuthClientCredentials",outcome="ok"} 1"#;
    assert!(page.contains(fetched), "{page}");
    let base_url = a.base_url();
    let host = base_url
        .trim_start_matches("http://")
        .trim_end_matches("/v1");
    let expiry =
        format!(r#"fkm_token_expiry_timestamp_seconds{{credential="main",host="{host}"}} "#);
    let ends: f64 = page
        .lines()
        .find_map(|line| line.strip_prefix(&expiry))
        .unwrap_or_else(|| unreachable!("{page}"))
        .parse()
        .unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!((3500.0..3601.0).contains(&(ends - now)), "{ends} {now}");
    // Another client is refused, and the first one is used no more.
    let mut other = client(&server);
    other["oauthClientCredentials"]["clientId"] = json!("another");
    let mut provider = signed_in(&a, &other);
    provider["connection"]["http"]["credentials"][0]["name"] = json!("other");
    sidecar.apply(&snapshot(&[provider]));
    assert_ne!(sidecar.chat(&question(false)).await.status, 200);
    let page = sidecar.metrics().await;
    let refused = r#"fkm_token_fetches_total{kind="OAuthClientCredentials",outcome="refused"} 1"#;
    assert!(page.contains(refused), "{page}");
    assert!(
        !page.contains("fkm_token_expiry_timestamp_seconds{"),
        "{page}"
    );
}
