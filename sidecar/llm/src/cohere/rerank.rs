//! Reranking (<https://docs.cohere.com/v2/reference/rerank>), both versions, and of those who speak it: they name a model
//! and count tokens.

use fkm_dialect::RerankFormat;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cohere::error;
use crate::cohere::meta::{self, Meta};
use crate::embedding::Members;
use crate::error::{ClientError, DecodeError, EncodeError, ProviderError};
use crate::format::Encoded;
use crate::ir::{RawJson, Usage};
use crate::json::{Object, ObjectWriter, Path, Report, array, is_string, write_array};
use crate::rerank::{
    Ranked, RerankCodec, RerankDocument, RerankReply, RerankRequest, RerankResponse, RerankTarget,
};

/// The format `cohere.rerank`.
#[derive(Clone, Copy, Debug)]
pub struct CohereRerank;

const FORMAT: RerankFormat = RerankFormat::CohereRerank;

const REQUEST_MEMBERS: [&str; 6] = [
    "model",
    "query",
    "documents",
    "top_n",
    "return_documents",
    "max_tokens_per_doc",
];
const MEMBERS: [&str; 5] = ["id", "results", "meta", "model", "usage"];
/// Where `meta` of those who do not bill by searches says what was counted.
const TOKENS: &str = "meta.tokens";
const RESULT_MEMBERS: [&str; 3] = ["index", "relevance_score", "document"];

/// `usage` of those who count tokens.
#[derive(Default, Deserialize)]
#[serde(default)]
struct UsageIn {
    total_tokens: Option<u64>,
}

// === impl CohereRerank ===

impl RerankCodec for CohereRerank {
    fn name(&self) -> RerankFormat {
        FORMAT
    }

    fn decode_request(&self, body: &[u8]) -> Result<RerankRequest, DecodeError> {
        let mut object = Object::parse(body, &Path::Root)?;
        Ok(RerankRequest {
            origin: FORMAT,
            model: object.required_string("model")?,
            query: object.required_string("query")?,
            documents: RerankDocument::decode_all(&mut object)?,
            top_n: object.take("top_n", "a whole number")?,
            return_documents: object.take("return_documents", "true or false")?,
            max_tokens_per_document: object.take("max_tokens_per_doc", "a whole number")?,
            truncate: None,
            extra: object.into_members(),
        })
    }

    fn encode_request(
        &self,
        request: &RerankRequest,
        target: &RerankTarget<'_>,
    ) -> Result<Encoded, EncodeError> {
        let mut body = Vec::with_capacity(1024);
        let mut report = Report::default();
        let mut object = ObjectWriter::new(&mut body);
        object.value("model", target.model);
        object.value("query", &request.query);
        write_array(
            object.key("documents"),
            &request.documents,
            |out, document| {
                document.encode(out);
            },
        );
        object.optional("top_n", request.top_n.as_ref());
        if target.dialect.returns_documents {
            object.optional("return_documents", request.return_documents.as_ref());
        }
        let most = request.max_tokens_per_document.as_ref();
        object.optional("max_tokens_per_doc", most);
        // It always cuts off what is too long.
        if request.truncate == Some(false) {
            report.note("truncation");
        }
        let at_home = request.origin == FORMAT;
        let known = &REQUEST_MEMBERS;
        object.members(&request.extra, at_home, known, ("", &mut report));
        object.end();
        Ok(report.into_encoded(body))
    }

    fn decode_response(&self, body: &[u8]) -> Result<RerankResponse, DecodeError> {
        let mut object = Object::parse(body, &Path::Root)?;
        if object.peek("message").is_some_and(is_string) && object.peek("results").is_none() {
            let reported = error::decode_inside(body);
            return Err(DecodeError::Provider(Box::new(reported)));
        }
        let path = object.path().member("results");
        let results = (0..)
            .zip(array(object.required("results")?, &path)?)
            .map(|(index, raw)| Ranked::decode(raw, &path.item(index)))
            .collect::<Result<Vec<Ranked>, DecodeError>>()?;
        let id = object.string("id")?.filter(|id| !id.is_empty());
        let model = object.string("model")?.filter(|model| !model.is_empty());
        let tokens = object.raw("usage").and_then(usage);
        let mut extra = Members::new();
        let meta = meta::take(&mut object, &mut extra);
        if meta
            .usage
            .is_some_and(|usage| extra.get(TOKENS) == Some(&counted(usage)))
        {
            extra.remove(TOKENS);
        }
        extra.extend(object.into_members());
        Ok(RerankResponse {
            origin: FORMAT,
            id,
            model,
            results,
            usage: tokens.or(meta.usage),
            search_units: meta.search_units,
            extra,
        })
    }

    fn encode_response(&self, response: &RerankResponse, reply: &RerankReply) -> Encoded {
        let mut body = Vec::with_capacity(1024);
        let mut report = Report::default();
        let at_home = response.origin == FORMAT;
        let mut object = ObjectWriter::new(&mut body);
        object.optional("id", response.id.as_ref());
        let out = object.key("results");
        write_array(out, &response.results, |out, result| {
            write_result(out, result, reply, at_home, &mut report);
        });
        let model = reply.model.as_ref().or(response.model.as_ref());
        object.optional("model", model);
        let (mut of_meta, extra): (Members, Members) = response
            .extra
            .clone()
            .into_iter()
            .partition(|(name, _)| at_home && meta::is_of_meta(name));
        let search_units = response.search_units;
        let billed = response.usage.filter(|usage| usage.billed.is_some());
        let meta = Meta {
            usage: billed,
            search_units,
        };
        let unbilled = response.usage.filter(|usage| usage.billed.is_none());
        match unbilled {
            // as Jina and other hosts of the format say it
            Some(usage) if at_home => write_usage(&mut object, usage),
            Some(usage) => {
                of_meta.insert(TOKENS.to_owned(), counted(usage));
            }
            None => {}
        }
        meta::write(&mut object, meta, &of_meta);
        object.members(&extra, at_home, &MEMBERS, ("", &mut report));
        object.end();
        report.into_encoded(body)
    }

    fn decode_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
        error::decode(status, headers, body)
    }

    fn encode_error(&self, error: &ClientError) -> Vec<u8> {
        error::encode(error)
    }

    fn request_id_header(&self) -> &'static str {
        error::TRACE_HEADER
    }
}

/// What has no counts is as good as absent.
fn usage(raw: &RawValue) -> Option<Usage> {
    let wire: UsageIn = serde_json::from_str(raw.get()).ok()?;
    Some(Usage {
        input_tokens: wire.total_tokens?,
        ..Usage::default()
    })
}

/// The tokens of an answer that were counted, and not paid for, as Cohere's own clients read them.
fn counted(usage: Usage) -> RawJson {
    RawJson::from(&serde_json::json!({ "input_tokens": usage.input_tokens }))
}

fn write_usage(object: &mut ObjectWriter<'_>, usage: Usage) {
    let mut out = ObjectWriter::new(object.key("usage"));
    out.value("total_tokens", &usage.input_tokens);
    out.end();
}

/// A document is shown as an object with its text, as the first version has it.
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
    match result.shown(reply) {
        None => {}
        Some(RerankDocument::Text(text)) => {
            let mut document = ObjectWriter::new(object.key("document"));
            document.value("text", text);
            document.end();
        }
        Some(fields) => fields.encode(object.key("document")),
    }
    let known = &RESULT_MEMBERS;
    object.members(&result.extra, at_home, known, ("result", report));
    object.end();
}
