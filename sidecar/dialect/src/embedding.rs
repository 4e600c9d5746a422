//! The wire formats of embeddings, and how providers depart from them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{is_default, path_problem};

/// The shape of a request for embeddings and of its answer.
///
/// The serialised names are part of the snapshot, of logs and of metrics; they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EmbeddingFormat {
    /// `POST …/v2/embed` of Cohere.
    #[serde(rename = "cohere.embed")]
    CohereEmbed,
    /// `POST …/models/MODEL:batchEmbedContents`, `:embedContent` or, of Vertex, `:predict`.
    #[serde(rename = "gemini.embed")]
    GeminiEmbed,
    /// `POST …/embeddings` of OpenAI and of everybody who speaks it.
    #[serde(rename = "openai.embeddings")]
    OpenAiEmbeddings,
}

/// How a provider's embeddings depart from their [`EmbeddingFormat`]. A field that the format does not obey is a problem of the
/// record ([`EmbeddingDialect::problems`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent fact"
)]
pub struct EmbeddingDialect {
    /// The wire format.
    pub format: EmbeddingFormat,
    /// Appended to the base URL, with a leading slash, for example `/embeddings`. `{model}` stands for the model's name at
    /// the provider. In `gemini.embed` its end says which method is called.
    pub path: String,
    /// Whether vectors may be asked for as base64. Default true. When false, lists are asked for, and made base64 here for
    /// clients that want it.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub base64: bool,
    /// Whether texts may be told what they are for (`input_type`: `query` or `document`). Default false: it is left out and
    /// reported.
    #[serde(default, skip_serializing_if = "is_default")]
    pub input_type: bool,
    /// The name under which the wanted length of the vectors is sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dimensions_field: DimensionsField,
    /// Whether the end user may be named (`user`). Default true. When false, he is left out and reported.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub user: bool,
    /// Whether the settings of `gemini.embed` stand in an object of their own, `embedContentConfig` (Vertex). Default false.
    #[serde(default, skip_serializing_if = "is_default")]
    pub config_object: bool,
}

/// The name of the wanted length of vectors in OpenAI-shaped requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DimensionsField {
    /// `dimensions`. The default.
    #[default]
    Dimensions,
    /// `output_dimension` (Mistral, Voyage).
    OutputDimension,
}

// === impl EmbeddingFormat ===

impl EmbeddingFormat {
    /// Every format, in the order of their names.
    pub const ALL: [Self; 3] = [Self::CohereEmbed, Self::GeminiEmbed, Self::OpenAiEmbeddings];

    /// The stable name, for example `openai.embeddings`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CohereEmbed => "cohere.embed",
            Self::GeminiEmbed => "gemini.embed",
            Self::OpenAiEmbeddings => "openai.embeddings",
        }
    }
}

impl fmt::Display for EmbeddingFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl EmbeddingDialect ===

impl EmbeddingDialect {
    /// A provider that does not depart from its format.
    pub fn new(format: EmbeddingFormat, path: impl Into<String>) -> Self {
        Self {
            format,
            path: path.into(),
            base64: true,
            input_type: false,
            dimensions_field: DimensionsField::Dimensions,
            user: true,
            config_object: false,
        }
    }

    /// What is wrong with the record itself: the field, and what would be right.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let format = self.format;
        let openai = format == EmbeddingFormat::OpenAiEmbeddings;
        let gemini = format == EmbeddingFormat::GeminiEmbed;
        let predict = self.path.ends_with(":predict");
        let plain = DimensionsField::Dimensions;
        let said = [
            ("base64", !gemini, !self.base64),
            ("inputType", openai, self.input_type),
            ("dimensionsField", openai, self.dimensions_field != plain),
            ("user", openai, !self.user),
            ("configObject", gemini && !predict, self.config_object),
        ];
        let lost = said.iter().filter(|(_, obeyed, said)| *said && !obeyed);
        let mut problems: Vec<_> = lost
            .map(|(field, ..)| (*field, format!("format {format} has nothing of the kind")))
            .collect();
        problems.extend(path_problem("path", &self.path));
        let methods = [":batchEmbedContents", ":embedContent", ":predict"];
        if gemini && !methods.iter().any(|method| self.path.ends_with(method)) {
            let message = format!("{:?} ends with none of {methods:?}", self.path);
            problems.push(("path", message));
        }
        problems
    }
}

// === impl DimensionsField ===

impl DimensionsField {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dimensions => "dimensions",
            Self::OutputDimension => "output_dimension",
        }
    }
}

fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_yes(value: &bool) -> bool {
    *value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialised_name_is_the_stable_name() {
        for format in EmbeddingFormat::ALL {
            let json = serde_json::to_value(format).unwrap();
            assert_eq!(json, serde_json::Value::from(format.name()));
        }
    }

    #[test]
    fn what_the_format_does_not_obey_is_a_problem() {
        for (format, path, fields) in [
            ("openai.embeddings", "/embeddings", vec!["configObject"]),
            (
                "cohere.embed",
                "embed",
                vec![
                    "inputType",
                    "dimensionsField",
                    "user",
                    "configObject",
                    "path",
                ],
            ),
            (
                "gemini.embed",
                "/models/{model}:predict",
                vec![
                    "base64",
                    "inputType",
                    "dimensionsField",
                    "user",
                    "configObject",
                ],
            ),
            (
                "gemini.embed",
                "/embeddings",
                vec!["base64", "inputType", "dimensionsField", "user", "path"],
            ),
        ] {
            let record: EmbeddingDialect = serde_json::from_value(serde_json::json!({
                "format": format, "path": path, "base64": false, "inputType": true, "dimensionsField": "output_dimension",
                "user": false, "configObject": true,
            }))
            .unwrap();
            let problems = record.problems();
            let found: Vec<&str> = problems.iter().map(|(field, _)| *field).collect();
            assert_eq!(found, fields, "{format} {path}");
        }
    }

    #[test]
    fn what_does_not_depart_takes_no_space() {
        let plain = EmbeddingDialect::new(EmbeddingFormat::OpenAiEmbeddings, "/embeddings");
        let json = r#"{"format":"openai.embeddings","path":"/embeddings"}"#;
        assert_eq!(serde_json::to_string(&plain).unwrap(), json);
        assert_eq!(
            serde_json::from_str::<EmbeddingDialect>(json).unwrap(),
            plain
        );
    }
}
