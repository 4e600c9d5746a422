//! Presets: named providers of the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use fkm_dialect::{
    AnyFormat, Dialect, EmbeddingDialect, Keeps, RelayDialect, RelayFormat, RerankDialect,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::{ModelRecord, models};

/// A named provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The service's name in telemetry (`gen_ai.provider.name`).
    pub system: String,
    /// Where it listens: absolute, without a trailing slash. `None`: each customer has an address of his own, which the pool
    /// gives.
    pub base_url: Option<String>,
    /// Without a base URL: how that of a customer looks, with what is his own in capitals.
    pub base_url_form: Option<String>,
    /// How it converses. `None`: it has vectors and ranks only.
    pub dialect: Option<Dialect>,
    /// Other formats in which it converses.
    pub beside: Vec<Dialect>,
    /// How it makes vectors, where it does.
    pub embeddings: Option<EmbeddingDialect>,
    /// How it ranks documents, where it does.
    pub ranks: Option<RerankDialect>,
    /// What it keeps behind ids, by its own documentation.
    pub keeps: Vec<Keeps>,
    /// Where it takes what is passed on as it is.
    pub relays: Vec<RelayDialect>,
    /// Its models that can be asked in one of its formats, by the name that it wants.
    pub models: BTreeMap<String, ModelRecord>,
}

/// A preset as it stands in `data/presets.json`; the models are in a file of their own, which is generated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PresetRecord {
    system: String,
    base_url: Option<String>,
    base_url_form: Option<String>,
    dialect: Option<Dialect>,
    #[serde(default)]
    beside: Vec<Dialect>,
    embeddings: Option<EmbeddingDialect>,
    ranks: Option<RerankDialect>,
    #[serde(default)]
    keeps: Vec<Keeps>,
    /// What it takes where `OpenAI` does.
    #[serde(default)]
    relays: Vec<RelayFormat>,
    /// Where its makers say what it keeps and relays: for whoever reads the file.
    #[serde(default, rename = "sources")]
    _sources: IgnoredAny,
    /// Whose models it offers, where they do not stand under its own name.
    models: Option<String>,
}

static PRESETS: LazyLock<BTreeMap<String, Preset>> = LazyLock::new(|| {
    let records: BTreeMap<String, PresetRecord> =
        serde_json::from_str(include_str!("../data/presets.json")).expect("checked by a test");
    let complete = |(name, record): (String, PresetRecord)| {
        let mut preset = Preset {
            models: BTreeMap::new(),
            system: record.system,
            base_url: record.base_url,
            base_url_form: record.base_url_form,
            dialect: record.dialect,
            beside: record.beside,
            embeddings: record.embeddings,
            ranks: record.ranks,
            keeps: record.keeps,
            relays: record.relays.into_iter().map(RelayDialect::usual).collect(),
        };
        preset.models = offered(record.models.as_deref().unwrap_or(&name), &preset);
        (name, preset)
    };
    records.into_iter().map(complete).collect()
});

// === impl Preset ===

impl Preset {
    /// The formats that it speaks, the one that it leads with first.
    pub fn formats(&self) -> impl Iterator<Item = AnyFormat> {
        let chats = self.dialect.iter().chain(&self.beside);
        let chats = chats.map(|one| AnyFormat::Chat(one.format));
        let vectors = self
            .embeddings
            .iter()
            .map(|one| AnyFormat::Embeddings(one.format));
        let ranks = self.ranks.iter().map(|one| AnyFormat::Rerank(one.format));
        let relays = self.relays.iter();
        let relays = relays.map(|one| AnyFormat::Relayed(one.format));
        chats.chain(vectors).chain(ranks).chain(relays)
    }
}

/// The models that can be asked in one of the preset's formats.
fn offered(provider: &str, preset: &Preset) -> BTreeMap<String, ModelRecord> {
    let spoken: BTreeSet<&str> = preset.formats().map(AnyFormat::name).collect();
    let all = models(provider).into_iter().flatten();
    let served = all.filter(|(_, model)| {
        let mut formats = model.formats.iter();
        formats.any(|format| spoken.contains(format.as_str()))
    });
    served
        .map(|(name, model)| (name.clone(), model.clone()))
        .collect()
}

/// The preset of this name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.get(name)
}

/// The names of all presets, sorted.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.keys().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use fkm_dialect::{EmbeddingFormat, Format, MODEL_IN_PATH, RerankFormat};
    use url::Url;

    use super::*;

    #[test]
    fn what_is_kept_or_relayed_has_a_source() {
        let records: serde_json::Value =
            serde_json::from_str(include_str!("../data/presets.json")).unwrap();
        for (name, preset) in PRESETS.iter() {
            let told = !preset.keeps.is_empty() || !preset.relays.is_empty();
            let sources = records[name]["sources"].as_array().into_iter().flatten();
            let pages =
                sources.filter(|one| one.as_str().is_some_and(|url| Url::parse(url).is_ok()));
            assert_eq!(pages.count() > 0, told, "{name}");
        }
    }

    #[test]
    fn every_record_is_usable() {
        for (name, preset) in PRESETS.iter() {
            let address = match (&preset.base_url, &preset.base_url_form) {
                (Some(address), None) => {
                    assert!(address.starts_with("https://"), "{name}");
                    address
                }
                (None, Some(form)) => {
                    assert!(form.contains(|c: char| c.is_ascii_uppercase()), "{name}");
                    form
                }
                _ => unreachable!("{name} has a base URL or its form, not both"),
            };
            let url = Url::parse(address).expect(name);
            assert!(url.host().is_some() && url.query().is_none(), "{name}");
            assert!(!address.ends_with('/'), "{name}");
            let chats = preset.dialect.iter().chain(&preset.beside);
            let chats = chats.map(Dialect::problems);
            let embeds = preset.embeddings.iter().map(EmbeddingDialect::problems);
            let ranks = preset.ranks.iter().map(RerankDialect::problems);
            let keeps = preset.keeps.iter().map(Keeps::problems);
            let records: Vec<_> = chats.chain(embeds).chain(ranks).chain(keeps).collect();
            assert!(!records.is_empty(), "{name} does nothing");
            assert_eq!(records.concat(), [], "{name}");
            assert!(!preset.system.is_empty(), "{name}");
            for (model, record) in &preset.models {
                let form = model.bytes().all(|b| b.is_ascii_graphic() && b != b'*');
                assert!(form && !model.is_empty(), "{name}: {model:?}");
                assert_ne!(record.max_output_tokens, Some(0), "{name}: {model}");
            }
        }
    }

    fn format_of(name: &str) -> Option<Format> {
        Some(preset(name)?.dialect.as_ref()?.format)
    }

    #[test]
    fn the_presets_of_the_typed_providers_are_there() {
        assert_eq!(format_of("openai"), Some(Format::OpenAiChat));
        assert_eq!(format_of("anthropic"), Some(Format::AnthropicMessages));
        assert!(preset_names().count() >= 50);
        assert_eq!(preset("nobody"), None);
    }

    /// A format that no provider speaks could not be asked for. Those of OpenAI beside its chats are spoken by providers whose
    /// record leads with the chats.
    #[test]
    fn every_format_is_spoken_by_a_preset() {
        let spoken: BTreeSet<Format> = preset_names().filter_map(format_of).collect();
        let beside = PRESETS.values().flat_map(|one| &one.beside);
        let beside: BTreeSet<Format> = beside.map(|one| one.format).collect();
        assert_eq!(&spoken | &beside, Format::ALL.into());
        let embeddings = PRESETS.values().filter_map(|one| one.embeddings.as_ref());
        let spoken: BTreeSet<EmbeddingFormat> = embeddings.map(|one| one.format).collect();
        assert_eq!(spoken, EmbeddingFormat::ALL.into());
        let ranks = PRESETS.values().filter_map(|one| one.ranks.as_ref());
        let spoken: BTreeSet<RerankFormat> = ranks.map(|one| one.format).collect();
        assert_eq!(spoken, RerankFormat::ALL.into());
        let relays = PRESETS.values().flat_map(|one| &one.relays);
        let spoken: BTreeSet<RelayFormat> = relays.map(|one| one.format).collect();
        assert_eq!(spoken, RelayFormat::ALL.into());
    }

    #[test]
    fn a_model_named_in_the_path_is_named_in_both() {
        for (name, preset) in PRESETS.iter() {
            let Some(dialect) = &preset.dialect else {
                continue;
            };
            let named = dialect.path.contains(MODEL_IN_PATH);
            let stream = dialect.stream_path.as_ref().unwrap_or(&dialect.path);
            assert_eq!(stream.contains(MODEL_IN_PATH), named, "{name}");
            let needs = [Format::BedrockConverse, Format::GeminiGenerateContent];
            assert_eq!(named, needs.contains(&dialect.format), "{name}");
            assert_eq!(dialect.stream_path.is_some(), named, "{name}");
        }
    }

    /// A map would hide a key that stands twice, so the text is read as a list of keys.
    #[test]
    fn nothing_stands_twice() {
        for text in [
            include_str!("../data/presets.json"),
            include_str!("../data/models.json"),
        ] {
            let lists: Pairs = serde_json::from_str(text).unwrap();
            let names: BTreeSet<&String> = lists.0.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), lists.0.len());
            for (name, fields) in &lists.0 {
                let keys: BTreeSet<&String> = fields.0.iter().map(|(key, _)| key).collect();
                assert_eq!(keys.len(), fields.0.len(), "{name}");
            }
        }
    }

    /// A JSON object as its pairs, in order, repeated keys included; anything else is empty.
    struct Pairs(Vec<(String, Self)>);

    impl<'de> Deserialize<'de> for Pairs {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(PairsVisitor)
        }
    }

    struct PairsVisitor;

    impl<'de> serde::de::Visitor<'de> for PairsVisitor {
        type Value = Pairs;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("JSON")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(Pairs(pairs))
        }

        fn visit_str<E>(self, _: &str) -> Result<Pairs, E> {
            Ok(Pairs(Vec::new()))
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Pairs, A::Error> {
            while seq.next_element::<Pairs>()?.is_some() {}
            Ok(Pairs(Vec::new()))
        }

        fn visit_u64<E>(self, _: u64) -> Result<Pairs, E> {
            Ok(Pairs(Vec::new()))
        }

        fn visit_bool<E>(self, _: bool) -> Result<Pairs, E> {
            Ok(Pairs(Vec::new()))
        }
    }
}
