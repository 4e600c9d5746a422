//! The list of entry points.

use fkm_dialect::{Auth, Dialect, EmbeddingFormat, Format, RelayFormat, RerankFormat};

use crate::{kept, passed, requests, streams, vectors};

/// One entry point.
#[derive(Clone, Debug)]
pub struct Target {
    /// Stable, for example `stream.openai.chat`; the folder of its corpus.
    pub name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Scan,
    Weigh,
    Opaque,
    Form,
    Ids,
    Links(Format),
    Request(Format),
    Answer(Format),
    Error(Format),
    Stream(Format),
    Relay(Format),
    Embedding(EmbeddingFormat),
    Rerank(RerankFormat),
    Relayed(RelayFormat),
}

/// Every entry point.
pub fn targets() -> Vec<Target> {
    let plain = [
        ("scan", Kind::Scan),
        ("weigh", Kind::Weigh),
        ("opaque", Kind::Opaque),
        ("form", Kind::Form),
        ("ids", Kind::Ids),
    ];
    let plain = plain.map(|(name, kind)| Target {
        name: name.to_owned(),
        kind,
    });
    let of_format = Format::ALL.into_iter().flat_map(|format| {
        [
            ("links", Kind::Links(format)),
            ("request", Kind::Request(format)),
            ("answer", Kind::Answer(format)),
            ("error", Kind::Error(format)),
            ("stream", Kind::Stream(format)),
            ("relay", Kind::Relay(format)),
        ]
        .map(|(name, kind)| Target {
            name: format!("{name}.{format}"),
            kind,
        })
    });
    let embeddings = EmbeddingFormat::ALL.map(|format| Target {
        name: format.to_string(),
        kind: Kind::Embedding(format),
    });
    let rankings = RerankFormat::ALL.map(|format| Target {
        name: format.to_string(),
        kind: Kind::Rerank(format),
    });
    let relayed = RelayFormat::ALL.map(|format| Target {
        name: format.to_string(),
        kind: Kind::Relayed(format),
    });
    let others = embeddings.into_iter().chain(rankings).chain(relayed);
    plain.into_iter().chain(of_format).chain(others).collect()
}

/// A provider of the format without peculiarities.
pub(crate) fn dialect(format: Format) -> Dialect {
    Dialect::new(format, "/x", Auth::Bearer)
}

// === impl Target ===

impl Target {
    /// Runs the parser on `data`.
    ///
    /// *Panics* when a promise is broken.
    pub fn run(&self, data: &[u8]) {
        match self.kind {
            Kind::Scan => requests::scan(data),
            Kind::Weigh => requests::weigh(data),
            Kind::Opaque => requests::opaque(data),
            Kind::Form => passed::form(data),
            Kind::Ids => kept::ids(data),
            Kind::Links(format) => kept::links(format, data),
            Kind::Request(format) => requests::request(format, data),
            Kind::Answer(format) => streams::answer(format, data),
            Kind::Error(format) => streams::error(format, data),
            Kind::Stream(format) => streams::stream(format, data),
            Kind::Relay(format) => streams::relay(format, data),
            Kind::Embedding(format) => vectors::embedding(format, data),
            Kind::Rerank(format) => vectors::rerank(format, data),
            Kind::Relayed(format) => passed::relayed(format, data),
        }
    }
}
