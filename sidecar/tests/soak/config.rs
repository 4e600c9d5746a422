//! The snapshot: each model has providers of several formats, one after the other.

use serde_json::{Value, json};

/// The key of every provider.
pub(crate) const KEY: &str = "sk-soak-canary-71c2e5";

/// Models and the formats of their providers, the first first.
const MODELS: [(&str, &[&str]); 10] = [
    (
        "m-openai",
        &[
            "openai.chat",
            "anthropic.messages",
            "gemini.generate_content",
        ],
    ),
    ("m-responses", &["openai.responses", "openai.chat"]),
    (
        "m-anthropic",
        &["anthropic.messages", "bedrock.converse", "openai.chat"],
    ),
    ("m-gemini", &["gemini.generate_content", "cohere.chat"]),
    ("m-cohere", &["cohere.chat", "anthropic.messages"]),
    ("m-bedrock", &["bedrock.converse", "openai.responses"]),
    ("m-completions", &["openai.completions", "openai.chat"]),
    ("m-count", &["anthropic.messages", "anthropic.messages"]),
    ("m-embed", &["openai.embeddings", "cohere.embed"]),
    ("m-rank", &["cohere.rerank", "cohere.rerank"]),
];

/// Silence that ends an attempt or a stream, in milliseconds: far above what an answer takes, far below the whole run.
const SILENCE: u32 = 1500;

/// The snapshot whose providers are at these addresses, by their position.
pub(crate) fn snapshot(addresses: &[std::net::SocketAddr]) -> Value {
    let pools = MODELS.map(|(model, homes)| {
        let providers: Vec<Value> = homes
            .iter()
            .enumerate()
            .map(|(position, home)| provider(model, position, home, addresses[position]))
            .collect();
        (format!("test/{model}"), json!({"providers": providers}))
    });
    let rules = MODELS.map(|(model, _)| {
        json!({
            "route": "test/soak", "name": model, "matches": [{"models": [model]}],
            "backends": [{"name": "only", "pool": format!("test/{model}"), "model": model}],
            "policy": {"timeouts": {"firstContent": SILENCE, "betweenEvents": SILENCE, "request": 20_000}},
        })
    });
    let chats = MODELS.iter().flat_map(|(_, homes)| homes.iter());
    let requires: std::collections::BTreeSet<String> =
        chats.map(|home| format!("format.{home}")).collect();
    json!({
        "requires": requires,
        "pools": serde_json::Map::from_iter(pools),
        "rules": rules,
    })
}

fn provider(model: &str, position: usize, home: &str, address: std::net::SocketAddr) -> Value {
    let (member, record) = record(home);
    json!({
        "name": format!("p{position}"), "system": "soak", "priority": position,
        "connection": {"http": {
            "baseUrl": format!("http://{address}/{position}/{home}"), "locality": "Local", member: record,
            "credentials": [{"name": "main", "secret": "test/keys/main"}],
        }},
        "models": {model: {"upstreamName": "up"}},
    })
}

/// How the provider is reached.
fn record(home: &str) -> (&'static str, Value) {
    let chat = |path: &str| json!({"format": home, "path": path, "auth": "Bearer"});
    let record = match home {
        "openai.chat" => chat("/chat/completions"),
        "openai.responses" => chat("/responses"),
        "openai.completions" => chat("/completions"),
        "cohere.chat" => chat("/v2/chat"),
        "anthropic.messages" => json!({
            "format": home, "path": "/v1/messages", "countPath": "/v1/messages/count_tokens", "auth": "XApiKey",
        }),
        "gemini.generate_content" => json!({
            "format": home, "path": "/models/{model}:generateContent", "auth": "XGoogApiKey",
            "streamPath": "/models/{model}:streamGenerateContent?alt=sse",
        }),
        "bedrock.converse" => json!({
            "format": home, "path": "/model/{model}/converse", "auth": "Bearer",
            "streamPath": "/model/{model}/converse-stream",
        }),
        "cohere.rerank" => {
            let record = json!({"format": home, "path": "/rerank", "returnsDocuments": false});
            return ("ranks", record);
        }
        _ => return ("embeddings", json!({"format": home, "path": "/embed"})),
    };
    ("dialect", record)
}
