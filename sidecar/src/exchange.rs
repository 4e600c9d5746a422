//! One request on its way through the steps.

use std::sync::Arc;

use bytes::Bytes;
use fkm_llm::RequestScan;
use fkm_llm::form::Form;
use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use crate::codec::Codec;
use crate::context::Context;
use crate::inlined::Media;
use crate::runtime::{Candidate, RuleRuntime, Runtime};
use crate::source::{Decoded, Source};
use crate::steps::accept::BodyGuard;

/// Our name for one exchange: 32 hex digits, random.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId([u8; 32]);

/// A request that has been accepted, decoded and matched. It reads one snapshot from start to end.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) context: Arc<Context>,
    pub(crate) id: RequestId,
    pub(crate) started: Instant,
    /// The client's format.
    pub(crate) format: Codec,
    /// The client's headers; providers get those of the allow-list.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Keeps the body counted for as long as it is in memory.
    pub(crate) _guard: BodyGuard,
    pub(crate) scan: RequestScan,
    /// The body is a form, and no JSON.
    pub(crate) form: Option<Form>,
    /// The request is to be counted, not to be answered.
    pub(crate) counts: bool,
    /// As many choices as the client asked for.
    pub(crate) choices: u32,
    /// The model as the client named it.
    pub(crate) model: Arc<str>,
    pub(crate) runtime: Arc<Runtime>,
    /// Index of the rule that matched.
    pub(crate) rule: usize,
    pub(crate) plan: Vec<Candidate>,
    /// The request in the representation; made by the first attempt that must translate.
    pub(crate) decoded: Decoded,
    /// What was fetched for it.
    pub(crate) media: Media,
}

// === impl RequestId ===

impl RequestId {
    pub(crate) fn random() -> Self {
        let mut digits = [0; 32];
        let random = fastrand::u128(..).to_le_bytes();
        hex::encode_to_slice(random, &mut digits).expect("16 bytes are 32 digits");
        Self(digits)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hex digits are text")
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("hex digits fit a header")
    }
}

// === impl Exchange ===

impl Exchange {
    pub(crate) fn rule(&self) -> &RuleRuntime {
        &self.runtime.rules[self.rule]
    }

    /// The request as it came.
    pub(crate) fn source(&self) -> Source<'_> {
        Source {
            body: &self.body,
            scan: &self.scan,
            decoded: &self.decoded,
        }
    }
}
