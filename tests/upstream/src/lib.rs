//! The project's own fault upstream: a scripted LLM provider on loopback that refuses, delays, answers by script and
//! cuts at any byte.
//!
//! It speaks `openai.chat` (`POST …/chat/completions`), `openai.responses` (`POST …/responses`) and `anthropic.messages`
//! (`POST …/messages`), whole and streamed, `OpenAI`'s images, audio and moderations, and `GET …/models`; on the paths of Bedrock, Cohere and Gemini it sends raw bytes
//! of the script. HTTP/1.1 is written by hand on the socket, because a server library would never send what a broken provider
//! sends.
//!
//! *Flow*: each POST takes the next [`Step`] of the script; when none is left, the default step answers. A GET takes
//! none. Every request is recorded ([`Received`]), with the time at which its client went away before the end. A [`Director`],
//! where there is one, decides instead of the script, and nothing is recorded.
//!
//! Beside it: an HTTP [`Proxy`].
//!
//! *Guarantees*: same script, same requests, same bytes; nothing listens anywhere but where it was told to; dropping
//! the [`Upstream`] ends every connection.
#![warn(missing_docs)]

mod anthropic;
mod completion;
mod connection;
mod control;
mod kept;
mod listener;
mod openai;
mod proxy;
mod received;
mod relayed;
mod request;
mod respond;
mod responses;
mod scene;
mod script;
mod state;
mod task;
mod upstream;
mod writer;

pub use fkm_dialect::Format;
pub use proxy::{Asked, Proxy};
pub use received::Received;
pub use scene::{Director, Scene, SceneEnd};
pub use script::{
    Answer, BreakBody, Cut, End, Status, Step, Streamed, ToolCall, Usage, UsageChunk,
};
pub use upstream::{NotReached, Options, Upstream};
