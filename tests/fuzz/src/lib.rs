//! The entry points of fuzzing: every parser that reads bytes of a client or of a provider.
//!
//! Each is a function of arbitrary bytes that fails (panics) when a promise of the crate is broken: no panic, the same
//! result however a stream is cut, output bounded by the input. libFuzzer drives them (`make fuzz`), and the property tests
//! of this crate do, on any toolchain.
#![warn(missing_docs)]

mod kept;
mod passed;
mod requests;
mod seeds;
mod streams;
mod target;
mod vectors;

pub use seeds::seeds;
pub use target::{Target, targets};
