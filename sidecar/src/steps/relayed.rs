//! Step *check* for answers that are passed on as they are: pictures, sound, transcripts. What an answer is, its provider's
//! media type says: one that was asked for as events may come whole (`whisper-1` does not stream), and sound is shown from its
//! first bytes on.

use fkm_llm::{AnswerKind, FailureClass, Relayed};
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::taken::{self, Read, TakenBody};
use crate::attempt::{AttemptError, Limits, Wait};
use crate::exchange::Exchange;
use crate::media_type::{EVENT_STREAM, JSON};
use crate::runtime::Candidate;
use crate::upstream::{Answer, AnswerSource};

/// Pictures up to this size together are read before they are shown: ten of `OpenAI`'s largest.
const MAX_PICTURES_BYTES: usize = 32 * 1024 * 1024;

/// Reads an answer whose status is 2xx, and says of what media type it is.
pub(super) async fn take(
    exchange: &Exchange,
    candidate: &Candidate,
    relayed: Relayed,
    answer: Answer,
    limits: &Limits,
) -> Result<(TakenBody, HeaderValue), AttemptError> {
    let said = answer.headers.get(CONTENT_TYPE).cloned().unwrap_or(JSON);
    let kind = said.to_str().ok().and_then(AnswerKind::of);
    match kind {
        Some(AnswerKind::Events) if exchange.scan.stream => {
            let transform = relayed.relay(exchange.choices);
            let body = taken::stream(candidate, answer.body, transform, limits).await?;
            Ok((body, EVENT_STREAM))
        }
        Some(AnswerKind::Events) => Err(broken(
            "a stream came where a whole answer was asked for".to_owned(),
        )),
        Some(AnswerKind::Bytes) => Ok((sound(answer.body, limits).await?, said)),
        Some(kind @ AnswerKind::Text) => {
            let body = whole(candidate, relayed, kind, answer.body, limits).await?;
            Ok((body, said))
        }
        Some(kind @ AnswerKind::Json) => {
            let body = whole(candidate, relayed, kind, answer.body, limits).await?;
            Ok((body, JSON))
        }
        None => Err(broken(format!(
            "the answer is of media type {said:?}, which no answer to this has"
        ))),
    }
}

/// Sound, which is shown once there is any.
async fn sound(mut source: AnswerSource, limits: &Limits) -> Result<TakenBody, AttemptError> {
    loop {
        let piece = limits.wait(Wait::FirstContent, source.piece()).await?;
        match piece {
            None => return Err(broken("the answer is empty".to_owned())),
            Some(Err(cut)) => return Err(broken(cut.0)),
            Some(Ok(piece)) if piece.is_empty() => {}
            Some(Ok(piece)) => {
                let ready = vec![piece];
                return Ok(TakenBody::Large { ready, source });
            }
        }
    }
}

async fn whole(
    candidate: &Candidate,
    relayed: Relayed,
    kind: AnswerKind,
    source: AnswerSource,
    limits: &Limits,
) -> Result<TakenBody, AttemptError> {
    match taken::read_whole(source, MAX_PICTURES_BYTES, Wait::FirstContent, limits).await? {
        Read::Larger { ready, source } => Ok(TakenBody::Large { ready, source }),
        Read::Whole(body) => {
            let facts = relayed.facts(kind, &body);
            let progress = facts.map_err(|fault| taken::from_fault(fault, candidate))?;
            Ok(TakenBody::Whole { body, progress })
        }
    }
}

fn broken(message: String) -> AttemptError {
    AttemptError::failed(FailureClass::BrokenStream, message)
}
