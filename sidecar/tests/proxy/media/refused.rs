//! What is not fetched, and what the client is told of it.

use std::time::Duration;

use fkm_llm::Format;
use fkm_sidecar::network::NetworkSettings;
use fkm_upstream::Upstream;
use serde_json::json;

use super::files::Files;
use super::{PNG64, asking, image, names, never, rules, scene, usual, with};
use crate::harness::{Sidecar, snapshot};

#[tokio::test]
async fn without_leave_of_the_pool_nothing_is_fetched() {
    let files = Files::start(usual).await;
    let url = format!("http://files.test:{}/x", files.port());
    let upstream = Upstream::start().await.unwrap();
    let provider = never(Format::OpenAiChat, &upstream.base_url());
    let sidecar = Sidecar::start_in(names(), &snapshot(&[provider])).await;
    let text = json!({"type": "text", "text": "What is this?"});
    let reply = sidecar.chat(&asking(&[text, image(&url)], false)).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let error = &reply.json()["error"];
    assert_eq!(error["code"], "not_expressible", "{error}");
    assert_eq!(
        error["param"], "messages[0].content[1].image_url",
        "{error}"
    );
    for part in [
        "provider a does not fetch images",
        "instead of its address",
        "spec.media.fetch",
    ] {
        assert!(reply.message().contains(part), "{error}");
    }
    let source = json!({"type": "url", "url": url});
    let messages = json!([{"role": "user", "content": [{"type": "document", "source": source}]}]);
    let body = json!({"model": "m", "max_tokens": 9, "messages": messages});
    let reply = sidecar.post("/v1/messages", body.to_string()).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["type"], "error");
    let message = reply.message();
    assert!(
        message.contains("`messages[0].content[0].source.url`"),
        "{message}"
    );
    assert!(message.contains("does not fetch documents"), "{message}");
    assert!(upstream.requests().is_empty() && files.asked().is_empty());
}

#[tokio::test]
async fn no_address_leads_into_the_network() {
    let upstream = Upstream::start().await.unwrap();
    let provider = never(Format::OpenAiChat, &upstream.base_url());
    let media = json!({
        "hosts": ["*"], "plainHttp": true,
        "maxBytes": 1000, "maxTotalBytes": 1000, "maxItems": 1, "timeout": 2000,
    });
    let sidecar = Sidecar::start_in(names(), &with(&[provider], media)).await;
    for host in [
        "169.254.169.254",
        "2852039166",
        "0251.0376.0251.0376",
        "0xa9fea9fe",
        "0xa9.254.43518",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        "evil.test",
        "evil.test.",
        "mapped.test",
        "nat.test",
        "private.test",
        "loopback.test",
        "localhost",
        "127.1",
        "0",
        "10.1.2.3",
        "192.168.0.1",
        "100.64.0.1",
        "[fd12::1]",
        "[::1]",
    ] {
        let url = format!("http://{host}/latest/meta-data");
        let reply = sidecar.chat(&asking(&[image(&url)], false)).await;
        assert_eq!(reply.status, 400, "{host}");
        let message = reply.message();
        let expected = "`messages[0].content[0].image_url`: the image cannot be fetched: its address is not allowed";
        assert_eq!(message, expected, "{host}");
        assert_eq!(reply.json()["error"]["code"], "media_unavailable");
    }
    assert!(upstream.requests().is_empty());
}

/// Names are for the proxy to judge; what needs no look at a name is not asked of it.
#[tokio::test]
async fn no_literal_address_leads_into_the_network_through_a_proxy() {
    let proxy = Files::start(usual).await;
    let mut mistakes = Vec::new();
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let variable = |name: &str| (name == "HTTP_PROXY").then(|| url.clone());
    let settings = NetworkSettings {
        resolver: names().resolver,
        ..NetworkSettings::from_environment(variable, &mut mistakes)
    };
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let upstream = Upstream::start().await.unwrap();
    let provider = never(Format::OpenAiChat, &upstream.base_url());
    let media = json!({
        "hosts": ["*"], "plainHttp": true,
        "maxBytes": 1000, "maxTotalBytes": 1000, "maxItems": 1, "timeout": 2000,
    });
    let sidecar = Sidecar::start_in(settings, &with(&[provider], media)).await;
    for host in [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "10.1.2.3",
        "[fd12::1]",
        "127.1",
        "localhost",
        "a.localhost",
    ] {
        let url = format!("http://{host}/latest/meta-data");
        let reply = sidecar.chat(&asking(&[image(&url)], false)).await;
        let message = reply.message();
        assert!(
            message.ends_with("its address is not allowed"),
            "{host}: {message}"
        );
    }
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
    let reply = sidecar
        .chat(&asking(&[image("http://public.test/x?sig=1")], false))
        .await;
    assert!(reply.message().ends_with("status 404"), "{reply:?}");
    let asked = proxy.asked();
    assert!(
        asked[0].starts_with("GET http://public.test/x?sig=1 HTTP/1.1"),
        "{asked:?}"
    );
}

/// Where loopback is meant, metadata and the sidecar itself are not.
#[tokio::test]
async fn an_allowance_of_private_addresses_is_none_of_metadata_and_of_the_sidecar() {
    let scene = scene().await;
    for url in [
        "http://evil.test/",
        "http://mapped.test/",
        "http://nat.test/",
    ] {
        let message = scene.ask(url).await.message();
        assert!(
            message.ends_with("its address is not allowed"),
            "{url}: {message}"
        );
    }
    let own = scene.sidecar.address().port();
    let mut rules = rules(&scene.files);
    rules["hosts"] = json!([format!("files.test:{own}")]);
    let provider = never(Format::OpenAiChat, &scene.upstream.base_url());
    scene.sidecar.apply(&with(&[provider], rules));
    let message = scene
        .ask(&format!("http://files.test:{own}/"))
        .await
        .message();
    assert!(message.ends_with("its address is not allowed"), "{message}");
}

#[tokio::test]
async fn only_listed_hosts_at_their_ports_over_allowed_schemes_are_asked() {
    let scene = scene().await;
    let port = scene.files.port();
    for (url, why) in [
        (
            format!("http://other.test:{port}/x"),
            "its host is not among those",
        ),
        (
            "http://files.test/x".to_owned(),
            "its host is not among those",
        ),
        (
            format!("http://files.test.evil.test:{port}/x"),
            "its host is not among those",
        ),
        (
            format!("http://u:p@files.test:{port}/x"),
            "without user and password",
        ),
        (
            format!("http://files.test:{port}\\@evil.test/x"),
            "status 404",
        ),
        (
            "http://nowhere.test/".to_owned(),
            "its host cannot be reached",
        ),
    ] {
        let reply = scene.ask(&url).await;
        assert_eq!(reply.status, 400, "{url}");
        let message = reply.message();
        assert!(message.contains(why), "{url}: {message}");
    }
    let mut rules = rules(&scene.files);
    rules["plainHttp"] = json!(false);
    let provider = never(Format::OpenAiChat, &scene.upstream.base_url());
    scene.sidecar.apply(&with(&[provider], rules));
    let before = scene.files.asked().len();
    let message = scene.ask(&scene.url("/x")).await.message();
    assert!(message.ends_with("only https is fetched"), "{message}");
    assert_eq!(scene.files.asked().len(), before);
}

#[tokio::test]
async fn every_redirect_is_judged_like_the_address() {
    let scene = scene().await;
    for (path, why) in [
        ("/to-evil", "its address is not allowed"),
        (
            "/to-literal",
            "its host is not among those that the pool fetches from",
        ),
        (
            "/to-elsewhere",
            "its host is not among those that the pool fetches from",
        ),
        (
            "/to-file",
            "it is no address of a file, without user and password",
        ),
        ("/loop", "it is redirected more than 3 times"),
    ] {
        let message = scene.ask(&scene.url(path)).await.message();
        assert!(message.ends_with(why), "{path}: {message}");
    }
    assert_eq!(scene.files.asked().len(), 4 + 4);
    assert_eq!(scene.ask(&scene.url("/relative")).await.status, 200);
    let body = String::from_utf8(scene.upstream.requests()[0].body.to_vec()).unwrap();
    assert!(body.contains(PNG64), "{body}");
}

#[tokio::test]
async fn what_is_too_large_too_slow_or_something_else_is_refused() {
    let scene = scene().await;
    for (path, why) in [
        ("/large", "it is larger than 1000 bytes"),
        ("/endless", "it is larger than 1000 bytes"),
        ("/page", "it is no PNG, JPEG, GIF or WebP image"),
        ("/doc", "it is no PNG, JPEG, GIF or WebP image"),
        (
            "/zipped",
            "its host sent it compressed, which was not asked for",
        ),
        ("/missing", "its host answered with status 404"),
        ("/short", "it broke off"),
        ("/slow", "it did not come within 2000 ms"),
        ("/mute", "it did not come within 2000 ms"),
    ] {
        let reply = scene.ask(&scene.url(path)).await;
        assert_eq!(reply.status, 400, "{path}");
        let message = reply.message();
        assert!(message.ends_with(why), "{path}: {message}");
        assert!(!message.contains("secret"), "{path}: {message}");
    }
    let both = [image(&scene.url("/800")), image(&scene.url("/801"))];
    let message = scene.sidecar.chat(&asking(&both, false)).await.message();
    assert!(
        message.ends_with("with the others of the request it is larger than 1500 bytes"),
        "{message}"
    );
    assert!(scene.upstream.requests().is_empty());
    let metrics = scene.metrics().await;
    for line in [
        r#"fkm_media_fetches_total{outcome="TooLarge"} 3"#,
        r#"fkm_media_fetches_total{outcome="WrongType"} 2"#,
        r#"fkm_media_fetches_total{outcome="Timeout"} 2"#,
        "fkm_request_bodies_bytes 0",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line}\n{metrics}");
    }
}

/// The request's own limit holds while media come.
#[tokio::test]
async fn media_take_no_longer_than_the_request_may() {
    let files = Files::start(usual).await;
    let upstream = Upstream::start().await.unwrap();
    let provider = never(Format::OpenAiChat, &upstream.base_url());
    let mut rules = rules(&files);
    rules["timeout"] = json!(60_000);
    let mut snapshot = with(&[provider], rules);
    snapshot["rules"][0]["policy"] = json!({"timeouts": {"request": 300}});
    let sidecar = Sidecar::start_in(names(), &snapshot).await;
    let url = format!("http://files.test:{}/mute", files.port());
    let began = tokio::time::Instant::now();
    let reply = sidecar.chat(&asking(&[image(&url)], false)).await;
    assert_eq!(reply.status, 504, "{reply:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
}
