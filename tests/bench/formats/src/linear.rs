//! Work is linear in the input: sixteen times the input takes about as long a byte.

use anyhow::{Result, ensure};
use bytes::Bytes;
use fkm_dialect::{EmbeddingFormat, Format};
use fkm_llm::{Capabilities, RelayOptions, StreamOptions, encode_request, format, translate};
use serde::Serialize;

use crate::embed;
use crate::measure::measure;
use crate::sample::{self, Kind};
use crate::work::run;

/// Times a byte, of the large input to the small one.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Growth {
    pub(crate) what: String,
    pub(crate) ratio: f64,
}

/// The large input is so many times the small one.
const FACTOR: usize = 16;
/// More than this a byte is not linear. Caches and the allocator account for less than 2.
pub(crate) const LIMIT: f64 = 2.5;

/// What is not linear is measured again, for something else may have kept the machine busy.
const TRIES: usize = 3;

/// Bytes of the small request, and pieces of the small answer.
const BYTES: usize = 16 * 1024;
const PIECES: usize = 500;

/// How much longer `work` takes for a large input than for a small one, by byte.
fn growth<T>(
    what: String,
    samples: usize,
    small: usize,
    mut prepare: impl FnMut(usize) -> Result<(usize, T)>,
    mut work: impl FnMut(&T),
) -> Result<Growth> {
    let mut cost = |size: usize| {
        let (length, input) = prepare(size)?;
        let cost = measure(samples, length, || work(&input));
        anyhow::Ok((length, cost.nanoseconds))
    };
    let mut ratio = f64::INFINITY;
    for _ in 0..TRIES {
        let (less, before) = cost(small)?;
        let (more, after) = cost(small * FACTOR)?;
        ensure!(more > less * FACTOR / 2, "{what}: the sample grows");
        ratio = ratio.min(after / before);
        if ratio <= LIMIT {
            break;
        }
    }
    Ok(Growth { what, ratio })
}

/// Reading and writing of requests and answers, and streams, of one format.
pub(crate) fn of(home: Format, samples: usize) -> Result<Vec<Growth>> {
    let codec = format(home);
    let read = |body: &Vec<u8>| drop(codec.decode_request(body));
    let name = |what: &str| format!("{what} of {home}");
    let dialect = sample::dialect(home);
    let capabilities = Capabilities::default();
    let target = sample::target(&dialect, &capabilities);
    let sized = |body: Vec<u8>| (body.len(), body);
    let asked = |bytes| Ok(sized(sample::request(home, bytes)?.1));
    let mut all = vec![
        growth(name("request read"), samples, BYTES, asked, read)?,
        growth(
            name("request written"),
            samples,
            BYTES,
            |bytes| {
                let (request, body) = sample::request(home, bytes)?;
                Ok((body.len(), request))
            },
            |request| drop(encode_request(request, &target)),
        )?,
    ];
    if let Some(least) = sample::long_request(home, 0) {
        let asked = |bytes| Ok(sized(sample::long_request(home, bytes).unwrap_or_default()));
        ensure!(!least.is_empty());
        all.push(growth(
            name("many turns read"),
            samples,
            BYTES,
            asked,
            read,
        )?);
    }
    all.push(growth(
        name("answer read"),
        samples,
        PIECES,
        |pieces| Ok(sized(sample::answer(home, pieces)?.1)),
        |body| drop(codec.decode_response(body)),
    )?);
    all.push(growth(
        name("answer written"),
        samples,
        PIECES,
        |pieces| {
            let (response, body) = sample::answer(home, pieces)?;
            Ok((body.len(), response))
        },
        |response| drop(codec.encode_response(response)),
    )?);
    streams(home, samples, &mut all)?;
    Ok(all)
}

/// Makes a stream of so many pieces.
type Frames = fn(Format, usize) -> Vec<Bytes>;

/// Streams translated and passed through: event by event, and in small pieces, which are cut where no frame ends; and one large
/// event in such pieces.
fn streams(home: Format, samples: usize, all: &mut Vec<Growth>) -> Result<()> {
    let dialect = sample::dialect(home);
    let options = StreamOptions::default();
    let transform = |passed| match passed {
        true => format(home).relay(&RelayOptions::default()),
        false => translate(&dialect, home, &options),
    };
    let events: Frames = |home, count| sample::stream(home, Kind::Text, count);
    let pieces: Frames = |home, count| cut(&sample::stream(home, Kind::Text, count));
    let large: Frames = |home, count| cut(&sample::large_event(home, 8 * count));
    for (what, frames) in [
        ("stream", events),
        ("stream in pieces", pieces),
        ("large event in pieces", large),
    ] {
        let prepare = |count| {
            let frames = frames(home, count);
            Ok((frames.iter().map(Bytes::len).sum(), frames))
        };
        for (done, passed) in [("translated", false), ("passed through", true)] {
            let what = format!("{what} of {home} {done}");
            all.push(growth(what, samples, PIECES, prepare, |frames| {
                std::hint::black_box(run(transform(passed), frames));
            })?);
        }
    }
    Ok(())
}

/// Everything at once, cut where no frame ends.
fn cut(frames: &[Bytes]) -> Vec<Bytes> {
    let whole = Bytes::from(frames.concat());
    (0..whole.len())
        .step_by(61)
        .map(|at| whole.slice(at..whole.len().min(at + 61)))
        .collect()
}

/// Answers with many vectors, read and written.
pub(crate) fn of_embeddings(home: EmbeddingFormat, samples: usize) -> Result<Growth> {
    let work = |body: &Vec<u8>| drop(embed::translated(home, home, false, body));
    let prepare = |vectors| {
        let body = embed::answer(home, vectors, false)?;
        Ok((body.len(), body))
    };
    growth(format!("vectors of {home}"), samples, 4, prepare, work)
}
