//! The pieces of work: a request, a whole answer and a stream from one format to another, or passed through.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use fkm_dialect::Format;
use fkm_llm::{
    Capabilities, Edits, RelayOptions, StreamOptions, StreamTransform, Target, encode_request,
    format, translate,
};
use serde::Serialize;

use crate::measure::{Cost, measure};
use crate::sample;

/// Bytes of text in the request.
const REQUEST_BYTES: usize = 4096;
/// Pieces of the answer.
const PIECES: usize = 400;

/// What a client of one format pays for a provider of another.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) client: Format,
    pub(crate) provider: Format,
    /// A request of 4 KiB; `None`: the provider's format cannot express it.
    pub(crate) request: Option<Cost>,
    /// A whole answer of 400 pieces.
    pub(crate) answer: Cost,
    /// One event of a stream.
    pub(crate) event: Cost,
}

/// What it costs to hand the same through.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct PassThrough {
    pub(crate) format: Format,
    pub(crate) request: Cost,
    pub(crate) answer: Cost,
    pub(crate) event: Cost,
}

/// Measures one pair.
pub(crate) fn pair(client: Format, provider: Format, samples: usize) -> Result<Pair> {
    let body = sample::request(client, REQUEST_BYTES)?;
    let dialect = sample::dialect(provider);
    let capabilities = Capabilities::default();
    let target = Target {
        model: "m",
        dialect: &dialect,
        capabilities: &capabilities,
        max_output_tokens: None,
        stream: true,
    };
    let request = || {
        let request = format(client).decode_request(&body)?;
        anyhow::Ok(encode_request(&request, &target)?.body)
    };
    let answer = sample::answer(provider, PIECES)?;
    let whole = || {
        let response = format(provider).decode_response(&answer)?;
        anyhow::Ok(format(client).encode_response(&response)?.body)
    };
    ensure!(!whole().context("an answer")?.is_empty());
    let frames = sample::stream(provider, PIECES);
    let options = StreamOptions::default();
    Ok(Pair {
        client,
        provider,
        request: request().is_ok().then(|| measure(samples, 1, request)),
        answer: measure(samples, 1, whole),
        event: measure(samples, frames.len(), || {
            run(translate(&dialect, client, &options), &frames)
        }),
    })
}

/// Measures pass-through of one format.
pub(crate) fn pass_through(home: Format, samples: usize) -> Result<PassThrough> {
    let body = Bytes::from(sample::request(home, REQUEST_BYTES)?);
    let dialect = sample::dialect(home);
    let edits = Edits {
        model: Some("another"),
        include_usage: false,
        dialect: &dialect,
    };
    let request = || fkm_llm::scan(&body).map(|found| fkm_llm::edit(&body, &found, &edits));
    let answer = sample::answer(home, PIECES)?;
    let frames = sample::stream(home, PIECES);
    Ok(PassThrough {
        format: home,
        request: measure(samples, 1, request),
        answer: measure(samples, 1, || format(home).response_facts(&answer)),
        event: measure(samples, frames.len(), || {
            run(format(home).relay(&RelayOptions::default()), &frames)
        }),
    })
}

/// Hands the frames to a transform; gives how many bytes came out.
pub(crate) fn run(mut transform: Box<dyn StreamTransform>, frames: &[Bytes]) -> usize {
    let mut out = Vec::new();
    let mut bytes = 0;
    for frame in frames {
        if transform.push(frame.clone(), &mut out).is_err() {
            return 0;
        }
        bytes += out.drain(..).map(|piece| piece.len()).sum::<usize>();
    }
    match transform.end(&mut out) {
        Ok(()) => bytes + out.iter().map(Bytes::len).sum::<usize>(),
        Err(_) => 0,
    }
}
