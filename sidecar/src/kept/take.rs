//! Step *take*: the answer of who keeps it, as the client may see it.

use bytes::Bytes;
use fkm_llm::kept::marked;
use fkm_llm::{FailureClass, Ids, ProviderError, RelayOptions, StreamTransform};
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::IgnoredAny;

use super::send::Sending;
use crate::attempt::{AttemptError, Limits, Wait};
use crate::codec::Codec;
use crate::media_type::{EVENT_STREAM, JSON};
use crate::steps::take::{provider_request_id, read_error, unreadable};
use crate::steps::taken::{MAX_WHOLE_BYTES, Read, read_whole};
use crate::surface::Gives;
use crate::upstream::{Answer, AnswerSource};

/// Of contents, what else the client is told.
const OF_CONTENT: [HeaderName; 2] = [CONTENT_LENGTH, CONTENT_DISPOSITION];

/// An answer that may be shown.
pub(super) struct Taken {
    pub(super) status: u16,
    pub(super) content_type: Option<HeaderValue>,
    /// Further headers.
    pub(super) headers: HeaderMap,
    pub(super) provider_request_id: Option<String>,
    pub(super) body: Body,
}

/// Its body.
pub(super) enum Body {
    Whole(Bytes),
    Stream(AnswerSource, Box<dyn StreamTransform>),
    /// Shown as it comes, from `ready` on.
    Large {
        ready: Vec<Bytes>,
        source: AnswerSource,
    },
}

/// Reads an answer, as far as it must be read before it is shown.
pub(super) async fn run(
    sending: &Sending<'_>,
    answer: Answer,
    limits: &Limits,
) -> Result<Taken, AttemptError> {
    let (candidate, format) = (sending.candidate, sending.exchange.format);
    let provider_request_id = provider_request_id(candidate, &answer.headers, format);
    if answer.status >= 400 {
        let mut error = read_error(candidate, answer, format, limits).await?;
        take_for_the_clients(&mut error);
        return Err(AttemptError::from_provider(&error));
    }
    if let Some(error) = unreadable(&answer) {
        return Err(error);
    }
    let mark = candidate.owner().map(|owner| owner.mark().clone());
    let media_type = answer.headers.get(CONTENT_TYPE).cloned();
    let is_stream = media_type
        .as_ref()
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    let status = answer.status;
    let mut headers = HeaderMap::new();
    let (content_type, body) = match (sending.call.row.gives, format) {
        (Gives::Content, _) => {
            for name in OF_CONTENT {
                let value = answer.headers.get(&name).cloned();
                headers.extend(value.map(|value| (name, value)));
            }
            let (ready, source) = (Vec::new(), answer.body);
            (media_type, Body::Large { ready, source })
        }
        (Gives::Ids(_), Codec::Chat(format)) if is_stream && sending.exchange.scan.stream => {
            let options = RelayOptions {
                mark,
                ..RelayOptions::default()
            };
            let body = Body::Stream(answer.body, format.relay(&options));
            (Some(EVENT_STREAM), body)
        }
        (Gives::Ids(ids), _) => {
            let mark = mark.as_deref().unwrap_or_default();
            let body = ids_of(answer.body, ids, mark, limits).await?;
            (Some(JSON), body)
        }
    };
    Ok(Taken {
        status,
        content_type,
        headers,
        provider_request_id,
        body,
    })
}

/// JSON with ids that say who keeps what they name.
async fn ids_of(
    source: AnswerSource,
    ids: Ids,
    mark: &str,
    limits: &Limits,
) -> Result<Body, AttemptError> {
    // An upload may have taken the time for a first content.
    let body = match read_whole(source, MAX_WHOLE_BYTES, Wait::Rest, limits).await? {
        Read::Whole(body) => body,
        Read::Larger { ready, source } => {
            let ready = vec![marked(&ready.concat().into(), ids, mark)];
            return Ok(Body::Large { ready, source });
        }
    };
    if !body.is_empty() && serde_json::from_slice::<IgnoredAny>(&body).is_err() {
        let message = "the answer is not JSON, or ends early";
        return Err(AttemptError::failed(FailureClass::BrokenStream, message));
    }
    Ok(Body::Whole(marked(&body, ids, mark)))
}

/// What is said of the request itself is for the client, also where it would be a reason to ask another provider.
fn take_for_the_clients(error: &mut ProviderError) {
    if matches!(error.status, 400 | 404 | 405 | 409 | 410 | 413 | 415 | 422) {
        error.class = None;
    }
}
