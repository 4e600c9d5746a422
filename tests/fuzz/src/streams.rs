//! What providers send.

use bytes::Bytes;
use fkm_llm::ir::Event;
use fkm_llm::{
    ClientError, Format, RelayOptions, StreamFault, StreamOptions, StreamTransform, format,
    translate,
};
use http::HeaderMap;

use crate::target::dialect;

/// An answer that is understood is written for every client or refused; what is written is understood.
pub(crate) fn answer(from: Format, data: &[u8]) {
    let facts = format(from).response_facts(data);
    let Ok(response) = format(from).decode_response(data) else {
        return;
    };
    if let Ok(facts) = facts {
        assert_eq!(facts.usage, response.usage, "{from}: one count");
    }
    for to in Format::ALL {
        if let Ok(encoded) = format(to).encode_response(&response) {
            let most = 16 * data.len() + 4096;
            assert!(encoded.body.len() <= most, "{from} to {to}: bounded");
            let again = format(to).decode_response(&encoded.body);
            assert_eq!(again.err(), None, "{from} to {to}: an answer");
        }
    }
}

/// Whatever an error says, it is classified, bounded, and shown to every client.
pub(crate) fn error(from: Format, data: &[u8]) {
    for status in [200, 400, 401, 404, 429, 500, 529] {
        let error = format(from).decode_error(status, &HeaderMap::new(), data);
        assert!(error.message.len() <= fkm_llm::error::MAX_MESSAGE_BYTES + 8);
        let told = ClientError::from(&error);
        for to in Format::ALL {
            let _ = format(to).encode_error(&told);
            let _ = format(to).encode_stream_error(&told);
            assert!((400..600).contains(&format(to).error_status(&told)));
        }
    }
}

/// Events and fault are the same however the stream is cut, and go to every client.
pub(crate) fn stream(from: Format, data: &[u8]) {
    let whole = decode(from, data, data.len());
    for size in [1, 3, 7] {
        assert_eq!(decode(from, data, size), whole, "{from}: pieces of {size}");
    }
    for to in Format::ALL {
        let transform = translate(&dialect(from), to, &StreamOptions::default());
        let (_, written) = pass(transform, data, 7);
        // A byte of a stream may begin a frame of a few hundred bytes.
        let most = 1024 * data.len() + 65_536;
        assert!(written.len() <= most, "{from} to {to}: bounded");
    }
}

/// What is passed through is what came, up to a fault; and the same however it is cut.
pub(crate) fn relay(from: Format, data: &[u8]) {
    let options = RelayOptions::default();
    let whole = pass(format(from).relay(&options), data, data.len());
    for size in [1, 7] {
        let cut = pass(format(from).relay(&options), data, size);
        assert_eq!(cut.0, whole.0, "{from}: pieces of {size}");
    }
    let unchanged = whole.1.len().min(data.len());
    if whole.0 == Err(StreamFault::Incomplete) {
        assert_eq!(
            whole.1[..unchanged],
            data[..unchanged],
            "{from}: as it came"
        );
    }
}

fn decode(from: Format, data: &[u8], size: usize) -> (Vec<Event>, Result<(), StreamFault>) {
    let mut decoder = format(from).stream_decoder(&dialect(from));
    let mut events = Vec::new();
    for piece in data.chunks(size.max(1)) {
        if let Err(fault) = decoder.push(piece, &mut events) {
            return (events, Err(fault));
        }
    }
    let end = decoder.end(&mut events);
    (events, end)
}

pub(crate) fn pass(
    mut transform: Box<dyn StreamTransform>,
    data: &[u8],
    size: usize,
) -> (Result<(), StreamFault>, Vec<u8>) {
    let mut out = Vec::new();
    for piece in data.chunks(size.max(1)) {
        if let Err(fault) = transform.push(Bytes::copy_from_slice(piece), &mut out) {
            return (Err(fault), out.concat());
        }
    }
    let end = transform.end(&mut out);
    (end, out.concat())
}
