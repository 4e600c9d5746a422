//! Answers that may be shown, and reading them until they may: a stream to its first content, a whole one to its end.

use bytes::Bytes;
use fkm_llm::{FailureClass, Progress, StreamFault, StreamTransform, ToolNames};
use http::HeaderValue;

use crate::attempt::{AttemptError, Limits, Wait};
use crate::runtime::Candidate;
use crate::upstream::AnswerSource;

/// Whole answers up to this size are read before they are shown, so that a broken one can still fail over.
pub(crate) const MAX_WHOLE_BYTES: usize = 8 * 1024 * 1024;

/// An answer that may be shown.
pub(crate) struct Taken {
    pub(crate) body: TakenBody,
    /// Its media type, where the client's format alone does not say it.
    pub(crate) content_type: Option<HeaderValue>,
    /// The provider's request id.
    pub(crate) provider_request_id: Option<String>,
    /// What the client's format cannot express.
    pub(crate) dropped: Vec<String>,
}

/// Its body.
pub(crate) enum TakenBody {
    /// Complete.
    Whole { body: Bytes, progress: Progress },
    /// Begun; `ready` may be sent at once.
    Stream {
        ready: Vec<Bytes>,
        source: AnswerSource,
        transform: Box<dyn StreamTransform>,
    },
    /// Larger than is kept; shown as it comes, without a look inside.
    Large {
        ready: Vec<Bytes>,
        source: AnswerSource,
    },
}

/// What reading an answer must know of its request.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The usage chunk of the stream is ours alone.
    pub(crate) strip_usage: bool,
    /// The names of tools that were changed for the provider.
    pub(crate) tool_names: ToolNames,
}

/// Reads a stream until its first content, or to its end.
pub(super) async fn stream(
    candidate: &Candidate,
    mut source: AnswerSource,
    mut transform: Box<dyn StreamTransform>,
    limits: &Limits,
) -> Result<TakenBody, AttemptError> {
    let mut ready = Vec::new();
    let mut read = 0;
    loop {
        let piece = limits.wait(Wait::FirstContent, source.piece()).await?;
        let pushed = match piece {
            Some(Ok(piece)) => {
                read += piece.len();
                transform.push(piece, &mut ready)
            }
            // However it ended: complete or not is all that counts.
            Some(Err(_)) | None => {
                transform
                    .end(&mut ready)
                    .map_err(|fault| from_fault(fault, candidate))?;
                let progress = transform.progress().clone();
                let body = ready.concat().into();
                return Ok(TakenBody::Whole { body, progress });
            }
        };
        pushed.map_err(|fault| from_fault(fault, candidate))?;
        if transform.progress().content_started {
            return Ok(TakenBody::Stream {
                ready,
                source,
                transform,
            });
        }
        if read > MAX_WHOLE_BYTES {
            let message =
                format!("no content within the first {MAX_WHOLE_BYTES} bytes of the stream");
            return Err(AttemptError::failed(FailureClass::BrokenStream, message));
        }
    }
}

/// As much of a whole answer as is kept.
pub(crate) enum Read {
    Whole(Bytes),
    /// It is larger; so much has come.
    Larger {
        ready: Vec<Bytes>,
        source: AnswerSource,
    },
}

/// Reads a whole answer of at most `most` bytes. `wait`: which limit ends the wait for its first piece.
pub(crate) async fn read_whole(
    mut source: AnswerSource,
    most: usize,
    mut wait: Wait,
    limits: &Limits,
) -> Result<Read, AttemptError> {
    let mut ready: Vec<Bytes> = Vec::new();
    let mut read = 0;
    while let Some(piece) = limits.wait(wait, source.piece()).await? {
        let piece =
            piece.map_err(|broken| AttemptError::failed(FailureClass::BrokenStream, broken.0))?;
        read += piece.len();
        ready.push(piece);
        wait = Wait::Rest;
        if read > most {
            return Ok(Read::Larger { ready, source });
        }
    }
    Ok(Read::Whole(match ready.len() {
        1 => ready.remove(0),
        _ => ready.concat().into(),
    }))
}

/// What a fault in an answer means for the attempt.
pub(super) fn from_fault(fault: StreamFault, candidate: &Candidate) -> AttemptError {
    match fault {
        StreamFault::Provider(mut error) => {
            candidate.redact(&mut error);
            AttemptError::from_provider(&error)
        }
        fault => AttemptError::failed(FailureClass::BrokenStream, fault.to_string()),
    }
}
