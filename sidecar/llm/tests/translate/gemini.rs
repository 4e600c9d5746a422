//! Gemini's generateContent.

mod answers;
mod requests;
mod state;
mod streams;

use serde_json::{Value, json};

/// A whole answer with these parts.
fn answer_of(parts: &Value, finish: &str) -> Value {
    json!({
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
        "modelVersion": "gemini-x", "responseId": "r1",
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
    })
}
