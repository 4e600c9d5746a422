//! The keys of one group, with a version that changes whenever a value does. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use fkm_snapshot::{SecretId, Secrets, SnapshotHash};

use crate::object::ObjectName;
use crate::secrets::{SecretState, SecretStates};

/// The values of the keys that a snapshot needs. `None`: one is gone since it was compiled; the next pass sees that.
pub(crate) fn keys(needed: &BTreeSet<SecretId>, states: &SecretStates) -> Option<Secrets> {
    let mut entries = BTreeMap::new();
    let mut text = String::new();
    for id in needed {
        let (name, key) = parts(id)?;
        let values = states.get(&name).and_then(SecretState::values)?;
        entries.insert(id.clone(), values.entries.get(key)?.clone());
        // The key too: another key of an unchanged Secret is another message.
        let _ = writeln!(
            text,
            "{id} {} {}",
            values.version.uid, values.version.resource_version
        );
    }
    let version = match text.is_empty() {
        true => String::new(),
        false => SnapshotHash::of(text.as_bytes()).to_string(),
    };
    Some(Secrets { version, entries })
}

/// `namespace/secret/key`, none of which can hold a `/`.
fn parts(id: &SecretId) -> Option<(ObjectName, &str)> {
    let mut parts = id.0.splitn(3, '/');
    let (namespace, name, key) = (parts.next()?, parts.next()?, parts.next()?);
    Some((ObjectName::new(namespace, name), key))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::secrets::{SecretValues, SecretVersion};

    fn state(resource_version: &str, value: &str) -> SecretState {
        let version = SecretVersion {
            uid: "u".to_owned(),
            resource_version: resource_version.to_owned(),
        };
        let entries = BTreeMap::from([("apiKey".to_owned(), value.into())]);
        let values = Arc::new(SecretValues {
            version: version.clone(),
            entries,
        });
        SecretState::Held {
            asked: Some(version),
            values,
        }
    }

    #[test]
    fn version_follows_the_secrets_that_are_needed() {
        let needed = BTreeSet::from([SecretId::new("llm", "openai", "apiKey")]);
        let states = |version: &str, other: &str| {
            let openai = (ObjectName::new("llm", "openai"), state(version, "sk-1"));
            let other = (ObjectName::new("llm", "other"), state(other, "sk-2"));
            SecretStates::from([openai, other])
        };
        let first = keys(&needed, &states("1", "1")).unwrap();
        assert_eq!(first.entries.len(), 1);
        assert_eq!(
            first.entries[&SecretId::new("llm", "openai", "apiKey")].expose_secret(),
            "sk-1"
        );
        assert_eq!(
            keys(&needed, &states("1", "2")).unwrap().version,
            first.version
        );
        assert_ne!(
            keys(&needed, &states("2", "1")).unwrap().version,
            first.version
        );
        assert!(first.version.len() <= 64);
    }

    #[test]
    fn another_key_of_the_same_secret_is_another_version() {
        let version = SecretVersion {
            uid: "u".to_owned(),
            resource_version: "1".to_owned(),
        };
        let entries = BTreeMap::from([
            ("a".to_owned(), "sk-1".into()),
            ("b".to_owned(), "sk-2".into()),
        ]);
        let values = Arc::new(SecretValues {
            version: version.clone(),
            entries,
        });
        let states = SecretStates::from([(
            ObjectName::new("llm", "s"),
            SecretState::Held {
                asked: Some(version),
                values,
            },
        )]);
        let of = |key: &str| {
            keys(&BTreeSet::from([SecretId::new("llm", "s", key)]), &states)
                .unwrap()
                .version
        };
        assert_ne!(of("a"), of("b"));
    }

    #[test]
    fn nothing_needed_has_no_version_and_a_missing_key_no_keys() {
        assert_eq!(
            keys(&BTreeSet::new(), &SecretStates::new())
                .unwrap()
                .version,
            ""
        );
        let states = SecretStates::from([(ObjectName::new("llm", "openai"), state("1", "sk-1"))]);
        assert!(
            keys(
                &BTreeSet::from([SecretId::new("llm", "openai", "token")]),
                &states
            )
            .is_none()
        );
        assert!(
            keys(
                &BTreeSet::from([SecretId::new("llm", "gone", "apiKey")]),
                &states
            )
            .is_none()
        );
    }
}
