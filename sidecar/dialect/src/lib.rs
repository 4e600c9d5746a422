//! What one provider's wire format is and how it deviates from the format's own definition: plain serde data.
//!
//! A leaf: the catalogue stores these records, the snapshot carries them, the formats obey them. There is no behaviour
//! here and no `if provider ==` anywhere else: a deviation that is not a field of [`Dialect`] does not exist.
#![warn(missing_docs)]

mod dialect;
mod failure;
mod format;

pub use dialect::{Auth, Dialect, MaxTokensField};
pub use failure::FailureClass;
pub use format::Format;
