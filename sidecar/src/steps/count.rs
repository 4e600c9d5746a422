//! Counting a request's tokens: by the provider that would answer it where that counts for clients of the same format, else
//! estimated, which the answer says.

use bytes::Bytes;
use fkm_llm::Format;
use fkm_snapshot::AnyFormat;
use http::{HeaderName, HeaderValue, Response};
use serde::Deserialize;
use serde_json::json;

use crate::exchange::RequestId;
use crate::relay::AnswerBody;
use crate::respond;
use crate::runtime::Candidate;

/// Says that a number is an estimate of ours.
const X_ESTIMATED: HeaderName = HeaderName::from_static("x-fkm-estimated");

/// Those candidates that count by themselves; none where the first would not: what another model counts says nothing of it.
pub(crate) fn counting(plan: Vec<Candidate>, format: AnyFormat) -> Vec<Candidate> {
    let counts = |candidate: &Candidate| {
        let way = candidate.way();
        let endpoint = way.endpoint.as_ref();
        way.speaks.format() == format && endpoint.is_some_and(|one| one.count().is_some())
    };
    if !plan.first().is_some_and(counts) {
        return Vec::new();
    }
    plan.into_iter().filter(counts).collect()
}

/// Whether a provider's answer says a number.
pub(super) fn says(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Count {
        #[serde(alias = "totalTokens")]
        input_tokens: Option<u64>,
    }
    serde_json::from_slice::<Count>(body).is_ok_and(|count| count.input_tokens.is_some())
}

/// The answer where nobody counts.
pub(crate) fn estimate(format: AnyFormat, body: &Bytes, id: &RequestId) -> Response<AnswerBody> {
    let tokens = fkm_llm::weigh(body);
    let answer = match format {
        AnyFormat::Chat(Format::GeminiGenerateContent) => json!({"totalTokens": tokens}),
        AnyFormat::Chat(Format::OpenAiResponses) => {
            json!({"object": "response.input_tokens", "input_tokens": tokens})
        }
        _ => json!({"input_tokens": tokens}),
    };
    let mut response = respond::json(answer.to_string().into_bytes(), id);
    let headers = response.headers_mut();
    headers.insert(X_ESTIMATED, HeaderValue::from_static("input_tokens"));
    response
}
