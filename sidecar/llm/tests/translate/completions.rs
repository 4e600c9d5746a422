//! Completions: a text to chat models and back, and what no text can say.

use fkm_llm::fold::fold;
use fkm_llm::ir::{Event, RawJson};
use fkm_llm::{Format, StreamOptions, decode_stream, format, translate};
use serde_json::{Value, json};

use crate::{answer, decode, dialect, encode, request};

const CHAT: Format = Format::OpenAiChat;
const ANTHROPIC: Format = Format::AnthropicMessages;
const COMPLETIONS: Format = Format::OpenAiCompletions;

#[test]
fn a_prompt_is_the_turn_of_a_user() {
    let prompt = json!({"model": "m", "prompt": "Say this is", "max_tokens": 7, "temperature": 0, "n": 2, "stop": "\n",
        "user": "u", "seed": 1, "frequency_penalty": 0.5, "presence_penalty": 1, "top_p": 0.1});
    let (sent, dropped) = request(COMPLETIONS, CHAT, &prompt);
    assert_eq!(
        sent,
        json!({"model": "upstream-model", "messages": [{"role": "user", "content": "Say this is"}],
            "temperature": 0, "top_p": 0.1, "frequency_penalty": 0.5, "presence_penalty": 1, "seed": 1,
            "max_completion_tokens": 7, "stop": ["\n"], "n": 2, "user": "u"})
    );
    assert!(dropped.is_empty());
    let (sent, dropped) = request(
        COMPLETIONS,
        ANTHROPIC,
        &json!({"model": "m", "prompt": ["one"], "best_of": 3, "echo": true, "logprobs": 2}),
    );
    let said = json!([{"type": "text", "text": "one"}]);
    assert_eq!(sent["messages"], json!([{"role": "user", "content": said}]));
    // What the format gives that names no limit.
    assert_eq!(sent["max_tokens"], 16);
    assert_eq!(dropped, ["best_of", "echo", "logprobs"]);
}

#[test]
fn what_only_completions_know_goes_home_and_is_refused_elsewhere() {
    for (prompt, kind) in [
        (json!(["a", "b"]), "prompt"),
        (json!([1, 2]), "prompt"),
        (json!([[1], [2]]), "prompt"),
        (json!("a"), "suffix"),
    ] {
        let mut body =
            json!({"model": "upstream-model", "prompt": prompt, "max_tokens": 5, "best_of": 2});
        if kind == "suffix" {
            body["suffix"] = json!(" end");
        }
        assert_eq!(
            request(COMPLETIONS, COMPLETIONS, &body),
            (body.clone(), vec![])
        );
        for to in [CHAT, ANTHROPIC] {
            let error = encode(to, &decode(COMPLETIONS, &body)).unwrap_err();
            let expected =
                format!("a part of type `{kind}` of openai.completions has no counterpart");
            assert!(error.to_string().contains(&expected), "{error}");
        }
    }
}

#[test]
fn one_text_of_a_chat_is_a_prompt_and_a_conversation_is_none() {
    let user = json!({"role": "user", "content": "Once upon"});
    let (sent, dropped) = request(
        CHAT,
        COMPLETIONS,
        &json!({"model": "m", "messages": [user]}),
    );
    // Without a limit the answer would be cut after 16 tokens.
    assert_eq!(
        sent,
        json!({"model": "upstream-model", "prompt": "Once upon", "max_tokens": 1024})
    );
    assert!(dropped.is_empty());
    let parts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
    let two = json!({"model": "m", "messages": [{"role": "user", "content": parts}], "reasoning_effort": "low"});
    let (sent, dropped) = request(CHAT, COMPLETIONS, &two);
    assert_eq!(sent["prompt"], "a\nb");
    assert_eq!(dropped, ["message.parts", "reasoning_effort"]);
    let image = json!({"type": "image_url", "image_url": {"url": "https://x/y.png"}});
    let tool = json!({"type": "function", "function": {"name": "f"}});
    for (body, why) in [
        (
            json!({"messages": [{"role": "system", "content": "s"}, user]}),
            "write them into the user's message",
        ),
        (
            json!({"messages": [user, {"role": "assistant", "content": "a"}, user]}),
            "send one message of a user",
        ),
        (
            json!({"messages": [{"role": "user", "content": [image]}]}),
            "describe the rest in words",
        ),
        (
            json!({"messages": [user], "tools": [tool]}),
            "calls no tools",
        ),
        (
            json!({"messages": [user], "response_format": {"type": "json_object"}}),
            "ask for JSON in words",
        ),
    ] {
        let mut body = body;
        body["model"] = json!("m");
        let error = encode(COMPLETIONS, &decode(CHAT, &body)).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn a_chat_answer_as_a_completion_and_back() {
    let said = json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 5, "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": " a test.", "refusal": null, "reasoning_content": "hm"},
         "logprobs": null, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}});
    let (shown, dropped) = answer(CHAT, COMPLETIONS, &said);
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0}});
    assert_eq!(
        shown,
        json!({"id": "chatcmpl-1", "object": "text_completion", "created": 5, "model": "m", "choices": [
            {"text": " a test.", "index": 0, "logprobs": null, "finish_reason": "length"}], "usage": usage})
    );
    assert_eq!(dropped, ["reasoning"]);
    let (again, dropped) = answer(COMPLETIONS, CHAT, &shown);
    assert_eq!(again["choices"][0]["message"]["content"], " a test.");
    assert_eq!(again["choices"][0]["finish_reason"], "length");
    assert!(dropped.is_empty());
}

#[test]
fn an_answer_that_calls_tools_is_no_completion() {
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let said = json!({"choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": [call]},
        "finish_reason": "tool_calls"}]});
    let decoded = format(CHAT).decode_response(said.to_string().as_bytes());
    let error = format(COMPLETIONS).encode_response(&decoded.unwrap());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("a completion calls no tools")
    );
}

fn frames(stream: &[u8]) -> Vec<Value> {
    std::str::from_utf8(stream)
        .unwrap()
        .split_terminator("\n\n")
        .map(|frame| match frame.strip_prefix("data: ").unwrap() {
            "[DONE]" => json!("[DONE]"),
            data => serde_json::from_str(data).unwrap(),
        })
        .collect()
}

#[test]
fn a_chat_stream_as_chunks_of_text() {
    let said = concat!(
        r#"data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        "\n\n",
        r#"data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#,
        "\n\n",
        r#"data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        "\n\n",
        r#"data: {"id":"c1","object":"chat.completion.chunk","created":5,"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#,
        "\n\ndata: [DONE]\n\n",
    );
    let options = StreamOptions {
        include_usage: true,
        model: Some("mine".to_owned()),
        ..StreamOptions::default()
    };
    let mut transform = translate(&dialect(CHAT), COMPLETIONS, &options);
    let mut out = Vec::new();
    transform.push(said.into(), &mut out).unwrap();
    transform.end(&mut out).unwrap();
    let head = json!({"id": "c1", "object": "text_completion", "created": 5, "model": "mine"});
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = head.clone();
        chunk["choices"] = choices;
        chunk["usage"] = usage;
        chunk
    };
    let text = json!([{"text": "Hi", "index": 0, "logprobs": null, "finish_reason": null}]);
    let stop = json!([{"text": "", "index": 0, "logprobs": null, "finish_reason": "stop"}]);
    let shown = frames(&out.concat());
    assert_eq!(shown[0], chunk(text, Value::Null));
    assert_eq!(shown[1], chunk(stop, Value::Null));
    assert_eq!(shown[2]["choices"], json!([]));
    assert_eq!(shown[2]["usage"]["total_tokens"], 3);
    assert_eq!(shown[3..], [json!("[DONE]")]);
}

#[test]
fn probabilities_that_come_in_pieces_are_one_list() {
    let stream = concat!(
        r#"data: {"choices":[{"text":"a","index":0,"logprobs":{"tokens":["a"],"token_logprobs":[-0.10],"top_logprobs":null,"text_offset":[0]},"finish_reason":null}]}"#,
        "\n\n",
        r#"data: {"choices":[{"text":"b","index":0,"logprobs":{"tokens":["b"],"token_logprobs":[null],"top_logprobs":null,"text_offset":[1]},"finish_reason":"stop"}]}"#,
        "\n\ndata: [DONE]\n\n",
    );
    let events = decode_stream(COMPLETIONS, stream.as_bytes()).unwrap();
    let answer = fold(events).unwrap();
    assert_eq!(answer.choices[0].text(), "ab");
    let expected = RawJson::try_new(
        r#"{"text_offset":[0,1],"token_logprobs":[-0.10,null],"tokens":["a","b"],"top_logprobs":null}"#,
    );
    let logprobs = answer.choices[0].extra.get(COMPLETIONS, "logprobs");
    assert_eq!(logprobs, expected.ok().as_ref());
}

#[test]
fn a_stream_that_ends_early_or_in_an_error() {
    let begun = "data: {\"choices\":[{\"text\":\"a\",\"index\":0,\"finish_reason\":null}]}\n\n";
    for end in ["", "data: [DONE]\n\n"] {
        let stream = format!("{begun}{end}");
        let fault = decode_stream(COMPLETIONS, stream.as_bytes()).unwrap_err();
        assert_eq!(fault, fkm_llm::StreamFault::Incomplete);
    }
    let failed = format!("{begun}data: {{\"error\":{{\"message\":\"busy\",\"code\":503}}}}\n\n");
    let mut decoder = format(COMPLETIONS).stream_decoder(&dialect(COMPLETIONS));
    let mut events = Vec::new();
    decoder.push(failed.as_bytes(), &mut events).unwrap();
    let Some(Event::Error(error)) = events.last() else {
        panic!("no error: {events:?}");
    };
    assert_eq!((error.message.as_str(), error.status), ("busy", 503));
}
