//! The columns of the table.

use std::fmt;

use serde::Deserialize;

/// What a client may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Feature {
    /// Text in, text out.
    Plain,
    /// The same, streamed.
    Stream,
    /// A tool is offered, and called.
    Tools,
    /// Two calls in one turn.
    ParallelTools,
    /// What tools gave goes back.
    ToolResults,
    /// The answer is held to a schema.
    JsonSchema,
    /// An image is shown.
    Vision,
    /// A PDF document is shown.
    Documents,
    /// A thought comes out, and its state goes back byte for byte.
    Reasoning,
    /// A prompt is marked for the provider's cache.
    Caching,
    /// The provider withholds the answer.
    Refusal,
    /// The provider answers with an error.
    Errors,
}

impl Feature {
    /// Every column, in order.
    pub(crate) const ALL: [Self; 12] = [
        Self::Plain,
        Self::Stream,
        Self::Tools,
        Self::ParallelTools,
        Self::ToolResults,
        Self::JsonSchema,
        Self::Vision,
        Self::Documents,
        Self::Reasoning,
        Self::Caching,
        Self::Refusal,
        Self::Errors,
    ];

    /// The head of the column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stream => "stream",
            Self::Tools => "tools",
            Self::ParallelTools => "parallel-tools",
            Self::ToolResults => "tool-results",
            Self::JsonSchema => "json-schema",
            Self::Vision => "vision",
            Self::Documents => "documents",
            Self::Reasoning => "reasoning",
            Self::Caching => "caching",
            Self::Refusal => "refusal",
            Self::Errors => "errors",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
