//! Images that a model drew: in answers and streams, in the words of each client, and back to who drew them.

use bytes::Bytes;
use fkm_llm::{Format, RelayOptions, StreamOptions, format, translate};
use serde_json::{Value, json};

use crate::{ANTHROPIC, BEDROCK, GEMINI, OPENAI, answer, dialect, request};

const RESPONSES: Format = Format::OpenAiResponses;
const URL: &str = "data:image/jpeg;base64,/9j/";

/// An answer of a model that says a word and draws, signed where the format signs.
fn drawing(home: Format) -> Value {
    match home {
        GEMINI => {
            let inline = json!({"mimeType": "image/jpeg", "data": "/9j/"});
            let parts =
                json!([{"text": "Look:"}, {"inlineData": inline, "thoughtSignature": "c2ln"}]);
            json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]})
        }
        BEDROCK => {
            let image = json!({"format": "jpeg", "source": {"bytes": "/9j/"}});
            let content = json!([{"text": "Look:"}, {"image": image}]);
            json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn"})
        }
        RESPONSES => {
            let text = json!({"type": "output_text", "text": "Look:", "annotations": []});
            let item =
                json!({"type": "message", "id": "msg_1", "role": "assistant", "content": [text]});
            let drawn = json!({
                "type": "image_generation_call", "id": "ig_1", "status": "completed",
                "result": "/9j/", "output_format": "jpeg",
            });
            json!({"id": "resp_1", "object": "response", "status": "completed", "output": [item, drawn]})
        }
        _ => {
            let image = json!({"type": "image_url", "image_url": {"url": URL}});
            let message = json!({"role": "assistant", "content": "Look:", "images": [image]});
            json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        }
    }
}

/// What a client of this format has of the image, in its words.
fn seen(client: Format, answer: &Value) -> Value {
    let pointer = match client {
        GEMINI => "/candidates/0/content/parts/1/inlineData",
        BEDROCK => {
            let blocks = answer["output"]["message"]["content"].as_array().unwrap();
            return blocks.last().unwrap()["image"]["source"]["bytes"].clone();
        }
        // The signature may be an item before it.
        RESPONSES => {
            let items = answer["output"].as_array().unwrap();
            return items.last().unwrap()["result"].clone();
        }
        _ => "/choices/0/message/images/0/image_url/url",
    };
    answer.pointer(pointer).cloned().unwrap_or_default()
}

#[test]
fn what_was_drawn_is_shown_in_the_words_of_each_client() {
    for home in [OPENAI, RESPONSES, GEMINI, BEDROCK] {
        for (client, expected) in [
            (OPENAI, json!(URL)),
            (RESPONSES, json!("/9j/")),
            (GEMINI, json!({"mimeType": "image/jpeg", "data": "/9j/"})),
            (BEDROCK, json!("/9j/")),
        ] {
            let (shown, dropped) = answer(home, client, &drawing(home));
            assert_eq!(seen(client, &shown), expected, "{home} {client}: {shown}");
            let lost = dropped.iter().any(|name| name.contains("image"));
            assert!(!lost, "{home} {client}: {dropped:?}");
        }
        // They have no word for it, and say so.
        for client in [ANTHROPIC, Format::CohereChat, Format::OpenAiCompletions] {
            let (shown, dropped) = answer(home, client, &drawing(home));
            assert!(
                shown.to_string().contains("Look:"),
                "{home} {client}: {shown}"
            );
            assert!(
                dropped.contains(&"content.image".to_owned()),
                "{home} {client}: {dropped:?}"
            );
        }
    }
}

/// The events of a stream that draws.
fn streamed(home: Format) -> String {
    let frames: Vec<String> = match home {
        GEMINI => {
            let chunk = drawing(GEMINI);
            vec![format!("data: {chunk}\n\n")]
        }
        _ => {
            let image = json!({"index": 0, "type": "image_url", "image_url": {"url": URL}});
            let delta = |delta: Value, reason: Value| {
                let chunk =
                    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
                format!("data: {chunk}\n\n")
            };
            vec![
                delta(
                    json!({"role": "assistant", "content": "Look:"}),
                    Value::Null,
                ),
                delta(json!({"content": "", "images": [image]}), Value::Null),
                delta(json!({}), json!("stop")),
                "data: [DONE]\n\n".to_owned(),
            ]
        }
    };
    frames.concat()
}

#[test]
fn a_stream_that_draws_is_shown_too() {
    for home in [OPENAI, GEMINI] {
        for (client, part) in [
            (
                OPENAI,
                r#""images":[{"index":0,"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/"}}]"#,
            ),
            (
                GEMINI,
                r#"{"inlineData":{"mimeType":"image/jpeg","data":"/9j/"}}"#,
            ),
            (
                RESPONSES,
                r#""status":"completed","result":"/9j/","output_format":"jpeg"}"#,
            ),
        ] {
            let mut transform = translate(&dialect(home), client, &StreamOptions::default());
            let mut out = Vec::new();
            transform
                .push(Bytes::from(streamed(home)), &mut out)
                .unwrap();
            transform.end(&mut out).unwrap();
            let text = String::from_utf8(out.concat()).unwrap();
            assert!(text.contains(part), "{home} {client}: {text}");
            assert!(text.contains("Look:"), "{home} {client}: {text}");
        }
    }
}

/// A stream of nothing but an image has begun to answer.
#[test]
fn an_image_alone_is_content() {
    let image = json!({"index": 0, "type": "image_url", "image_url": {"url": URL}});
    let chunk = json!({"choices": [{"index": 0, "delta": {"content": "", "images": [image]}}]});
    let mut relay = format(OPENAI).relay(&RelayOptions::default());
    let role = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#;
    let mut out = Vec::new();
    relay
        .push(Bytes::from(format!("data: {role}\n\n")), &mut out)
        .unwrap();
    assert!(!relay.progress().content_started);
    relay
        .push(Bytes::from(format!("data: {chunk}\n\n")), &mut out)
        .unwrap();
    assert!(relay.progress().content_started);
}

/// The next turn of a client that keeps what it was shown: who drew it gets it back, signed; whom it would mean nothing does
/// not.
#[test]
fn what_was_drawn_goes_back_to_who_drew_it() {
    let (shown, _) = answer(GEMINI, OPENAI, &drawing(GEMINI));
    let mut message = shown["choices"][0]["message"].clone();
    message.as_object_mut().unwrap().remove("refusal");
    let messages = json!([{"role": "user", "content": "Draw."}, message, {"role": "user", "content": "Darker."}]);
    let next = json!({"model": "m", "messages": messages});
    let (body, _) = request(OPENAI, GEMINI, &next);
    let parts = body["contents"][1]["parts"].to_string();
    assert!(
        parts.contains(r#""inlineData":{"data":"/9j/","mimeType":"image/jpeg"}"#),
        "{parts}"
    );
    assert!(parts.contains("c2ln"), "{parts}");
    for provider in [ANTHROPIC, BEDROCK, RESPONSES] {
        let (body, dropped) = request(OPENAI, provider, &next);
        assert!(!body.to_string().contains("/9j/"), "{provider}: {body}");
        assert!(
            dropped.contains(&"content.image".to_owned()),
            "{provider}: {dropped:?}"
        );
    }
}
