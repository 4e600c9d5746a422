//! A request to rank documents.

use fkm_dialect::RerankFormat;
use serde_json::value::RawValue;

use crate::embedding::Members;
use crate::error::DecodeError;
use crate::ir::RawJson;
use crate::json::{Object, Path, array, string, write_json};

/// A request to rank documents by how well they answer a query, independent of its wire format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RerankRequest {
    /// The format in which it was read: unknown members go back to it only.
    pub origin: RerankFormat,
    /// The model's name as the client sent it.
    pub model: String,
    /// What is looked for.
    pub query: String,
    /// What is ranked. Never empty.
    pub documents: Vec<RerankDocument>,
    /// The most results; `None`: one a document.
    pub top_n: Option<u64>,
    /// The client wants the documents with their results; `None`: not.
    pub return_documents: Option<bool>,
    /// The most tokens of a document that are read; `None`: the provider's default.
    pub max_tokens_per_document: Option<u64>,
    /// Whether what is too long is cut off (else it is refused); `None`: the provider's default.
    pub truncate: Option<bool>,
    /// Unknown members.
    pub extra: Members,
}

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RerankDocument {
    /// Text.
    Text(String),
    /// An object with fields, `text` among them unless the request names others.
    Fields(RawJson),
}

/// How an answer is written for the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RerankReply {
    /// The documents to show with the results where the provider gave none; `None`: none are shown but the provider's.
    pub documents: Option<Vec<RerankDocument>>,
    /// The model name to show instead of the provider's, in formats that show one; `None` shows the provider's.
    pub model: Option<String>,
}

// === impl RerankRequest ===

impl RerankRequest {
    /// How its answer is to be written, under the provider's name of the model.
    pub fn reply(&self) -> RerankReply {
        let wanted = self.return_documents == Some(true);
        RerankReply {
            documents: wanted.then(|| self.documents.clone()),
            model: None,
        }
    }
}

// === impl RerankDocument ===

impl RerankDocument {
    /// Reads a document: a string or an object.
    pub(crate) fn decode(raw: &RawValue, path: &Path<'_>) -> Result<Self, DecodeError> {
        if let Some(text) = string(raw) {
            return Ok(Self::Text(text.into_owned()));
        }
        match Object::from_raw(raw, path) {
            Ok(_) => Ok(Self::Fields(raw.into())),
            Err(DecodeError::Invalid { path, .. }) => Err(DecodeError::Invalid {
                path,
                expected: "a string or an object".to_owned(),
            }),
            Err(other) => Err(other),
        }
    }

    /// Reads the documents of a request.
    pub(crate) fn decode_all(object: &mut Object<'_, '_>) -> Result<Vec<Self>, DecodeError> {
        let path = object.path().member("documents");
        let documents = (0..)
            .zip(array(object.required("documents")?, &path)?)
            .map(|(index, raw)| Self::decode(raw, &path.item(index)))
            .collect::<Result<Vec<Self>, DecodeError>>()?;
        if documents.is_empty() {
            return Err(object.invalid("documents", "an array with at least one document"));
        }
        Ok(documents)
    }

    /// Writes a document as it is.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => write_json(out, text),
            Self::Fields(raw) => write_json(out, raw),
        }
    }

    /// Its text; of an object, that of the field `text`.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Fields(raw) => {
                let mut object = Object::from_raw(raw.raw(), &Path::Root).ok()?;
                object.string("text").ok()?
            }
        }
    }
}
