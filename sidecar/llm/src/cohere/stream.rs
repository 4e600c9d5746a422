//! Streams: events of the wire to events and back.
//!
//! Text before tools is written as content, not as the plan: that tools follow is not known yet.

mod block;
mod decode;
mod encode;
mod plain;

pub(super) use decode::decoder;
pub(super) use encode::Encoder;

/// The kinds of event.
mod kind {
    pub(super) const MESSAGE_START: &str = "message-start";
    pub(super) const CONTENT_START: &str = "content-start";
    pub(super) const CONTENT_DELTA: &str = "content-delta";
    pub(super) const CONTENT_END: &str = "content-end";
    pub(super) const PLAN_DELTA: &str = "tool-plan-delta";
    pub(super) const CALL_START: &str = "tool-call-start";
    pub(super) const CALL_DELTA: &str = "tool-call-delta";
    pub(super) const CALL_END: &str = "tool-call-end";
    pub(super) const CITATION_START: &str = "citation-start";
    pub(super) const CITATION_END: &str = "citation-end";
    pub(super) const MESSAGE_END: &str = "message-end";
}
