//! Operations of one format each, which pass as they are: forms, requests, answers and streams.

use bytes::Bytes;
use fkm_llm::form::Form;
use fkm_llm::{AnswerKind, RelayDialect, RelayFormat, Relayed};

use crate::streams::pass;

/// A form, its content type before the first end of line: what is accepted can be edited, and says the same afterwards but for
/// the model.
pub(crate) fn form(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (Some(header), Some(body)) = (lines.next(), lines.next()) else {
        return;
    };
    let Ok(content_type) = std::str::from_utf8(header) else {
        return;
    };
    let Ok((form, found)) = Form::scan(content_type, body) else {
        return;
    };
    let body = Bytes::copy_from_slice(body);
    if let Some(model) = &found.model {
        assert_eq!(body[model.span.clone()], *model.name.as_bytes());
        let same = form.edit(&body, &found, &model.name);
        assert_eq!(same, std::slice::from_ref(&body), "as it came");
    }
    let edited = form.edit(&body, &found, "another").concat();
    assert!(edited.len() <= body.len() + 256, "an edit is small");
    let (_, again) = Form::scan(content_type, &edited).expect("an edited form is a form");
    assert_eq!(again.model.expect("named").name, "another");
    assert_eq!((again.stream, again.n), (found.stream, found.n));
}

/// A request, an answer and a stream: what is accepted can be edited, and what passes is what came, however it is cut.
pub(crate) fn relayed(format: RelayFormat, data: &[u8]) {
    let relayed = Relayed(format);
    let body = Bytes::copy_from_slice(data);
    if let Ok((form, found)) = relayed.scan("application/json", &body) {
        let dialect = RelayDialect::usual(format);
        let edited = relayed.edit(&body, form.as_ref(), &found, "another", &dialect);
        let edited = edited.concat();
        assert!(edited.len() <= data.len() + 64, "an edit is small");
        let again = relayed.scan("application/json", &edited);
        let (_, again) = again.expect("an edited body is a body");
        assert_eq!(again.model.expect("named").name, "another");
        assert_eq!(again.stream, found.stream);
    }
    let _ = relayed.facts(AnswerKind::Json, data);
    let whole = pass(relayed.relay(2), data, data.len());
    for size in [1, 7] {
        let cut = pass(relayed.relay(2), data, size);
        assert_eq!(cut.0, whole.0, "{format}: pieces of {size}");
    }
    if whole.0.is_ok() {
        let passed = whole.1.len().min(data.len());
        assert_eq!(whole.1[..passed], data[..passed], "{format}: as it came");
    }
}
