//! A case for every leaf of a provider's `formats`, `embeddings`, `rerank` and `keeps`, and for where its dialect counts.

use serde_json::{Value, json};

use crate::case::{Case, pool as change};
use crate::objects::{backend, pool, provider, route, rule};
use crate::scene::{Ask, Scene, question};

pub(crate) fn all() -> Vec<Case> {
    let mut cases = formats();
    cases.extend(paths());
    cases.extend(embeddings());
    cases.extend(rerank());
    cases.extend(keeps());
    cases
}

/// A provider with this field, which is asked this.
fn scene(preset: Option<&str>, field: &str, value: &Value, ask: Ask) -> Scene {
    let mut a = provider("a", "$A");
    if let Some(preset) = preset {
        a["preset"] = json!(preset);
    }
    a[field] = value.clone();
    let secret = json!({"name": "keys", "key": "main"});
    a["credentials"] =
        json!([{"name": "main", "type": "APIKey", "apiKey": {"secretKeyRef": secret}}]);
    let to_pool = route("chat", &json!({"rules": [rule(&[backend("pool")])]}));
    Scene::new([pool("pool", &[a]), to_pool]).asking([ask])
}

fn messages() -> Value {
    let mut body = question("m");
    body["max_tokens"] = json!(9);
    body
}

/// Clients of a format pass through where the provider speaks it, else another is spoken.
fn formats() -> Vec<Case> {
    let said = json!([{"role": "user", "parts": [{"text": "Hi"}]}]);
    let blocks = json!([{"role": "user", "content": [{"text": "Hi"}]}]);
    let asks = [
        (
            "OpenAICompletions",
            "/v1/completions",
            json!({"model": "m", "prompt": "Hi"}),
        ),
        ("AnthropicMessages", "/v1/messages", messages()),
        (
            "BedrockConverse",
            "/model/m/converse",
            json!({"messages": blocks}),
        ),
        ("CohereChat", "/v2/chat", question("m")),
        (
            "GeminiGenerateContent",
            "/v1beta/models/m:generateContent",
            json!({"contents": said}),
        ),
    ];
    let at = "/spec/providers/0/formats/0/format";
    let spoken = |format: &str| json!([{"format": format, "path": "/extra"}]);
    let mut cases: Vec<Case> = asks
        .into_iter()
        .map(|(format, path, body)| {
            change(at, format).shows(
                &scene(
                    None,
                    "formats",
                    &spoken("OpenAIResponses"),
                    Ask::Post(path, body),
                ),
                "POST /v1/chat/completions",
                "POST /v1/extra",
            )
        })
        .collect();
    let responses = Ask::Post("/v1/responses", json!({"model": "m", "input": "Hi"}));
    cases.push(change(at, "OpenAIResponses").shows(
        &scene(None, "formats", &spoken("CohereChat"), responses),
        "POST /v1/chat/completions",
        "POST /v1/extra",
    ));
    cases.push(change(at, "OpenAIChat").shows(
        &scene(
            Some("gemini"),
            "formats",
            &spoken("CohereChat"),
            Ask::Chat(question("m")),
        ),
        "POST /v1/models/m:generateContent",
        "POST /v1/extra",
    ));
    cases
}

fn paths() -> Vec<Case> {
    let at = |field: &str| format!("/spec/providers/0/formats/0/{field}");
    let spoken = |field: &str, value: &str| {
        let mut format = json!({"format": "AnthropicMessages", "path": "/messages"});
        format[field] = json!(value);
        json!([format])
    };
    let of = |formats: &Value, path, body| scene(None, "formats", formats, Ask::Post(path, body));
    let mut stream = messages();
    stream["stream"] = json!(true);
    let count = "/v1/messages/count_tokens";
    let counting = json!({"countPath": "/models/{model}:countTokens"});
    let contents = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]});
    vec![
        change(&at("path"), "/other").shows(
            &of(&spoken("path", "/messages"), "/v1/messages", messages()),
            "POST /v1/messages",
            "POST /v1/other",
        ),
        change(&at("streamPath"), "/live").shows(
            &of(&spoken("streamPath", "/messages"), "/v1/messages", stream),
            "POST /v1/messages",
            "POST /v1/live",
        ),
        change(&at("countPath"), "/weigh").shows(
            &of(&spoken("countPath", "/count"), count, messages()),
            "POST /v1/count",
            "POST /v1/weigh",
        ),
        change("/spec/providers/0/dialect/countPath", "/weigh/{model}").shows(
            &scene(
                Some("gemini"),
                "dialect",
                &counting,
                Ask::Post("/v1beta/models/m:countTokens", contents),
            ),
            "POST /v1/models/m:countTokens",
            "POST /v1/weigh/m",
        ),
    ]
}

fn embeddings() -> Vec<Case> {
    let at = |field: &str| format!("/spec/providers/0/embeddings/{field}");
    let asked = |member: &str, value: Value| {
        let mut body = json!({"model": "m", "input": ["Hi"]});
        body[member] = value;
        Ask::Post("/v1/embeddings", body)
    };
    let plain = || asked("input", json!(["Hi"]));
    let of = |record: Value, ask: Ask| scene(None, "embeddings", &record, ask);
    let path = "/x:batchEmbedContents";
    let format = |format: &str| of(json!({"format": format, "path": path}), plain());
    let openai = "OpenAIEmbeddings";
    vec![
        change(&at("format"), "CohereEmbed").shows(
            &format(openai),
            r#""input":["Hi"]"#,
            r#""texts":["Hi"]"#,
        ),
        change(&at("format"), "GeminiEmbed").shows(
            &format(openai),
            r#""input":["Hi"]"#,
            r#""parts":[{"text":"Hi"}]"#,
        ),
        change(&at("format"), openai).shows(
            &format("CohereEmbed"),
            r#""texts":["Hi"]"#,
            r#""input":["Hi"]"#,
        ),
        change(&at("path"), "/vectors").shows(
            &of(json!({"path": "/embeddings"}), plain()),
            "POST /v1/embeddings",
            "POST /v1/vectors",
        ),
        change(&at("base64"), false).shows(
            &of(
                json!({"base64": true}),
                asked("encoding_format", json!("base64")),
            ),
            r#""encoding_format":"base64""#,
            r#"{"model":"m","input":["Hi"]}"#,
        ),
        change(&at("inputType"), true).shows(
            &of(
                json!({"inputType": false}),
                asked("input_type", json!("query")),
            ),
            r#"{"model":"m","input":["Hi"]}"#,
            r#""input_type":"query""#,
        ),
        change(&at("dimensionsField"), "OutputDimension").shows(
            &of(
                json!({"dimensionsField": "Dimensions"}),
                asked("dimensions", json!(8)),
            ),
            r#""dimensions":8"#,
            r#""output_dimension":8"#,
        ),
        change(&at("user"), false).shows(
            &of(json!({"user": true}), asked("user", json!("u"))),
            r#""user":"u""#,
            r#"{"model":"m","input":["Hi"]}"#,
        ),
    ]
}

fn rerank() -> Vec<Case> {
    let at = |field: &str| format!("/spec/providers/0/rerank/{field}");
    let body = json!({"model": "m", "query": "q", "documents": ["d"], "top_n": 1, "return_documents": true});
    let of = |record: Value| {
        scene(
            None,
            "rerank",
            &record,
            Ask::Post("/v1/rerank", body.clone()),
        )
    };
    let (cohere, voyage) = (r#""top_n":1"#, r#""top_k":1"#);
    let format = |format: &str| of(json!({"format": format, "path": "/rerank"}));
    vec![
        change(&at("format"), "VoyageRerank").shows(&format("CohereRerank"), cohere, voyage),
        change(&at("format"), "CohereRerank").shows(&format("VoyageRerank"), voyage, cohere),
        change(&at("path"), "/ranks").shows(
            &of(json!({"path": "/rerank"})),
            "POST /v1/rerank",
            "POST /v1/ranks",
        ),
        change(&at("returnsDocuments"), true).shows(
            &of(json!({"path": "/rerank", "returnsDocuments": false})),
            r#""documents":["d"],"top_n":1}"#,
            r#""return_documents":true"#,
        ),
    ]
}

/// What clients may keep is asked for at the provider; what they may not is refused before that.
fn keeps() -> Vec<Case> {
    let batch = json!({"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"});
    let asks = [
        (
            "Responses",
            "Files",
            "/v1/responses/resp_1/cancel",
            json!({}),
        ),
        ("Files", "Batches", "/v1/files", json!({})),
        ("Batches", "Files", "/v1/batches", batch),
    ];
    let case = |(kind, other, path, body): (&str, &str, &'static str, Value)| {
        let scene = scene(None, "keeps", &json!([other]), Ask::Post(path, body));
        let sent = format!("POST {path}");
        let refused = "no provider that this request can reach keeps";
        change("/spec/providers/0/keeps/0", kind).shows(&scene, refused, &sent)
    };
    asks.into_iter().map(case).collect()
}
