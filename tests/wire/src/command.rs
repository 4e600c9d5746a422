//! The commands. Bodies are base64 both ways; a format is its stable name, a dialect the name of a preset.
//!
//! Every result is an object. What failed is `{"error": {"kind", "message", …}}`, see [`crate::failure`].

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fkm_llm::Format;
use serde::{Deserialize, Deserializer, Serializer};

use crate::codec::Codec;
use crate::cost::Answered;

/// One line of the input.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Command {
    /// `{"formats": [NAME…], "embeddings": [NAME…], "presets": {NAME: FORMAT…}}`: what exists.
    Formats,
    /// A whole answer: `{"answer": …}`, see [`crate::answer`].
    DecodeResponse { format: Codec, body: Body },
    /// A stream in pieces of `cut` bytes (0: in one): `{"answer": …}`.
    DecodeStream {
        format: Format,
        #[serde(default)]
        cut: usize,
        /// The provider's preset; the plain format where there is none.
        #[serde(default)]
        dialect: Option<String>,
        body: Body,
    },
    /// A whole answer of a provider for a client of another format: `{"body", "dropped"}`.
    Reencode {
        from: Codec,
        to: Codec,
        /// Vectors as base64.
        #[serde(default)]
        base64: bool,
        body: Body,
    },
    /// A stream of a provider, in pieces of `cut` bytes, for a client of another format: `{"body"}`, with `error` beside
    /// it where the stream broke (the body then ends with the format's own frame of an error).
    TranslateStream {
        from: Format,
        to: Format,
        #[serde(default)]
        cut: usize,
        /// How many choices were asked for.
        #[serde(default)]
        choices: u32,
        #[serde(default)]
        dialect: Option<String>,
        body: Body,
    },
    /// A request of a client for a provider of another format: `{"body", "dropped"}`.
    EncodeRequest {
        from: Codec,
        to: Codec,
        model: String,
        stream: bool,
        #[serde(default)]
        dialect: Option<String>,
        body: Body,
    },
    /// What an answer cost, whole or a stream, of conversations or of embeddings: see [`crate::cost`].
    Cost(Answered),
    /// An error of a provider: `{"status", "class", "message", "kind", "code", "retryable"}`.
    DecodeError {
        format: Codec,
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        body: Body,
    },
    /// An error of a provider for a client of another format: `{"status", "body", "frame"}`; the frame ends a stream.
    ReencodeError {
        from: Codec,
        to: Codec,
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        body: Body,
    },
}

/// Bytes.
#[derive(Debug)]
pub(crate) struct Body(pub(crate) Vec<u8>);

// === impl Body ===

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text);
        bytes.map(Self).map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}
