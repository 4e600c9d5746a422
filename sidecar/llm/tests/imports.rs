//! The formats know nothing of each other, and nothing but the registry knows them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::path::{Path, PathBuf};

/// The modules of formats.
const FORMATS: [&str; 9] = [
    "anthropic",
    "bedrock",
    "cohere",
    "gemini",
    "openai_chat",
    "openai_completions",
    "openai_embeddings",
    "openai_responses",
    "voyage_rerank",
];

/// Who may name them: the list of modules, and the registry.
const REGISTRY: [&str; 2] = ["lib.rs", "registry.rs"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The format that a file belongs to.
fn owner(file: &Path) -> Option<&'static str> {
    let first = file
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    let module = first.strip_suffix(".rs").unwrap_or(first);
    FORMATS.into_iter().find(|format| *format == module)
}

#[test]
fn no_format_imports_another() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut counts = [0; FORMATS.len()];
    for path in &files {
        let file = path.strip_prefix(&root).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let owner = owner(file);
        for (index, format) in FORMATS.into_iter().enumerate() {
            if owner == Some(format) {
                counts[index] += 1;
                continue;
            }
            let names = ["crate::", "super::", "self::"].map(|from| format!("{from}{format}"));
            let imports = names.iter().any(|name| text.contains(name));
            let registry = REGISTRY.iter().any(|name| file == Path::new(name));
            assert!(!imports || registry, "{} names {format}", file.display());
        }
        let implements = ["WireFormat", "EmbeddingCodec", "RerankCodec"]
            .iter()
            .any(|kind| text.contains(&format!("impl {kind} for")));
        assert!(
            !implements || owner.is_some(),
            "{} is no format of the list",
            file.display()
        );
    }
    assert!(counts.iter().all(|count| *count >= 3), "{counts:?}");
}
