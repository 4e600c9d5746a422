//! Bedrock Converse, by hand: requests, answers, streams and errors to and from it.

mod answers;
mod catalogue;
mod requests;
mod streams;
mod thinking;
