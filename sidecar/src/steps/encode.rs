//! Step *encode*: what is sent to this candidate: the received bytes with a few edited spans where client and provider
//! speak the same format, a translation where they do not.

use bytes::Bytes;
use fkm_llm::{
    DecodeError, Edits, EmbeddingTarget, EncodeError, Format, Relayed, RerankTarget, Target,
    ToolNames, WireFormat, embedding_codec, rerank_codec,
};
use fkm_snapshot::{Dialect, RelayDialect};

use crate::attempt::AttemptError;
use crate::codec::Pair;
use crate::error::{ExchangeError, Reason};
use crate::exchange::Exchange;
use crate::runtime::Candidate;
use crate::source::Source;

/// The body of one attempt's request.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) segments: Vec<Bytes>,
    /// What the provider's format cannot express and the client may do without.
    pub(crate) dropped: Vec<String>,
    /// The names of tools that were changed for the provider.
    pub(crate) tool_names: ToolNames,
    /// The usage chunk of the stream is ours alone and is taken out again.
    pub(crate) strip_usage: bool,
    /// Not the received bytes.
    pub(crate) translated: bool,
}

/// Encodes the exchange's request for `candidate`, as `source` has it.
pub(crate) fn run(
    exchange: &Exchange,
    source: Source<'_>,
    candidate: &Candidate,
    pair: &Pair<'_>,
) -> Result<Encoded, AttemptError> {
    match *pair {
        Pair::Chat(client, dialect) if client.passes(dialect) => {
            Ok(edited(source, candidate, dialect))
        }
        Pair::Chat(client, dialect) => chat(exchange, source, candidate, client, dialect),
        Pair::Embeddings(client, dialect) => {
            let request = source.embeddings(client).map_err(unreadable)?;
            let model = &*candidate.offer.upstream_model;
            let target = EmbeddingTarget { model, dialect };
            let encoded = embedding_codec(dialect.format).encode_request(request, &target);
            encoded
                .map(Encoded::from)
                .map_err(|error| inexpressible(&error))
        }
        Pair::Relayed(relayed, dialect) => Ok(relayed_as(exchange, candidate, relayed, dialect)),
        Pair::Rerank(client, dialect) => {
            let request = source.rerank(client).map_err(unreadable)?;
            let model = &*candidate.offer.upstream_model;
            let target = RerankTarget { model, dialect };
            let encoded = rerank_codec(dialect.format).encode_request(request, &target);
            encoded
                .map(Encoded::from)
                .map_err(|error| inexpressible(&error))
        }
    }
}

fn chat(
    exchange: &Exchange,
    source: Source<'_>,
    candidate: &Candidate,
    client: &dyn WireFormat,
    dialect: &Dialect,
) -> Result<Encoded, AttemptError> {
    let request = source.chat(client).map_err(unreadable)?;
    let target = Target {
        model: &candidate.offer.upstream_model,
        dialect,
        capabilities: &candidate.offer.capabilities,
        max_output_tokens: candidate.offer.max_output_tokens,
        stream: exchange.scan.stream,
    };
    let encoded = fkm_llm::encode_request(request, &target);
    encoded
        .map(Encoded::from)
        .map_err(|error| inexpressible(&error))
}

fn unreadable(error: &DecodeError) -> AttemptError {
    AttemptError::Unsuited(ExchangeError::new(Reason::BadRequest, error.to_string()))
}

fn inexpressible(error: &EncodeError) -> AttemptError {
    let mut refused = ExchangeError::new(Reason::NotExpressible, error.to_string());
    refused.client.param = Some(error.path().to_owned());
    AttemptError::Unsuited(refused)
}

fn relayed_as(
    exchange: &Exchange,
    candidate: &Candidate,
    relayed: Relayed,
    dialect: &RelayDialect,
) -> Encoded {
    let (form, model) = (exchange.form.as_ref(), &candidate.offer.upstream_model);
    Encoded {
        segments: relayed.edit(&exchange.body, form, &exchange.scan, model, dialect),
        dropped: Vec::new(),
        tool_names: ToolNames::default(),
        strip_usage: false,
        translated: false,
    }
}

fn edited(source: Source<'_>, candidate: &Candidate, dialect: &Dialect) -> Encoded {
    let scan = source.scan;
    let asked = scan
        .stream_options
        .as_ref()
        .is_some_and(|options| options.include_usage);
    let on_demand = matches!(
        dialect.format,
        Format::OpenAiChat | Format::OpenAiCompletions
    );
    let ask = scan.stream && !asked && on_demand && dialect.asks_usage();
    let edits = Edits {
        model: Some(&candidate.offer.upstream_model),
        include_usage: ask,
        dialect,
    };
    let edited = fkm_llm::edit(source.body, scan, &edits);
    Encoded {
        segments: edited.segments,
        dropped: edited.dropped,
        tool_names: ToolNames::default(),
        strip_usage: ask,
        translated: false,
    }
}

// === impl Encoded ===

impl From<fkm_llm::Encoded> for Encoded {
    /// What was translated.
    fn from(encoded: fkm_llm::Encoded) -> Self {
        Self {
            segments: vec![Bytes::from(encoded.body)],
            dropped: encoded.dropped,
            tool_names: encoded.tool_names,
            strip_usage: false,
            translated: true,
        }
    }
}
