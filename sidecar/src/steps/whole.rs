//! Step *check* for whole answers: what they say, and as the client reads them. Pure: bytes in, bytes out.

use bytes::Bytes;
use fkm_llm::embedding::{EmbeddingRequest, Encoding, Shape};
use fkm_llm::ir::Usage;
use fkm_llm::{
    Dialect, EmbeddingCodec, EmbeddingDialect, EmbeddingFormat, Encoded, FailureClass, Progress,
    RerankCodec, RerankDialect, StreamFault, WireFormat, embedding_codec, rerank_codec,
};

use crate::attempt::AttemptError;
use crate::codec::Pair;
use crate::exchange::Exchange;
use crate::runtime::Candidate;
use crate::steps::count;
use crate::steps::taken::{Sent, from_fault};

/// An answer as the client reads it.
pub(super) struct Read {
    pub(super) body: Bytes,
    /// What it said, and what was used.
    pub(super) progress: Progress,
    /// What the client's format cannot express.
    pub(super) dropped: Vec<String>,
}

/// Whether an answer goes to the client as it came.
pub(super) fn passes(exchange: &Exchange, pair: &Pair<'_>) -> bool {
    match pair {
        Pair::Chat(client, dialect) => client.passes(dialect),
        Pair::Embeddings(client, dialect) => {
            let asked = exchange.source().embeddings(*client);
            client.passes(dialect) && asked.is_ok_and(|asked| is_as_asked(asked, dialect))
        }
        Pair::Relayed(..) => true,
        // Documents may have to be shown that the provider was not sent for.
        Pair::Rerank(..) => false,
    }
}

/// Whether a provider of the same format gives vectors as the client wants them.
fn is_as_asked(asked: &EmbeddingRequest, dialect: &EmbeddingDialect) -> bool {
    let encoding = asked.encoding == Encoding::Float || dialect.base64;
    // Gemini's methods answer in shapes of their own.
    let shape = asked.shape == Shape::Many && dialect.format != EmbeddingFormat::GeminiEmbed;
    encoding && shape
}

/// An answer that passes, with ids that say who keeps what they name. One that is cut short: what is there of it.
pub(super) fn marked(candidate: &Candidate, pair: &Pair<'_>, body: Bytes) -> Bytes {
    let ids = match pair {
        Pair::Chat(client, _) => client.kept_ids(),
        Pair::Embeddings(..) | Pair::Rerank(..) | Pair::Relayed(..) => None,
    };
    match ids.zip(candidate.mark()) {
        Some((ids, mark)) => fkm_llm::kept::marked(&body, ids, mark),
        None => body,
    }
}

/// Reads an answer of `candidate`.
pub(super) fn read(
    exchange: &Exchange,
    candidate: &Candidate,
    pair: &Pair<'_>,
    body: Bytes,
    sent: &Sent,
) -> Result<Read, AttemptError> {
    if exchange.counts {
        return match count::says(&body) {
            true => Ok(as_it_came(body, complete(None))),
            false => {
                let why = "the provider's answer holds no count";
                Err(AttemptError::failed(FailureClass::BrokenStream, why))
            }
        };
    }
    let read = match *pair {
        Pair::Chat(client, dialect) => {
            let passes = passes(exchange, pair);
            let shown = |body| marked(candidate, pair, body);
            chat(client, dialect, body, sent, passes.then_some(shown))
        }
        Pair::Embeddings(client, dialect) => {
            let passes = passes(exchange, pair);
            embeddings(exchange, client, dialect, body, passes)
        }
        Pair::Rerank(client, dialect) => rerank(exchange, client, dialect, &body),
        // `relayed` reads them.
        Pair::Relayed(..) => Ok(as_it_came(body, complete(None))),
    };
    read.map_err(|fault| match fault {
        Fault::Stream(fault) => from_fault(*fault, candidate),
        Fault::Broken(why) => AttemptError::failed(FailureClass::BrokenStream, why),
    })
}

/// Why an answer is none.
enum Fault {
    Stream(Box<StreamFault>),
    Broken(String),
}

impl From<StreamFault> for Fault {
    fn from(fault: StreamFault) -> Self {
        Self::Stream(Box::new(fault))
    }
}

impl From<fkm_llm::DecodeError> for Fault {
    fn from(error: fkm_llm::DecodeError) -> Self {
        match error {
            fkm_llm::DecodeError::Provider(error) => StreamFault::Provider(error).into(),
            error => Self::Broken(error.to_string()),
        }
    }
}

impl From<fkm_llm::EncodeError> for Fault {
    fn from(error: fkm_llm::EncodeError) -> Self {
        Self::Broken(error.to_string())
    }
}

fn chat(
    client: &dyn WireFormat,
    dialect: &Dialect,
    body: Bytes,
    sent: &Sent,
    shown: Option<impl Fn(Bytes) -> Bytes>,
) -> Result<Read, Fault> {
    let provider = fkm_llm::format(dialect.format);
    let facts = provider.response_facts(&body)?;
    let progress = Progress {
        response_model: facts.model,
        finish_reasons: facts.finish_reasons,
        ..complete(facts.usage)
    };
    if let Some(shown) = shown {
        return Ok(as_it_came(shown(body), progress));
    }
    let mut response = provider.decode_response(&body)?;
    response.restore_tool_names(&sent.tool_names);
    Ok(written(client.encode_response(&response)?, progress))
}

fn embeddings(
    exchange: &Exchange,
    client: &dyn EmbeddingCodec,
    dialect: &EmbeddingDialect,
    body: Bytes,
    passes: bool,
) -> Result<Read, Fault> {
    let asked = exchange.source().embeddings(client).map_err(Clone::clone)?;
    let response = embedding_codec(dialect.format).decode_response(&body)?;
    let progress = Progress {
        response_model: response.model.clone(),
        ..complete(response.usage)
    };
    if passes {
        return Ok(as_it_came(body, progress));
    }
    let encoded = client.encode_response(&response, &asked.reply())?;
    Ok(written(encoded, progress))
}

fn rerank(
    exchange: &Exchange,
    client: &dyn RerankCodec,
    dialect: &RerankDialect,
    body: &[u8],
) -> Result<Read, Fault> {
    let asked = exchange.source().rerank(client).map_err(Clone::clone)?;
    let response = rerank_codec(dialect.format).decode_response(body)?;
    let progress = Progress {
        response_model: response.model.clone(),
        ..complete(response.usage)
    };
    let encoded = client.encode_response(&response, &asked.reply());
    Ok(written(encoded, progress))
}

/// What is known of every answer that is there.
fn complete(usage: Option<Usage>) -> Progress {
    Progress {
        content_started: true,
        finished: true,
        usage,
        events: 1,
        ..Progress::default()
    }
}

fn as_it_came(body: Bytes, progress: Progress) -> Read {
    let dropped = Vec::new();
    Read {
        body,
        progress,
        dropped,
    }
}

fn written(encoded: Encoded, progress: Progress) -> Read {
    Read {
        body: encoded.body.into(),
        progress,
        dropped: encoded.dropped,
    }
}
