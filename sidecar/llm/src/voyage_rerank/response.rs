//! Answers.

use serde::{Deserialize, Serialize};

use crate::error::{ClientError, DecodeError};
use crate::format::Encoded;
use crate::ir::Usage;
use crate::json::{Object, ObjectWriter, Path, Report, array, write_array};
use crate::openai_error;
use crate::rerank::{Ranked, RerankDocument, RerankReply, RerankResponse};
use crate::voyage_rerank::FORMAT;

const MEMBERS: [&str; 4] = ["object", "data", "model", "usage"];
const RESULT_MEMBERS: [&str; 3] = ["index", "relevance_score", "document"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct UsageIn {
    total_tokens: Option<u64>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    detail: &'a str,
}

/// Reads a provider's answer.
pub(super) fn decode(body: &[u8]) -> Result<RerankResponse, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    if object.peek("detail").is_some() && object.peek("data").is_none() {
        let reported = openai_error::decode_inside(body);
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    object.raw("object");
    let path = object.path().member("data");
    let results = (0..)
        .zip(array(object.required("data")?, &path)?)
        .map(|(index, raw)| Ranked::decode(raw, &path.item(index)))
        .collect::<Result<Vec<Ranked>, DecodeError>>()?;
    let usage = object.raw("usage").and_then(|raw| {
        let wire: UsageIn = serde_json::from_str(raw.get()).ok()?;
        Some(Usage {
            input_tokens: wire.total_tokens?,
            ..Usage::default()
        })
    });
    Ok(RerankResponse {
        origin: FORMAT,
        id: None,
        model: object.string("model")?.filter(|model| !model.is_empty()),
        results,
        usage,
        search_units: None,
        extra: object.into_members(),
    })
}

/// Writes an answer for a client.
pub(super) fn encode(response: &RerankResponse, reply: &RerankReply) -> Encoded {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let at_home = response.origin == FORMAT;
    let mut object = ObjectWriter::new(&mut body);
    object.value("object", "list");
    let out = object.key("data");
    write_array(out, &response.results, |out, result| {
        write_result(out, result, reply, at_home, &mut report);
    });
    let model = reply.model.as_deref().or(response.model.as_deref());
    object.value("model", model.unwrap_or_default());
    // Clients read it without asking.
    let mut usage = ObjectWriter::new(object.key("usage"));
    let tokens = response.usage.unwrap_or_default().input_tokens;
    usage.value("total_tokens", &tokens);
    usage.end();
    for (name, lost) in [
        ("id", response.id.is_some()),
        ("search_units", response.search_units.is_some()),
    ] {
        if lost {
            report.note(name);
        }
    }
    object.members(&response.extra, at_home, &MEMBERS, ("", &mut report));
    object.end();
    report.into_encoded(body)
}

/// A document is shown as its text.
fn write_result(
    out: &mut Vec<u8>,
    result: &Ranked,
    reply: &RerankReply,
    at_home: bool,
    report: &mut Report,
) {
    let mut object = ObjectWriter::new(out);
    object.value("index", &result.index);
    object.value("relevance_score", &result.score);
    let text = result.shown(reply).map(RerankDocument::text);
    if text == Some(None) {
        report.note("result.document");
    }
    object.optional("document", text.flatten().as_ref());
    let known = &RESULT_MEMBERS;
    object.members(&result.extra, at_home, known, ("result", report));
    object.end();
}

/// A whole error body.
pub(super) fn encode_error(error: &ClientError) -> Vec<u8> {
    let detail = &error.message;
    serde_json::to_vec(&ErrorBody { detail }).expect("strings are always JSON")
}
