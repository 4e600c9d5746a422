//! Cohere's chat, from and to the others.

mod answers;
mod requests;
mod streams;

use fkm_llm::Format;

const COHERE: Format = Format::CohereChat;
