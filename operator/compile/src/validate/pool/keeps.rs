//! What clients may keep at a provider: of what the catalogue says that it keeps, what the pool allows.

use fkm_catalog::Preset;
use fkm_crds::KeptKind;
use fkm_snapshot::{Keeps, Kept};

use super::Judge;

// === impl Judge ===

impl Judge<'_> {
    /// Without a preset, as OpenAI keeps it.
    pub(super) fn keeps(&mut self, preset: Option<&Preset>) -> Vec<Keeps> {
        let mut known = match (preset, &self.spec.keeps) {
            (Some(preset), _) => preset.keeps.clone(),
            (None, Some(_)) => plain(),
            (None, None) => Vec::new(),
        };
        let given = self.spec.keeps.as_deref();
        let allowed = given.unwrap_or(&[KeptKind::Responses]);
        for (index, wanted) in given.into_iter().flatten().enumerate() {
            if !known.iter().any(|one| kind(one.kept) == *wanted) {
                let message = format!(
                    "the provider is not known to keep {wanted:?} for its clients; remove it"
                );
                self.invalid(&format!("keeps[{index}]"), message);
            }
        }
        known.retain(|one| allowed.contains(&kind(one.kept)));
        known
    }
}

fn plain() -> Vec<Keeps> {
    let at = |kept, path: &str| Keeps {
        kept,
        path: path.to_owned(),
    };
    vec![
        at(Kept::OpenAiResponses, "/responses"),
        at(Kept::OpenAiFiles, "/files"),
        at(Kept::OpenAiBatches, "/batches"),
    ]
}

fn kind(kept: Kept) -> KeptKind {
    match kept {
        Kept::AnthropicFiles | Kept::OpenAiFiles => KeptKind::Files,
        Kept::OpenAiBatches => KeptKind::Batches,
        Kept::OpenAiResponses => KeptKind::Responses,
    }
}
