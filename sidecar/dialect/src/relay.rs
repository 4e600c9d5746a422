//! Operations that one family of providers has, in one wire format each: pictures, sound and judgements of texts. Their
//! requests and answers are passed on as they are; there is no other format to translate to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::path_problem;

/// The shape of such a request and of its answer, all of them OpenAI's.
///
/// The serialised names are part of the snapshot, of logs and of metrics; they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RelayFormat {
    /// `POST …/images/edits`.
    #[serde(rename = "openai.image_edits")]
    ImageEdits,
    /// `POST …/images/variations`.
    #[serde(rename = "openai.image_variations")]
    ImageVariations,
    /// `POST …/images/generations`.
    #[serde(rename = "openai.images")]
    Images,
    /// `POST …/moderations`.
    #[serde(rename = "openai.moderations")]
    Moderations,
    /// `POST …/audio/speech`.
    #[serde(rename = "openai.speech")]
    Speech,
    /// `POST …/audio/transcriptions`.
    #[serde(rename = "openai.transcriptions")]
    Transcriptions,
    /// `POST …/audio/translations`.
    #[serde(rename = "openai.translations")]
    Translations,
}

/// Where a provider takes requests of a [`RelayFormat`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RelayDialect {
    /// The wire format.
    pub format: RelayFormat,
    /// Appended to the base URL, with a leading slash, for example `/images/generations`. `{model}` stands for the model's
    /// name at the provider. Default: where `OpenAI` takes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    path: String,
}

// === impl RelayFormat ===

impl RelayFormat {
    /// Every format, in the order of their names.
    pub const ALL: [Self; 7] = [
        Self::ImageEdits,
        Self::ImageVariations,
        Self::Images,
        Self::Moderations,
        Self::Speech,
        Self::Transcriptions,
        Self::Translations,
    ];

    /// The stable name, for example `openai.images`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageEdits => "openai.image_edits",
            Self::ImageVariations => "openai.image_variations",
            Self::Images => "openai.images",
            Self::Moderations => "openai.moderations",
            Self::Speech => "openai.speech",
            Self::Transcriptions => "openai.transcriptions",
            Self::Translations => "openai.translations",
        }
    }

    /// The operation's name in telemetry. The GenAI conventions have none for these.
    pub fn operation_name(self) -> &'static str {
        match self {
            Self::ImageEdits => "image_edit",
            Self::ImageVariations => "image_variation",
            Self::Images => "image_generation",
            Self::Moderations => "moderation",
            Self::Speech => "speech",
            Self::Transcriptions => "transcription",
            Self::Translations => "translation",
        }
    }

    /// Where `OpenAI` takes it, below its base URL.
    pub fn usual_path(self) -> &'static str {
        match self {
            Self::ImageEdits => "/images/edits",
            Self::ImageVariations => "/images/variations",
            Self::Images => "/images/generations",
            Self::Moderations => "/moderations",
            Self::Speech => "/audio/speech",
            Self::Transcriptions => "/audio/transcriptions",
            Self::Translations => "/audio/translations",
        }
    }

    /// Whether its answers are pictures.
    pub fn makes_images(self) -> bool {
        matches!(
            self,
            Self::ImageEdits | Self::ImageVariations | Self::Images
        )
    }
}

impl fmt::Display for RelayFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl RelayDialect ===

impl RelayDialect {
    /// A provider that takes it where `OpenAI` does.
    pub fn usual(format: RelayFormat) -> Self {
        Self {
            format,
            path: String::new(),
        }
    }

    /// Where requests go, below the base URL.
    pub fn path(&self) -> &str {
        match self.path.is_empty() {
            true => self.format.usual_path(),
            false => &self.path,
        }
    }

    /// What is wrong with the record itself: the field, and what would be right.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        path_problem("path", self.path()).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialised_name_is_the_stable_name() {
        for format in RelayFormat::ALL {
            let json = serde_json::to_value(format).unwrap();
            assert_eq!(json, serde_json::Value::from(format.name()));
            assert_eq!(RelayDialect::usual(format).problems(), []);
        }
        let names = RelayFormat::ALL.map(RelayFormat::name);
        assert!(names.is_sorted());
        let relative = RelayDialect {
            format: RelayFormat::Speech,
            path: "audio/speech".to_owned(),
        };
        assert_eq!(relative.problems()[0].0, "path");
    }
}
