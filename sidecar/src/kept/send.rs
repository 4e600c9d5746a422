//! Step *send*: with the credential of who keeps it, and only the headers that may pass.

use bytes::Bytes;
use fkm_llm::Format;
use fkm_snapshot::AnyFormat;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;

use crate::attempt::{AttemptError, Limits, Wait, request_timeout};
use crate::error::{ExchangeError, Reason};
use crate::exchange::Exchange;
use crate::media_type::JSON;
use crate::metrics::Direction;
use crate::runtime::{Candidate, Key, Link};
use crate::steps::send::{self as step, sign_in_and_send};
use crate::surface::{Gives, KeptCall};
use crate::upstream::body::{RequestBody, Upload, UploadFault};
use crate::upstream::client::{self, NotSent, OUR_AGENT};
use crate::upstream::{Answer, AnswerSource};

const ANY: HeaderValue = HeaderValue::from_static("*/*");

/// What is sent.
pub(super) struct Sending<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) candidate: &'a Candidate,
    pub(super) call: &'a KeptCall,
    pub(super) method: Method,
    /// Follows the provider's path for what is kept.
    pub(super) rest: &'a str,
}

/// Sends a body at hand, and waits for the head of the answer.
pub(super) async fn whole(
    sending: &Sending<'_>,
    body: &[Bytes],
    limits: &Limits,
) -> Result<Answer, AttemptError> {
    let (key, uri) = sending.to()?;
    let mut headers = sending.headers();
    if !body.is_empty() {
        headers.insert(CONTENT_TYPE, JSON);
    }
    let sent = sign_in_and_send(key, &sending.method, &uri, || headers.clone(), body);
    let response = limits.wait(Wait::FirstContent, sent).await??;
    Ok(answer(response))
}

/// Sends a body as it comes from the client, once, and waits for the head of the answer. The time for a first content does
/// not count: an upload takes as long as it is large, and is watched by itself.
pub(super) async fn upload(
    sending: &Sending<'_>,
    incoming: Incoming,
    limits: &Limits,
) -> Result<Answer, AttemptError> {
    let exchange = sending.exchange;
    let (key, uri) = sending.to()?;
    let mut headers = sending.headers();
    if let Some(content_type) = exchange.headers.get(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, content_type.clone());
    }
    let provider = &sending.candidate.offer.provider.name;
    let metrics = &exchange.context.metrics;
    let sent = metrics.kept(provider, sending.call.row.kept, Direction::Up);
    let sending = async {
        let pass = key.sign_in.pass().await?;
        pass.stamp(&sending.method, &uri, &mut headers, None)?;
        let mut request = Request::new(RequestBody::Upload(Upload::new(incoming, sent)));
        *request.method_mut() = sending.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let response = client::send_once(&key.client, request).await?;
        if matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) {
            // The body is gone: the next upload shows something else.
            key.sign_in.after_refusal(&pass, response.headers()).await;
        }
        Ok::<_, AttemptError>(response)
    };
    let response = tokio::time::timeout_at(limits.request, sending)
        .await
        .map_err(|_| AttemptError::Final(request_timeout()))??;
    Ok(answer(response))
}

fn answer(response: Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: AnswerSource::Http(body),
    }
}

// === impl Sending ===

impl<'a> Sending<'a> {
    /// The credential, and where it is used.
    fn to(&self) -> Result<(&'a Key, Uri), AttemptError> {
        let Link::Http(http) = &self.candidate.offer.provider.link else {
            return Err(nothing_kept());
        };
        let url = self.candidate.kept_url(self.call.row.kept);
        let url = url.ok_or_else(nothing_kept)?;
        let uri = format!("{url}{}", self.rest).parse().map_err(|_| {
            let message = "the query holds what no address may hold";
            AttemptError::Unsuited(ExchangeError::new(Reason::BadRequest, message))
        })?;
        Ok((http.key(self.candidate.key), uri))
    }

    fn headers(&self) -> HeaderMap {
        let format = self.exchange.format.name();
        let mut headers = HeaderMap::with_capacity(8);
        let accept = match self.call.row.gives {
            Gives::Content => ANY,
            Gives::Ids(_) if self.exchange.scan.stream => step::ACCEPT_STREAM,
            Gives::Ids(_) => step::ACCEPT_JSON,
        };
        headers.insert(ACCEPT, accept);
        headers.insert(USER_AGENT, OUR_AGENT);
        if format == AnyFormat::Chat(Format::AnthropicMessages) {
            headers.insert(step::ANTHROPIC_VERSION, step::ANTHROPIC_VERSION_VALUE);
        }
        step::forward(format, &self.exchange.headers, &mut headers);
        headers
    }
}

fn nothing_kept() -> AttemptError {
    let message = "the provider keeps nothing such";
    AttemptError::Unsuited(ExchangeError::new(Reason::StateElsewhere, message))
}

impl From<NotSent> for AttemptError {
    fn from(error: NotSent) -> Self {
        let fault = match error {
            NotSent::Failed(error) => return error.into(),
            NotSent::Upload(fault) => fault,
        };
        let reason = match fault {
            UploadFault::TooLarge => Reason::BodyTooLarge,
            UploadFault::Stopped | UploadFault::BrokeOff => Reason::BodyIncomplete,
        };
        Self::Final(ExchangeError::new(reason, fault.to_string()))
    }
}
