//! What a payload needs its reader to understand, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A named ability. A snapshot lists in `requires` what its content needs; a sidecar that lacks one answers Nack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Feature(pub String);

/// The features that this build obeys. A feature is added here with the code that obeys it.
pub const FEATURES: [&str; 40] = [
    "format.anthropic.messages",
    "format.bedrock.converse",
    "format.cohere.chat",
    "format.cohere.embed",
    "format.cohere.rerank",
    "format.gemini.embed",
    "format.gemini.generate_content",
    "format.openai.chat",
    "format.openai.completions",
    "format.openai.embeddings",
    "format.openai.image_edits",
    "format.openai.image_variations",
    "format.openai.images",
    "format.openai.moderations",
    "format.openai.responses",
    "format.openai.speech",
    "format.openai.transcriptions",
    "format.openai.translations",
    "format.voyage.rerank",
    "keeps.anthropic.files",
    "keeps.openai.batches",
    "keeps.openai.files",
    "keeps.openai.responses",
    "media.fetch",
    "network.host_header",
    "network.http2",
    "network.proxy",
    "network.socket",
    "provider.simulated",
    "signIn.aws",
    "signIn.azureEntra",
    "signIn.googleServiceAccount",
    "signIn.googleWorkloadIdentity",
    "signIn.oauthClientCredentials",
    "strategy.priority",
    "strategy.weighted",
    "tls.ca",
    "tls.client_certificate",
    "tls.public_roots",
    "tls.server_name",
];

impl Feature {
    /// Whether this build obeys it.
    pub fn is_supported(&self) -> bool {
        FEATURES.contains(&self.0.as_str())
    }
}

impl From<&str> for Feature {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnyFormat, Kept};

    #[test]
    fn every_format_is_obeyed() {
        for format in AnyFormat::all() {
            assert!(
                Feature(format!("format.{format}")).is_supported(),
                "{format}"
            );
        }
        for kept in Kept::ALL {
            assert!(Feature(format!("keeps.{kept}")).is_supported(), "{kept}");
        }
        assert!(!Feature::from("format.of.tomorrow").is_supported());
    }
}
