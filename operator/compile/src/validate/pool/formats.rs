//! What a provider speaks besides its dialect: the catalogue's records with the fields that the pool puts in their stead.

use std::collections::BTreeSet;

use fkm_catalog::Preset;
use fkm_crds::{ChatFormat, RequestPath, SpokenFormat};
use fkm_snapshot::{
    AnyFormat, Auth, Dialect, DimensionsField, EmbeddingDialect, EmbeddingFormat, Format,
    RerankDialect, RerankFormat,
};

use super::{HttpTarget, Judge};

// === impl Judge ===

impl Judge<'_> {
    /// Further formats of conversations, beside that of `lead`.
    pub(super) fn beside(
        &mut self,
        preset: Option<&Preset>,
        lead: Option<&Dialect>,
    ) -> Vec<Dialect> {
        let mut spoken: Vec<Dialect> = preset.map(|one| one.beside.clone()).unwrap_or_default();
        let lead_format = lead.map(|lead| lead.format);
        spoken.retain(|record| Some(record.format) != lead_format);
        let mut seen = BTreeSet::new();
        for (index, given) in self.spec.formats.iter().flatten().enumerate() {
            let place = format!("formats[{index}]");
            let format = chat_format(given.format);
            if Some(format) == lead_format {
                let message = "it is the format that dialect is about; set path and the rest there";
                self.invalid(&format!("{place}.format"), message);
                continue;
            }
            if !seen.insert(format) {
                let message = "the format stands twice; one provider has one path for it";
                self.invalid(&format!("{place}.format"), message);
                continue;
            }
            let known = spoken.iter().position(|record| record.format == format);
            let record = known.map(|at| spoken.remove(at));
            let spoken_now = further(given, record, lead);
            for (field, message) in spoken_now.problems() {
                self.invalid(&format!("{place}.{field}"), message);
            }
            spoken.push(spoken_now);
        }
        spoken
    }

    /// How vectors are made.
    pub(super) fn embeddings(&mut self, preset: Option<&Preset>) -> Option<EmbeddingDialect> {
        let record = match preset {
            Some(preset) => preset.embeddings.clone(),
            None => Some(super::plain_embeddings()),
        };
        let Some(given) = &self.spec.embeddings else {
            return record;
        };
        let format = given.format.map(embedding_format);
        let format = format.or_else(|| record.as_ref().map(|record| record.format));
        let format = format.unwrap_or(EmbeddingFormat::OpenAiEmbeddings);
        let record = record.filter(|record| record.format == format);
        let path = self.path(
            "embeddings",
            given.path.as_ref(),
            record.as_ref().map(|one| &*one.path),
        )?;
        let record = record.unwrap_or_else(|| EmbeddingDialect::new(format, ""));
        let dialect = EmbeddingDialect {
            format,
            path,
            base64: given.base64.unwrap_or(record.base64),
            input_type: given.input_type.unwrap_or(record.input_type),
            dimensions_field: given
                .dimensions_field
                .map_or(record.dimensions_field, dimensions_field),
            user: given.user.unwrap_or(record.user),
            config_object: record.config_object,
        };
        for (field, message) in dialect.problems() {
            self.invalid(&format!("embeddings.{field}"), message);
        }
        Some(dialect)
    }

    /// How documents are ranked.
    pub(super) fn ranks(&mut self, preset: Option<&Preset>) -> Option<RerankDialect> {
        let record = preset.and_then(|preset| preset.ranks.clone());
        let Some(given) = &self.spec.rerank else {
            return record;
        };
        let format = given.format.map(rerank_format);
        let format = format.or_else(|| record.as_ref().map(|record| record.format));
        let format = format.unwrap_or(RerankFormat::CohereRerank);
        let record = record.filter(|record| record.format == format);
        let path = self.path(
            "rerank",
            given.path.as_ref(),
            record.as_ref().map(|one| &*one.path),
        )?;
        let known = record.is_some_and(|record| record.returns_documents);
        let dialect = RerankDialect {
            format,
            path,
            returns_documents: given.returns_documents.unwrap_or(known),
        };
        for (field, message) in dialect.problems() {
            self.invalid(&format!("rerank.{field}"), message);
        }
        Some(dialect)
    }

    /// The path that is given, else the one that is known.
    fn path(
        &mut self,
        what: &str,
        given: Option<&RequestPath>,
        known: Option<&str>,
    ) -> Option<String> {
        let path = given.map(|path| path.0.clone());
        let path = path.or_else(|| known.map(str::to_owned));
        if path.is_none() {
            let message =
                "the catalogue knows no path for this format here; give one, as it follows baseURL";
            self.invalid(&format!("{what}.path"), message);
        }
        path
    }
}

/// A record with what is given in its stead; keys are shown as the provider's dialect has it.
fn further(given: &SpokenFormat, record: Option<Dialect>, lead: Option<&Dialect>) -> Dialect {
    let shown = lead.map_or(Auth::Bearer, |lead| lead.auth);
    let record = record.unwrap_or_else(|| Dialect::new(chat_format(given.format), "", shown));
    let path = |path: &RequestPath| path.0.clone();
    Dialect {
        path: given.path.0.clone(),
        stream_path: given.stream_path.as_ref().map(path).or(record.stream_path),
        count_path: given.count_path.as_ref().map(path).or(record.count_path),
        ..record
    }
}

/// Every format of a provider.
pub(super) fn spoken(target: &HttpTarget) -> BTreeSet<AnyFormat> {
    let chats = target.dialect.iter().chain(&target.beside);
    let chats = chats.map(|one| AnyFormat::Chat(one.format));
    let vectors = target.embeddings.iter();
    let vectors = vectors.map(|one| AnyFormat::Embeddings(one.format));
    let ranks = target.ranks.iter();
    let ranks = ranks.map(|one| AnyFormat::Rerank(one.format));
    let relays = target.relays.iter();
    let relays = relays.map(|one| AnyFormat::Relayed(one.format));
    chats.chain(vectors).chain(ranks).chain(relays).collect()
}

/// The formats that a pool names itself: every model of their operation has them, whatever the catalogue knows.
pub(super) fn named(spec: &fkm_crds::Provider) -> BTreeSet<AnyFormat> {
    let chats = spec.formats.iter().flatten();
    let chats = chats.map(|one| AnyFormat::Chat(chat_format(one.format)));
    let vectors = spec.embeddings.iter().filter_map(|one| one.format);
    let vectors = vectors.map(|one| AnyFormat::Embeddings(embedding_format(one)));
    let ranks = spec.rerank.iter().filter_map(|one| one.format);
    let ranks = ranks.map(|one| AnyFormat::Rerank(rerank_format(one)));
    chats.chain(vectors).chain(ranks).collect()
}

fn chat_format(format: ChatFormat) -> Format {
    match format {
        ChatFormat::OpenAIChat => Format::OpenAiChat,
        ChatFormat::OpenAICompletions => Format::OpenAiCompletions,
        ChatFormat::OpenAIResponses => Format::OpenAiResponses,
        ChatFormat::AnthropicMessages => Format::AnthropicMessages,
        ChatFormat::BedrockConverse => Format::BedrockConverse,
        ChatFormat::CohereChat => Format::CohereChat,
        ChatFormat::GeminiGenerateContent => Format::GeminiGenerateContent,
    }
}

fn embedding_format(format: fkm_crds::EmbeddingsFormat) -> EmbeddingFormat {
    match format {
        fkm_crds::EmbeddingsFormat::OpenAIEmbeddings => EmbeddingFormat::OpenAiEmbeddings,
        fkm_crds::EmbeddingsFormat::CohereEmbed => EmbeddingFormat::CohereEmbed,
        fkm_crds::EmbeddingsFormat::GeminiEmbed => EmbeddingFormat::GeminiEmbed,
    }
}

fn dimensions_field(field: fkm_crds::DimensionsField) -> DimensionsField {
    match field {
        fkm_crds::DimensionsField::Dimensions => DimensionsField::Dimensions,
        fkm_crds::DimensionsField::OutputDimension => DimensionsField::OutputDimension,
    }
}

fn rerank_format(format: fkm_crds::RerankFormat) -> RerankFormat {
    match format {
        fkm_crds::RerankFormat::CohereRerank => RerankFormat::CohereRerank,
        fkm_crds::RerankFormat::VoyageRerank => RerankFormat::VoyageRerank,
    }
}
