//! A request for embeddings.

use fkm_dialect::EmbeddingFormat;

use crate::embedding::Members;
use crate::ir::RawJson;

/// A request for embeddings, independent of its wire format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingRequest {
    /// The format in which it was read: unknown members and opaque inputs go back to it only.
    pub origin: EmbeddingFormat,
    /// The model's name as the client sent it.
    pub model: String,
    /// What to embed: one vector each, in this order. Never empty.
    pub inputs: Vec<EmbeddingInput>,
    /// How the client wants its vectors.
    pub encoding: Encoding,
    /// The wanted length of the vectors; `None`: the model's own.
    pub dimensions: Option<u64>,
    /// What the vectors are for, where the client says.
    pub task: Option<Task>,
    /// The title of the document that the inputs are from.
    pub title: Option<String>,
    /// What happens to an input that is too long; `None`: the provider's default.
    pub truncate: Option<Truncate>,
    /// The end user, as the application names him.
    pub user: Option<String>,
    /// The shape in which the client asked, where its format has several.
    pub shape: Shape,
    /// Unknown members.
    pub extra: Members,
}

/// One thing to embed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbeddingInput {
    /// Text.
    Text(String),
    /// Text, cut into the tokens of the model that is asked.
    Tokens(Vec<u64>),
    /// Another kind (images, several parts), as JSON of [`EmbeddingRequest::origin`].
    Opaque(RawJson),
}

/// How vectors are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As lists of numbers: what everybody does who is not asked.
    #[default]
    Float,
    /// As base64 of 32-bit floats, least significant byte first.
    Base64,
}

/// What vectors are for. Models that are trained for it give better ones when told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// A question that looks for documents.
    Query,
    /// A document to be found.
    Document,
    /// To be compared with its like.
    Similarity,
    /// To be sorted into classes.
    Classification,
    /// To be grouped.
    Clustering,
    /// A question that looks for its answer.
    QuestionAnswering,
    /// A statement that looks for evidence.
    FactVerification,
    /// A question that looks for code.
    CodeQuery,
}

/// What happens to an input that is longer than the model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truncate {
    /// The request fails.
    Never,
    /// Its beginning is cut off.
    Start,
    /// Its end is cut off.
    End,
}

/// The shapes of requests and answers of formats with several (Gemini).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Many vectors, as every format has it.
    #[default]
    Many,
    /// One vector (`embedContent`).
    One,
    /// Many vectors, as Vertex' `predict` has it.
    Predictions,
}

/// How an answer is written for the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyOptions {
    /// How the vectors are written.
    pub encoding: Encoding,
    /// In which shape, where the format has several.
    pub shape: Shape,
    /// The model name to show instead of the provider's; `None` shows the provider's.
    pub model: Option<String>,
}

// === impl EmbeddingRequest ===

impl EmbeddingRequest {
    /// A request that says nothing but what to embed.
    pub fn new(
        origin: EmbeddingFormat,
        model: impl Into<String>,
        inputs: Vec<EmbeddingInput>,
    ) -> Self {
        Self {
            origin,
            model: model.into(),
            inputs,
            encoding: Encoding::Float,
            dimensions: None,
            task: None,
            title: None,
            truncate: None,
            user: None,
            shape: Shape::Many,
            extra: Members::new(),
        }
    }

    /// How its answer is to be written, under the provider's name of the model.
    pub fn reply(&self) -> ReplyOptions {
        ReplyOptions {
            encoding: self.encoding,
            shape: self.shape,
            model: None,
        }
    }
}
