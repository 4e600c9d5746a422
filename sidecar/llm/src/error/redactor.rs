//! Takes a key out of a text, in whatever form it was written there.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;

/// What stands where a key was.
pub(crate) const MASK: &str = "[redacted]";

/// Shorter pieces of a key are no secret, and would be found in ordinary words.
const SHORTEST: usize = 6;

/// How often percent-encoding is undone to look for a key.
const MOST_DECODED: usize = 3;

/// Knows one key in the forms in which a provider may repeat it: raw, JSON-escaped once and twice, URL-escaped, base64 at
/// each alignment in both alphabets. `Debug` shows none of them.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a form that holds another is replaced whole.
    forms: Vec<String>,
}

// === impl Redactor ===

impl Redactor {
    /// For this key. A key of less than 6 bytes is looked for as it is only.
    pub fn new(key: &str) -> Self {
        let mut forms = Vec::new();
        if !key.is_empty() {
            let json = json_escaped(key);
            forms = vec![
                key.to_owned(),
                json_escaped(&json),
                json,
                url_escaped(key, false),
                url_escaped(key, true),
            ];
            if key.len() >= SHORTEST {
                forms.extend(base64_forms(key));
            }
        }
        forms.sort_unstable_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self { forms }
    }

    /// Whether the text holds the key, percent-encoded in whatever part and up to [`MOST_DECODED`] times over.
    pub fn finds(&self, text: &str) -> bool {
        let mut text = Cow::Borrowed(text);
        for _ in 0..=MOST_DECODED {
            if self.forms.iter().any(|form| text.contains(form.as_str())) {
                return true;
            }
            match percent_decode_str(&text).decode_utf8_lossy() {
                Cow::Borrowed(_) => return false,
                Cow::Owned(decoded) => text = Cow::Owned(decoded),
            }
        }
        false
    }

    /// The text with every form of the key masked.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), MASK);
            }
        }
        if text.contains('%') && self.finds(&text) {
            let masked = |word| if self.finds(word) { MASK } else { word };
            text = text.split(' ').map(masked).collect::<Vec<_>>().join(" ");
        }
        match self.finds(&text) {
            true => MASK.to_owned(),
            false => text,
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a string is always JSON");
    quoted[1..quoted.len() - 1].to_owned()
}

fn url_escaped(text: &str, lower: bool) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other if lower => format!("%{other:02x}"),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// The digits that depend on the key alone, whatever stands before and behind it.
fn base64_forms(key: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for shift in 0..3_usize {
        let padded = [vec![b'x'; shift], key.as_bytes().to_vec()].concat();
        let from = (shift * 8).div_ceil(6);
        let to = padded.len() * 8 / 6;
        for encoded in [
            BASE64_STANDARD_NO_PAD.encode(&padded),
            BASE64_URL_SAFE_NO_PAD.encode(&padded),
        ] {
            forms.push(encoded[from..to].to_owned());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

    use super::*;

    const KEY: &str = "sk-Zq7/x+\"w\\9=k";

    #[test]
    fn every_form_is_masked() {
        let redactor = Redactor::new(KEY);
        let json = serde_json::json!({ "said": KEY }).to_string();
        let nested = serde_json::json!({ "body": json }).to_string();
        let mut texts = vec![
            format!("your key {KEY} is wrong"),
            json,
            nested,
            url_escaped(KEY, true),
            url_escaped(KEY, false),
        ];
        let escaped = |text: &str| {
            let escape = |byte| ["%".to_owned(), hex::encode([byte])].concat();
            text.bytes().map(escape).collect::<Vec<_>>().concat()
        };
        let every = escaped(KEY);
        texts.push(every.replace('%', "%25"));
        texts.push(format!("id {every} end"));
        texts.push(format!("req-{}{}", &KEY[..4], escaped(&KEY[4..])));
        for before in ["", "a", "ab", "Bearer "] {
            let text = format!("{before}{KEY} and more");
            texts.extend([BASE64_STANDARD.encode(&text), BASE64_URL_SAFE.encode(&text)]);
        }
        for text in texts {
            assert!(redactor.finds(&text), "{text}");
            let masked = redactor.redact(&text);
            assert!(
                masked.contains(MASK) && !redactor.finds(&masked),
                "{text}: {masked}"
            );
        }
        assert_eq!(
            redactor.redact(&format!("100 % of id {every} end")),
            format!("100 % of id {MASK} end")
        );
        assert!(!redactor.finds("sk- and others"));
        assert!(!redactor.finds("100%25 %zz %"));
        assert_eq!(Redactor::default().redact("anything"), "anything");
        assert!(!format!("{redactor:?}").contains("Zq7"));
    }
}
