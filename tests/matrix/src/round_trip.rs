//! A thought's state on its way out and back: provider, client, and the client's next request. It must come back to the
//! provider byte for byte, and go to no other.

use std::collections::BTreeSet;

use fkm_dialect::Format;
use fkm_llm::format;
use fkm_llm::ir::{Message, OutputPart, Request, Response};
use serde_json::{Value, json};

use crate::outcome::Outcome;
use crate::request::encode;

/// What becomes of the state in an answer of `provider` that a client of `client` sends back.
pub(crate) fn judge(client: Format, provider: Format, body: &[u8]) -> Outcome {
    let said = match format(provider).decode_response(body) {
        Ok(response) => response,
        Err(error) => return Outcome::Failed(format!("not read: {error}")),
    };
    let states = states_of_answer(&said);
    if states.is_empty() {
        return Outcome::Failed("the case has no state".to_owned());
    }
    let shown = match format(client).encode_response(&said) {
        Ok(encoded) => encoded.body,
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    let Some(next) = echo(client, &shown) else {
        return Outcome::Refused(format!("a client of {client} sends no history back"));
    };
    let next = match format(client).decode_request(next.to_string().as_bytes()) {
        Ok(request) => request,
        Err(error) => return Outcome::Failed(format!("the next request is not read: {error}")),
    };
    for other in Format::ALL.into_iter().filter(|other| *other != provider) {
        if let Ok(encoded) = encode(&next, other)
            && let Some(state) = leaked(&states, &encoded.body)
        {
            return Outcome::Failed(format!("state {state} went to {other}"));
        }
    }
    back(&states, &next, provider)
}

fn back(states: &BTreeSet<Vec<u8>>, next: &Request, provider: Format) -> Outcome {
    let encoded = match encode(next, provider) {
        Ok(encoded) => encoded,
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    let got = match format(provider).decode_request(&encoded.body) {
        Ok(request) => states_of_request(&request),
        Err(error) => return Outcome::Failed(format!("not written well: {error}")),
    };
    match states.iter().find(|state| !got.contains(*state)) {
        None => Outcome::Pass,
        Some(_) if !encoded.dropped.is_empty() => Outcome::Dropped(encoded.dropped),
        Some(state) => {
            let state = String::from_utf8_lossy(state);
            Outcome::Failed(format!("state {state} did not come back"))
        }
    }
}

/// A state that stands in a body, if any.
fn leaked(states: &BTreeSet<Vec<u8>>, body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    states
        .iter()
        .map(|state| String::from_utf8_lossy(state).into_owned())
        .find(|state| state.len() >= 8 && body.contains(state.as_str()))
}

fn states_of_answer(response: &Response) -> BTreeSet<Vec<u8>> {
    let parts = response.choices.iter().flat_map(|choice| &choice.parts);
    parts.filter_map(state).collect()
}

fn states_of_request(request: &Request) -> BTreeSet<Vec<u8>> {
    let turns = request.messages.iter().filter_map(|message| match message {
        Message::Assistant { parts, .. } => Some(parts),
        _ => None,
    });
    turns.flatten().filter_map(state).collect()
}

fn state(part: &OutputPart) -> Option<Vec<u8>> {
    let state = match part {
        OutputPart::Reasoning(thought) => thought.state.as_ref(),
        OutputPart::ToolCall(call) => call.state.as_ref(),
        _ => None,
    };
    state.map(|state| state.bytes.clone())
}

/// What an application sends after this answer: the answer as it got it, and a result for each call.
fn echo(client: Format, answer: &[u8]) -> Option<Value> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    match client.name() {
        "openai.chat" => {
            let message = answer["choices"][0]["message"].clone();
            let mut messages = vec![json!({"role": "user", "content": "hi"}), message.clone()];
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "1"}));
            }
            Some(json!({"model": "m", "messages": messages}))
        }
        "anthropic.messages" => {
            let results = of_kind(
                &answer["content"],
                "tool_use",
                |call| json!({"type": "tool_result", "tool_use_id": call["id"], "content": "1"}),
            );
            Some(json!({"model": "m", "max_tokens": 9, "messages": [
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": answer["content"]},
                {"role": "user", "content": results},
            ]}))
        }
        "openai.responses" => {
            let mut input = vec![json!({"role": "user", "content": "hi"})];
            input.extend(answer["output"].as_array()?.iter().cloned());
            input.extend(of_kind(&answer["output"], "function_call", |call| {
                json!({"type": "function_call_output", "call_id": call["call_id"], "output": "1"})
            }));
            Some(json!({"model": "m", "input": input}))
        }
        "gemini.generate_content" => {
            let content = answer["candidates"][0]["content"].clone();
            let calls = content["parts"].as_array().into_iter().flatten();
            let results: Vec<Value> = calls
                .filter_map(|part| part.get("functionCall"))
                .map(|call| {
                    let mut result = json!({"name": call["name"], "response": {"result": "1"}});
                    if let Some(id) = call.get("id") {
                        result["id"] = id.clone();
                    }
                    json!({"functionResponse": result})
                })
                .collect();
            Some(json!({"contents": [
                {"role": "user", "parts": [{"text": "hi"}]}, content, {"role": "user", "parts": results},
            ]}))
        }
        "bedrock.converse" => {
            let message = answer["output"]["message"].clone();
            let calls = message["content"].as_array().into_iter().flatten();
            let results: Vec<Value> = calls
                .filter_map(|block| block.get("toolUse"))
                .map(|call| {
                    json!({"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": "1"}]}})
                })
                .collect();
            Some(json!({"messages": [
                {"role": "user", "content": [{"text": "hi"}]}, message, {"role": "user", "content": results},
            ]}))
        }
        "cohere.chat" => {
            let message = answer["message"].clone();
            let mut messages = vec![json!({"role": "user", "content": "hi"}), message.clone()];
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "1"}));
            }
            Some(json!({"model": "m", "messages": messages}))
        }
        _ => None,
    }
}

fn of_kind(list: &Value, kind: &str, write: impl Fn(&Value) -> Value) -> Vec<Value> {
    let list = list.as_array().into_iter().flatten();
    list.filter(|one| one["type"] == kind).map(write).collect()
}
