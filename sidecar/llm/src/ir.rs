//! The intermediate representation: what a request, an answer and a stream mean, without a wire format.
//!
//! *Guarantees*: members that no format shares are kept with their origin ([`Extra`], [`Opaque`]), byte for byte, and go
//! back to the same origin only. JSON that is not understood is never re-serialised.

mod cache;
mod event;
mod extra;
mod media;
mod message;
mod one_call;
mod opaque;
mod raw;
mod request;
mod response;
mod usage;

pub use cache::{CacheMark, CacheTtl};
pub use event::{BlockStart, Delta, Event, Start};
pub use extra::Extra;
pub(crate) use extra::Weight;
pub use fkm_dialect::Effort;
pub use media::{Audio, File, FileSource, Image, ImageSource};
pub(crate) use message::canonical_arguments;
pub use message::{
    Citation, InputPart, Message, OutputPart, Reasoning, Text, ToolCall, ToolResult,
};
pub use opaque::{InvalidOpaque, Opaque};
pub use raw::RawJson;
pub use request::{FunctionTool, JsonSchema, Request, ResponseFormat, Sampling, Tool, ToolChoice};
pub use response::{Choice, FinishReason, Response};
pub(crate) use usage::read_tier;
pub use usage::{Billed, Usage};
