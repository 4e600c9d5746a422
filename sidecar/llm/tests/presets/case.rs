//! Records and cases, from their files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fkm_llm::{Dialect, EmbeddingDialect, RerankDialect};
use serde::Deserialize;
use serde_json::Value;

/// A record of the catalogue, as far as the formats need it.
#[derive(Deserialize)]
pub(crate) struct Record {
    pub(crate) dialect: Option<Dialect>,
    pub(crate) embeddings: Option<EmbeddingDialect>,
    pub(crate) ranks: Option<RerankDialect>,
}

/// What is known of one provider.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What is sent instead of what the client sent, by pointer.
    #[serde(default)]
    pub(crate) sent: BTreeMap<String, Value>,
    /// What is not sent, by pointer.
    #[serde(default)]
    pub(crate) gone: Vec<String>,
    /// What is sent instead when the request came in another format.
    #[serde(default)]
    pub(crate) translated: BTreeMap<String, Value>,
    /// All that is sent, in a format that is not OpenAI's; instead of the three above.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// What the client is told of.
    #[serde(default)]
    pub(crate) dropped: Vec<String>,
    /// The case whose answers are alike.
    #[serde(default)]
    pub(crate) like: Option<String>,
    #[serde(default)]
    pub(crate) answers: Option<Answers>,
    /// How vectors are asked for and given.
    #[serde(default)]
    pub(crate) embeddings: Option<Asked>,
    /// How documents are ranked.
    #[serde(default)]
    pub(crate) ranks: Option<Asked>,
}

/// A question that is no conversation, and its answer; or only the case in which both are alike.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Asked {
    pub(crate) like: Option<String>,
    /// All that is sent.
    pub(crate) body: Value,
    /// What the client is told of.
    pub(crate) dropped: Vec<String>,
    pub(crate) answer: Value,
    /// What the answer says.
    pub(crate) says: Value,
    pub(crate) error: Option<ErrorCase>,
}

/// A typical answer, whole and as a stream, and an error.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answers {
    pub(crate) whole: Value,
    /// The data of its frames; of Bedrock, the name of the event before it.
    pub(crate) stream: Vec<String>,
    /// What both say.
    pub(crate) says: Says,
    pub(crate) error: ErrorCase,
}

/// What an answer says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Says {
    pub(crate) text: String,
    pub(crate) thoughts: String,
    /// Name and arguments.
    pub(crate) calls: Vec<(String, String)>,
    pub(crate) finish: String,
    /// Input tokens, cached ones of them, output tokens, thinking ones of them.
    pub(crate) usage: Option<[u64; 4]>,
}

/// An error answer and what it means.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorCase {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    /// The failure class; `null`: the client's own fault.
    pub(crate) class: Option<String>,
    pub(crate) message: String,
}

/// The records of the catalogue.
pub(crate) fn records() -> BTreeMap<String, Record> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../operator/catalog/data/presets.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The cases with their records, of those that `choose` takes.
pub(crate) fn cases_of(choose: impl Fn(&Dialect) -> bool) -> Vec<(String, Case, Dialect)> {
    let mut records = records();
    let with_record = |(name, case): (String, Case)| {
        let dialect = records.remove(&name)?.dialect?;
        Some((name, case, dialect))
    };
    let all = cases().into_iter().filter_map(with_record);
    all.filter(|(_, _, dialect)| choose(dialect)).collect()
}

/// What is asked beside conversations, by name; those that are like another are as that one.
pub(crate) fn asked(pick: impl Fn(&Case) -> Option<&Asked>) -> BTreeMap<String, Asked> {
    let cases = cases();
    let one = |name: &str| cases.get(name).and_then(&pick);
    let all = cases.keys().filter_map(|name| {
        let own = one(name)?;
        let like = own.like.as_deref();
        let asked = like.map_or(Some(own), one);
        Some((name.clone(), asked.expect(name).clone()))
    });
    all.collect()
}

/// The cases; those that are like another have its answers.
pub(crate) fn cases() -> BTreeMap<String, Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/presets/cases");
    let mut cases = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let read: Result<Case, _> = serde_json::from_str(&fs::read_to_string(&path).unwrap());
        let case = read.unwrap_or_else(|error| unreachable!("{name}: {error}"));
        cases.insert(name, case);
    }
    let answers: BTreeMap<String, Answers> = cases
        .iter()
        .filter_map(|(name, case)| Some((name.clone(), case.answers.clone()?)))
        .collect();
    for (name, case) in &mut cases {
        let like = case.like.as_ref().unwrap_or(name);
        case.answers = answers.get(like).cloned();
    }
    cases
}
