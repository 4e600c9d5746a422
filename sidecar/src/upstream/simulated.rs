//! The simulated provider: answers in OpenAI's chat format without a network, with faults on request.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use fkm_llm::FailureClass;
use fkm_snapshot::{Simulated, SimulatedError};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::{Answer, AnswerSource, Broken};
use crate::attempt::AttemptError;
use crate::media_type::{EVENT_STREAM, JSON};
use crate::runtime::Candidate;

/// What is left of a simulated body.
#[derive(Debug)]
pub(crate) struct Script {
    left: VecDeque<Bytes>,
    /// Breaks instead of ending.
    cut: bool,
}

/// Answers one attempt, after its latency, or fails it as configured.
pub(crate) async fn answer(
    simulated: &Simulated,
    candidate: &Candidate,
    stream: bool,
) -> Result<Answer, AttemptError> {
    if let Some(latency) = simulated.latency {
        tokio::time::sleep(latency.into()).await;
    }
    if fastrand::u32(0..1_000_000) < simulated.error_per_million {
        return fault(simulated.error).await;
    }
    let id = format!("chatcmpl-sim-{:016x}", fastrand::u64(..));
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let head = |object: &str| json!({"id": id, "object": object, "created": created, "model": &*candidate.offer.upstream_model});
    Ok(if stream {
        stream_answer(simulated, &head("chat.completion.chunk"))
    } else {
        whole_answer(simulated, head("chat.completion"))
    })
}

async fn fault(error: SimulatedError) -> Result<Answer, AttemptError> {
    let (status, message) = match error {
        SimulatedError::Overloaded => (503, "simulated: overloaded"),
        SimulatedError::RateLimited => (429, "simulated: rate limited"),
        SimulatedError::ServerError => (500, "simulated: server error"),
        SimulatedError::ConnectFailure => {
            return Err(AttemptError::failed(
                FailureClass::ConnectFailure,
                "simulated: connection refused",
            ));
        }
        SimulatedError::Timeout => {
            // The attempt's own limits end this wait; the last of them is the exchange's.
            tokio::time::sleep(Duration::from_hours(24)).await;
            (504, "simulated: time-out")
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, JSON);
    if status == 429 {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    let body =
        json!({"error": {"message": message, "type": "simulated", "param": null, "code": null}});
    Ok(plain(status, headers, vec![bytes(&body)], false))
}

fn whole_answer(simulated: &Simulated, mut head: Value) -> Answer {
    head["choices"] = json!([{
        "index": 0,
        "message": {"role": "assistant", "content": simulated.text, "refusal": null},
        "logprobs": null,
        "finish_reason": "stop",
    }]);
    head["usage"] = usage(simulated);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, JSON);
    plain(200, headers, vec![bytes(&head)], false)
}

fn stream_answer(simulated: &Simulated, head: &Value) -> Answer {
    let chunk = |delta: Value, finish: Value| {
        let mut chunk = head.clone();
        chunk["choices"] =
            json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]);
        frame(&chunk)
    };
    let mut frames = vec![chunk(
        json!({"role": "assistant", "content": ""}),
        Value::Null,
    )];
    let words = simulated
        .text
        .split_inclusive(' ')
        .map(|word| chunk(json!({"content": word}), Value::Null));
    let cut = simulated.cut_after_events > 0;
    if cut {
        frames.extend(words.take(simulated.cut_after_events as usize));
    } else {
        frames.extend(words);
        frames.push(chunk(json!({}), json!("stop")));
        let mut last = head.clone();
        last["choices"] = json!([]);
        last["usage"] = usage(simulated);
        frames.push(frame(&last));
        frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    plain(200, headers, frames, cut)
}

/// One token a word: the simulated provider has no tokenizer, and reads no prompt.
fn usage(simulated: &Simulated) -> Value {
    let output = simulated.text.split_whitespace().count();
    json!({"prompt_tokens": 0, "completion_tokens": output, "total_tokens": output})
}

fn plain(status: u16, headers: HeaderMap, pieces: Vec<Bytes>, cut: bool) -> Answer {
    let script = Script {
        left: pieces.into(),
        cut,
    };
    Answer {
        status,
        headers,
        body: AnswerSource::Simulated(script),
    }
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn frame(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

// === impl Script ===

impl Script {
    pub(crate) fn next_piece(&mut self) -> Option<Result<Bytes, Broken>> {
        match self.left.pop_front() {
            Some(piece) => Some(Ok(piece)),
            None if self.cut => Some(Err(Broken("simulated: the stream broke".to_owned()))),
            None => None,
        }
    }
}
