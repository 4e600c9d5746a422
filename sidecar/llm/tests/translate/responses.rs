//! OpenAI Responses: to and from the other formats.

mod answers;
mod errors;
mod requests;
mod state;
mod streams;

use fkm_llm::Format;

const RESPONSES: Format = Format::OpenAiResponses;
