//! The trait that every wire format of conversations implements.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use fkm_dialect::{Capabilities, Dialect, Format, StreamEnd};
use http::HeaderMap;

use crate::error::{ClientError, DecodeError, EncodeError, ProviderError, StreamFault};
use crate::ir::{FinishReason, Request, Response, Usage};
use crate::json::Report;
use crate::kept::Ids;
use crate::links::Link;
use crate::names::ToolNames;
use crate::patches::Patches;
use crate::scan::{Member, RequestScan};
use crate::stream::{StreamDecoder, StreamEncoder, StreamTransform};

/// One wire format, both ways.
///
/// *Guarantees*, tested as laws for every value that encode accepts without a drop: `decode(encode(v)) = v`, and
/// `fold(decode_stream(encode_stream(v))) = v`, for values in canonical form (see [`Request::canonical`] and
/// [`Response::canonical`]); for others the right side is the canonical form. What a format demands and `v` leaves open
/// (a limit of tokens, a usage, the name of a schema) is filled in.
pub trait WireFormat: Send + Sync + fmt::Debug {
    /// Which format this is.
    fn name(&self) -> Format;

    /// Whether a provider of this dialect takes what these clients send and gives what they read, so that requests and answers
    /// pass through.
    fn passes(&self, dialect: &Dialect) -> bool {
        self.name() == dialect.format
    }

    /// How many choices a request asks for; 1 where it does not say. `scan` must be of this `body`.
    fn choices(&self, body: &[u8], scan: &RequestScan) -> u32 {
        let _ = body;
        scan.n.unwrap_or(1)
    }

    /// Reads a client's request.
    fn decode_request(&self, body: &[u8]) -> Result<Request, DecodeError>;

    /// The parts of a client's request that stand at an address, in the order of their places. `text` is the body, and
    /// `scan` of it.
    fn links(&self, text: &str, scan: &RequestScan) -> Vec<Link> {
        let _ = (text, scan);
        Vec::new()
    }

    /// Whether a provider of this dialect is sent the address of a part, and fetches what is there.
    fn takes_link(&self, link: &Link, dialect: &Dialect) -> bool {
        dialect.takes_url_of(link.medium)
    }

    /// Writes a request for a provider.
    fn encode_request(
        &self,
        request: &Request,
        target: &Target<'_>,
    ) -> Result<Encoded, EncodeError>;

    /// Reads a whole answer of a provider.
    fn decode_response(&self, body: &[u8]) -> Result<Response, DecodeError>;

    /// Writes a whole answer for a client.
    fn encode_response(&self, response: &Response) -> Result<Encoded, EncodeError>;

    /// A decoder for one stream of a provider of this dialect.
    fn stream_decoder(&self, dialect: &Dialect) -> Box<dyn StreamDecoder>;

    /// An encoder for one stream to a client.
    fn stream_encoder(&self, options: &StreamOptions) -> Box<dyn StreamEncoder>;

    /// Reads and classifies an answer whose status is not 2xx. Never fails: what cannot be read is classified by status.
    fn decode_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError;

    /// A whole error body for a client.
    fn encode_error(&self, error: &ClientError) -> Vec<u8>;

    /// The frame that ends a stream with an error after it has begun. Nothing follows it.
    fn encode_stream_error(&self, error: &ClientError) -> Bytes;

    /// The status under which a client of this format expects this error.
    fn error_status(&self, error: &ClientError) -> u16 {
        error.status.unwrap_or_else(|| error.kind.status())
    }

    /// The media type of a stream of this format.
    fn stream_content_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// The header in which this format carries the provider's request id.
    fn request_id_header(&self) -> &'static str;

    /// What pass-through must know of a whole answer, by a light parse. An answer that is empty, not JSON, without a
    /// finish reason, or an error under status 200 is a fault.
    fn response_facts(&self, body: &[u8]) -> Result<ResponseFacts, StreamFault>;

    /// Which ids of a whole answer name what its provider may keep; `None` where answers are not kept.
    fn kept_ids(&self) -> Option<Ids> {
        None
    }

    /// Changes a member of the top level of a request, and what is inside of it, to what the dialect wants, but for members that
    /// are left out or renamed altogether. `text` is the body.
    fn fit_member(&self, text: &str, member: &Member, dialect: &Dialect, patches: &mut Patches) {
        let _ = (text, member, dialect, patches);
    }

    /// Pass-through of one stream: forwards what it receives and watches it.
    fn relay(&self, options: &RelayOptions) -> Box<dyn StreamTransform>;
}

/// Where a request is encoded for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The model's name at the provider.
    pub model: &'a str,
    /// How the provider departs from the format.
    pub dialect: &'a Dialect,
    /// What the model can take.
    pub capabilities: &'a Capabilities,
    /// The most output tokens that the model gives, where the format must name a limit; unknown when `None`.
    pub max_output_tokens: Option<u64>,
    /// Whether the answer is asked for as a stream (may differ from what the client asked).
    pub stream: bool,
}

/// What encode made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// The body.
    pub body: Vec<u8>,
    /// What could not be expressed and was left out, by the names of the format that it came from, sorted, each once;
    /// ASCII without commas: fit for the header `x-fkm-dropped`.
    pub dropped: Vec<String>,
    /// The names of tools that had to be changed for the provider; the answer's names are restored with it.
    pub tool_names: ToolNames,
}

// === impl Encoded ===

impl Encoded {
    /// With what was reported before it was written.
    pub(crate) fn with(mut self, report: Report) -> Self {
        let before = report.into_encoded(Vec::new());
        self.dropped.extend(before.dropped);
        self.dropped.sort_unstable();
        self.dropped.dedup();
        self.tool_names.join(before.tool_names);
        self
    }
}

/// How a stream is encoded for a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamOptions {
    /// Whether the client asked for the usage chunk (formats that always carry usage ignore it).
    pub include_usage: bool,
    /// The model name to show instead of the provider's; `None` shows the provider's.
    pub model: Option<String>,
    /// Unix seconds for formats that show a creation time, when the provider's answer has none. 0 is shown as 0.
    pub created: u64,
    /// How many choices were asked for (`n`); 0 counts as 1.
    pub choices: u32,
    /// The names of tools that were changed for the provider.
    pub tool_names: ToolNames,
}

/// How a stream is passed through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelayOptions {
    /// Take the usage chunk (no choices, only usage) out again, because only we asked for it.
    pub strip_usage: bool,
    /// How many choices were asked for (`n`); 0 counts as 1.
    pub choices: u32,
    /// What says that the stream is complete.
    pub end: StreamEnd,
    /// Put at the end of the ids of what the provider keeps ([`crate::kept`]), in formats whose answers are kept.
    pub mark: Option<Arc<str>>,
}

/// What pass-through learns of a whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseFacts {
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    /// What was used, when the answer says.
    pub usage: Option<Usage>,
    /// One reason a choice, in their order.
    pub finish_reasons: Vec<FinishReason>,
}
