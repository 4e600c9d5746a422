//! Provider keys: a message of their own, never part of a payload, a dump or a log.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Names one key of one Kubernetes Secret: `namespace/secret/key`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretId(pub String);

impl SecretId {
    /// `namespace/secret/key`.
    pub fn new(namespace: &str, secret: &str, key: &str) -> Self {
        Self(format!("{namespace}/{secret}/{key}"))
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The keys that one snapshot needs. `Debug` shows their names, never their values.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Changes whenever a value does (made of the Secrets' uids and resourceVersions); empty where there are none.
    pub version: String,
    /// The values.
    pub entries: BTreeMap<SecretId, SecretString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_values() {
        let mut secrets = Secrets::default();
        secrets
            .entries
            .insert(SecretId::new("a", "b", "c"), "sk-canary".into());
        let shown = format!("{secrets:?}");
        assert!(shown.contains("a/b/c"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
