//! Recorded traffic of real providers, where it is at hand. It is no part of the repository; where it is missing, this says so
//! aloud.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Says something in every run.
pub(crate) fn say(text: &str) {
    // Not the macros: the harness would swallow what they print.
    writeln!(std::io::stderr(), "{text}").expect("stderr is open");
}

/// Says so aloud, and to who counts the skips of a whole run (`FKM_SKIPS` names the file).
fn skip(why: &str) {
    say(&format!("SKIPPED: {why}"));
    if let Some(path) = std::env::var_os("FKM_SKIPS") {
        let counted = std::fs::OpenOptions::new().append(true).open(path);
        writeln!(counted.unwrap(), "{why}").unwrap();
    }
}

/// The folder of the recordings.
pub(crate) fn fixtures() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("../shared/fixtures");
    if folder.is_dir() {
        return Some(folder);
    }
    skip("../shared/fixtures not found");
    None
}

/// Every exchange, one JSON object each.
pub(crate) fn exchanges(folder: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        all.extend(text.lines().map(|line| {
            let exchange: Value = serde_json::from_str(line).unwrap();
            exchange
        }));
    }
    all
}
