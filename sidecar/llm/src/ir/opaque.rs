//! State of a provider that only this provider understands: thinking signatures, encrypted reasoning.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fkm_dialect::Format;

/// Bytes that go back to their origin exactly, and nowhere else.
///
/// For a client of another format they are wrapped as `fkm1.<origin>.<base64url>`. What carries no such mark belongs to
/// the format in which it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opaque {
    /// The format whose provider made it.
    pub origin: Format,
    /// What it made.
    pub bytes: Vec<u8>,
}

/// A mark that does not hold what it promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOpaque {
    /// The origin is no format that is known here.
    #[error("unknown origin in a value that begins with `{MARK}`")]
    Origin,
    /// The rest is not base64url.
    #[error("the part after the origin is not unpadded base64url")]
    Base64,
}

const MARK: &str = "fkm1.";

// === impl Opaque ===

impl Opaque {
    /// State that was found as text in `origin`.
    pub fn new(origin: Format, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            origin,
            bytes: bytes.into(),
        }
    }

    /// As it is shown in a message of format `shown_in`: bare at home, wrapped elsewhere (and at home too, where bare
    /// text could be taken for a mark or is no text).
    pub fn wrap(&self, shown_in: Format) -> String {
        if self.origin == shown_in
            && let Ok(text) = std::str::from_utf8(&self.bytes)
            && !text.starts_with(MARK)
        {
            return text.to_owned();
        }
        self.marked()
    }

    /// With its mark, wherever it is shown.
    pub(crate) fn marked(&self) -> String {
        format!(
            "{MARK}{}.{}",
            self.origin,
            URL_SAFE_NO_PAD.encode(&self.bytes)
        )
    }

    /// Whether a text begins as a mark does.
    pub(crate) fn is_marked(text: &str) -> bool {
        text.starts_with(MARK)
    }

    /// Reads what was found in a message of format `found_in`.
    pub fn unwrap(text: &str, found_in: Format) -> Result<Self, InvalidOpaque> {
        let Some(marked) = text.strip_prefix(MARK) else {
            return Ok(Self::new(found_in, text));
        };
        // The names of formats hold dots, base64url does not.
        let (origin, encoded) = marked.rsplit_once('.').ok_or(InvalidOpaque::Origin)?;
        let origin = Format::ALL
            .into_iter()
            .find(|format| format.name() == origin)
            .ok_or(InvalidOpaque::Origin)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| InvalidOpaque::Base64)?;
        Ok(Self { origin, bytes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    const HOME: Format = Format::AnthropicMessages;
    const AWAY: Format = Format::OpenAiChat;

    #[test]
    fn bare_at_home_and_marked_elsewhere() {
        let opaque = Opaque::new(HOME, "EqQB/==");
        assert_eq!(opaque.wrap(HOME), "EqQB/==");
        assert_eq!(opaque.wrap(AWAY), "fkm1.anthropic.messages.RXFRQi89PQ");
        assert_eq!(Opaque::unwrap("EqQB/==", HOME), Ok(opaque.clone()));
        assert_eq!(Opaque::unwrap(&opaque.wrap(AWAY), AWAY), Ok(opaque));
    }

    #[test]
    fn what_could_be_taken_for_a_mark_is_marked() {
        for text in ["fkm1.openai.chat.AA", "fkm1.", "fkm1.anthropic.messages.eA"] {
            let opaque = Opaque::new(HOME, text);
            assert_eq!(Opaque::unwrap(&opaque.wrap(HOME), HOME), Ok(opaque));
        }
    }

    #[test]
    fn a_broken_mark_is_refused() {
        for text in ["fkm1.", "fkm1.x.AA", "fkm1.openai.AA"] {
            assert_eq!(
                Opaque::unwrap(text, AWAY),
                Err(InvalidOpaque::Origin),
                "{text}"
            );
        }
        assert_eq!(
            Opaque::unwrap("fkm1.openai.chat.!", HOME),
            Err(InvalidOpaque::Base64)
        );
    }

    proptest! {
        #[test]
        fn bytes_survive_both_formats(bytes in any::<Vec<u8>>(), home in any::<bool>()) {
            let opaque = Opaque::new(if home { HOME } else { AWAY }, bytes);
            for shown in Format::ALL {
                prop_assert_eq!(Opaque::unwrap(&opaque.wrap(shown), shown), Ok(opaque.clone()));
            }
        }

        #[test]
        fn arbitrary_text_does_not_panic(text in "(fkm1\\.)?.*") {
            let _ = Opaque::unwrap(&text, HOME);
        }
    }
}
