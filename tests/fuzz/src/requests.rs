//! What clients send.

use bytes::Bytes;
use fkm_llm::ir::Opaque;
use fkm_llm::{Capabilities, Edits, Format, Target, encode_request, format};

use crate::target::dialect;

/// A body is found fit for pass-through or not; an edited one is JSON and can be edited again.
pub(crate) fn scan(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    let Ok(found) = fkm_llm::scan(&body) else {
        return;
    };
    let edits = Edits {
        model: Some("another"),
        include_usage: found.stream,
        ..Edits::default()
    };
    let edited = fkm_llm::edit(&body, &found, &edits).concat();
    assert!(edited.len() <= data.len() + 256, "an edit is small");
    let again = fkm_llm::scan(&edited).expect("an edited body is a body");
    assert_eq!(again.stream, found.stream);
}

/// A mark around a provider's state is read back as it was written.
pub(crate) fn opaque(data: &[u8]) {
    for origin in Format::ALL {
        let state = Opaque::new(origin, data);
        for shown in Format::ALL {
            let text = state.wrap(shown);
            assert_eq!(Opaque::unwrap(&text, shown).as_ref(), Ok(&state));
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Opaque::unwrap(text, Format::OpenAiChat);
    }
}

/// A request that is understood is written for every format or refused, and what is written is understood.
pub(crate) fn request(from: Format, data: &[u8]) {
    let Ok(request) = format(from).decode_request(data) else {
        return;
    };
    for to in Format::ALL {
        let target = Target {
            model: "m",
            dialect: &dialect(to),
            capabilities: &Capabilities::default(),
            max_output_tokens: None,
            stream: request.stream,
        };
        let Ok(encoded) = encode_request(&request, &target) else {
            continue;
        };
        let most = 16 * data.len() + 4096;
        assert!(encoded.body.len() <= most, "{from} to {to}: bounded");
        let again = format(to).decode_request(&encoded.body);
        assert_eq!(again.err(), None, "{from} to {to}: a request");
    }
}
