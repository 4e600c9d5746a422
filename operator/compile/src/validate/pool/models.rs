//! The models of a provider: those that the pool lists, or all of the catalogue's, with what that knows of them.

use std::collections::{BTreeMap, BTreeSet};

use fkm_catalog::{ModelRecord, Preset};
use fkm_crds::Model as ModelSpec;
use fkm_snapshot::{AnyFormat, Model};

use super::{Judge, formats};

// === impl Judge ===

impl Judge<'_> {
    /// `spoken`: every format of the provider.
    pub(super) fn models(
        &mut self,
        preset: Option<&Preset>,
        spoken: &BTreeSet<AnyFormat>,
    ) -> BTreeMap<String, Model> {
        let named = formats::named(self.spec);
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
                    (name.clone(), known_model(record, spoken, &named))
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
                ..known_model(record, spoken, &named)
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

/// A model as the catalogue knows it: in those of its formats that the provider speaks, where it knows any, and in those of
/// the same operation that the pool has `named`.
fn known_model(
    record: ModelRecord,
    spoken: &BTreeSet<AnyFormat>,
    named: &BTreeSet<AnyFormat>,
) -> Model {
    let formats = record.formats.iter();
    let formats = formats.filter_map(|name| AnyFormat::named(name));
    let known: BTreeSet<AnyFormat> = formats.filter(|format| spoken.contains(format)).collect();
    let alike = |format: &&AnyFormat| {
        let mut known = known.iter();
        known.any(|one| one.operation() == format.operation())
    };
    let known: BTreeSet<AnyFormat> =
        &known | &named.iter().copied().filter(|one| alike(&one)).collect();
    Model {
        // none stands for all
        formats: if known == *spoken {
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
