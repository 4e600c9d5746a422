//! Ids that say who keeps what they name: the provider's own id with a mark at its end, `resp_68af_fkm_0c1d2e3f4a5b6c7d`.
//!
//! The mark is made of the names of pool, provider and credential, so that every sidecar that reaches the provider knows it,
//! without a store. It is no secret and grants nothing: it is looked up only among what the rules of a pod reach. Pure.
//!
//! *Guarantees*: the provider's own id comes back byte for byte, also one that carries a mark of another sidecar. Ids stay of
//! one word, fit a path and keep their beginning.
//!
//! *Caveats*: a credential or a provider under another name is another owner. An id without a mark (made elsewhere) names
//! nobody: it goes where a request without an id would go.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use fkm_llm::kept::{Named, named};
use sha2::{Digest, Sha256};

use crate::error::{ExchangeError, Reason};

/// Before the digits of a mark.
const BEGINNING: &str = "_fkm_";

/// Digits of a mark: 64 bits, so that two of a pod's owners never share one.
const DIGITS: usize = 16;

/// A mark with its beginning, in bytes.
const MARK_BYTES: usize = BEGINNING.len() + DIGITS;

/// Who keeps something: a credential of a provider of a pool.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    mark: Arc<str>,
}

/// What a request says of who keeps what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    mark: Box<str>,
    /// What said it, for an error: `previous_response_id`, or `id` for that in the path.
    pub(crate) field: &'static str,
}

// === impl Owner ===

impl Owner {
    /// The owner of what is kept under this credential; empty where none is sent. `pool` is `namespace/name`.
    pub(crate) fn new(pool: &str, provider: &str, credential: &str) -> Self {
        let mut hash = Sha256::new();
        for name in [pool, provider, credential] {
            hash.update(name.len().to_be_bytes());
            hash.update(name);
        }
        let digits = hex::encode(&hash.finalize()[..DIGITS / 2]);
        Self {
            mark: format!("{BEGINNING}{digits}").into(),
        }
    }

    /// What stands at the end of its ids.
    pub(crate) fn mark(&self) -> &Arc<str> {
        &self.mark
    }

    /// Whether it is the one that is meant.
    pub(crate) fn is(&self, claim: &Claim) -> bool {
        *self.mark == *claim.mark
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mark)
    }
}

// === impl Claim ===

impl Claim {
    /// Nobody keeps it that can be reached.
    pub(crate) fn unknown(&self) -> ExchangeError {
        let field = self.field;
        let message = format!(
            "`{field}` names what another provider or credential keeps than those that this request can reach, or one that is no more; \
             leave it out and send all that is needed"
        );
        elsewhere(message, field)
    }
}

fn elsewhere(message: String, field: &str) -> ExchangeError {
    let mut error = ExchangeError::new(Reason::StateElsewhere, message);
    error.client.param = Some(field.to_owned());
    error
}

/// Whether a text is a mark.
fn is_mark(text: &str) -> bool {
    let digits = text.strip_prefix(BEGINNING).unwrap_or_default();
    digits.len() == DIGITS
        && digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The provider's own id, and who keeps what it names where it says so.
pub(crate) fn split<'a>(id: &'a str, field: &'static str) -> (&'a str, Option<Claim>) {
    let at = id.len().saturating_sub(MARK_BYTES);
    match id.split_at_checked(at) {
        Some((own, mark)) if !own.is_empty() && is_mark(mark) => {
            let mark = mark.into();
            (own, Some(Claim { mark, field }))
        }
        _ => (id, None),
    }
}

/// One of several claims; an error where they do not name the same owner.
pub(crate) fn agree(
    claims: impl IntoIterator<Item = Claim>,
) -> Result<Option<Claim>, ExchangeError> {
    let mut claims = claims.into_iter();
    let first = claims.next();
    for other in claims {
        if let Some(first) = first.as_ref().filter(|first| first.mark != other.mark) {
            let message = format!(
                "`{}` and `{}` name what different providers or credentials keep; one request can use what one of them keeps",
                first.field, other.field
            );
            return Err(elsewhere(message, other.field));
        }
    }
    Ok(first)
}

/// A body with the providers' own ids, and who keeps what it needs. What it holds of no mark is not copied.
pub(crate) fn unmark(body: &Bytes) -> Result<(Bytes, Option<Claim>), ExchangeError> {
    let mut found = named(body, BEGINNING, is_mark);
    if found.is_empty() {
        return Ok((body.clone(), None));
    }
    found.sort_by_key(|one| one.id.start);
    let mut own = Vec::with_capacity(body.len());
    let mut at = 0;
    for Named { id, .. } in &found {
        own.extend_from_slice(&body[at..id.end - MARK_BYTES]);
        at = id.end;
    }
    own.extend_from_slice(&body[at..]);
    let needed = found.iter().filter(|one| one.is_needed);
    let claims = needed.filter_map(|one| {
        let id = std::str::from_utf8(&body[one.id.clone()]).ok()?;
        split(id, one.field).1
    });
    Ok((own.into(), agree(claims)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner() -> Owner {
        Owner::new("ns/pool", "openai", "main")
    }

    #[test]
    fn marks_are_the_same_everywhere_and_forever() {
        assert_eq!(**owner().mark(), *"_fkm_ba8870ea3c254d4f");
        let others = [
            ("ns/pool", "openai", "spare"),
            ("ns/pool", "openai2", "main"),
            ("ns/pool2", "openai", "main"),
            ("ns/poolo", "penai", "main"),
            ("ns/pool", "openaimain", ""),
        ];
        for (pool, provider, credential) in others {
            assert_ne!(Owner::new(pool, provider, credential), owner());
        }
    }

    #[test]
    fn ids_from_elsewhere_name_nobody() {
        let mark = owner().mark().to_string();
        for id in [
            "",
            "resp_68af",
            "file-abc_fkm_",
            &mark,
            "resp_fkm_0123456789ABCDEF",
            "msg_fkm_0_resp-1",
            "resp_1_fkm_0123456789abcdef0",
            "ü_fkm_0123456789abcde",
        ] {
            assert_eq!(split(id, "id"), (id, None), "{id}");
        }
    }

    #[test]
    fn a_body_says_whose_state_it_needs() {
        let mark = owner().mark().clone();
        let other = Owner::new("ns/pool", "other", "").mark().clone();
        let body = |first: &str, second: &str| {
            Bytes::from(format!(
                r#"{{"previous_response_id":"resp_1{first}","input":[{{"type":"input_file","file_id":"file-1{second}"}}]}}"#
            ))
        };
        let (own, claim) = unmark(&body(&mark, &mark)).unwrap();
        assert_eq!(own, body("", ""));
        assert!(claim.is_some_and(|claim| owner().is(&claim)));
        let (own, claim) = unmark(&body("", "")).unwrap();
        assert_eq!((own, claim), (body("", ""), None));
        let error = unmark(&body(&mark, &other)).unwrap_err();
        assert_eq!(error.reason, Reason::StateElsewhere);
        assert!(
            error
                .client
                .message
                .contains("`previous_response_id` and `file_id`")
        );
        let cited =
            format!(r#"{{"annotations":[{{"type":"file_citation","file_id":"f{other}"}}]}}"#);
        let (own, claim) = unmark(&Bytes::from(cited)).unwrap();
        assert!(claim.is_none());
        assert_eq!(
            own,
            r#"{"annotations":[{"type":"file_citation","file_id":"f"}]}"#
        );
    }

    proptest! {
        #[test]
        fn the_providers_id_comes_back(id in "[!-~]{1,200}", pool in ".*", provider in ".*", credential in ".*") {
            let owner = Owner::new(&pool, &provider, &credential);
            let minted = format!("{id}{}", owner.mark());
            prop_assert!(minted.len() == id.len() + MARK_BYTES);
            let (own, claim) = split(&minted, "id");
            prop_assert_eq!(own, &id);
            prop_assert!(claim.is_some_and(|claim| owner.is(&claim)));
            // Behind another sidecar.
            let twice = format!("{minted}{}", Owner::new("", "", "").mark());
            prop_assert_eq!(split(&twice, "id").0, minted);
        }

        #[test]
        fn any_text_is_an_id(id in ".*") {
            let (own, claim) = split(&id, "id");
            prop_assert_eq!(claim.is_some(), own.len() < id.len());
        }
    }
}
