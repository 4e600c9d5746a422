//! Answers: `embeddings` has a list of vectors for each type that was asked for.

use crate::cohere::embed::FORMAT;
use crate::cohere::error;
use crate::cohere::meta::{self, Meta};
use crate::embedding::{Embedding, EmbeddingResponse, Encoding, Members, ReplyOptions, Vector};
use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::ir::RawJson;
use crate::json::{Object, ObjectWriter, Path, Report, array, is_string, string};

const MEMBERS: [&str; 3] = ["response_type", "embeddings", "meta"];

/// Before the names of the other types of embeddings, among the unknown members.
const OF_EMBEDDINGS: &str = "embeddings.";

/// Where the type of the vectors is kept, when they are neither floats nor base64.
const TYPE: &str = "embeddings.type";

/// The types, by which is read as the vectors.
const TYPES: [&str; 6] = ["float", "base64", "int8", "uint8", "binary", "ubinary"];

/// Reads a provider's answer.
pub(super) fn decode(body: &[u8]) -> Result<EmbeddingResponse, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    if object.peek("message").is_some_and(is_string) && object.peek("embeddings").is_none() {
        let reported = error::decode_inside(body);
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    object.raw("response_type");
    let path = object.path().member("embeddings");
    let mut types = Object::from_raw(object.required("embeddings")?, &path)?;
    let mut extra = Members::new();
    let embeddings = vectors(&mut types, &mut extra)?;
    for (name, value) in types.into_members() {
        extra.insert(format!("{OF_EMBEDDINGS}{name}"), value);
    }
    let Meta { usage, .. } = meta::take(&mut object, &mut extra);
    extra.extend(object.into_members());
    // An id that says nothing is none.
    if extra.get("id").is_some_and(|id| id.get() == "\"\"") {
        extra.remove("id");
    }
    Ok(EmbeddingResponse {
        origin: FORMAT,
        model: None,
        embeddings,
        usage,
        extra,
    })
}

/// Takes the vectors of the first type that is there.
fn vectors(types: &mut Object<'_, '_>, extra: &mut Members) -> Result<Vec<Embedding>, DecodeError> {
    let found = TYPES
        .into_iter()
        .find_map(|name| Some((name, types.raw(name)?)));
    let Some((name, raw)) = found else {
        return Err(types.invalid("float", "vectors of some type"));
    };
    if !matches!(name, "float" | "base64") {
        extra.insert(TYPE.to_owned(), RawJson::string(name));
    }
    let path = types.path().member(name);
    let raws = array(raw, &path)?;
    if raws.is_empty() {
        return Err(types.invalid(name, "an array with at least one embedding"));
    }
    (0..)
        .zip(raws)
        .map(|(index, raw)| {
            Ok(Embedding {
                vector: Vector::decode(raw, &path.item(index))?,
                extra: Members::new(),
            })
        })
        .collect()
}

/// Writes an answer for a client, each vector as it was asked for; those of other types as they came.
pub(super) fn encode(
    response: &EmbeddingResponse,
    options: &ReplyOptions,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let at_home = response.origin == FORMAT;
    let mut object = ObjectWriter::new(&mut body);
    object.value("response_type", "embeddings_by_type");
    if !(at_home && response.extra.contains_key("id")) {
        // Clients read it without asking.
        object.value("id", "");
    }
    let mut types = ObjectWriter::new(object.key("embeddings"));
    let kept = response.extra.get(TYPE).filter(|_| at_home);
    let kept = kept.and_then(|name| string(name.raw()));
    let (name, encoding) = match (&kept, options.encoding) {
        (Some(name), _) => (&**name, Encoding::Float),
        (None, Encoding::Float) => ("float", Encoding::Float),
        (None, Encoding::Base64) => ("base64", Encoding::Base64),
    };
    write_vectors(types.key(name), response, encoding, &mut report)?;
    let mut rest = response.extra.clone();
    if at_home {
        for (member, value) in &response.extra {
            if let Some(other) = member.strip_prefix(OF_EMBEDDINGS) {
                rest.remove(member);
                if member != TYPE && other != name {
                    types.value(other, value);
                }
            }
        }
    }
    types.end();
    let (of_meta, rest): (Members, Members) = rest
        .into_iter()
        .partition(|(name, _)| at_home && meta::is_of_meta(name));
    let meta = Meta {
        usage: response.usage,
        search_units: None,
    };
    meta::write(&mut object, meta, &of_meta);
    if response.model.is_some() {
        report.note("model");
    }
    object.members(&rest, at_home, &MEMBERS, ("", &mut report));
    object.end();
    Ok(report.into_encoded(body))
}

fn write_vectors(
    out: &mut Vec<u8>,
    response: &EmbeddingResponse,
    encoding: Encoding,
    report: &mut Report,
) -> Result<(), EncodeError> {
    out.push(b'[');
    for (index, embedding) in response.embeddings.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let written = embedding.vector.encode(encoding, out);
        written.map_err(|error| EncodeError::Invalid {
            path: format!("embeddings[{index}]"),
            reason: error.to_string(),
        })?;
        for name in embedding.extra.keys() {
            report.note_in("embedding", name);
        }
    }
    out.push(b']');
    Ok(())
}
