//! The steps of the request and of the attempt, one file each; `stack.rs` is their order.

pub(crate) mod accept;
pub(crate) mod count;
pub(crate) mod encode;
pub(crate) mod execute;
pub(crate) mod inline;
pub(crate) mod models;
pub(crate) mod plan;
pub(crate) mod record;
mod relayed;
pub(crate) mod send;
pub(crate) mod take;
pub(crate) mod taken;
mod whole;
