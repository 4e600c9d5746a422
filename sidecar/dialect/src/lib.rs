//! What one provider's wire format is, how it deviates from the format's own definition, and what its models can take: plain
//! serde data.
//!
//! A leaf: the catalogue stores these records, the snapshot carries them, the formats obey them. There is no behaviour
//! here and no `if provider ==` anywhere else: a deviation that is not a field of [`Dialect`] does not exist.
#![warn(missing_docs)]

mod capabilities;
mod deviation;
mod dialect;
mod effort;
mod embedding;
mod failure;
mod format;
mod keeps;
mod operation;
mod price;
mod relay;
mod rerank;

pub use capabilities::{Capabilities, Thinking};
pub use deviation::{
    Auth, CacheMarks, Documents, MaxTokensField, MediaUrls, Medium, RequiredChoice, Sound,
    StreamEnd, Thoughts, ToolCallIds,
};
pub use dialect::{Dialect, MODEL_IN_PATH, NEEDED_MEMBERS};
pub use effort::Effort;
pub use embedding::{DimensionsField, EmbeddingDialect, EmbeddingFormat};
pub use failure::FailureClass;
pub use format::Format;
pub use keeps::{Keeps, Kept};
pub use operation::{AnyFormat, Operation};
pub use price::{Price, Rates, ServiceTier};
pub use relay::{RelayDialect, RelayFormat};
pub use rerank::{RerankDialect, RerankFormat};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What is wrong with a path that is appended to a base URL.
fn path_problem(field: &'static str, path: &str) -> Option<(&'static str, String)> {
    let relative = !path.starts_with('/');
    relative.then(|| (field, format!("{path:?} does not start with /")))
}
