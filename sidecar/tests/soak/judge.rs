//! What a client makes of an answer, and whether it may: every format is read here by hand, not by the code that wrote it.

use serde_json::Value;

use crate::client::{Ended, Reply};
use crate::config::KEY;
use crate::frames::{self, Said};
use crate::surface::{Family, Question, Surface};
use crate::token::Token;

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
    check_own(question, reply)?;
    match (reply.status, reply.ended, question.stream) {
        (200, _, true) => of_stream(question, reply),
        (_, Ended::GivenUp, _) => Ok(Outcome::GivenUp),
        (_, Ended::Broken, _) => Err("broken off".to_owned()),
        (200, Ended::Whole, _) => {
            check_whole(question, reply)?;
            complete(reply)
        }
        (404, ..) => Err("every model and path is there".to_owned()),
        (400.., Ended::Whole, _) => {
            check_error(question.surface.family(), &json(&reply.body)?, reply)?;
            Ok(Outcome::Refused)
        }
        _ => Err("neither an answer nor an error".to_owned()),
    }
}

/// Nothing of an exchange, whatever came of it, is of another one; and the provider's key is nowhere.
fn check_own(question: &Question, reply: &Reply) -> Result<(), String> {
    let heads = reply.headers.iter();
    let heads = heads.flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    for bytes in heads.chain([reply.body.as_slice()]) {
        if let Some(other) = Token::all_in(bytes)
            .iter()
            .find(|one| **one != question.token)
        {
            return Err(format!("of another: {other}"));
        }
        if String::from_utf8_lossy(bytes).contains(KEY) {
            return Err("the provider's key".to_owned());
        }
    }
    Ok(())
}

fn complete(reply: &Reply) -> Result<Outcome, String> {
    match reply.header("x-fkm-attempts") {
        Some("1") => Ok(Outcome::Complete),
        Some(_) => Ok(Outcome::FailedOver),
        None => Err("no number of attempts".to_owned()),
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
        (Ended::Whole, Said { error: true, .. }) => Ok(Outcome::FailedInside),
        (Ended::Whole, Said { finished: true, .. }) if said.text == expected => {
            check_count(question, said.counted)?;
            complete(reply)
        }
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

/// The tokens of an answer are its own. A stream tells them only when asked, and not where its provider broke off after the end.
fn check_count(question: &Question, counted: Option<u64>) -> Result<(), String> {
    match counted {
        Some(count) if count == question.token.count() => Ok(()),
        None if question.stream => Ok(()),
        _ => Err(format!("not its own count: {counted:?}")),
    }
}

/// The tokens that were asked with, where an answer or an event tells them.
pub(crate) fn counted(value: &Value) -> Option<u64> {
    [
        "/usage/input_tokens",
        "/usage/inputTokens",
        "/usage/prompt_tokens",
        "/usage/tokens/input_tokens",
        "/usageMetadata/promptTokenCount",
        "/response/usage/input_tokens",
        "/message/usage/input_tokens",
        "/delta/usage/tokens/input_tokens",
    ]
    .iter()
    .find_map(|pointer| value.pointer(pointer)?.as_f64())
    .filter(|count| *count > 0.0)
    .map(|count| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of six digits"
        )]
        let count = count as u64;
        count
    })
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
        _ => {
            check_count(question, counted(&body))?;
            text(question.surface, &body) == token.answer()
        }
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
