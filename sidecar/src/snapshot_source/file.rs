//! A snapshot from a file, read once at start, with keys from the environment or from files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use fkm_snapshot::{Problem, SecretId, Secrets};
use thiserror::Error;

use crate::args::SecretSource;
use crate::store::Store;

/// Why a file cannot be served.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read snapshot file {path:?}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A key cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The content cannot be used.
    #[error("snapshot file {path:?} is refused: {}", join(.problems))]
    Refused {
        /// Which.
        path: PathBuf,
        /// Every problem.
        problems: Vec<Problem>,
    },
}

/// A key that cannot be read.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The environment variable is not set.
    #[error("secret {id}: environment variable {variable} is not set")]
    Env {
        /// Which key.
        id: SecretId,
        /// Its variable.
        variable: String,
    },
    /// The file cannot be read.
    #[error("secret {id}: cannot read file {path:?}")]
    File {
        /// Which key.
        id: SecretId,
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

pub(crate) fn load(
    store: &Store,
    path: &Path,
    secrets: &BTreeMap<SecretId, SecretSource>,
) -> Result<(), FileError> {
    let payload = std::fs::read(path).map_err(|source| FileError::Read {
        path: path.to_owned(),
        source,
    })?;
    let secrets = read_secrets(secrets)?;
    match store.apply(&payload, &secrets) {
        Ok(_) => Ok(()),
        Err(problems) => Err(FileError::Refused {
            path: path.to_owned(),
            problems,
        }),
    }
}

/// Reads keys that are outside a cluster. Their version is `local`: they are read once.
#[expect(
    clippy::disallowed_methods,
    reason = "the variable's name is a setting, read in args.rs; its value is a key"
)]
pub fn read_secrets(sources: &BTreeMap<SecretId, SecretSource>) -> Result<Secrets, SecretError> {
    let mut secrets = Secrets {
        version: "local".to_owned(),
        ..Secrets::default()
    };
    for (id, source) in sources {
        let value = match source {
            SecretSource::Env(variable) => {
                std::env::var(variable).map_err(|_| SecretError::Env {
                    id: id.clone(),
                    variable: variable.clone(),
                })?
            }
            SecretSource::File(path) => {
                std::fs::read_to_string(path).map_err(|source| SecretError::File {
                    id: id.clone(),
                    path: path.clone(),
                    source,
                })?
            }
        };
        secrets
            .entries
            .insert(id.clone(), value.trim_end_matches(['\r', '\n']).into());
    }
    Ok(secrets)
}

fn join(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
