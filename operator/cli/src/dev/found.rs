//! What is wrong in the folder, as log lines.

use std::path::PathBuf;

use tracing::field::display;

use crate::lint::{Finding, Stage};
use crate::manifests::{Origin, ReadError};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// What it means for what is served.
    effect: Effect,
    /// `LLMRoute shop/assistant`.
    object: String,
    place: Option<(PathBuf, usize)>,
    path: String,
    reason: Option<&'static str>,
    message: String,
}

/// What it means for what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing of the folder is taken over.
    Unreadable,
    /// The object stays as it was.
    Refused,
    /// Nothing of the object takes effect.
    NoPart,
    /// The last accepted spec of the object stands in.
    LastAccepted,
    /// What needs it is left out.
    Unresolved,
    /// None.
    Warning,
}

// === impl Found ===

impl Found {
    /// Of a path that cannot be read.
    pub(super) fn unreadable(error: &ReadError) -> Self {
        Self {
            effect: Effect::Unreadable,
            object: String::new(),
            place: None,
            path: String::new(),
            reason: None,
            message: error.to_string(),
        }
    }

    /// Of an object; `earlier`: an earlier spec of it still takes part.
    pub(super) fn new(origin: &Origin, finding: &Finding, earlier: bool) -> Self {
        let effect = match finding.stage {
            Stage::Yaml => Effect::Unreadable,
            Stage::Schema | Stage::Cel if earlier => Effect::Refused,
            Stage::Accepted if earlier => Effect::LastAccepted,
            Stage::Schema | Stage::Cel | Stage::Accepted => Effect::NoPart,
            Stage::ResolvedRefs => Effect::Unresolved,
            Stage::Warning => Effect::Warning,
        };
        let (file, line) = origin.location();
        Self {
            effect,
            object: match origin.kind.as_str() {
                "" => String::new(),
                _ => origin.title(),
            },
            place: Some((file.clone(), line)),
            path: finding.path.clone(),
            reason: finding.reason,
            message: finding.message.clone(),
        }
    }

    /// Writes the line.
    pub(super) fn log(&self) {
        let filled = |text| Some(text).filter(|text: &&str| !text.is_empty());
        let (object, path) = (filled(&self.object), filled(&self.path));
        let (reason, problem) = (self.reason, self.message.as_str());
        let place = self.place.as_ref();
        let file = place.map(|(file, _)| display(file.display()));
        let line = place.map(|(_, line)| *line);
        let effect = self.effect.words();
        match self.effect {
            Effect::Unresolved | Effect::Warning => {
                tracing::warn!(object, path, problem, reason, file, line, "{effect}");
            }
            _ => tracing::error!(object, path, problem, reason, file, line, "{effect}"),
        }
    }
}

// === impl Effect ===

impl Effect {
    fn words(self) -> &'static str {
        match self {
            Self::Unreadable => "cannot be read; nothing changes until it is fixed",
            Self::Refused => "refused as by an API server; the object stays as it was",
            Self::NoPart => "not accepted; the object takes no part",
            Self::LastAccepted => "not accepted; its last accepted spec stays",
            Self::Unresolved => "names what cannot be used; what needs it is left out",
            Self::Warning => "accepted, with a warning",
        }
    }
}
