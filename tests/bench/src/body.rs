//! Request bodies: conversations of a wanted size, the same every time.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The model that clients ask for; the sidecar's snapshot gives it another name upstream.
pub const MODEL: &str = "bench-model";

const SYSTEM: &str = "You are the assistant of an operations team. Answer in short sentences.";
/// Text as it is in real conversations: quotes, newlines, letters beyond ASCII.
const TURNS: [&str; 4] = [
    "The worker restarted at 03:14 and the queue drained. Which change could have done that?\n",
    "The log says \"retry budget exhausted\" twice — once a replica. Please compare both:\n\n```\nreplica=a n=3\n```\n",
    "Für die Auswertung brauche ich Zahlen: wie viele Anfragen, wie viele davon über 200 ms?\n",
    "| time | what |\n|---|---|\n| 03:13 | deploy |\n| 03:14 | restart |\nIs this complete? Path: C:\\logs\\worker.\n",
];

/// A chat request of `bytes` bytes, or as few as its parts allow. A stream asks for its usage too.
pub fn chat(bytes: usize, stream: bool) -> Vec<u8> {
    let mut request = json!({"model": MODEL, "stream": stream});
    if stream {
        request["stream_options"] = json!({"include_usage": true});
    }
    let empty = render(&request, &conversation(0)).len();
    let room = bytes.saturating_sub(empty);
    // Escapes make text longer on the wire: take away half of what is too much, until nothing is.
    let mut text = room;
    loop {
        let body = render(&request, &conversation(text));
        let over = body.len().saturating_sub(bytes);
        if over == 0 || text == 0 {
            return body;
        }
        text = text.saturating_sub(over.div_ceil(2));
    }
}

/// A system message and turns of growing length, `text` bytes of text in all.
fn conversation(text: usize) -> Vec<Value> {
    let mut messages = vec![json!({"role": "system", "content": SYSTEM})];
    let mut left = text;
    for turn in 0.. {
        let role = if turn % 2 == 0 { "user" } else { "assistant" };
        let mut content = String::new();
        for part in 0..=turn {
            let part = TURNS[(turn + part) % TURNS.len()];
            let fits = part.floor_char_boundary(left);
            content.push_str(&part[..fits]);
            left -= fits;
            if fits < part.len() {
                left = 0;
            }
        }
        messages.push(json!({"role": role, "content": content}));
        // The last one asks.
        if left == 0 && role == "user" {
            break;
        }
    }
    messages
}

/// The fields in the order in which the official SDKs send them.
fn render(request: &Value, messages: &[Value]) -> Vec<u8> {
    let mut body = format!(
        "{{\"messages\":{},\"model\":{}",
        Value::from(messages),
        request["model"]
    );
    for key in ["stream", "stream_options"] {
        if let Some(value) = request.get(key) {
            // Writing to a string cannot fail.
            let _ = write!(body, ",\"{key}\":{value}");
        }
    }
    body.push('}');
    body.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_close_and_stable() {
        for bytes in [300, 8 << 10, 128 << 10] {
            for stream in [false, true] {
                let body = chat(bytes, stream);
                assert!(
                    body.len() <= bytes && body.len() + 64 > bytes,
                    "{bytes}: {}",
                    body.len()
                );
                assert_eq!(body, chat(bytes, stream));
                let value: Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(value["stream"], stream);
                let messages = value["messages"].as_array().unwrap();
                assert_eq!(messages.last().unwrap()["role"], "user");
            }
        }
    }
}
