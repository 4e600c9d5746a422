//! What the clients call: every surface, whole and streamed.

use serde_json::{Value, json};

use crate::token::Token;

/// The format that a client speaks, for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    OpenAi,
    Anthropic,
    Gemini,
    Cohere,
    Bedrock,
}

/// What a client calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Surface {
    Chat,
    Responses,
    Completions,
    Messages,
    Gemini,
    Cohere,
    Bedrock,
    Embeddings,
    CohereEmbed,
    Rerank,
    CountTokens,
}

/// A call of it.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) surface: Surface,
    pub(crate) token: Token,
    pub(crate) stream: bool,
    pub(crate) model: &'static str,
}

/// Models that converse, by the format of their first provider.
const CHATTING: [&str; 6] = [
    "m-openai",
    "m-responses",
    "m-anthropic",
    "m-gemini",
    "m-cohere",
    "m-bedrock",
];

// === impl Surface ===

impl Surface {
    pub(crate) const ALL: [Self; 11] = [
        Self::Chat,
        Self::Responses,
        Self::Completions,
        Self::Messages,
        Self::Gemini,
        Self::Cohere,
        Self::Bedrock,
        Self::Embeddings,
        Self::CohereEmbed,
        Self::Rerank,
        Self::CountTokens,
    ];

    pub(crate) fn family(self) -> Family {
        match self {
            Self::Chat | Self::Responses | Self::Completions | Self::Embeddings => Family::OpenAi,
            Self::Messages | Self::CountTokens => Family::Anthropic,
            Self::Gemini => Family::Gemini,
            Self::Cohere | Self::CohereEmbed | Self::Rerank => Family::Cohere,
            Self::Bedrock => Family::Bedrock,
        }
    }

    /// Whether it answers with a text, and may do so in a stream.
    pub(crate) fn converses(self) -> bool {
        !matches!(
            self,
            Self::Embeddings | Self::CohereEmbed | Self::Rerank | Self::CountTokens
        )
    }

    fn models(self) -> &'static [&'static str] {
        match self {
            Self::Completions => &["m-completions", "m-openai"],
            Self::Embeddings | Self::CohereEmbed => &["m-embed"],
            Self::Rerank => &["m-rank"],
            Self::CountTokens => &["m-count"],
            _ => &CHATTING,
        }
    }
}

// === impl Question ===

impl Question {
    pub(crate) fn draw(rng: &mut fastrand::Rng, token: Token) -> Self {
        // Conversations are most of it, and streams most of these.
        let surface = match rng.u8(..10) {
            0 => Surface::ALL[rng.usize(7..11)],
            _ => Surface::ALL[rng.usize(..7)],
        };
        let models = surface.models();
        Self {
            surface,
            token,
            stream: surface.converses() && rng.u8(..4) > 0,
            model: models[rng.usize(..models.len())],
        }
    }

    pub(crate) fn path(&self) -> String {
        let Self { model, stream, .. } = self;
        match (self.surface, stream) {
            (Surface::Chat, _) => "/v1/chat/completions".to_owned(),
            (Surface::Responses, _) => "/openai/v1/responses".to_owned(),
            (Surface::Completions, _) => "/v1/completions".to_owned(),
            (Surface::Messages, _) => "/v1/messages".to_owned(),
            (Surface::Gemini, false) => format!("/gemini/v1beta/models/{model}:generateContent"),
            (Surface::Gemini, true) => {
                format!("/gemini/v1beta/models/{model}:streamGenerateContent?alt=sse")
            }
            (Surface::Cohere, _) => "/cohere/v2/chat".to_owned(),
            (Surface::Bedrock, false) => format!("/bedrock/model/{model}/converse"),
            (Surface::Bedrock, true) => format!("/bedrock/model/{model}/converse-stream"),
            (Surface::Embeddings, _) => "/v1/embeddings".to_owned(),
            (Surface::CohereEmbed, _) => "/cohere/v2/embed".to_owned(),
            (Surface::Rerank, _) => "/cohere/v2/rerank".to_owned(),
            (Surface::CountTokens, _) => "/anthropic/v1/messages/count_tokens".to_owned(),
        }
    }

    pub(crate) fn body(&self) -> String {
        let (model, stream) = (self.model, self.stream);
        let text = self.token.as_str();
        let messages = json!([{"role": "user", "content": text}]);
        let body = match self.surface {
            Surface::Chat | Surface::Cohere => {
                json!({"model": model, "messages": messages, "stream": stream})
            }
            Surface::Responses => json!({"model": model, "input": text, "stream": stream}),
            Surface::Completions => json!({"model": model, "prompt": text, "stream": stream}),
            Surface::Messages => {
                json!({"model": model, "messages": messages, "stream": stream, "max_tokens": 99})
            }
            Surface::CountTokens => json!({"model": model, "messages": messages}),
            Surface::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
            Surface::Bedrock => {
                json!({"messages": [{"role": "user", "content": [{"text": text}]}]})
            }
            Surface::Embeddings => json!({"model": model, "input": [text]}),
            Surface::CohereEmbed => json!({
                "model": model, "texts": [text], "input_type": "search_query", "embedding_types": ["float"],
            }),
            Surface::Rerank => json!({"model": model, "query": text, "documents": ["a", "b"]}),
        };
        Value::to_string(&body)
    }
}
