//! What a client makes of an answer, and whether it may: every format is read here by hand, not by the code that wrote it.

use serde_json::Value;

use crate::client::{Ended, Reply};
use crate::frames::{self, Said};
use crate::surface::{Family, Question, Surface};

/// How an exchange may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// All of its own text, and nothing else.
    Complete,
    /// The same, after a candidate had failed.
    FailedOver,
    /// An HTTP error in the client's format.
    Refused,
    /// A stream that says in the client's format that it failed.
    FailedInside,
    /// The client gave up; what it had was its own.
    GivenUp,
}

/// The outcome, or what is wrong.
pub(crate) fn judge(question: &Question, reply: &Reply) -> Result<Outcome, String> {
    if reply.status == 0 {
        return Ok(Outcome::GivenUp);
    }
    if reply.header("x-fkm-request-id").is_none() {
        return Err("no request id".to_owned());
    }
    match (reply.status, reply.ended, question.stream) {
        (200, _, true) => of_stream(question, reply),
        (_, Ended::GivenUp, _) => Ok(Outcome::GivenUp),
        (_, Ended::Broken, _) => Err("broken off".to_owned()),
        (200, Ended::Whole, _) => {
            check_whole(question, reply)?;
            Ok(complete(reply))
        }
        (400.., Ended::Whole, _) => {
            check_error(question.surface.family(), &json(&reply.body)?, reply)?;
            Ok(Outcome::Refused)
        }
        _ => Err("neither an answer nor an error".to_owned()),
    }
}

fn complete(reply: &Reply) -> Outcome {
    match reply.header("x-fkm-attempts") {
        Some("1") => Outcome::Complete,
        _ => Outcome::FailedOver,
    }
}

fn of_stream(question: &Question, reply: &Reply) -> Result<Outcome, String> {
    let whole = reply.ended != Ended::GivenUp;
    let said = frames::read(question.surface, &reply.body, whole)?;
    let expected = question.token.answer();
    if !expected.starts_with(&said.text) {
        return Err(format!("not the text of its own: {:?}", said.text));
    }
    match (reply.ended, &said) {
        (Ended::GivenUp, _) => Ok(Outcome::GivenUp),
        (_, Said { error: true, .. }) => Ok(Outcome::FailedInside),
        (Ended::Whole, Said { finished: true, .. }) if said.text == expected => Ok(complete(reply)),
        (Ended::Whole, Said { finished: true, .. }) => Err("says that it is whole".to_owned()),
        (Ended::Whole, _) => Err("a clean end without a finish".to_owned()),
        (Ended::Broken, _) => Err("broken off without an error".to_owned()),
    }
}

/// An error of this format, with words in it.
pub(crate) fn check_error(family: Family, body: &Value, reply: &Reply) -> Result<(), String> {
    let error = &body["error"];
    let (message, right) = match family {
        Family::OpenAi => (&error["message"], error["type"].is_string()),
        Family::Anthropic => (
            &error["message"],
            body["type"] == "error" && error["type"].is_string(),
        ),
        Family::Gemini => (
            &error["message"],
            error["code"] == reply.status && error["status"].is_string(),
        ),
        Family::Cohere => (&body["message"], true),
        Family::Bedrock => (&body["message"], body["__type"].is_string()),
    };
    let told = message.as_str().is_some_and(|message| !message.is_empty());
    match told && right {
        true => Ok(()),
        false => Err("an error that is not in the client's format".to_owned()),
    }
}

fn check_whole(question: &Question, reply: &Reply) -> Result<(), String> {
    let body = json(&reply.body)?;
    let token = &question.token;
    let right = match question.surface {
        Surface::Embeddings => vector(&body["data"][0]["embedding"]) == token.vector(),
        Surface::CohereEmbed => vector(&body["embeddings"]["float"][0]) == token.vector(),
        Surface::Rerank => {
            let scores = body["results"].as_array().into_iter().flatten();
            let scores: Vec<_> = scores.map(|one| one["relevance_score"].as_f64()).collect();
            let vector = token.vector();
            scores == [Some(vector[0]), Some(vector[1])]
        }
        Surface::CountTokens => body["input_tokens"] == token.count(),
        _ => text(question.surface, &body) == token.answer(),
    };
    match right {
        true => Ok(()),
        false => Err("not its own answer".to_owned()),
    }
}

/// The text of a whole answer.
fn text(surface: Surface, body: &Value) -> String {
    let parts = match surface {
        Surface::Chat => &body["choices"][0]["message"]["content"],
        Surface::Completions => &body["choices"][0]["text"],
        Surface::Responses => {
            let items = body["output"].as_array().into_iter().flatten();
            return items.map(|item| joined(&item["content"])).collect();
        }
        Surface::Messages => &body["content"],
        Surface::Gemini => &body["candidates"][0]["content"]["parts"],
        Surface::Cohere => &body["message"]["content"],
        Surface::Bedrock => &body["output"]["message"]["content"],
        _ => &Value::Null,
    };
    joined(parts)
}

/// A text, or the texts of a list of parts.
pub(crate) fn joined(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

fn vector(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().into_iter().flatten();
    numbers.filter_map(Value::as_f64).collect()
}

fn json(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|error| format!("a body that is no JSON: {error}"))
}
