//! What is known of providers before anybody writes a pool: base URL, dialect, models and their prices, as data.
//!
//! *Guarantees*: pure; the data is part of the program and every record is checked by a test; equal builds know the same.
//!
//! *Caveats*: a model that is not listed here is not wrong, only unknown: providers add models faster than releases.
#![warn(missing_docs)]

mod model;
mod near;
mod preset;

pub use model::{ModelKind, ModelRecord, models, providers};
pub use near::near_matches;
pub use preset::{Preset, preset, preset_names};
