//! The last snapshot that was applied, with its keys, on tmpfs: what a restarted sidecar serves when no operator is there.
//!
//! One file, replaced atomically, readable by this user alone. It never expires: an old configuration is better than
//! none, and its age is a metric.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fkm_snapshot::{PodContext, SecretId, Secrets, SnapshotHash};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const FILE: &str = "last-good.json";

/// What a restarted sidecar needs.
#[derive(Debug)]
pub(crate) struct LastGood {
    pub(crate) payload: Vec<u8>,
    pub(crate) secrets: Secrets,
    pub(crate) context: PodContext,
}

/// Why there is none.
#[derive(Debug, Error)]
pub(crate) enum LastGoodError {
    #[error("cannot read or write {path:?}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path:?} is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    hash: String,
    payload: String,
    secrets_version: String,
    secrets: BTreeMap<SecretId, String>,
    context: PodContext,
}

/// Reads it; `None` where there is no file yet.
pub(crate) fn read(folder: &Path) -> Result<Option<LastGood>, LastGoodError> {
    let path = folder.join(FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LastGoodError::Io { path, source }),
    };
    let damaged = |what: String| LastGoodError::Damaged {
        path: path.clone(),
        what,
    };
    // The parser's message could quote a key.
    let stored: Stored = serde_json::from_slice(&bytes)
        .map_err(|error| damaged(format!("line {}", error.line())))?;
    if SnapshotHash::of(stored.payload.as_bytes()).to_string() != stored.hash {
        return Err(damaged("the payload does not have its hash".to_owned()));
    }
    Ok(Some(LastGood {
        payload: stored.payload.into_bytes(),
        secrets: Secrets {
            version: stored.secrets_version,
            entries: stored
                .secrets
                .into_iter()
                .map(|(id, value)| (id, value.into()))
                .collect(),
        },
        context: stored.context,
    }))
}

/// Replaces it.
pub(crate) fn write(folder: &Path, last_good: &LastGood) -> Result<(), LastGoodError> {
    let path = folder.join(FILE);
    let entries = last_good.secrets.entries.iter();
    let stored = Stored {
        hash: SnapshotHash::of(&last_good.payload).to_string(),
        payload: String::from_utf8_lossy(&last_good.payload).into_owned(),
        secrets_version: last_good.secrets.version.clone(),
        secrets: entries
            .map(|(id, value)| (id.clone(), value.expose_secret().to_owned()))
            .collect(),
        context: last_good.context.clone(),
    };
    let bytes = serde_json::to_vec(&stored).expect("plain data always serialises");
    replace(folder, &path, &bytes).map_err(|source| LastGoodError::Io { path, source })
}

fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = folder.join(format!("{FILE}.new"));
    // Left by a crash; never followed when it is a link, and never opened with somebody else's mode.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> LastGood {
        let mut secrets = Secrets {
            version: "7".to_owned(),
            ..Secrets::default()
        };
        secrets
            .entries
            .insert(SecretId::new("a", "b", "c"), "sk-\"x\"".into());
        LastGood {
            payload: b"{}".to_vec(),
            secrets,
            context: PodContext {
                pod: "p".to_owned(),
                ..PodContext::default()
            },
        }
    }

    #[test]
    fn what_was_written_is_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
        write(folder.path(), &sample()).unwrap();
        let found = read(folder.path()).unwrap().unwrap();
        assert_eq!(
            (found.payload, found.secrets.version, found.context),
            (b"{}".to_vec(), "7".to_owned(), sample().context)
        );
        assert_eq!(
            found.secrets.entries[&SecretId::new("a", "b", "c")].expose_secret(),
            "sk-\"x\""
        );
        let mode = fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_refused_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &sample()).unwrap();
        let path = folder.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        for damaged in [
            text.replace("{}", "{ }"),
            text[..text.len() - 4].to_owned(),
            "sk-canary".to_owned(),
        ] {
            fs::write(&path, damaged).unwrap();
            let error = read(folder.path()).unwrap_err();
            assert!(
                matches!(&error, LastGoodError::Damaged { .. })
                    && !error.to_string().contains("sk-"),
                "{error}"
            );
        }
    }
}
