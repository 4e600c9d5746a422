//! A case for every leaf of a provider's `dialect`.

use fkm_upstream::{Step, Streamed};
use serde_json::{Value, json};

use crate::case::{Case, pool as change};
use crate::objects::{backend, pool, provider, route, rule};
use crate::providers::Does;
use crate::scene::{Ask, Scene, question, stream};

pub(crate) fn all() -> Vec<Case> {
    let mut cases = connections();
    cases.extend(members());
    cases.extend(messages());
    cases.extend(thoughts());
    cases.extend(tools());
    cases.extend(media());
    cases
}

fn at(field: &str) -> String {
    format!("/spec/providers/0/dialect/{field}")
}

/// A provider with this dialect, which is asked this.
fn scene(dialect: &Value, ask: Ask) -> Scene {
    let mut a = provider("a", "$A");
    a["dialect"] = dialect.clone();
    let secret = json!({"name": "keys", "key": "main"});
    a["credentials"] =
        json!([{"name": "main", "type": "APIKey", "apiKey": {"secretKeyRef": secret}}]);
    let to_pool = route("chat", &json!({"rules": [rule(&[backend("pool")])]}));
    Scene::new([pool("pool", &[a]), to_pool]).asking([ask])
}

/// The same of one that speaks Gemini's format.
fn of_gemini(dialect: &Value, ask: Ask) -> Scene {
    let mut a = provider("a", "$A");
    a["preset"] = json!("gemini");
    a["dialect"] = dialect.clone();
    let to_pool = route("chat", &json!({"rules": [rule(&[backend("pool")])]}));
    Scene::new([pool("pool", &[a]), to_pool]).asking([ask])
}

/// A chat request with this member.
fn with(member: &str, value: Value) -> Value {
    let mut body = question("m");
    body[member] = value;
    body
}

/// A chat request with one more message.
fn after(message: Value) -> Value {
    let mut body = question("m");
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(message);
    messages.push(json!({"role": "user", "content": "And?"}));
    body
}

fn connections() -> Vec<Case> {
    let plain = || Ask::Chat(question("m"));
    let shown = |auth: &str| scene(&json!({"auth": auth}), plain());
    let bearer = r#" authorization="Bearer key-main""#;
    let frames = [
        r#"data: {"choices":[{"index":0,"delta":{"content":"Ho"}}]}"#,
        "data: [DONE]",
    ];
    let no_reason = Streamed {
        frames: frames.map(|frame| format!("{frame}\n\n")).into(),
        ..Streamed::default()
    };
    let marked = scene(
        &json!({"streamEnd": "FinishReason"}),
        Ask::Chat(stream("m")),
    );
    vec![
        change(&at("path"), "/{model}/chat/completions").shows(
            &scene(&json!({"path": "/chat/completions"}), plain()),
            "POST /v1/chat/completions",
            "POST /v1/m/chat/completions",
        ),
        change(&at("streamPath"), "/live/chat/completions").shows(
            &scene(
                &json!({"streamPath": "/chat/completions"}),
                Ask::Chat(stream("m")),
            ),
            "POST /v1/chat/completions",
            "POST /v1/live/chat/completions",
        ),
        change(&at("auth"), "XApiKey").shows(&shown("Bearer"), bearer, r#" x-api-key="key-main""#),
        change(&at("auth"), "ApiKey").shows(&shown("Bearer"), bearer, r#" api-key="key-main""#),
        change(&at("auth"), "XGoogApiKey").shows(
            &shown("Bearer"),
            bearer,
            r#" x-goog-api-key="key-main""#,
        ),
        change(&at("streamEnd"), "Mark").shows(
            &marked.a_does(Does::This(Step::Streamed(no_reason))),
            r#""Ho", error"#,
            r#""Ho", no end"#,
        ),
    ]
}

fn members() -> Vec<Case> {
    let limited = |field: &str, sent: &str| {
        scene(
            &json!({"maxTokensField": field}),
            Ask::Chat(with(sent, json!(9))),
        )
    };
    let (old, new) = ("max_tokens", "max_completion_tokens");
    let (says_old, says_new) = (r#""max_tokens":9"#, r#""max_completion_tokens":9"#);
    let mut both = with("seed", json!(7));
    both["user"] = json!("u");
    let dropping = scene(&json!({"drop": ["user"]}), Ask::Chat(both.clone()));
    let renaming = scene(&json!({"rename": {"seed": "random_seed"}}), Ask::Chat(both));
    vec![
        change(&at("maxTokensField"), "MaxTokens").shows(
            &limited("AsSent", new),
            says_new,
            says_old,
        ),
        change(&at("maxTokensField"), "MaxCompletionTokens").shows(
            &limited("AsSent", old),
            says_old,
            says_new,
        ),
        change(&at("streamUsage"), false).shows(
            &scene(&json!({"streamUsage": true}), Ask::Chat(stream("m"))),
            r#" {"stream_options":{"include_usage":true},"#,
            r#" {"messages""#,
        ),
        change(&at("drop/0"), "seed").shows(&dropping, r#""seed":7"#, r#""user":"u""#),
        change(&at("drop/0"), "model").shows(
            &dropping,
            "200 by a",
            r#""model" cannot be left out of a request"#,
        ),
        change(&at("rename/seed"), "lot").shows(&renaming, r#""random_seed":7"#, r#""lot":7"#),
        change(&at("maxTemperature"), "1").shows(
            &scene(
                &json!({"maxTemperature": "2"}),
                Ask::Chat(with("temperature", json!(1.5))),
            ),
            r#""temperature":1.5"#,
            r#""temperature":1}"#,
        ),
    ]
}

fn messages() -> Vec<Case> {
    let named = after(json!({"role": "user", "name": "ada", "content": "Who?"}));
    let developer = after(json!({"role": "developer", "content": "Be kind."}));
    let calls =
        json!([{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let calling = after(json!({"role": "assistant", "content": null, "tool_calls": calls}));
    let answered = after(json!({"role": "tool", "tool_call_id": "call_1", "content": "1"}));
    let answered = {
        let mut body = answered;
        let messages = body["messages"].as_array_mut().unwrap();
        messages.insert(1, calling["messages"][1].clone());
        body
    };
    let cached = json!([{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]);
    let cached =
        json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": cached}]});
    vec![
        change(&at("dropInMessages/0"), "nick").shows(
            &scene(&json!({"dropInMessages": ["name"]}), Ask::Chat(named)),
            r#"{"content":"Who?","role":"user"}"#,
            r#"{"content":"Who?","name":"ada","role":"user"}"#,
        ),
        change(&at("developerRole"), false).shows(
            &scene(&json!({"developerRole": true}), Ask::Chat(developer)),
            r#""role":"developer""#,
            r#""role":"system""#,
        ),
        change(&at("nullContent"), false).shows(
            &scene(&json!({"nullContent": true}), Ask::Chat(calling.clone())),
            r#""content":null"#,
            r#""content":"""#,
        ),
        change(&at("toolCallIds"), "NineAlphanumerics").shows(
            &scene(&json!({"toolCallIds": "Any"}), Ask::Chat(calling)),
            r#""id":"call_1""#,
            r#""id":"t"#,
        ),
        change(&at("toolCallIds"), "Never").shows(
            &of_gemini(&json!({"toolCallIds": "Any"}), Ask::Chat(answered)),
            r#""id":"call_1""#,
            r#"{"functionCall":{"name":"f","args":{}}}"#,
        ),
        change(&at("cacheMarks"), "CacheControl").shows(
            &scene(&json!({"cacheMarks": "Breakpoint"}), Ask::Messages(cached)),
            r#"{"type":"text","text":"Hi"}"#,
            r#""cache_control":{"type":"ephemeral"}"#,
        ),
    ]
}

fn thoughts() -> Vec<Case> {
    let thinking = |member: &str| {
        let mut message = json!({"role": "assistant", "content": "Yes."});
        message[member] = json!("Hm.");
        message["reasoning_details"] = json!([{"type": "reasoning.summary"}]);
        scene(&json!({"thoughts": "AsSent"}), Ask::Chat(after(message)))
    };
    let (content, reasoning) = (r#""reasoning_content":"Hm.""#, r#""reasoning":"Hm.""#);
    let blocks = json!([
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "Yes."},
    ]);
    let messages = json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": blocks},
        {"role": "user", "content": "And?"},
    ]);
    let from_another = json!({"model": "m", "max_tokens": 9, "messages": messages});
    let calls =
        json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let calling = after(json!({"role": "assistant", "content": null, "tool_calls": calls}));
    let needed = json!({"thoughts": "Reasoning", "callsNeedThoughts": false});
    vec![
        change(&at("thoughts"), "ReasoningContent").shows(
            &thinking("reasoning"),
            reasoning,
            content,
        ),
        change(&at("thoughts"), "Reasoning").shows(
            &thinking("reasoning"),
            r#""reasoning_details""#,
            r#""reasoning":"Hm.","role""#,
        ),
        change(&at("thoughts"), "ReasoningDetails").shows(
            &thinking("reasoning_content"),
            content,
            reasoning,
        ),
        change(&at("thoughts"), "Never").shows(
            &thinking("reasoning"),
            reasoning,
            r#"{"content":"Yes.","role":"assistant"}"#,
        ),
        change(&at("thoughts"), "Content").shows(
            &scene(&json!({"thoughts": "AsSent"}), Ask::Messages(from_another)),
            content,
            r#"{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}"#,
        ),
        change(&at("callsNeedThoughts"), true).shows(
            &scene(&needed, Ask::Chat(calling)),
            r#"{"content":null"#,
            r#"{"reasoning":" ","content":null"#,
        ),
    ]
}

fn tools() -> Vec<Case> {
    let function = json!({"name": "f", "parameters": {}, "strict": true});
    let mut body = with("tools", json!([{"type": "function", "function": function}]));
    body["tool_choice"] = json!("required");
    let forced = scene(
        &json!({"requiredChoice": "Required"}),
        Ask::Chat(body.clone()),
    );
    let required = r#""tool_choice":"required""#;
    vec![
        change(&at("requiredChoice"), "Any").shows(&forced, required, r#""tool_choice":"any""#),
        change(&at("requiredChoice"), "Auto").shows(&forced, required, r#""tool_choice":"auto""#),
        change(&at("strictTools"), false).shows(
            &scene(&json!({"strictTools": true}), Ask::Chat(body)),
            r#""parameters":{},"strict":true}"#,
            r#""parameters":{}}"#,
        ),
    ]
}

fn media() -> Vec<Case> {
    let saying = |part: Value| after(json!({"role": "user", "content": [part]}));
    let file = json!({"filename": "n", "file_data": "data:application/pdf;base64,AA"});
    let document = saying(json!({"type": "file", "file": file}));
    let sound = json!({"data": "AA", "format": "wav"});
    let sound = saying(json!({"type": "input_audio", "input_audio": sound}));
    vec![
        change(&at("documents"), "DocumentUrl").shows(
            &scene(&json!({"documents": "AsSent"}), Ask::Chat(document)),
            r#""file":{"file_data":"data:application/pdf;base64,AA","filename":"n"}"#,
            r#""document_url":"data:application/pdf;base64,AA","document_name":"n""#,
        ),
        change(&at("sound"), "Base64").shows(
            &scene(&json!({"sound": "AsSent"}), Ask::Chat(sound)),
            r#""input_audio":{"data":"AA","format":"wav"}"#,
            r#""input_audio":"AA""#,
        ),
    ]
}
