//! The files that paths stand for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A path that cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A file or folder.
    #[error("cannot read {}: {source}", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder in which there is nothing to read.
    #[error("no .yaml, .yml or .json file in {}", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

/// The files, in order: those named, and those of folders sorted by name.
pub(super) fn list(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ReadError> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).map_err(|source| failed(path, source))?;
        if metadata.is_dir() {
            let before = files.len();
            walk(path, &mut files)?;
            if files.len() == before {
                return Err(ReadError::Empty { path: path.clone() });
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, ReadError> {
    fs::read_to_string(path).map_err(|source| failed(path, source))
}

/// Adds the files of a folder; hidden ones and linked folders are left out.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), ReadError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.map_err(|source| failed(folder, source))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(|source| failed(&path, source))?;
        if kind.is_dir() {
            walk(&path, files)?;
        } else if is_manifest(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

fn failed(path: &Path, source: io::Error) -> ReadError {
    ReadError::Path {
        path: path.to_owned(),
        source,
    }
}
