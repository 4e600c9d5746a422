//! Decisions without I/O: which rule, which candidates in which order, what an attempt's end means.

pub(crate) mod order;
pub(crate) mod sniff;
pub(crate) mod verdict;
