//! The life of a request, in order. Each step is a file in `steps/`; what is decided without I/O is in `policy/`.
//!
//! | step | reads | adds |
//! |---|---|---|
//! | 1 accept | head, body | what is called, bytes within bounds, request id, trace context |
//! | 2 decode | bytes | positions of what routing needs; the whole request only when it must be translated |
//! | 3 match | model name | the first rule that matches |
//! | 4 plan | rule | candidates in the order to try |
//! | 5 execute | plan | one answer, by attempts: **inline → encode → send → decode → check** |
//! | 6 settle, record | how it ended | usage, metrics, the access record; when the body ends, fails or is dropped |

use std::sync::Arc;

use bytes::Bytes;
use fkm_llm::form::{Form, is_form};
use fkm_llm::{Relayed, RequestScan};
use fkm_snapshot::Operation;
use fkm_telemetry::names;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, request};
use hyper::body::Incoming;
use tokio::time::Instant;
use tracing::Instrument;

use crate::codec::Codec;
use crate::context::Context;
use crate::error::{ExchangeError, Reason};
use crate::exchange::{Exchange, RequestId};
use crate::failed::{Failed, draining, early};
use crate::inlined::Media;
use crate::media_type::JSON;
use crate::metrics::Outcome;
use crate::owner::Claim;
use crate::relay::{AnswerBody, Start};
use crate::steps::accept::{self, BodyGuard};
use crate::steps::execute::Executed;
use crate::steps::record::{self, Record};
use crate::steps::taken::TakenBody;
use crate::steps::{count, execute, models, plan};
use crate::surface::{Asked, Call, Question};
use crate::{kept, owner, respond, source};

/// Answers one request; never fails: an error is an answer too.
pub(crate) async fn serve(
    context: &Arc<Context>,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    let _in_flight = context.in_flight();
    let id = RequestId::random();
    let (head, body) = request.into_parts();
    let call = Call::of(&head.uri, &head.headers);
    let format = call.error_format();
    let span = request_span(&id, &head, &call);
    let serving = async {
        match exchange(context, &id, call, head, body).await {
            Ok(response) => response,
            Err(Failed { error, exchange }) => {
                record::failed(
                    context,
                    exchange.as_deref(),
                    &id,
                    error.reason,
                    &error.client.message,
                );
                respond::error(format, &error, &id)
            }
        }
    };
    let response = serving.instrument(span.clone()).await;
    span.record(names::HTTP_RESPONSE_STATUS_CODE, response.status().as_u16());
    response
}

/// The span of a request, named as the HTTP conventions say; nothing where no exporter asks for it.
fn request_span(id: &RequestId, head: &request::Parts, call: &Call) -> tracing::Span {
    let span = tracing::info_span!(
        target: "fkm_span",
        "request",
        { names::OTEL_NAME } = tracing::field::Empty,
        { names::OTEL_KIND } = "server",
        { names::HTTP_REQUEST_METHOD } = head.method.as_str(),
        { names::HTTP_RESPONSE_STATUS_CODE } = tracing::field::Empty,
        { names::FKM_REQUEST_ID } = id.as_str(),
        { names::GEN_AI_OPERATION_NAME } = call.operation().map(Operation::name),
        { names::GEN_AI_REQUEST_MODEL } = tracing::field::Empty,
        { names::GEN_AI_USAGE_INPUT_TOKENS } = tracing::field::Empty,
        { names::GEN_AI_USAGE_OUTPUT_TOKENS } = tracing::field::Empty,
        { names::ERROR_TYPE } = tracing::field::Empty,
    );
    // A span has its name before it is entered, or keeps none.
    if !span.is_disabled() {
        let name = format!("{} {}", head.method, call.route);
        span.record(names::OTEL_NAME, name.trim_end());
        fkm_telemetry::trace_context::adopt(&span, &head.headers);
    }
    span
}

async fn exchange(
    context: &Arc<Context>,
    id: &RequestId,
    call: Call,
    head: request::Parts,
    body: Incoming,
) -> Result<Response<AnswerBody>, Failed> {
    let started = Instant::now();
    // 1 accept
    accept::check_site(&head.uri, &head.headers).map_err(early)?;
    let family = call.family;
    let asked = call.asked(&head.method, &head.uri).map_err(early)?;
    let Some(runtime) = context.store.current() else {
        return Err(early(not_ready()));
    };
    let (question, counts) = match asked {
        Asked::Answer(question) => (question, false),
        Asked::Count(question) => (question, true),
        Asked::Models => return Ok(respond::json(models::list(family, &runtime), id)),
        Asked::Model(name) => {
            let model = models::one(family, &runtime, &name).map_err(early)?;
            return Ok(respond::json(model, id));
        }
        Asked::Kept(call) => {
            let begun = kept::Begun {
                context,
                id,
                started,
                runtime,
            };
            return kept::serve(begun, call, head, body).await;
        }
    };
    let format = Codec::for_client(question.format, family.form());
    let read = read(context, format, &head.headers, body, question).await;
    let (body, guard, claim, decoded) = read.map_err(early)?;
    let Decoded { scan, form, model } = decoded;
    tracing::Span::current().record(names::GEN_AI_REQUEST_MODEL, &*model);
    // 3 match, 4 plan
    let (rule, mut plan) = plan::run(&runtime, &model, format.name()).map_err(early)?;
    if let Some(claim) = &claim {
        plan = plan::owned(plan, claim).map_err(early)?;
    }
    if counts {
        plan = count::counting(plan, format.name());
        if plan.is_empty() {
            context.metrics.counts_estimated.inc();
            return Ok(count::estimate(format.name(), &body, id));
        }
    }
    let exchange = Arc::new(Exchange {
        context: context.clone(),
        id: *id,
        started,
        format,
        headers: head.headers,
        counts,
        choices: format.choices(&body, &scan),
        body,
        _guard: guard,
        scan,
        form,
        model,
        runtime,
        rule,
        plan,
        decoded: source::Decoded::default(),
        media: Media::default(),
    });
    let pending = record::Pending::new(exchange.clone());
    // 5 execute
    let executed = tokio::select! {
        biased;
        executed = execute::run(&exchange) => executed,
        () = context.tasks.forced().cancelled() => Err(draining()),
    };
    pending.over();
    match executed {
        // 6 settle and record: now for whole answers, at the body's end for streams
        Ok(executed) => Ok(answer(&exchange, executed)),
        Err(error) => Err(Failed {
            error: Box::new(error),
            exchange: Some(exchange),
        }),
    }
}

/// Step *accept* for the body, and step *decode*: the body without our marks, who keeps what it needs, and what it says.
async fn read(
    context: &Context,
    format: Codec,
    headers: &HeaderMap,
    body: Incoming,
    question: Question,
) -> Result<(Bytes, BodyGuard, Option<Claim>, Decoded), ExchangeError> {
    let most = accept::most_bytes(question.format);
    let (body, guard) = accept::body(&context.bodies, most, headers, body).await?;
    // 2 decode
    let Codec::Relayed(relayed) = format else {
        let (body, claim) = owner::unmark(&body)?;
        let decoded = decode(&body, question)?;
        return Ok((body, guard, claim, decoded));
    };
    let (body, claim) = match is_form(content_type(headers)) {
        // What is kept is not named in forms.
        true => (body, None),
        false => owner::unmark(&body)?,
    };
    let decoded = decode_relayed(relayed, headers, &body, question)?;
    Ok((body, guard, claim, decoded))
}

/// What routing must know of a request.
struct Decoded {
    scan: RequestScan,
    form: Option<Form>,
    model: Arc<str>,
}

/// What routing must know: of the body, and of the path where that says it.
fn decode(body: &Bytes, question: Question) -> Result<Decoded, ExchangeError> {
    let mut scan = fkm_llm::scan(body)
        .map_err(|error| ExchangeError::new(Reason::BadRequest, error.to_string()))?;
    scan.stream = match question.format.operation() {
        Operation::Chat => question.stream.unwrap_or(scan.stream),
        Operation::Embeddings | Operation::Rerank | Operation::Relayed(_) => false,
    };
    let model = model_of(&scan, question)?;
    let form = None;
    Ok(Decoded { scan, form, model })
}

/// The same of what is passed on as it is, in JSON or as a form.
fn decode_relayed(
    relayed: Relayed,
    headers: &HeaderMap,
    body: &Bytes,
    question: Question,
) -> Result<Decoded, ExchangeError> {
    let (form, scan) = relayed.scan(content_type(headers), body).map_err(|error| {
        let mut refused = ExchangeError::new(Reason::BadRequest, error.to_string());
        refused.client.param = error.field().map(str::to_owned);
        refused
    })?;
    let model = model_of(&scan, question)?;
    Ok(Decoded { scan, form, model })
}

/// How a body is said to be written; empty where that is not said.
fn content_type(headers: &HeaderMap) -> &str {
    let said = headers.get(CONTENT_TYPE).map(HeaderValue::to_str);
    said.and_then(Result::ok).unwrap_or_default()
}

fn model_of(scan: &RequestScan, question: Question) -> Result<Arc<str>, ExchangeError> {
    question.model.map_or_else(|| plan::model_in(scan), Ok)
}

fn answer(exchange: &Exchange, executed: Executed) -> Response<AnswerBody> {
    let Executed {
        candidate,
        taken,
        attempts,
        deadline,
    } = executed;
    let now = Instant::now();
    let record = Record::new(exchange, candidate.clone(), attempts, now);
    let mut headers = HeaderMap::with_capacity(8);
    let content_type = match (taken.content_type, exchange.scan.stream) {
        (Some(content_type), _) => content_type,
        (None, true) => respond::stream_type(exchange.format),
        (None, false) => JSON,
    };
    headers.insert(CONTENT_TYPE, content_type);
    if exchange.scan.stream {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    headers.insert(respond::X_REQUEST_ID, exchange.id.header());
    headers.insert(respond::X_ATTEMPTS, HeaderValue::from(attempts));
    respond::insert_text(
        &mut headers,
        respond::X_PROVIDER,
        &candidate.offer.provider.name,
    );
    respond::insert_text(
        &mut headers,
        respond::X_MODEL,
        &candidate.offer.upstream_model,
    );
    if !taken.dropped.is_empty() {
        respond::insert_text(&mut headers, respond::X_DROPPED, &taken.dropped.join(", "));
    }
    if let Some(provider_id) = &taken.provider_request_id {
        respond::insert_text(
            &mut headers,
            request_id_header(exchange.format),
            provider_id,
        );
    }
    let start = |record| Start {
        format: exchange.format,
        candidate,
        id: exchange.id,
        between: exchange.rule().policy.timeouts.between_events.into(),
        deadline,
        forced: exchange.context.tasks.forced().clone().cancelled_owned(),
        record,
    };
    let body = match taken.body {
        TakenBody::Whole { body, progress } => {
            record.end(Outcome::Complete, &progress);
            AnswerBody::whole(body)
        }
        TakenBody::Stream {
            ready,
            source,
            transform,
        } => AnswerBody::stream(ready, source, transform, start(record)),
        TakenBody::Large { ready, source } => AnswerBody::large(ready, source, start(record)),
    };
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

fn request_id_header(format: Codec) -> HeaderName {
    HeaderName::from_static(format.request_id_header())
}

fn not_ready() -> ExchangeError {
    let mut error = ExchangeError::new(
        Reason::NotReady,
        "the sidecar has no snapshot yet; try again",
    );
    error.retry_after = Some(std::time::Duration::from_secs(1));
    error
}
