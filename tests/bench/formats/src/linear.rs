//! Work is linear in the input: sixteen times the input takes at most twice as long a byte.

use anyhow::{Result, ensure};
use bytes::Bytes;
use fkm_dialect::Format;
use fkm_llm::{StreamOptions, format, translate};
use serde::Serialize;

use crate::measure::measure;
use crate::sample;
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

/// Measures requests with a long text, streams of many events, and one large frame that comes in small pieces.
pub(crate) fn growth(home: Format, samples: usize) -> Result<Vec<Growth>> {
    let request = |bytes| -> Result<(usize, f64)> {
        let body = sample::request(home, bytes)?;
        let cost = measure(samples, body.len(), || format(home).decode_request(&body));
        Ok((body.len(), cost.nanoseconds))
    };
    let stream = |pieces| {
        let frames = sample::stream(home, pieces);
        let dialect = sample::dialect(home);
        let options = StreamOptions::default();
        let cost = measure(samples, pieces, || {
            run(translate(&dialect, home, &options), &frames)
        });
        cost.nanoseconds
    };
    let dripped = |pieces| {
        // Everything at once, cut where no frame ends.
        let whole = Bytes::from(sample::stream(home, pieces).concat());
        let cut: Vec<Bytes> = (0..whole.len())
            .step_by(61)
            .map(|at| whole.slice(at..whole.len().min(at + 61)))
            .collect();
        let dialect = sample::dialect(home);
        let options = StreamOptions::default();
        let cost = measure(samples, pieces, || {
            run(translate(&dialect, home, &options), &cut)
        });
        cost.nanoseconds
    };
    let (small, large) = (request(16 * 1024)?, request(FACTOR * 16 * 1024)?);
    ensure!(large.0 > small.0 * FACTOR / 2, "{home}: the sample grows");
    let growth = |what: &str, small: f64, large: f64| Growth {
        what: format!("{what} of {home}"),
        ratio: large / small,
    };
    Ok(vec![
        growth("request", small.1, large.1),
        growth("stream", stream(500), stream(500 * FACTOR)),
        growth("stream in pieces", dripped(500), dripped(500 * FACTOR)),
    ])
}
