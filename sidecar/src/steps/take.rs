//! Steps *decode* and *check*: reads a provider's answer until it may be shown.
//!
//! A stream may be shown from its first content on, a whole answer when it is complete and in memory (up to
//! [`MAX_WHOLE_BYTES`]; a larger one is shown as it comes). What ends earlier is a failed attempt.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fkm_llm::{
    Dialect, FailureClass, ProviderError, RelayOptions, StreamFault, StreamOptions,
    StreamTransform, WireFormat,
};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::attempt::{AttemptError, Limits, Wait};
use crate::codec::{Codec, Pair};
use crate::exchange::Exchange;
use crate::runtime::Candidate;
use crate::steps::taken::{
    MAX_WHOLE_BYTES, Read, Sent, Taken, TakenBody, from_fault, read_whole, stream,
};
use crate::steps::{relayed, whole};
use crate::upstream::{Answer, AnswerSource};

/// How long the body of an error may take to come; its status already says that the attempt failed.
const ERROR_BODY_WITHIN: Duration = Duration::from_secs(2);

/// A provider's request id that is longer is none.
const MAX_REQUEST_ID_BYTES: usize = 256;

/// As much of an error body as is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// Reads the answer to `candidate`'s attempt.
pub(crate) async fn run(
    exchange: &Exchange,
    candidate: &Candidate,
    pair: &Pair<'_>,
    answer: Answer,
    sent: &Sent,
    limits: &Limits,
) -> Result<Taken, AttemptError> {
    let provider = pair.provider();
    let provider_request_id = provider_request_id(candidate, &answer.headers, provider);
    if answer.status >= 400 {
        return Err(refused(candidate, answer, provider, limits).await);
    }
    if let Some(error) = unreadable(&answer) {
        return Err(error);
    }
    if let Pair::Relayed(format, _) = pair {
        let (body, content_type) =
            relayed::take(exchange, candidate, *format, answer, limits).await?;
        return Ok(Taken {
            body,
            content_type: Some(content_type),
            provider_request_id,
            dropped: Vec::new(),
        });
    }
    let streams = answer.headers.get(CONTENT_TYPE).is_some_and(|value| {
        let expected = provider.stream_content_type().as_bytes();
        value.as_bytes().starts_with(expected)
    });
    let (body, dropped) = match (exchange.scan.stream, streams, pair) {
        (true, true, Pair::Chat(client, dialect)) => {
            let mark = candidate.mark().cloned();
            let transform = transform(exchange, *client, dialect, sent, mark);
            let body = stream(candidate, answer.body, transform, limits).await?;
            (body, Vec::new())
        }
        (true, false, Pair::Chat(_, dialect)) => {
            let provider = fkm_llm::format(dialect.format);
            return Err(unexpected(candidate, answer, provider, limits).await);
        }
        (_, false, _) => whole(exchange, candidate, pair, answer.body, sent, limits).await?,
        (_, true, _) => {
            let message = "a stream came where a whole answer was asked for";
            return Err(AttemptError::failed(FailureClass::BrokenStream, message));
        }
    };
    Ok(Taken {
        body,
        content_type: None,
        provider_request_id,
        dropped,
    })
}

/// The id that the provider gave its answer, where it may be shown.
pub(crate) fn provider_request_id(
    candidate: &Candidate,
    headers: &HeaderMap,
    provider: Codec,
) -> Option<String> {
    text(headers, provider.request_id_header())
        .filter(|id| id.len() <= MAX_REQUEST_ID_BYTES && !candidate.key_is_in(id))
}

/// Why an answer that is no error cannot be read, by its head.
pub(crate) fn unreadable(answer: &Answer) -> Option<AttemptError> {
    if (300..400).contains(&answer.status) {
        let message = format!("status {}: redirects are not followed", answer.status);
        return Some(AttemptError::failed(FailureClass::ServerError, message));
    }
    let encoding = answer.headers.get(CONTENT_ENCODING);
    encoding.filter(|value| *value != "identity").map(|_| {
        let message = "the answer is compressed, which was not asked for";
        AttemptError::failed(FailureClass::BrokenStream, message)
    })
}

/// An answer whose status is not 2xx.
async fn refused(
    candidate: &Candidate,
    answer: Answer,
    format: Codec,
    limits: &Limits,
) -> AttemptError {
    match read_error(candidate, answer, format, limits).await {
        Ok(error) => AttemptError::from_provider(&error),
        Err(error) => error,
    }
}

/// What such an answer says, free of keys.
pub(crate) async fn read_error(
    candidate: &Candidate,
    mut answer: Answer,
    format: Codec,
    limits: &Limits,
) -> Result<ProviderError, AttemptError> {
    let reading = read_some(&mut answer.body, MAX_ERROR_BYTES, limits);
    let body = match tokio::time::timeout(ERROR_BODY_WITHIN, reading).await {
        Ok(Ok(body)) => body,
        Ok(Err(error @ AttemptError::Final(_))) => return Err(error),
        // The status says enough; the text is lost.
        Ok(Err(_)) | Err(_) => Bytes::new(),
    };
    let mut error = format.decode_error(answer.status, &answer.headers, &body);
    candidate.redact(&mut error);
    Ok(error)
}

/// A whole answer where a stream was asked for: an error inside a 200, or a provider that cannot stream.
async fn unexpected(
    candidate: &Candidate,
    mut answer: Answer,
    format: &dyn WireFormat,
    limits: &Limits,
) -> AttemptError {
    match read_some(&mut answer.body, MAX_ERROR_BYTES, limits).await {
        Err(error) => error,
        Ok(body) => match format.response_facts(&body) {
            Err(fault @ StreamFault::Provider(_)) => from_fault(fault, candidate),
            _ => AttemptError::failed(
                FailureClass::BrokenStream,
                "a whole answer came where a stream was asked for",
            ),
        },
    }
}

async fn read_some(
    source: &mut AnswerSource,
    most: usize,
    limits: &Limits,
) -> Result<Bytes, AttemptError> {
    let mut read = BytesMut::new();
    while let Some(piece) = limits.wait(Wait::Rest, source.piece()).await? {
        let piece =
            piece.map_err(|broken| AttemptError::failed(FailureClass::BrokenStream, broken.0))?;
        read.extend_from_slice(&piece[..piece.len().min(most - read.len())]);
        if read.len() == most {
            break;
        }
    }
    Ok(read.freeze())
}

fn transform(
    exchange: &Exchange,
    client: &dyn WireFormat,
    dialect: &Dialect,
    sent: &Sent,
    mark: Option<Arc<str>>,
) -> Box<dyn StreamTransform> {
    let choices = exchange.choices;
    if client.passes(dialect) {
        return client.relay(&RelayOptions {
            strip_usage: sent.strip_usage,
            choices,
            end: dialect.stream_end,
            mark,
        });
    }
    let options = StreamOptions {
        include_usage: exchange
            .scan
            .stream_options
            .as_ref()
            .is_some_and(|options| options.include_usage),
        model: None,
        created: unix_now(),
        choices,
        tool_names: sent.tool_names.clone(),
    };
    fkm_llm::translate_for(dialect, client, &options)
}

async fn whole(
    exchange: &Exchange,
    candidate: &Candidate,
    pair: &Pair<'_>,
    source: AnswerSource,
    sent: &Sent,
    limits: &Limits,
) -> Result<(TakenBody, Vec<String>), AttemptError> {
    let body = match read_whole(source, MAX_WHOLE_BYTES, Wait::FirstContent, limits).await? {
        Read::Whole(body) => body,
        Read::Larger { ready, source } if whole::passes(exchange, pair) => {
            let ready = vec![whole::marked(candidate, pair, ready.concat().into())];
            return Ok((TakenBody::Large { ready, source }, Vec::new()));
        }
        Read::Larger { .. } => {
            let message = format!(
                "the answer is larger than {MAX_WHOLE_BYTES} bytes, too large to translate"
            );
            return Err(AttemptError::failed(FailureClass::BrokenStream, message));
        }
    };
    let whole::Read {
        body,
        progress,
        dropped,
    } = whole::read(exchange, candidate, pair, body, sent)?;
    Ok((TakenBody::Whole { body, progress }, dropped))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

fn unix_now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| now.as_secs())
}
