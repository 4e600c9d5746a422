//! Pictures, sound and judgements, in the shape of `OpenAI`'s operations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fkm_dialect::RelayFormat;
use serde_json::{Value, json};

use crate::request::Request;
use crate::script::{Answer, Streamed, Usage};

/// Any fixed time will do.
const CREATED: u64 = 1_750_000_000;

/// How long all sound is, in seconds.
const SECONDS: f64 = 2.5;

/// What is asked for beside the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relayed {
    pub(crate) format: RelayFormat,
    /// A transcript as bare text.
    text: bool,
}

// === impl Relayed ===

impl Relayed {
    /// `None` where none of them listens on the path.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        let mut all = RelayFormat::ALL.into_iter();
        let format = all.find(|format| request.path().ends_with(format.usual_path()))?;
        let text = field(&request.body, "response_format").as_deref() == Some("text");
        Some(Self { format, text })
    }

    pub(crate) fn content_type(&self) -> &'static str {
        match self.format {
            RelayFormat::Speech => "audio/mpeg",
            _ if self.text => "text/plain; charset=utf-8",
            _ => "application/json",
        }
    }

    /// The body of a whole answer. The text stands for the sound and for the picture.
    pub(crate) fn body(&self, model: &str, answer: &Answer) -> Vec<u8> {
        let text = &answer.text;
        let value = match self.format {
            RelayFormat::Images | RelayFormat::ImageEdits | RelayFormat::ImageVariations => {
                json!({"created": CREATED, "data": [{"b64_json": STANDARD.encode(text)}], "usage": usage(answer.usage)})
            }
            RelayFormat::Moderations => {
                json!({"id": "modr-1", "model": model, "results": [{"flagged": false, "categories": {}, "category_scores": {}}]})
            }
            RelayFormat::Speech => return text.clone().into_bytes(),
            _ if self.text => return text.clone().into_bytes(),
            RelayFormat::Transcriptions | RelayFormat::Translations => {
                json!({"text": text, "usage": {"type": "duration", "seconds": SECONDS}})
            }
        };
        value.to_string().into_bytes()
    }

    /// One event a piece, and the one of the end.
    pub(crate) fn frames(&self, streamed: &Streamed) -> Vec<Vec<u8>> {
        let whole = streamed.pieces.concat();
        let usage = usage(streamed.usage);
        let sound = |text: &str| STANDARD.encode(text);
        let (pieces, end): (Vec<Value>, Value) = match self.format {
            RelayFormat::Speech => (
                each(
                    streamed,
                    |_, piece| json!({"type": "speech.audio.delta", "audio": sound(piece)}),
                ),
                json!({"type": "speech.audio.done", "usage": usage}),
            ),
            RelayFormat::Transcriptions | RelayFormat::Translations => (
                each(
                    streamed,
                    |_, piece| json!({"type": "transcript.text.delta", "delta": piece}),
                ),
                json!({"type": "transcript.text.done", "text": whole, "usage": usage}),
            ),
            format => {
                let word = match format {
                    RelayFormat::ImageEdits => "image_edit",
                    _ => "image_generation",
                };
                let partial = format!("{word}.partial_image");
                (
                    each(
                        streamed,
                        |index, piece| json!({"type": partial, "partial_image_index": index, "b64_json": sound(piece)}),
                    ),
                    json!({"type": format!("{word}.completed"), "b64_json": sound(&whole), "usage": usage}),
                )
            }
        };
        pieces.iter().chain([&end]).map(frame).collect()
    }
}

fn each(streamed: &Streamed, event: impl Fn(usize, &str) -> Value) -> Vec<Value> {
    let pieces = streamed.pieces.iter().enumerate();
    pieces.map(|(index, piece)| event(index, piece)).collect()
}

fn frame(event: &Value) -> Vec<u8> {
    let name = event["type"].as_str().unwrap_or_default();
    format!("event: {name}\ndata: {event}\n\n").into_bytes()
}

fn usage(usage: Usage) -> Value {
    let (input, output) = (usage.input_tokens, usage.output_tokens);
    json!({
        "type": "tokens", "input_tokens": input, "output_tokens": output, "total_tokens": input + output,
        "input_tokens_details": {"text_tokens": input, "image_tokens": 0},
    })
}

/// A field of a form, or a member of JSON, where it is a short text.
pub(crate) fn field(body: &[u8], name: &str) -> Option<String> {
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        let member = &json[name];
        return Some(
            member
                .as_str()
                .map_or_else(|| member.to_string(), str::to_owned),
        );
    }
    let text = String::from_utf8_lossy(body);
    let (_, part) = text.split_once(&format!("name=\"{name}\"\r\n\r\n"))?;
    Some(part.split("\r\n").next()?.to_owned())
}
