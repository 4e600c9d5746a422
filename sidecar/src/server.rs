//! The listeners: LLM traffic and admin on loopback, probes on the pod's address.

pub(crate) mod admin;
pub(crate) mod listener;
pub(crate) mod probes;
mod stall;
