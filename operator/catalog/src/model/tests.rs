//! What must hold of the generated data, whatever the sources said.

use std::collections::BTreeSet;

use fkm_dialect::{Format, Rates, ServiceTier};

use super::*;
use crate::{preset, preset_names};

/// Formats that models of the catalogue are asked in; those of [`Format`] are served.
const FORMATS: [&str; 20] = [
    "anthropic.messages",
    "bedrock.converse",
    "cohere.chat",
    "cohere.embed",
    "cohere.rerank",
    "gemini.embed",
    "gemini.generate_content",
    "openai.chat",
    "openai.completions",
    "openai.embeddings",
    "openai.image_edits",
    "openai.image_variations",
    "openai.images",
    "openai.moderations",
    "openai.responses",
    "openai.speech",
    "openai.transcriptions",
    "openai.translations",
    "simulated",
    "voyage.rerank",
];

fn all() -> impl Iterator<Item = (String, &'static ModelRecord)> {
    MODELS.iter().flat_map(|(provider, models)| {
        let named = move |(name, model)| (format!("{provider}/{name}"), model);
        models.iter().map(named)
    })
}

fn lists(price: &Price) -> [&[Rates]; 4] {
    [&price.default, &price.batch, &price.flex, &price.priority]
}

#[test]
fn it_is_large_enough_to_be_of_use() {
    let priced = all().filter(|(_, model)| model.price.is_some()).count();
    assert!(all().count() >= 800, "{}", all().count());
    assert!(providers().count() >= 40, "{}", providers().count());
    assert!(priced >= 800, "{priced}");
    for kind in [
        ModelKind::Chat,
        ModelKind::Embedding,
        ModelKind::Rerank,
        ModelKind::Image,
        ModelKind::Speech,
        ModelKind::Transcription,
        ModelKind::Moderation,
    ] {
        assert!(all().any(|(_, model)| model.kind == kind), "{kind:?}");
    }
}

#[test]
fn names_and_numbers_are_usable() {
    for (name, model) in all() {
        let form = name.bytes().all(|b| b.is_ascii_graphic() && b != b'*');
        assert!(form && !name.ends_with('/'), "{name:?}");
        assert_ne!(model.max_output_tokens, Some(0), "{name}");
        assert_ne!(model.context_window, Some(0), "{name}");
        let day = |ends: &String| ends.len() == 10 && ends.as_str() > "2026-01-01";
        assert!(model.ends.as_ref().is_none_or(day), "{name}");
    }
}

#[test]
fn formats_are_those_that_are_known_and_stand_once() {
    for (name, model) in all() {
        let unique: BTreeSet<&String> = model.formats.iter().collect();
        assert_eq!(unique.len(), model.formats.len(), "{name}");
        for format in &model.formats {
            assert!(FORMATS.contains(&format.as_str()), "{name}: {format}");
        }
    }
    for format in Format::ALL {
        assert!(FORMATS.contains(&format.name()), "{format}");
    }
}

#[test]
fn price_lists_begin_at_zero_and_rise() {
    for (name, model) in all() {
        let Some(price) = &model.price else { continue };
        assert!(!price.default.is_empty(), "{name}");
        assert!(price.is_ordered(), "{name}");
    }
}

/// Reading a cache costs no more than reading, reading no more than writing, and a million tokens no more than a thousand
/// dollars: beyond that a source has moved a decimal point. Flagged are those that really are so.
#[test]
fn prices_are_plausible_or_flagged() {
    const DEAREST: u64 = 1_000_000_000_000;
    let flagged: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../../data/flagged.json")).expect("names and reasons");
    let mut odd = BTreeSet::new();
    for (name, model) in all() {
        let rates = model.price.iter().flat_map(lists).flatten();
        for rates in rates.filter(|rates| rates.input.is_some() && rates.output.is_some()) {
            let (input, output) = (rates.input.unwrap_or(0), rates.output.unwrap_or(0));
            let writes = matches!(model.kind, ModelKind::Chat | ModelKind::Completion);
            let ordered = rates.cache_read.is_none_or(|read| read <= input);
            if !ordered || (writes && input > output) || input.max(output) > DEAREST {
                odd.insert(name.clone());
            }
        }
    }
    let flagged: BTreeSet<String> = flagged.into_keys().collect();
    assert_eq!(odd, flagged, "what is odd, and what flagged.json says");
}

#[test]
fn free_is_only_what_both_sources_give_away() {
    for (name, model) in all() {
        let Some(rates) = model
            .price
            .as_ref()
            .and_then(|price| price.rates(ServiceTier::Default, 0))
        else {
            continue;
        };
        let free = rates.input == Some(0) && rates.output == Some(0);
        assert!(!free || name.ends_with(":free"), "{name}");
    }
}

/// Either somebody can use a provider by its name, or it is said why not.
#[test]
fn every_provider_has_a_preset_or_a_reason() {
    let rules: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(include_str!("../../data/providers.json")).expect("an object");
    for provider in providers() {
        let reason = rules[provider]["unserved"].as_str().unwrap_or_default();
        let served = preset(provider).is_some();
        assert!(
            served == reason.is_empty(),
            "{provider}: write a preset, or say in providers.json why it is `unserved`"
        );
    }
    assert!(preset_names().filter(|name| models(name).is_some()).count() >= 7);
}

/// What makes vectors or ranks is asked as a preset of its provider says, in one of the formats of the model.
#[test]
fn vectors_and_ranks_have_a_record() {
    let mut seen = BTreeSet::new();
    for (provider, models) in MODELS.iter() {
        let Some(preset) = preset(provider) else {
            continue;
        };
        let embeds = preset.embeddings.as_ref().map(|one| one.format.name());
        let ranks = preset.ranks.as_ref().map(|one| one.format.name());
        for (name, model) in models {
            let record = match model.kind {
                ModelKind::Embedding => embeds,
                ModelKind::Rerank => ranks,
                _ => continue,
            };
            let Some(first) = model.formats.first() else {
                continue;
            };
            assert_eq!(record, Some(first.as_str()), "{provider}/{name}");
            seen.insert(first);
        }
    }
    let names: Vec<&str> = seen.iter().map(|name| name.as_str()).collect();
    let known = [
        "cohere.embed",
        "cohere.rerank",
        "gemini.embed",
        "openai.embeddings",
        "voyage.rerank",
    ];
    assert_eq!(names, known);
}

/// A model of pictures, sound or judgements is asked for that alone, and its provider takes it.
#[test]
fn what_is_passed_on_is_asked_where_it_is_taken() {
    for (provider, models) in MODELS.iter() {
        let relays = preset(provider).map_or(&[][..], |preset| &preset.relays);
        for (name, model) in models {
            let passed = matches!(
                model.kind,
                ModelKind::Image
                    | ModelKind::Speech
                    | ModelKind::Transcription
                    | ModelKind::Moderation
            );
            let mut formats = model.formats.iter();
            let taken = |format: &String| {
                relays
                    .iter()
                    .any(|one| one.format.name() == format.as_str())
            };
            let as_told = match passed {
                true => !model.formats.is_empty() && formats.all(taken),
                false => !formats.any(taken),
            };
            assert!(as_told, "{provider}/{name}: {:?}", model.formats);
        }
    }
    let painter = &MODELS["openai"]["gpt-image-2"];
    assert_eq!(painter.formats, ["openai.image_edits", "openai.images"]);
    assert_eq!(painter.price, None);
    let whisper = &MODELS["groq"]["whisper-large-v3"];
    let formats = ["openai.transcriptions", "openai.translations"];
    assert_eq!(whisper.formats, formats);
}

/// Known models, by hand: what the sources say today.
#[test]
fn some_models_are_known_as_they_are() {
    let gpt = &MODELS["openai"]["gpt-5"];
    assert_eq!(gpt.formats, ["openai.chat", "openai.responses"]);
    assert!(gpt.capabilities.no_sampling);
    let price = gpt.price.as_ref().expect("priced");
    let rates = price.rates(ServiceTier::Default, 1).expect("listed");
    assert_eq!(
        (rates.input, rates.output),
        (Some(1_250_000_000), Some(10_000_000_000))
    );
    assert_eq!(
        MODELS["openai"]["gpt-5.4-pro"].formats,
        ["openai.responses"]
    );
    let claude = &MODELS["anthropic"]["claude-sonnet-5"];
    assert!(claude.capabilities.no_prefill);
    assert_eq!(claude.formats, ["anthropic.messages"]);
    let gemini = &MODELS["gemini"]["gemini-2.5-pro"]
        .price
        .as_ref()
        .expect("priced");
    let above = gemini.rates(ServiceTier::Default, 200_001).expect("listed");
    assert_eq!(above.input, Some(2_500_000_000));
    assert_eq!(
        gemini
            .rates(ServiceTier::Flex, 200_001)
            .and_then(|rates| rates.input),
        None
    );
}
