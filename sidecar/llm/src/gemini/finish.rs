//! Why a candidate ended.
//!
//! The reference of `FinishReason` has three kinds of words: the answer is complete, it was withheld, or the model failed
//! (a call that cannot be parsed, a call of what does not exist, …). A failure is an error that another attempt may not meet,
//! not an empty answer.

use serde_json::value::RawValue;

use crate::error::{ProviderError, Said};
use crate::gemini::FORMAT;
use crate::ir::{Extra, FinishReason, RawJson};
use crate::json::string;

pub(super) const MEMBER: &str = "finishReason";

/// The word of `finishReason`, which some clients ask for as a number (`enum-encoding=int`); `None` for "not yet".
pub(super) fn word(raw: &RawValue) -> Option<String> {
    let word = match string(raw) {
        Some(word) => word.into_owned(),
        None => match raw.get() {
            "0" => return None,
            number => NUMBERS
                .iter()
                .find(|(known, _)| *known == number)
                .map_or_else(|| number.to_owned(), |(_, word)| (*word).to_owned()),
        },
    };
    (!word.is_empty() && word != "FINISH_REASON_UNSPECIFIED").then_some(word)
}

/// The numbers of Vertex, whose older clients ask for them.
const NUMBERS: [(&str, &str); 10] = [
    ("1", "STOP"),
    ("2", "MAX_TOKENS"),
    ("3", "SAFETY"),
    ("4", "RECITATION"),
    ("5", "OTHER"),
    ("6", "BLOCKLIST"),
    ("7", "PROHIBITED_CONTENT"),
    ("8", "SPII"),
    ("9", "MALFORMED_FUNCTION_CALL"),
    ("10", "MODEL_ARMOR"),
];

/// What a word means; `message` is `finishMessage`.
pub(super) fn meaning(
    word: &str,
    message: Option<&str>,
) -> Result<FinishReason, Box<ProviderError>> {
    Ok(match word {
        "STOP" => FinishReason::Stop,
        // Of the second, the answer can be continued with a token, which stays among the unknown members.
        "MAX_TOKENS" | "CONTINUATION" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "ESCALATION"
        | "MODEL_ARMOR" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE"
        | "IMAGE_OTHER"
        | "NO_IMAGE"
        | "OTHER" => return Err(failure(502, word, message)),
        // The account, not the answer.
        "PUP_LIMITED_DISABLED" => return Err(failure(403, word, message)),
        name => FinishReason::Other {
            origin: FORMAT,
            name: name.to_owned(),
        },
    })
}

fn failure(status: u16, word: &str, message: Option<&str>) -> Box<ProviderError> {
    let message = match message {
        Some(message) => format!("the model gave no answer ({word}): {message}"),
        None => format!("the model gave no answer ({word})"),
    };
    let said = Said {
        status: Some(status),
        message: Some(message),
        code: Some(word.to_owned()),
        ..Said::default()
    };
    Box::new(ProviderError::of(200, &said))
}

/// Keeps a word that [`written`] would not write for what it means.
pub(super) fn keep(word: &str, reason: &FinishReason, extra: &mut Extra) {
    if written(reason).0 != word {
        extra.insert(FORMAT, MEMBER, RawJson::string(word));
    }
}

/// The word for a finish reason, and whether it says all.
pub(super) fn written(reason: &FinishReason) -> (&str, bool) {
    match reason {
        FinishReason::Stop | FinishReason::ToolCalls => ("STOP", true),
        FinishReason::Length => ("MAX_TOKENS", true),
        FinishReason::ContentFilter => ("SAFETY", true),
        FinishReason::Other { origin, name } if *origin == FORMAT => (
            name,
            meaning(name, None).as_ref() == Ok(reason) && !name.is_empty(),
        ),
        FinishReason::StopSequence(_) | FinishReason::Pause | FinishReason::Other { .. } => {
            ("STOP", false)
        }
    }
}

/// The word of a candidate with these unknown members, and whether it says all.
pub(super) fn of_candidate(reason: &FinishReason, extra: &Extra) -> (String, bool) {
    let kept = extra
        .get(FORMAT, MEMBER)
        .and_then(|raw| string(raw.raw()))
        .filter(|word| meaning(word, None).as_ref() == Ok(reason));
    match kept {
        Some(word) => (word.into_owned(), true),
        None => {
            let (word, exact) = written(reason);
            (word.to_owned(), exact)
        }
    }
}
