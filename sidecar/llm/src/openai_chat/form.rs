//! The forms in which families of clients have the format: what differs is data.

use std::fmt;

use fkm_dialect::{Dialect, Documents, Sound, Thoughts};

use crate::openai_error::Body;

/// How a family of clients departs from the format.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent fact"
)]
pub(super) struct Form {
    /// Members of a request that the format has under other names: the client's, the format's.
    pub(super) renamed: &'static [(&'static str, &'static str)],
    /// Members of a request that only the family's own provider knows.
    pub(super) private: &'static [&'static str],
    /// Such members of a message.
    pub(super) private_in_messages: &'static [&'static str],
    /// Whether `top_k` is said.
    pub(super) top_k: bool,
    /// The word for a tool choice that demands some call, beside `required`.
    pub(super) required_choice: &'static str,
    /// Where thoughts are.
    pub(super) thoughts: Thoughts,
    /// In what kind of part a document is sent.
    pub(super) documents: Documents,
    /// What a part of type `input_audio` holds.
    pub(super) sound: Sound,
    /// Whether a stream gives each call whole, in one chunk.
    pub(super) whole_calls: bool,
    /// Whether usage is always given, of a stream with its last chunk of a choice.
    pub(super) usage_always: bool,
    /// Whether a refusal has a member of its own; else it is what is said.
    pub(super) refusals: bool,
    /// How an error is found in its body.
    pub(super) error: Body,
    /// The header of the provider's request id.
    pub(super) request_id: &'static str,
}

// === impl Form ===

impl Form {
    /// OpenAI's own.
    pub(super) const PLAIN: Self = Self {
        renamed: &[],
        private: &[],
        private_in_messages: &[],
        top_k: false,
        required_choice: "required",
        thoughts: Thoughts::AsSent,
        documents: Documents::AsSent,
        sound: Sound::AsSent,
        whole_calls: false,
        usage_always: false,
        refusals: true,
        error: Body::Nested,
        request_id: "x-request-id",
    };

    /// Mistral's, as its API describes `ChatCompletionRequest`, `ChatCompletionResponse` and `CompletionChunk`.
    pub(super) const MISTRAL: Self = Self {
        renamed: &[("random_seed", "seed")],
        private: &[
            "guardrails",
            "min_tokens",
            "prompt_logprobs",
            "prompt_mode",
            "repetition_penalty",
            "safe_prompt",
            "service_tier",
            "top_prompt_logprobs",
        ],
        private_in_messages: &["prefix"],
        top_k: true,
        required_choice: "any",
        thoughts: Thoughts::Content,
        documents: Documents::DocumentUrl,
        sound: Sound::Base64,
        whole_calls: true,
        usage_always: true,
        refusals: false,
        error: Body::Flat,
        request_id: "x-kong-request-id",
    };

    /// Whether a provider of this dialect has the format in this form. OpenAI's is what every dialect starts from.
    pub(super) fn is_of(&self, dialect: &Dialect) -> bool {
        let plain = Self::PLAIN;
        let named = |(theirs, ours): &(&str, &str)| {
            dialect.rename.get(*ours).map(String::as_str) == Some(*theirs)
        };
        self.renamed.iter().all(named)
            && (self.thoughts == plain.thoughts || self.thoughts == dialect.thoughts)
            && (self.documents == plain.documents || self.documents == dialect.documents)
            && (self.sound == plain.sound || self.sound == dialect.sound)
    }

    /// Whether thoughts are parts of the content.
    pub(super) fn has_thoughts_in_content(&self) -> bool {
        self.thoughts == Thoughts::Content
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("renamed", &self.renamed)
            .finish_non_exhaustive()
    }
}
