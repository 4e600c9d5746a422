//! The pieces of work: a request, a whole answer and a stream from one format to another, or passed through.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use fkm_dialect::Format;
use fkm_llm::{
    Capabilities, Edits, RelayOptions, StreamOptions, StreamTransform, encode_request, format,
    translate,
};
use serde::Serialize;

use crate::measure::{Cost, measure};
use crate::sample::{self, Kind};

/// Bytes of text in the request.
const REQUEST_BYTES: usize = 4096;
/// Pieces of the answer.
const PIECES: usize = 400;

/// What a client of one format pays for a provider of another, or for what is passed through.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Row {
    /// `None`: passed through.
    pub(crate) client: Option<Format>,
    pub(crate) provider: Format,
    /// A request of 4 KiB, with tools where both formats know them.
    pub(crate) request: Cost,
    /// A whole answer of 400 pieces.
    pub(crate) answer: Cost,
    /// One event with a piece of text.
    pub(crate) text: Cost,
    /// One event with a piece of a thought, and of a call's arguments; `None` where the provider's format has none.
    pub(crate) thought: Option<Cost>,
    pub(crate) arguments: Option<Cost>,
}

/// Measures one pair.
pub(crate) fn pair(client: Format, provider: Format, samples: usize) -> Result<Row> {
    let dialect = sample::dialect(provider);
    let capabilities = Capabilities::default();
    let target = sample::target(&dialect, &capabilities);
    let translated = |body: &[u8]| {
        let request = format(client).decode_request(body)?;
        anyhow::Ok(encode_request(&request, &target)?.body)
    };
    let mut body = sample::request(client, REQUEST_BYTES)?.1;
    if translated(&body).is_err() {
        body = sample::plain_request(client, REQUEST_BYTES)?;
    }
    translated(&body).with_context(|| format!("{client} to {provider}"))?;
    let (_, answer) = sample::answer(provider, PIECES)?;
    let whole = || {
        let response = format(provider).decode_response(&answer)?;
        anyhow::Ok(format(client).encode_response(&response)?.body)
    };
    ensure!(!whole().context("an answer")?.is_empty());
    let options = StreamOptions::default();
    let event = |kind| {
        events(provider, kind, samples, || {
            translate(&dialect, client, &options)
        })
    };
    Ok(Row {
        client: Some(client),
        provider,
        request: measure(samples, 1, || translated(&body)),
        answer: measure(samples, 1, whole),
        text: event(Kind::Text).context("a stream of text")?,
        thought: event(Kind::Thought),
        arguments: event(Kind::Arguments),
    })
}

/// Measures pass-through of one format.
pub(crate) fn pass_through(home: Format, samples: usize) -> Result<Row> {
    let body = Bytes::from(sample::request(home, REQUEST_BYTES)?.1);
    let dialect = sample::dialect(home);
    let edits = Edits {
        model: Some("another"),
        include_usage: false,
        dialect: &dialect,
    };
    let request = || fkm_llm::scan(&body).map(|found| fkm_llm::edit(&body, &found, &edits));
    let (_, answer) = sample::answer(home, PIECES)?;
    let event = |kind| {
        events(home, kind, samples, || {
            format(home).relay(&RelayOptions::default())
        })
    };
    Ok(Row {
        client: None,
        provider: home,
        request: measure(samples, 1, request),
        answer: measure(samples, 1, || format(home).response_facts(&answer)),
        text: event(Kind::Text).context("a stream of text")?,
        thought: event(Kind::Thought),
        arguments: event(Kind::Arguments),
    })
}

/// One event of a stream of `home`; `None` when the format has no such pieces, or gives them in one.
fn events(
    home: Format,
    kind: Kind,
    samples: usize,
    transform: impl Fn() -> Box<dyn StreamTransform>,
) -> Option<Cost> {
    let frames = sample::stream(home, kind, PIECES);
    (frames.len() >= PIECES).then(|| measure(samples, frames.len(), || run(transform(), &frames)))
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
