//! Step *send*: the request of one attempt, with a key of the provider and only the headers that may pass.

use bytes::Bytes;
use fkm_llm::{FailureClass, Format};
use fkm_snapshot::AnyFormat;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;

use crate::attempt::{AttemptError, Limits, Wait};
use crate::exchange::Exchange;
use crate::media_type::JSON;
use crate::runtime::{Candidate, Key, Link};
use crate::signin::SignInError;
use crate::steps::encode::Encoded;
use crate::upstream::body::Segments;
use crate::upstream::client::{self, OUR_AGENT, SendError};
use crate::upstream::simulated;
use crate::upstream::{Answer, AnswerSource};

pub(crate) const ACCEPT_JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const ACCEPT_STREAM: HeaderValue =
    HeaderValue::from_static("text/event-stream, application/json");
/// Sound, JSON or text: the body of the request says which.
const ACCEPT_ANY: HeaderValue = HeaderValue::from_static("*/*");
pub(crate) const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
pub(crate) const ANTHROPIC_VERSION_VALUE: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The headers of a client that a provider of the same format may see. Everything else stays here.
fn forwarded(format: AnyFormat) -> &'static [HeaderName] {
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    static ANTHROPIC: [HeaderName; 3] = [
        HeaderName::from_static("anthropic-beta"),
        ANTHROPIC_VERSION,
        IDEMPOTENCY_KEY,
    ];
    static OPENAI: [HeaderName; 3] = [
        IDEMPOTENCY_KEY,
        HeaderName::from_static("openai-beta"),
        HeaderName::from_static("x-client-request-id"),
    ];
    let format = match format {
        AnyFormat::Chat(format) => format,
        AnyFormat::Relayed(_) => return &OPENAI,
        AnyFormat::Embeddings(_) | AnyFormat::Rerank(_) => return &[],
    };
    match format {
        Format::AnthropicMessages => &ANTHROPIC,
        Format::OpenAiChat | Format::OpenAiCompletions | Format::OpenAiResponses => &OPENAI,
        Format::BedrockConverse | Format::CohereChat | Format::GeminiGenerateContent => &[],
    }
}

/// Sends the encoded request and waits for the head of the answer.
pub(crate) async fn run(
    exchange: &Exchange,
    candidate: &Candidate,
    encoded: Encoded,
    limits: &Limits,
) -> Result<Answer, AttemptError> {
    let http = match &candidate.offer.provider.link {
        Link::Simulated(simulated) => {
            let sent = limits.wait(
                Wait::FirstContent,
                simulated::answer(simulated, candidate, exchange.scan.stream),
            );
            return sent.await?;
        }
        Link::Http(http) => http,
    };
    let key = http.key(candidate.key);
    let way = candidate.way();
    let endpoint = way.endpoint.as_ref();
    let endpoint = endpoint.expect("a provider over HTTP has an address");
    let counted = endpoint.count().filter(|_| exchange.counts);
    let uri = counted.unwrap_or_else(|| endpoint.uri(exchange.scan.stream));
    let headers = || headers(exchange, way.speaks.format(), encoded.translated);
    let sent = sign_in_and_send(key, &Method::POST, uri, headers, &encoded.segments);
    let (head, body) = limits.wait(Wait::FirstContent, sent).await??.into_parts();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: AnswerSource::Http(body),
    })
}

/// Sends it with what the credential shows; once more where that is refused and another is to be had.
pub(crate) async fn sign_in_and_send(
    key: &Key,
    method: &Method,
    uri: &Uri,
    headers: impl Fn() -> HeaderMap,
    body: &[Bytes],
) -> Result<Response<Incoming>, AttemptError> {
    let mut pass = key.sign_in.pass().await?;
    let mut again = true;
    loop {
        let mut headers = headers();
        pass.stamp(method, uri, &mut headers, Some(body))?;
        let request = || {
            let mut request = Request::new(Segments::from(body.to_vec()));
            request.method_mut().clone_from(method);
            *request.uri_mut() = uri.clone();
            request.headers_mut().clone_from(&headers);
            request
        };
        let response = client::send(&key.client, request).await?;
        let status = response.status();
        let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if !(refused && std::mem::take(&mut again)) {
            return Ok(response);
        }
        match key.sign_in.after_refusal(&pass, response.headers()).await {
            Some(other) => pass = other,
            None => return Ok(response),
        }
    }
}

fn headers(exchange: &Exchange, format: AnyFormat, translated: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    let written = exchange.headers.get(CONTENT_TYPE);
    // A form is parted by what its header says.
    let written = written.filter(|_| exchange.form.is_some());
    headers.insert(CONTENT_TYPE, written.cloned().unwrap_or(JSON));
    let accept = match format {
        _ if exchange.scan.stream => ACCEPT_STREAM,
        AnyFormat::Relayed(_) => ACCEPT_ANY,
        _ => ACCEPT_JSON,
    };
    headers.insert(ACCEPT, accept);
    headers.insert(USER_AGENT, OUR_AGENT);
    if format == AnyFormat::Chat(Format::AnthropicMessages) {
        headers.insert(ANTHROPIC_VERSION, ANTHROPIC_VERSION_VALUE);
    }
    if !translated {
        forward(format, &exchange.headers, &mut headers);
    }
    headers
}

/// Copies those headers of a client that a provider of the same format may see.
pub(crate) fn forward(format: AnyFormat, from: &HeaderMap, to: &mut HeaderMap) {
    for name in forwarded(format) {
        if let Some(value) = from.get(name) {
            to.insert(name.clone(), value.clone());
        }
    }
}

impl From<SignInError> for AttemptError {
    fn from(error: SignInError) -> Self {
        Self::failed(FailureClass::CredentialRejected, error.to_string())
    }
}

impl From<SendError> for AttemptError {
    fn from(error: SendError) -> Self {
        let class: FailureClass = error.class;
        Self::failed(class, error.message)
    }
}
