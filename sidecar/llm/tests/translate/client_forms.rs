//! Clients that have a format in a form of their own: Mistral's of chat completions, Mistral's and Voyage's of embeddings.

use bytes::Bytes;
use fkm_llm::embedding::{Encoding, ReplyOptions};
use fkm_llm::error::ErrorKind;
use fkm_llm::ir::Request;
use fkm_llm::{
    Capabilities, ClientError, ClientForm, Dialect, EmbeddingDialect, EmbeddingFormat,
    EmbeddingTarget, Format, StreamOptions, Target, WireFormat, client_embeddings, client_format,
    embedding_codec, encode_request, format, translate_for,
};
use serde_json::{Value, json};

use crate::{ANTHROPIC, OPENAI, dialect};

fn mistral() -> &'static dyn WireFormat {
    client_format(OPENAI, ClientForm::Mistral)
}

/// As Mistral's own provider wants it.
fn of_mistral() -> Dialect {
    let record = json!({"format": "openai.chat", "path": "/x", "auth": "Bearer", "thoughts": "content",
        "rename": {"seed": "random_seed"}, "documents": "document_url", "sound": "base64"});
    serde_json::from_value(record).unwrap()
}

fn asked(body: &Value) -> Request {
    mistral()
        .decode_request(body.to_string().as_bytes())
        .unwrap()
}

fn sent(request: &Request, dialect: &Dialect) -> (Value, Vec<String>) {
    let target = Target {
        model: "m",
        dialect,
        capabilities: &Capabilities::default(),
        max_output_tokens: None,
        stream: false,
    };
    let encoded = encode_request(request, &target).unwrap();
    (
        serde_json::from_slice(&encoded.body).unwrap(),
        encoded.dropped,
    )
}

fn streamed(from: Format, text: &str) -> Vec<Value> {
    let mut transform = translate_for(&dialect(from), mistral(), &StreamOptions::default());
    let mut out = Vec::new();
    for byte in text.as_bytes() {
        transform
            .push(Bytes::copy_from_slice(&[*byte]), &mut out)
            .unwrap();
    }
    transform.end(&mut out).unwrap();
    let text = String::from_utf8(out.concat()).unwrap();
    let (chunks, end) = text.split_once("data: [DONE]\n\n").unwrap();
    assert_eq!(end, "");
    chunks
        .split_terminator("\n\n")
        .map(|frame| serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap())
        .collect()
}

#[test]
fn only_its_own_provider_speaks_as_its_client() {
    assert!(mistral().passes(&of_mistral()));
    assert!(!mistral().passes(&dialect(OPENAI)));
    assert!(!mistral().passes(&dialect(ANTHROPIC)));
    // What OpenAI's clients send is fitted to whoever speaks the format.
    assert!(format(OPENAI).passes(&of_mistral()));
}

#[test]
fn words_of_the_client_become_those_of_the_format() {
    let request = asked(
        &json!({"model": "c", "random_seed": 7, "top_k": 5, "tool_choice": "any", "safe_prompt": true,
        "prompt_mode": null, "max_tokens": 9,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "prefix": false, "content": "", "tool_calls": [
                {"id": "abcdefghi", "index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "abcdefghi", "name": "f", "content": "1"},
            {"role": "assistant", "prefix": true, "content": "so"}]}),
    );
    let (body, dropped) = sent(&request, &dialect(OPENAI));
    assert_eq!(dropped, ["message.prefix", "safe_prompt", "top_k"]);
    assert_eq!(
        (&body["seed"], &body["tool_choice"]),
        (&json!(7), &json!("required"))
    );
    assert_eq!(body.get("random_seed"), None);
    assert_eq!(body.get("safe_prompt"), None);
    assert_eq!(
        body["messages"][3],
        json!({"role": "assistant", "content": "so"})
    );
    let (body, dropped) = sent(&request, &dialect(ANTHROPIC));
    assert_eq!(
        dropped,
        ["message.prefix", "safe_prompt", "seed", "tool_result.name"]
    );
    assert_eq!(
        (&body["top_k"], &body["tool_choice"]["type"]),
        (&json!(5), &json!("any"))
    );
}

#[test]
fn calls_come_whole_and_usage_with_the_last_chunk() {
    let text = r#"data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]}}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":""}}]}}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"id":"1","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}

data: [DONE]

"#;
    let chunks = streamed(OPENAI, text);
    let calls: Vec<&Value> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"].get("tool_calls"))
        .collect();
    assert_eq!(
        calls,
        [
            &json!([{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]),
            &json!([{"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}}]),
        ]
    );
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(last["usage"]["total_tokens"], 5);
}

/// What the client keeps of a thought, in pieces, goes back to who thought it.
#[test]
fn thoughts_are_parts_of_the_content_and_come_back_signed() {
    let text = r#"event: message_start
data: {"type":"message_start","message":{"id":"1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":5,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"so "}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"what"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"yes"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

"#;
    let mut content = Vec::new();
    for chunk in streamed(ANTHROPIC, text) {
        match &chunk["choices"][0]["delta"]["content"] {
            Value::Array(parts) => content.extend(parts.clone()),
            Value::String(text) if !text.is_empty() => {
                content.push(json!({"type": "text", "text": text}));
            }
            _ => {}
        }
    }
    assert_eq!(content.len(), 4, "{content:?}");
    let request = asked(&json!({"model": "m", "messages": [
        {"role": "user", "content": "?"}, {"role": "assistant", "content": content}, {"role": "user", "content": "!"}]}));
    let (body, _) = sent(&request, &dialect(ANTHROPIC));
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type": "thinking", "thinking": "so what", "signature": "sig"}, {"type": "text", "text": "yes"}])
    );
}

#[test]
fn a_whole_answer_reads_as_its_own_providers() {
    let answer = json!({"id": "1", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message":
        {"role": "assistant", "content": null, "refusal": "no", "reasoning_content": "hm"}}]});
    let response = format(OPENAI)
        .decode_response(answer.to_string().as_bytes())
        .unwrap();
    let written = mistral().encode_response(&response).unwrap();
    let body: Value = serde_json::from_slice(&written.body).unwrap();
    let message = &body["choices"][0]["message"];
    let thought = json!({"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]});
    assert_eq!(
        message["content"],
        json!([thought, {"type": "text", "text": "no"}])
    );
    assert_eq!(message.get("refusal"), None);
    assert_eq!(body["usage"]["total_tokens"], 0);
}

#[test]
fn errors_are_where_the_clients_look_for_them() {
    let mut error = ClientError::new(ErrorKind::InvalidRequest, "no such thing");
    (error.status, error.param) = (Some(422), Some("n".to_owned()));
    let body: Value = serde_json::from_slice(&mistral().encode_error(&error)).unwrap();
    assert_eq!(
        (&body["object"], &body["message"]),
        (&json!("error"), &json!("no such thing"))
    );
    let fault = json!([{"loc": ["body", "n"], "msg": "no such thing", "type": "value_error"}]);
    assert_eq!(body["detail"], fault);
    let voyage = client_embeddings(EmbeddingFormat::OpenAiEmbeddings, ClientForm::Voyage);
    let body: Value = serde_json::from_slice(&voyage.encode_error(&error)).unwrap();
    assert_eq!(body, json!({"detail": "no such thing"}));
}

#[test]
fn what_asks_for_nothing_is_not_asked_of_others() {
    let name = EmbeddingFormat::OpenAiEmbeddings;
    let dialect = EmbeddingDialect::new(name, "/embeddings");
    let body = json!({"model": "m", "input": ["a"], "truncation": true, "input_type": null, "output_dtype": null,
        "output_dimension": 8, "encoding_format": "base64"});
    let voyage = client_embeddings(name, ClientForm::Voyage);
    let request = voyage.decode_request(body.to_string().as_bytes()).unwrap();
    assert_eq!(request.encoding, Encoding::Base64);
    let target = EmbeddingTarget {
        model: "m",
        dialect: &dialect,
    };
    let sent = embedding_codec(name)
        .encode_request(&request, &target)
        .unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    let expected =
        json!({"model": "m", "input": ["a"], "encoding_format": "base64", "dimensions": 8});
    assert_eq!(sent, expected);
}

#[test]
fn vectors_have_an_id_where_the_client_reads_it() {
    let name = EmbeddingFormat::OpenAiEmbeddings;
    let mistral = client_embeddings(name, ClientForm::Mistral);
    for (given, shown) in [(json!({}), ""), (json!({"id": "e1"}), "e1")] {
        let mut answer =
            json!({"object": "list", "data": [{"index": 0, "embedding": [0.50]}], "model": "m"});
        answer
            .as_object_mut()
            .unwrap()
            .extend(given.as_object().unwrap().clone());
        let response = mistral
            .decode_response(answer.to_string().as_bytes())
            .unwrap();
        let written = mistral
            .encode_response(&response, &ReplyOptions::default())
            .unwrap();
        let body: Value = serde_json::from_slice(&written.body).unwrap();
        assert_eq!(body["id"], shown);
    }
}
