//! A case for every leaf of a pool's `media`, and for which addresses a provider's `dialect` lets pass.

use serde_json::{Value, json};

use crate::case::{Case, pool as change};
use crate::objects::{backend, pool, provider, route, rule};
use crate::scene::{Ask, Scene};

pub(crate) fn all() -> Vec<Case> {
    let mut cases = fetching();
    cases.extend(addresses());
    cases
}

/// A provider with this dialect in a pool that fetches so.
fn scene(dialect: &Value, media: Option<Value>, ask: Ask) -> Scene {
    let mut a = provider("a", "$A");
    a["dialect"] = dialect.clone();
    let mut pool = pool("pool", &[a]);
    if let Some(media) = media {
        pool["spec"]["media"] = media;
    }
    let to_pool = route("chat", &json!({"rules": [rule(&[backend("pool")])]}));
    Scene::new([pool, to_pool]).asking([ask])
}

/// A question about the images at these addresses.
fn about(urls: &[&str]) -> Ask {
    let parts = urls.iter();
    let parts = parts.map(|url| json!({"type": "image_url", "image_url": {"url": url}}));
    let content: Vec<Value> = parts.collect();
    Ask::Chat(json!({"model": "m", "messages": [{"role": "user", "content": content}]}))
}

fn fetching() -> Vec<Case> {
    let at = |field: &str| format!("/spec/media/fetch/{field}");
    let asked = |urls: &[&str]| {
        let fetch = json!({
            "hosts": ["$FILES_HOST"], "allowHTTP": true, "addresses": "Local",
            "maxSize": "1Ki", "maxTotalSize": "4Ki", "maxItems": 2, "timeout": "20s",
        });
        let media = json!({"fetch": fetch});
        scene(&json!({"mediaUrls": "Never"}), Some(media), about(urls))
    };
    let one = asked(&["$FILES/a"]);
    let two = asked(&["$FILES/a", "$FILES/b"]);
    let sent = "data:image/png;base64,iVBORw0KGgoA";
    let hosts = "its host is not among those that the pool fetches from";
    let not_allowed = "its address is not allowed";
    vec![
        change(&at("hosts/0"), "files.example.com").shows(&one, sent, hosts),
        change(&at("allowHTTP"), false).shows(&one, sent, "only https is fetched"),
        change(&at("addresses"), "Public").shows(&one, sent, not_allowed),
        change(&at("addresses"), "Private").shows(&one, sent, not_allowed),
        change(&at("maxSize"), "599").shows(&one, sent, "it is larger than 599 bytes"),
        change(&at("maxTotalSize"), "1Ki").shows(
            &two,
            sent,
            "with the others of the request it is larger than 1024 bytes",
        ),
        change(&at("maxItems"), 1).shows(&two, sent, "the pool allows 1"),
        change(&at("timeout"), "100ms").shows(
            &asked(&["$FILES/slow"]),
            sent,
            "it did not come within 100 ms",
        ),
    ]
}

fn addresses() -> Vec<Case> {
    let at = "/spec/providers/0/dialect/mediaUrls";
    let source = json!({"type": "url", "url": "$FILES/a"});
    let content = json!([{"type": "document", "source": source}]);
    let messages = json!([{"role": "user", "content": content}]);
    let document = Ask::Messages(json!({"model": "m", "max_tokens": 9, "messages": messages}));
    let both = json!({"mediaUrls": "Any", "documents": "DocumentUrl"});
    vec![
        change(at, "Never").shows(
            &scene(&json!({"mediaUrls": "Any"}), None, about(&["$FILES/a"])),
            r#""url":"http://localhost:<files>/a""#,
            "provider a does not fetch images itself",
        ),
        change(at, "Images").shows(
            &scene(&both, None, document),
            r#""document_url":"http://localhost:<files>/a""#,
            "provider a does not fetch documents itself",
        ),
    ]
}
