//! What is known of providers before anybody writes a pool: base URL, dialect and models, as data.
//!
//! *Guarantees*: pure; the data is part of the program and every record is checked by a test; equal builds know the same.
//!
//! *Caveats*: a model that is not listed here is not wrong, only unknown: providers add models faster than releases.
#![warn(missing_docs)]

mod near;
mod preset;

pub use near::near_matches;
pub use preset::{ModelRecord, Preset, preset, preset_names};
