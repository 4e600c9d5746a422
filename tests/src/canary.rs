//! Looks for a key where none may be, in every form that a program may give it.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A key that changes under every escaping, so that each form is told apart.
pub const CANARY: &str = "sk-canary-Zq7/x+\"w\\9=k";

/// The forms of `key`: raw, JSON-escaped, URL-escaped, and base64 at each of its three alignments.
pub fn forms(key: &str) -> Vec<String> {
    let json = serde_json::Value::from(key).to_string();
    let mut forms = vec![
        key.to_owned(),
        json[1..json.len() - 1].to_owned(),
        url_escaped(key),
    ];
    forms.push(forms[1].replace('\\', "\\\\").replace('"', "\\\""));
    for shift in 0..3 {
        let padded = [vec![b'x'; shift], key.as_bytes().to_vec()].concat();
        let encoded = BASE64_STANDARD.encode(padded);
        // Digits that also hold bits of a neighbour differ from text to text.
        let inner = encoded[(shift * 8).div_ceil(6)..key.len() * 4 / 3 - 1].to_owned();
        forms.push(inner.replace('+', "-").replace('/', "_"));
        forms.push(inner);
    }
    forms
}

/// Fails where one of `texts` (name and content) holds a form of the canary.
pub fn assert_absent<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
    let forms = forms(CANARY);
    for (name, text) in texts {
        for form in &forms {
            let found = text.find(form.as_str());
            ensure!(
                found.is_none(),
                "{name} holds a key as {form:?}, at byte {found:?}"
            );
        }
    }
    Ok(())
}

/// Every log below `folder`, by path.
pub fn logs(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(logs(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "log") {
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
    Ok(found)
}

fn url_escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_key_is_found_in_every_form() {
        let json =
            serde_json::json!({ "message": format!("your key {CANARY} is wrong") }).to_string();
        let nested = serde_json::json!({ "body": json }).to_string();
        let url = format!("https://x/?key={}", url_escaped(CANARY));
        let planted = [CANARY.to_owned(), json, nested, url];
        for text in planted {
            assert!(
                assert_absent([("planted", text.as_str())]).is_err(),
                "{text}"
            );
        }
        for before in ["", "a", "ab", "abc", "Bearer "] {
            let encoded = BASE64_STANDARD.encode(format!("{before}{CANARY} and more"));
            assert!(
                assert_absent([("planted", encoded.as_str())]).is_err(),
                "{before:?}: {encoded}"
            );
        }
        assert!(assert_absent([("clean", "sk-canary- and others")]).is_ok());
    }
}
