//! The only way from bytes to a snapshot that may be used: everything is checked, and every problem is reported at once.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use crate::{
    AnyFormat, Connection, HttpConnection, MAX_PAYLOAD_BYTES, MediaFetch, ModelPattern, Pool,
    Provider, Rule, Snapshot, SnapshotHash, Strategy,
};

/// A snapshot whose references resolve, whose URLs and patterns parse and whose weights leave something to choose.
///
/// Cheap to clone. Carries the identity of the very bytes that it was read from.
#[derive(Clone, Debug)]
pub struct ValidSnapshot {
    snapshot: Arc<Snapshot>,
    hash: SnapshotHash,
}

/// One thing that is wrong, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{path}: {message}")]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Where: `rules[2].backends[0].pool`.
    pub path: String,
    /// What kind of problem.
    pub code: ProblemCode,
    /// For a person: the value and the fix.
    pub message: String,
}

/// The kinds of problems, for metrics and for status reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProblemCode {
    /// Not JSON, a wrong type, or a field that this build does not know.
    Malformed,
    /// Over [`MAX_PAYLOAD_BYTES`].
    TooLarge,
    /// Needs a feature that this build lacks.
    Unsupported,
    /// A reference that leads nowhere.
    Unresolved,
    /// A value that cannot be used.
    Invalid,
    /// A key that was not delivered with the snapshot.
    SecretMissing,
}

// === impl ValidSnapshot ===

impl ValidSnapshot {
    /// Reads and checks payload bytes as they travelled.
    pub fn from_payload(payload: &[u8]) -> Result<Self, Vec<Problem>> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            let message = format!("{} bytes; the most is {MAX_PAYLOAD_BYTES}", payload.len());
            return Err(vec![Problem::new("", ProblemCode::TooLarge, message)]);
        }
        let mut reader = serde_json::Deserializer::from_slice(payload);
        let snapshot: Snapshot =
            serde_path_to_error::deserialize(&mut reader).map_err(|error| {
                let path = error.path().to_string();
                vec![Problem::new(path, ProblemCode::Malformed, error.inner())]
            })?;
        reader
            .end()
            .map_err(|error| vec![Problem::new("", ProblemCode::Malformed, error)])?;
        check(&snapshot)?;
        Ok(Self {
            snapshot: Arc::new(snapshot),
            hash: SnapshotHash::of(payload),
        })
    }

    /// Checks a snapshot that was built here; its identity is that of its payload.
    pub fn try_new(snapshot: &Snapshot) -> Result<Self, Vec<Problem>> {
        Self::from_payload(&snapshot.to_payload())
    }

    /// The content.
    pub fn get(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The identity.
    pub fn hash(&self) -> SnapshotHash {
        self.hash
    }
}

// === impl Problem ===

impl Problem {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, code: ProblemCode, message: impl fmt::Display) -> Self {
        Self {
            path: path.into(),
            code,
            message: message.to_string(),
        }
    }
}

fn check(snapshot: &Snapshot) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for feature in snapshot
        .requires
        .iter()
        .filter(|feature| !feature.is_supported())
    {
        let message = format!(
            "feature {feature:?} is not known to this version; upgrade the sidecar",
            feature = feature.0
        );
        problems.push(Problem::new("requires", ProblemCode::Unsupported, message));
    }
    for (name, pool) in &snapshot.pools {
        check_pool(&format!("pools[{name}]"), pool, &mut problems);
    }
    let mut names = BTreeSet::new();
    for (index, rule) in snapshot.rules.iter().enumerate() {
        let path = format!("rules[{index}]");
        if !names.insert((&rule.route, &rule.name)) {
            let message = format!("{:?} stands twice in route {:?}", rule.name, rule.route);
            problems.push(Problem::new(
                format!("{path}.name"),
                ProblemCode::Invalid,
                message,
            ));
        }
        check_rule(&path, rule, snapshot, &mut problems);
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn check_pool(path: &str, pool: &Pool, problems: &mut Vec<Problem>) {
    let mut names = BTreeSet::new();
    for (index, provider) in pool.providers.iter().enumerate() {
        let path = format!("{path}.providers[{index}]");
        if !names.insert(&provider.name) {
            let message = format!("{:?} stands twice", provider.name);
            problems.push(Problem::new(
                format!("{path}.name"),
                ProblemCode::Invalid,
                message,
            ));
        }
        check_provider(&path, provider, problems);
    }
    for (field, message) in pool.media.iter().flat_map(MediaFetch::problems) {
        let path = format!("{path}.media.{field}");
        problems.push(Problem::new(path, ProblemCode::Invalid, message));
    }
}

fn check_provider(path: &str, provider: &Provider, problems: &mut Vec<Problem>) {
    match &provider.connection {
        Connection::Http(http) => check_http(&format!("{path}.connection.http"), http, problems),
        Connection::Simulated(simulated) => {
            if simulated.error_per_million > 1_000_000 {
                let path = format!("{path}.connection.simulated.errorPerMillion");
                let message = format!("{} is above 1000000", simulated.error_per_million);
                problems.push(Problem::new(path, ProblemCode::Invalid, message));
            }
        }
    }
    check_formats(path, provider, problems);
    let mut names = BTreeSet::new();
    for (name, model) in &provider.models {
        if model
            .price
            .as_ref()
            .is_some_and(|price| !price.is_ordered())
        {
            let path = format!("{path}.models[{name}].price");
            let message = "each list must begin with rates above 0 tokens and rise";
            problems.push(Problem::new(path, ProblemCode::Invalid, message));
        }
        for name in std::iter::once(name).chain(&model.aliases) {
            if !names.insert(name) {
                let message = format!("{name:?} stands twice among names and aliases");
                problems.push(Problem::new(
                    format!("{path}.models"),
                    ProblemCode::Invalid,
                    message,
                ));
            }
        }
    }
}

fn check_http(path: &str, http: &HttpConnection, problems: &mut Vec<Problem>) {
    check_url(&format!("{path}.baseUrl"), &http.base_url, problems);
    for (index, credential) in http.credentials.iter().enumerate() {
        if let Some((field, url)) = credential.sign_in.url() {
            let path = format!("{path}.credentials[{index}].signIn.{field}");
            check_url(&path, url, problems);
        }
    }
    for (field, message) in http.network.problems(&http.base_url) {
        let path = format!("{path}.network.{field}");
        problems.push(Problem::new(path, ProblemCode::Invalid, message));
    }
    let places = http.dialect.iter().map(|one| ("dialect".to_owned(), one));
    let beside = (0..).zip(&http.beside);
    let beside = beside.map(|(index, one): (usize, _)| (format!("beside[{index}]"), one));
    let chats = places
        .chain(beside)
        .map(|(place, one)| (place, one.problems()));
    let vectors = http
        .embeddings
        .iter()
        .map(|one| ("embeddings".to_owned(), one.problems()));
    let ranks = http
        .ranks
        .iter()
        .map(|one| ("ranks".to_owned(), one.problems()));
    let keeps = (0..).zip(&http.keeps);
    let keeps = keeps.map(|(index, one): (usize, _)| (format!("keeps[{index}]"), one.problems()));
    let relays = (0..).zip(&http.relays);
    let relays =
        relays.map(|(index, one): (usize, _)| (format!("relays[{index}]"), one.problems()));
    let rest = ranks.chain(keeps).chain(relays);
    for (place, found) in chats.chain(vectors).chain(rest) {
        for (field, message) in found {
            let path = format!("{path}.{place}.{field}");
            problems.push(Problem::new(path, ProblemCode::Invalid, message));
        }
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = http.formats().find(|format| !seen.insert(*format)) {
        let message = format!("{twice} stands twice; one address has one record for a format");
        let field = match twice {
            AnyFormat::Relayed(_) => "relays",
            _ => "beside",
        };
        problems.push(Problem::new(
            format!("{path}.{field}"),
            ProblemCode::Invalid,
            message,
        ));
    }
    let mut kept = BTreeSet::new();
    if let Some(twice) = http.keeps.iter().find(|one| !kept.insert(one.kept)) {
        let message = format!("{} stands twice; it is asked for at one path", twice.kept);
        let path = format!("{path}.keeps");
        problems.push(Problem::new(path, ProblemCode::Invalid, message));
    }
    if seen.is_empty() {
        let message = "a provider needs at least one of dialect, embeddings, ranks and relays";
        problems.push(Problem::new(path.to_owned(), ProblemCode::Invalid, message));
    }
}

fn check_url(path: &str, url: &str, problems: &mut Vec<Problem>) {
    let usable = Url::parse(url).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if !usable {
        // Not shown: it may hold a password.
        let message =
            "must be an absolute http or https URL without credentials, query and fragment";
        problems.push(Problem::new(path, ProblemCode::Invalid, message));
    }
}

/// A model is asked in formats that its provider speaks.
fn check_formats(path: &str, provider: &Provider, problems: &mut Vec<Problem>) {
    let Connection::Http(http) = &provider.connection else {
        return;
    };
    let spoken: BTreeSet<_> = http.formats().collect();
    for (name, model) in &provider.models {
        if let Some(format) = model.formats.difference(&spoken).next() {
            let path = format!("{path}.models[{name}].formats");
            let message = format!("the provider does not speak {format}");
            problems.push(Problem::new(path, ProblemCode::Invalid, message));
        }
    }
}

fn check_rule(path: &str, rule: &Rule, snapshot: &Snapshot, problems: &mut Vec<Problem>) {
    for (m, matcher) in rule.matches.iter().enumerate() {
        for (p, pattern) in matcher.models.iter().enumerate() {
            if let Err(error) = ModelPattern::try_new(pattern) {
                let path = format!("{path}.matches[{m}].models[{p}]");
                problems.push(Problem::new(path, ProblemCode::Invalid, error));
            }
        }
    }
    check_choice(path, rule, problems);
    for (index, backend) in rule.backends.iter().enumerate() {
        let path = format!("{path}.backends[{index}]");
        match snapshot.pools.get(&backend.pool) {
            None => {
                let message = format!("pool {:?} is not in the snapshot", backend.pool);
                problems.push(Problem::new(
                    format!("{path}.pool"),
                    ProblemCode::Unresolved,
                    message,
                ));
            }
            Some(pool) if !backend.model.is_empty() && !offers(pool, &backend.model) => {
                let message = format!(
                    "no provider of pool {:?} offers {:?}",
                    backend.pool, backend.model
                );
                problems.push(Problem::new(
                    format!("{path}.model"),
                    ProblemCode::Unresolved,
                    message,
                ));
            }
            Some(_) => {}
        }
    }
}

/// A rule has something that may answer, or says why nothing can.
fn check_choice(path: &str, rule: &Rule, problems: &mut Vec<Problem>) {
    let weightless = rule.strategy == Strategy::Weighted
        && rule.backends.iter().all(|backend| backend.weight == 0);
    let message = match (rule.backends.is_empty(), rule.unavailable.is_empty()) {
        (true, false) => return,
        (false, true) if !weightless => return,
        (false, false) => "a rule that says why it is unavailable has no backends",
        (_, true) => "at least one backend with a weight above 0 is needed",
    };
    problems.push(Problem::new(
        format!("{path}.backends"),
        ProblemCode::Invalid,
        message,
    ));
}

fn offers(pool: &Pool, name: &str) -> bool {
    pool.providers
        .iter()
        .any(|provider| provider.offers(name).is_some())
}

#[cfg(test)]
mod tests;
