//! Results of tools that are more than text, in formats whose tool messages are text only.

use serde_json::json;

use crate::{ANTHROPIC, OPENAI, request};

#[test]
fn images_follow_the_results_in_a_users_message() {
    let anthropic = json!({
        "model": "claude-x",
        "max_tokens": 64,
        "messages": [
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "a", "name": "see", "input": {}},
                {"type": "tool_use", "id": "b", "name": "read", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                ]},
                {"type": "tool_result", "tool_use_id": "b", "content": [
                    {"type": "text", "text": "two pages"},
                    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "BBBB"}},
                ]},
                {"type": "text", "text": "And?"},
            ]},
        ],
    });
    let (body, dropped) = request(ANTHROPIC, OPENAI, &anthropic);
    assert_eq!(
        body["messages"].as_array().unwrap()[1..],
        [
            json!({"role": "tool", "tool_call_id": "a", "content": "The result follows in the next message of the user."}),
            json!({"role": "tool", "tool_call_id": "b", "content": "two pages"}),
            json!({"role": "user", "content": [
                {"type": "text", "text": "The result of the call a:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "text", "text": "The result of the call b:"},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,BBBB"}},
            ]}),
            json!({"role": "user", "content": "And?"}),
        ]
    );
    assert_eq!(dropped, ["tool_result.content"]);
}
