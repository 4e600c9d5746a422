//! The providers: one upstream that answers in every format, by the path, with the text of the token that it is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use fkm_llm::fold::unfold;
use fkm_llm::ir::{Choice, Delta, Event, Extra, FinishReason, OutputPart, Response, Text, Usage};
use fkm_llm::{ClientError, ErrorKind, Format, StreamOptions, format};
use fkm_upstream::{Director, Received, Scene};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::faults::{Answer, Fault};
use crate::token::{Token, chance};

/// What the providers saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Faults, by their names.
    pub(crate) faults: BTreeMap<String, usize>,
    /// What no provider may be sent.
    pub(crate) violations: Vec<String>,
}

/// Directs the providers at `/POSITION/FORMAT/…`.
pub(crate) fn director(seed: u64, notes: Arc<Mutex<Seen>>) -> Director {
    Director::new(move |request| {
        direct(seed, request, &notes).unwrap_or_else(|problem| {
            notes.lock().violations.push(problem);
            Fault::Page(500).scene(whole(Vec::new()), &mut Rng::with_seed(0))
        })
    })
}

fn direct(seed: u64, request: &Received, notes: &Mutex<Seen>) -> Result<Scene, String> {
    let mut tokens = Token::all_in(&request.body);
    let wrong = |what: &str| format!("{what}: {request:?}");
    let token = tokens.pop().ok_or_else(|| wrong("no token"))?;
    if !tokens.is_empty() {
        return Err(wrong("tokens of several requests"));
    }
    let mut parts = request.path.splitn(4, '/').skip(1);
    let (Some(position), Some(home), Some(rest)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong("no such path"));
    };
    let mut rng = chance(seed, &[token.as_str(), position, home]);
    let fault = match token.is_calm() {
        true => Fault::Slow,
        false => Fault::draw(&mut rng, position == "0"),
    };
    let answer = match chat_format(home) {
        Some(_) if rest.ends_with("/count_tokens") => {
            whole(json!({"input_tokens": token.count()}).to_string().into())
        }
        Some(home) => conversation(home, &token, asks_stream(rest, request), &mut rng),
        None => whole(vectors(home, &token).ok_or_else(|| wrong("no such format"))?),
    };
    let name = format!("{fault:?}");
    let name = name.split([' ', '(']).next().unwrap_or_default().to_owned();
    *notes.lock().faults.entry(name).or_default() += 1;
    Ok(fault.scene(answer, &mut rng))
}

fn chat_format(name: &str) -> Option<Format> {
    serde_json::from_value(Value::from(name)).ok()
}

fn asks_stream(path: &str, request: &Received) -> bool {
    path.contains(":streamGenerateContent")
        || path.ends_with("/converse-stream")
        || request.json()["stream"] == true
}

/// The answer of who makes vectors or ranks.
pub(crate) fn vectors(home: &str, token: &Token) -> Option<Vec<u8>> {
    let vector = token.vector();
    let body = match home {
        "openai.embeddings" => json!({
            "object": "list", "model": "up", "usage": {"prompt_tokens": 2, "total_tokens": 2},
            "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        }),
        "cohere.embed" => json!({
            "id": "e", "texts": ["?"], "embeddings": {"float": [vector]}, "meta": {"billed_units": {"input_tokens": 2}},
        }),
        "cohere.rerank" => json!({
            "id": "r", "meta": {"billed_units": {"search_units": 1}}, "results": [
                {"index": 0, "relevance_score": vector[0]}, {"index": 1, "relevance_score": vector[1]},
            ],
        }),
        _ => return None,
    };
    Some(body.to_string().into_bytes())
}

fn whole(body: Vec<u8>) -> Answer {
    Answer {
        content_type: "application/json",
        frames: vec![body],
        content: 0,
        stream: false,
        error_frame: Vec::new(),
        garbage: Vec::new(),
        error_body: json!({"error": {"message": "told to fail", "type": "server_error"}})
            .to_string()
            .into_bytes(),
    }
}

/// The answer of who converses.
pub(crate) fn conversation(home: Format, token: &Token, stream: bool, rng: &mut Rng) -> Answer {
    let codec = format(home);
    let error = ClientError::new(ErrorKind::Overloaded, "told to fail");
    let error_body = codec.encode_error(&error);
    let response = response(token);
    if !stream {
        let body = codec.encode_response(&response).expect("a text").body;
        return Answer {
            error_body,
            ..whole(body)
        };
    }
    let (frames, content) = frames(home, &response, rng);
    // A frame that lacks the end of what it says.
    let garbage = match home {
        Format::BedrockConverse => {
            vec![0, 0, 0, 20, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9]
        }
        _ => [&frames[content][..frames[content].len() - 6], b"\n\n"].concat(),
    };
    Answer {
        content_type: codec.stream_content_type(),
        frames,
        content,
        stream,
        error_frame: codec.encode_stream_error(&error).to_vec(),
        garbage,
        error_body,
    }
}

fn response(token: &Token) -> Response {
    Response {
        id: Some(format!("answer-{token}")),
        model: Some("up".to_owned()),
        created: Some(1_700_000_000),
        choices: vec![Choice {
            index: 0,
            parts: vec![OutputPart::Text(Text::plain(token.answer()))],
            finish_reason: FinishReason::Stop,
            extra: Extra::default(),
        }],
        usage: Some(Usage {
            input_tokens: token.count(),
            output_tokens: 7,
            ..Usage::default()
        }),
        ..Response::default()
    }
}

/// The frames, the text cut anywhere; and which one has the first content.
fn frames(home: Format, response: &Response, rng: &mut Rng) -> (Vec<Vec<u8>>, usize) {
    let options = StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    };
    let mut encoder = format(home).stream_encoder(&options);
    let (mut frames, mut content) = (Vec::new(), None);
    for event in unfold(response) {
        for event in cut(event, rng) {
            if matches!(event, Event::Delta { .. }) {
                content.get_or_insert(frames.len());
            }
            encoder.push(&event, &mut frames);
        }
    }
    encoder.end(&mut frames);
    let frames = frames.into_iter().map(|frame| frame.to_vec()).collect();
    (frames, content.unwrap_or_default())
}

/// A text in pieces of up to 80 characters; others as they are.
fn cut(event: Event, rng: &mut Rng) -> Vec<Event> {
    let Event::Delta {
        choice,
        block,
        delta: Delta::Text(text),
    } = event
    else {
        return vec![event];
    };
    let characters: Vec<char> = text.chars().collect();
    let (mut rest, mut events) = (characters.as_slice(), Vec::new());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rng.usize(1..=80).min(rest.len()));
        rest = after;
        let delta = Delta::Text(piece.iter().collect());
        events.push(Event::Delta {
            choice,
            block,
            delta,
        });
    }
    events
}
