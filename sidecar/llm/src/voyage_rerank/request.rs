//! Requests.

use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::json::{Object, ObjectWriter, Path, Report, write_json};
use crate::rerank::{RerankDocument, RerankRequest, RerankTarget};
use crate::voyage_rerank::FORMAT;

const MEMBERS: [&str; 6] = [
    "model",
    "query",
    "documents",
    "top_k",
    "return_documents",
    "truncation",
];

/// Reads a client's request.
pub(super) fn decode(body: &[u8]) -> Result<RerankRequest, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    Ok(RerankRequest {
        origin: FORMAT,
        model: object.required_string("model")?,
        query: object.required_string("query")?,
        documents: RerankDocument::decode_all(&mut object)?,
        top_n: object.take("top_k", "a whole number")?,
        return_documents: object.take("return_documents", "true or false")?,
        max_tokens_per_document: None,
        truncate: object.take("truncation", "true or false")?,
        extra: object.into_members(),
    })
}

/// Writes a request for a provider.
pub(super) fn encode(
    request: &RerankRequest,
    target: &RerankTarget<'_>,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    object.value("model", target.model);
    object.value("query", &request.query);
    let out = object.key("documents");
    out.push(b'[');
    for (index, document) in request.documents.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_json(out, &text(index, document)?);
    }
    out.push(b']');
    object.optional("top_k", request.top_n.as_ref());
    if target.dialect.returns_documents {
        object.optional("return_documents", request.return_documents.as_ref());
    }
    object.optional("truncation", request.truncate.as_ref());
    if request.max_tokens_per_document.is_some() {
        report.note("max_tokens_per_doc");
    }
    let at_home = request.origin == FORMAT;
    object.members(&request.extra, at_home, &MEMBERS, ("", &mut report));
    object.end();
    Ok(report.into_encoded(body))
}

/// Documents are texts; of an object with fields, its text would be half of what is ranked.
fn text(index: usize, document: &RerankDocument) -> Result<&str, EncodeError> {
    match document {
        RerankDocument::Text(text) => Ok(text),
        RerankDocument::Fields(_) => Err(EncodeError::Operation {
            path: format!("documents[{index}]"),
            format: FORMAT.name(),
            reason: "it ranks texts only; write the fields into one text".to_owned(),
        }),
    }
}
