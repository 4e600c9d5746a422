//! What makes a request its own: the token that it carries, and what must come back for it. All chance comes from one seed.

use std::fmt::{self, Display, Formatter};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The beginning of every token.
const MARK: &str = "tok-";

/// `tok-CCC-NNNNNN-XXXXXXXX`: client, number of its request, chance.
const LENGTH: usize = 23;

/// The client of requests that meet no fault.
const CALM: &str = "clm";

/// A token, unlike every other of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token(String);

/// Chance that depends on the seed and these words alone.
pub(crate) fn chance(seed: u64, words: &[&str]) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed ^ hash(words))
}

fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

// === impl Token ===

impl Token {
    pub(crate) fn new(rng: &mut fastrand::Rng, client: usize, number: usize) -> Self {
        Self(format!("{MARK}{client:03}-{number:06}-{:08x}", rng.u32(..)))
    }

    /// One that meets no fault, and is answered slowly.
    pub(crate) fn calm(number: usize) -> Self {
        Self(format!("{MARK}{CALM}-{number:06}-{number:08x}"))
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.0[MARK.len()..].starts_with(CALM)
    }

    /// Every whole token in a text; of neighbours that are the same, one.
    pub(crate) fn all_in(text: &[u8]) -> Vec<Self> {
        let known =
            |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        let text = String::from_utf8_lossy(text);
        let mut found: Vec<Self> = text
            .match_indices(MARK)
            .filter_map(|(at, _)| text.get(at..at + LENGTH))
            .filter(|token| token.bytes().all(known))
            .map(|token| Self(token.to_owned()))
            .collect();
        found.dedup();
        found
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole text of the answer. Every piece of it says whose it is.
    pub(crate) fn answer(&self) -> String {
        let pieces = 1 + hash((&self.0, "pieces")) % 24;
        let pieces = (0..pieces).map(|piece| format!("[{self}:{piece}] ünï 😀 \"{piece}\"\n"));
        let end = format!("[{self}:end]");
        pieces.chain([end]).collect::<Vec<_>>().concat()
    }

    /// The count of tokens that the provider tells.
    pub(crate) fn count(&self) -> u64 {
        100_000 + hash((&self.0, "count")) % 900_000
    }

    /// The vector of it, of numbers whose few digits every reader takes exactly.
    pub(crate) fn vector(&self) -> Vec<f64> {
        let number = |index: u32| {
            let bits = u32::try_from(hash((&self.0, index)) % 4096).expect("12 bits");
            f64::from(bits) / 4096.0
        };
        (0..8).map(number).collect()
    }
}

impl Display for Token {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
