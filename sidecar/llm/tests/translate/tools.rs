//! Tools as members of the family write them.

use serde_json::json;

use crate::{ANTHROPIC, OPENAI, request};

#[test]
fn a_function_is_one_without_a_type_and_with_members_beside_it() {
    let openai = json!({
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [
            {"function": {"name": "f", "parameters": {"type": "object"}}},
            {"type": "function", "function": {"name": "g", "parameters": {"type": "object"}}, "eager": true},
            {"type": "lookup"},
        ],
    });
    let (body, dropped) = request(OPENAI, ANTHROPIC, &openai);
    assert_eq!(
        body["tools"],
        json!([
            {"name": "f", "input_schema": {"type": "object"}},
            {"name": "g", "input_schema": {"type": "object"}},
        ])
    );
    assert_eq!(dropped, ["tool.eager", "tools.lookup"]);
    let (body, dropped) = request(OPENAI, OPENAI, &openai);
    assert_eq!(
        body["tools"],
        json!([
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
            {"type": "function", "function": {"name": "g", "parameters": {"type": "object"}}, "eager": true},
            {"type": "lookup"},
        ])
    );
    assert!(dropped.is_empty());
}
