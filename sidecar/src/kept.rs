//! The life of a request about something that a provider keeps: an answer, a file, a batch.
//!
//! | step | reads | adds |
//! |---|---|---|
//! | 1 ask | head, body | the provider's own ids, and who keeps what they name; an upload stays where it is |
//! | 2 find | claim, rules | the one credential that is asked |
//! | 3 send | ask | an answer; an upload goes through as it comes |
//! | 4 take | answer | ids that say who keeps what they name; contents go through as they come |
//! | 5 record | how it ended | metrics, the access record |
//!
//! *Guarantees*: one provider is asked, and no other instead: what it keeps, nobody else has. What is made is not made twice.
//!
//! *Caveats*: the tokens of an answer that is fetched later are not counted: it may be fetched any number of times. Nor are
//! those of batches and of compacted conversations.

mod ask;
mod find;
mod send;
mod take;

use std::sync::Arc;

use bytes::Bytes;
use fkm_llm::RequestScan;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, request};
use hyper::body::Incoming;
use tokio::time::Instant;

use self::ask::{Ask, AskBody};
use self::find::Found;
use self::take::{Body, Taken};
use crate::attempt::{AttemptError, Limits};
use crate::codec::Codec;
use crate::context::Context;
use crate::error::{ExchangeError, Reason};
use crate::exchange::{Exchange, RequestId};
use crate::failed::{Failed, draining, early};
use crate::inlined::Media;
use crate::metrics::{Direction, Outcome};
use crate::relay::{AnswerBody, Start};
use crate::respond;
use crate::runtime::{Candidate, Runtime};
use crate::source::Decoded;
use crate::steps::accept::BodyGuard;
use crate::steps::execute;
use crate::steps::record::{self, Record};
use crate::surface::KeptCall;

/// What has begun.
pub(crate) struct Begun<'a> {
    pub(crate) context: &'a Arc<Context>,
    pub(crate) id: &'a RequestId,
    pub(crate) started: Instant,
    pub(crate) runtime: Arc<Runtime>,
}

/// Answers it.
pub(crate) async fn serve(
    begun: Begun<'_>,
    call: KeptCall,
    head: request::Parts,
    body: Incoming,
) -> Result<Response<AnswerBody>, Failed> {
    let context = begun.context;
    let ask = ask::run(context, call, &head, body).await.map_err(early)?;
    let found = find::run(&begun.runtime, &ask, &head.headers).map_err(early)?;
    let body = found.body.clone();
    let Ask {
        guard,
        body: asked,
        call,
        method,
        rest,
        stream,
        ..
    } = ask;
    let upload = match asked {
        AskBody::Upload(incoming) => Some(incoming),
        AskBody::Whole(_) => None,
    };
    let format = Codec::of(call.format());
    let exchange = Arc::new(begun.exchange(format, found, head.headers, guard, stream));
    let sending = send::Sending {
        exchange: &exchange,
        candidate: &exchange.plan[0],
        call: &call,
        method,
        rest: &rest,
    };
    let pending = record::Pending::new(exchange.clone());
    let taken = tokio::select! {
        biased;
        taken = attempt(&sending, body, upload) => taken,
        () = context.tasks.forced().cancelled() => Err(AttemptError::Final(draining())),
    };
    pending.over();
    match taken {
        Ok(taken) => Ok(answer(&exchange, &call, taken)),
        Err(error) => Err(Failed {
            error: Box::new(failed(&exchange.plan[0], error)),
            exchange: Some(exchange),
        }),
    }
}

// === impl Begun ===

impl Begun<'_> {
    fn exchange(
        self,
        format: Codec,
        found: Found,
        headers: HeaderMap,
        guard: BodyGuard,
        stream: bool,
    ) -> Exchange {
        Exchange {
            context: self.context.clone(),
            id: *self.id,
            started: self.started,
            format,
            headers,
            body: Bytes::new(),
            _guard: guard,
            scan: RequestScan {
                stream,
                ..RequestScan::default()
            },
            form: None,
            counts: false,
            choices: 1,
            model: found.model,
            runtime: self.runtime,
            rule: found.rule,
            plan: vec![found.candidate],
            decoded: Decoded::default(),
            media: Media::default(),
        }
    }
}

/// The one attempt.
async fn attempt(
    sending: &send::Sending<'_>,
    body: Vec<Bytes>,
    upload: Option<Incoming>,
) -> Result<Taken, AttemptError> {
    let (exchange, candidate) = (sending.exchange, sending.candidate);
    let timeouts = &exchange.rule().policy.timeouts;
    let deadline = exchange.started + timeouts.request.into();
    let limits = Limits::begin_at(Instant::now(), timeouts, deadline);
    let operation = sending.call.row.kept.name();
    let trying = async {
        let answer = match upload {
            Some(incoming) => send::upload(sending, incoming, &limits).await?,
            None => send::whole(sending, &body, &limits).await?,
        };
        take::run(sending, answer, &limits).await
    };
    execute::observed(exchange, candidate, operation, 1, trying).await
}

/// What the client is told; nobody else can be asked.
fn failed(candidate: &Candidate, error: AttemptError) -> ExchangeError {
    let mut error = match error {
        AttemptError::Unsuited(error) | AttemptError::Final(error) => error,
        AttemptError::Failed(failure) => {
            let (class, provider) = (failure.class, &candidate.offer.provider.name);
            let message = format!("{provider}: {class}: {}", failure.message);
            let mut error = ExchangeError::new(Reason::Attempt(class), message);
            error.retry_after = failure.retry_after;
            error.retryable = failure.retryable;
            error
        }
    };
    error.attempts = 1;
    error
}

fn answer(exchange: &Exchange, call: &KeptCall, taken: Taken) -> Response<AnswerBody> {
    let candidate = exchange.plan[0].clone();
    let provider = candidate.offer.provider.name.clone();
    let record = Record::new(exchange, candidate.clone(), 1, Instant::now()).unmetered();
    let timeouts = &exchange.rule().policy.timeouts;
    let start = |record| Start {
        format: exchange.format,
        candidate: candidate.clone(),
        id: exchange.id,
        between: timeouts.between_events.into(),
        deadline: exchange.started + timeouts.request.into(),
        forced: exchange.context.tasks.forced().clone().cancelled_owned(),
        record,
    };
    let metrics = &exchange.context.metrics;
    let received = metrics.kept(&provider, call.row.kept, Direction::Down);
    let mut headers = HeaderMap::with_capacity(8);
    if let Some(content_type) = taken.content_type {
        headers.insert(CONTENT_TYPE, content_type);
    }
    headers.extend(taken.headers);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(respond::X_REQUEST_ID, exchange.id.header());
    headers.insert(respond::X_ATTEMPTS, HeaderValue::from(1));
    respond::insert_text(&mut headers, respond::X_PROVIDER, &provider);
    if let Some(of_provider) = &taken.provider_request_id {
        let name = HeaderName::from_static(exchange.format.request_id_header());
        respond::insert_text(&mut headers, name, of_provider);
    }
    let body = match taken.body {
        Body::Whole(body) => {
            received.inc_by(body.len() as u64);
            record.end(Outcome::Complete, &fkm_llm::Progress::default());
            AnswerBody::whole(body)
        }
        Body::Stream(source, transform) => {
            AnswerBody::stream(Vec::new(), source, transform, start(record))
        }
        Body::Large { ready, source } => {
            AnswerBody::large(ready, source, start(record)).counted(received)
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(taken.status).unwrap_or(StatusCode::OK);
    *response.headers_mut() = headers;
    response
}
