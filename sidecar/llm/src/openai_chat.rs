//! OpenAI chat completions, as OpenAI and everybody who speaks it sends and takes them.

mod content;
mod deviations;
mod form;
mod links;
mod reasoning;
mod request;
mod response;
mod stream;
mod tool_call;
mod types;

use bytes::Bytes;
use fkm_dialect::{Dialect, Format};
use http::HeaderMap;

use crate::error::{ClientError, DecodeError, EncodeError, ProviderError, StreamFault};
use crate::format::{Encoded, RelayOptions, ResponseFacts, StreamOptions, Target, WireFormat};
use crate::ir::{Request, Response};
use crate::links::Link;
use crate::openai_chat::form::Form;
use crate::openai_error as error;
use crate::openai_relay::{self, ChunkInspector, Wording};
use crate::patches::Patches;
use crate::relay::Relay;
use crate::scan::{Member, RequestScan};
use crate::stream::{StreamDecoder, StreamEncoder, StreamTransform};

/// The format `openai.chat`, as a family of clients has it.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiChat {
    form: &'static Form,
}

const FORMAT: Format = Format::OpenAiChat;

const WORDING: Wording = Wording {
    format: FORMAT,
    finish_reason: types::finish_reason,
    content: "\"delta\"",
};

// === impl OpenAiChat ===

impl OpenAiChat {
    /// As OpenAI's clients have it, and as every provider speaks it.
    pub const PLAIN: Self = Self { form: &Form::PLAIN };

    /// As Mistral's clients have it.
    pub const MISTRAL: Self = Self {
        form: &Form::MISTRAL,
    };
}

impl WireFormat for OpenAiChat {
    fn name(&self) -> Format {
        FORMAT
    }

    fn passes(&self, dialect: &Dialect) -> bool {
        dialect.format == FORMAT && self.form.is_of(dialect)
    }

    fn decode_request(&self, body: &[u8]) -> Result<Request, DecodeError> {
        request::decode(body, self.form)
    }

    fn links(&self, text: &str, scan: &RequestScan) -> Vec<Link> {
        links::links(text, scan)
    }

    fn encode_request(
        &self,
        request: &Request,
        target: &Target<'_>,
    ) -> Result<Encoded, EncodeError> {
        request::encode(request, target)
    }

    fn decode_response(&self, body: &[u8]) -> Result<Response, DecodeError> {
        response::decode(body)
    }

    fn encode_response(&self, response: &Response) -> Result<Encoded, EncodeError> {
        response::encode(response, self.form)
    }

    fn stream_decoder(&self, dialect: &Dialect) -> Box<dyn StreamDecoder> {
        Box::new(stream::decoder(dialect.stream_end))
    }

    fn stream_encoder(&self, options: &StreamOptions) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(options, self.form))
    }

    fn decode_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
        error::decode(status, headers, body)
    }

    fn encode_error(&self, error: &ClientError) -> Vec<u8> {
        error::encode_as(error, self.form.error)
    }

    fn encode_stream_error(&self, error: &ClientError) -> Bytes {
        error::encode_frame_as(error, self.form.error)
    }

    fn request_id_header(&self) -> &'static str {
        self.form.request_id
    }

    fn response_facts(&self, body: &[u8]) -> Result<ResponseFacts, StreamFault> {
        openai_relay::facts(WORDING, body)
    }

    fn fit_member(&self, text: &str, member: &Member, dialect: &Dialect, patches: &mut Patches) {
        deviations::fit_member(text, member, dialect, patches);
    }

    fn relay(&self, options: &RelayOptions) -> Box<dyn StreamTransform> {
        Box::new(Relay::new(ChunkInspector::new(WORDING, options)))
    }
}
