//! Presets: named providers of the catalogue.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fkm_dialect::{Capabilities, Dialect};
use serde::Deserialize;

/// A named provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The service's name in telemetry (`gen_ai.provider.name`).
    pub system: String,
    /// Where it listens: absolute, without a trailing slash.
    pub base_url: String,
    /// What it speaks.
    pub dialect: Dialect,
    /// Its chat models, by the name that it wants.
    pub models: BTreeMap<String, ModelRecord>,
}

/// What is known of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ModelRecord {
    /// The most output tokens that it gives; unknown when absent.
    #[serde(default)]
    pub max_output_tokens: Option<u64>,
    /// What it can take.
    #[serde(default)]
    pub capabilities: Capabilities,
}

/// A preset as it stands in `data/presets.json`; the models are in a file of their own, which is generated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PresetRecord {
    system: String,
    base_url: String,
    dialect: Dialect,
}

static PRESETS: LazyLock<BTreeMap<String, Preset>> = LazyLock::new(|| {
    let mut models: BTreeMap<String, BTreeMap<String, ModelRecord>> =
        serde_json::from_str(include_str!("../data/models.json")).expect("checked by a test");
    let records: BTreeMap<String, PresetRecord> =
        serde_json::from_str(include_str!("../data/presets.json")).expect("checked by a test");
    let complete = |(name, record): (String, PresetRecord)| {
        let preset = Preset {
            system: record.system,
            base_url: record.base_url,
            dialect: record.dialect,
            models: models.remove(&name).unwrap_or_default(),
        };
        (name, preset)
    };
    records.into_iter().map(complete).collect()
});

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
    use std::collections::BTreeSet;

    use fkm_dialect::Format;
    use url::Url;

    use super::*;

    #[test]
    fn every_record_is_usable() {
        for (name, preset) in PRESETS.iter() {
            let url = Url::parse(&preset.base_url).expect(name);
            assert_eq!(url.scheme(), "https", "{name}");
            assert!(url.host().is_some() && url.query().is_none(), "{name}");
            assert!(!preset.base_url.ends_with('/'), "{name}");
            assert!(preset.dialect.path.starts_with('/'), "{name}");
            assert!(Format::ALL.contains(&preset.dialect.format), "{name}");
            assert!(!preset.system.is_empty(), "{name}");
            assert!(!preset.models.is_empty(), "{name} has no models");
            for (model, record) in &preset.models {
                let form = model.bytes().all(|b| b.is_ascii_graphic() && b != b'*');
                assert!(form && !model.is_empty(), "{name}: {model:?}");
                assert_ne!(record.max_output_tokens, Some(0), "{name}: {model}");
            }
        }
    }

    #[test]
    fn the_presets_of_the_typed_providers_are_there() {
        assert_eq!(preset("openai").unwrap().dialect.format, Format::OpenAiChat);
        assert_eq!(
            preset("anthropic").unwrap().dialect.format,
            Format::AnthropicMessages
        );
        assert!(preset_names().count() >= 7);
        assert_eq!(preset("nobody"), None);
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

    #[test]
    fn no_models_without_a_preset() {
        let models: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(include_str!("../data/models.json")).unwrap();
        for name in models.keys() {
            assert!(preset(name).is_some(), "{name}");
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

        fn visit_u64<E>(self, _: u64) -> Result<Pairs, E> {
            Ok(Pairs(Vec::new()))
        }

        fn visit_bool<E>(self, _: bool) -> Result<Pairs, E> {
            Ok(Pairs(Vec::new()))
        }
    }
}
