//! Takes out what looks like a key, whoever's it is.

use crate::error::redactor::MASK;

/// Prefixes by which vendors mark keys.
const KEY_PREFIXES: [&str; 9] = [
    "sk-", "sk_", "pk-", "gsk_", "xai-", "AIza", "hf_", "Bearer", "eyJ",
];

/// Copies `text`, with what looks like a key in it masked: a vendor's prefix and eight or more key characters.
pub(super) fn mask_keys(text: &str, out: &mut String) {
    let is_key =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*' | '+' | '/' | '=');
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.find(is_key).unwrap_or(rest.len());
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c| !is_key(c)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        let marked = KEY_PREFIXES
            .iter()
            .any(|prefix| token.len() >= prefix.len() + 8 && token.starts_with(prefix));
        out.push_str(if marked { MASK } else { token });
        rest = after;
    }
}
