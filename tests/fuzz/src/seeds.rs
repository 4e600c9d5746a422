//! Good documents to begin from: those of `seeds.txt`, and the answers among them as streams of every format.

use fkm_llm::fold::unfold;
use fkm_llm::ir::Response;
use fkm_llm::{Format, StreamOptions, format};

/// Every seed.
pub fn seeds() -> Vec<Vec<u8>> {
    let written = written();
    let answers = written.iter().filter_map(|seed| answer(seed));
    let streams = answers.flat_map(|answer| Format::ALL.map(|to| stream(to, &answer)));
    let streams: Vec<Vec<u8>> = streams.collect();
    written.into_iter().chain(streams).collect()
}

/// Those of the file, one a line; `\n` stands for an end of line, `\r` for the mark before it.
fn written() -> Vec<Vec<u8>> {
    let lines = include_str!("seeds.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.replace("\\r", "\r").replace("\\n", "\n").into_bytes())
        .collect()
}

/// The answer that a seed is in some format.
fn answer(seed: &[u8]) -> Option<Response> {
    let read = |home| format(home).decode_response(seed).ok();
    Format::ALL.into_iter().find_map(read)
}

/// The same as a stream of another provider.
fn stream(to: Format, answer: &Response) -> Vec<u8> {
    let options = StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    };
    let mut encoder = format(to).stream_encoder(&options);
    let mut frames = Vec::new();
    for event in unfold(answer) {
        encoder.push(&event, &mut frames);
    }
    encoder.end(&mut frames);
    frames.concat()
}
