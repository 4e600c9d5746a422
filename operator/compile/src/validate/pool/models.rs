//! The models of a provider: those that the pool lists, or all of the catalogue's, with what that knows of them.

use std::collections::{BTreeMap, BTreeSet};

use fkm_catalog::{ModelRecord, Preset};
use fkm_crds::Model as ModelSpec;
use fkm_snapshot::{AnyFormat, Model};

use super::Judge;

// === impl Judge ===

impl Judge<'_> {
    pub(super) fn models(&mut self, preset: Option<&Preset>) -> BTreeMap<String, Model> {
        let record = |name: &str| {
            preset
                .and_then(|preset| preset.models.get(name))
                .cloned()
                .unwrap_or_default()
        };
        let Some(given) = &self.spec.models else {
            if preset.is_none() && self.spec.preset.is_none() {
                let message = format!(
                    "type {:?} without a preset has no catalogue; list the models",
                    self.spec.r#type
                );
                self.invalid("models", message);
            }
            if let (Some(preset), Some(name)) = (preset, &self.spec.preset)
                && preset.models.is_empty()
            {
                let message = format!(
                    "the catalogue knows no models of preset {:?}; list those that you use",
                    name.0
                );
                self.invalid("models", message);
            }
            let known = preset.into_iter().flat_map(|preset| preset.models.keys());
            return known
                .map(|name| {
                    let record = record(name);
                    (name.clone(), known_model(record, preset))
                })
                .collect();
        };
        self.check_model_names(given);
        let model = |spec: &ModelSpec| {
            let upstream = spec
                .upstream_name
                .as_ref()
                .filter(|upstream| **upstream != spec.name);
            let record = record(&upstream.unwrap_or(&spec.name).0);
            Model {
                upstream_name: upstream
                    .map(|upstream| upstream.0.clone())
                    .unwrap_or_default(),
                aliases: spec.aliases.iter().map(|alias| alias.0.clone()).collect(),
                ..known_model(record, preset)
            }
        };
        given
            .iter()
            .map(|spec| (spec.name.0.clone(), model(spec)))
            .collect()
    }

    fn check_model_names(&mut self, models: &[ModelSpec]) {
        let mut seen = BTreeSet::new();
        for (index, model) in models.iter().enumerate() {
            if !seen.insert(&model.name.0) {
                let message = format!(
                    "{:?} stands twice among names and aliases of this provider; remove one",
                    model.name.0
                );
                self.invalid(&format!("models[{index}].name"), message);
            }
            for (a, alias) in model.aliases.iter().enumerate() {
                if !seen.insert(&alias.0) {
                    let message = format!(
                        "{:?} stands twice among names and aliases of this provider; remove one",
                        alias.0
                    );
                    self.invalid(&format!("models[{index}].aliases[{a}]"), message);
                }
            }
        }
    }
}

/// A model as the catalogue knows it: in those of its formats that the provider speaks, where it knows any.
fn known_model(record: ModelRecord, preset: Option<&Preset>) -> Model {
    let spoken: BTreeSet<AnyFormat> = preset.into_iter().flat_map(Preset::formats).collect();
    let formats = record.formats.iter();
    let formats = formats.filter_map(|name| AnyFormat::named(name));
    let known: BTreeSet<AnyFormat> = formats.filter(|format| spoken.contains(format)).collect();
    Model {
        // none stands for all
        formats: if known == spoken {
            BTreeSet::new()
        } else {
            known
        },
        max_output_tokens: record.max_output_tokens,
        capabilities: record.capabilities,
        price: record.price,
        ..Model::default()
    }
}
