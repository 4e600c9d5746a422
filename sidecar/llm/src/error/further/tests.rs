//! What is kept, as it was written, and what never gets through.

use super::*;

fn read(error: &str) -> Option<Further> {
    let body = format!(r#"{{"error":{error},"id":1}}"#);
    Further::read(Family::OpenAi, body.as_bytes(), &["message", "code"])
}

fn written(further: &Further) -> String {
    let members = Further::members(Some(further), Family::OpenAi);
    serde_json::to_string(&members).unwrap()
}

#[test]
fn members_stay_as_they_were_written_and_in_their_family() {
    let further = read(
        r#"{"message":"m","z":123456789012345678901234567890,"a":{"b": "\u0041\/\"\\"},"code":1,"n":null}"#,
    )
    .unwrap();
    let expected = r#"{"z":123456789012345678901234567890,"a":{"b": "\u0041\/\"\\"}}"#;
    assert_eq!(written(&further.masked()), expected);
    let elsewhere = Further::members(Some(&further), Family::Anthropic);
    assert_eq!(serde_json::to_string(&elsewhere).unwrap(), "{}");
    for nothing in [r#""text""#, "null", "[1]", r#"{"message":"m"}"#] {
        assert_eq!(read(nothing), None, "{nothing}");
    }
}

#[test]
fn they_are_bounded() {
    let long = "x".repeat(MAX_FURTHER_BYTES);
    let further = read(&format!(r#"{{"long":"{long}","short":1}}"#)).unwrap();
    assert_eq!(written(&further), r#"{"short":1}"#);
}

#[test]
fn a_key_is_masked_in_whatever_form() {
    let key = "k-Zq7/x+\"w\\9=é12";
    let redactor = Redactor::new(key);
    let units = key.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
    let escaped = units.collect::<Vec<_>>().concat();
    let quoted = RawJson::string(key);
    let nested = RawJson::string(&format!(r#"{{"key":{}}}"#, quoted.get()));
    for value in [
        quoted.get().to_owned(),
        nested.get().to_owned(),
        format!(r#"["a",{{"b":"is {escaped} "}}]"#),
        format!(r"{{{}:1}}", quoted.get()),
        format!(r#"["\ud800 {escaped}"]"#),
    ] {
        let mut further = read(&format!(r#"{{"said":{value},"other":"stays"}}"#)).unwrap();
        further.redact(&redactor);
        let written = written(&further);
        let parsed: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert!(parsed["said"].to_string().contains(MASK), "{written}");
        assert!(!redactor.finds(&written), "{written}");
        assert_eq!(parsed["other"], "stays");
    }
}

#[test]
fn what_cannot_be_masked_is_left_out() {
    let mut further = read(r#"{"number":[1234567890],"k-1234567890":1,"rest":"r"}"#).unwrap();
    further.redact(&Redactor::new("1234567890"));
    assert_eq!(written(&further), r#"{"rest":"r"}"#);
}

#[test]
fn what_looks_like_a_key_is_masked() {
    let further = read(r#"{"sk-proj-abcdefgh12345":1,"raw":"of sk-proj-abcdefgh12345, sorry"}"#);
    let further = further.unwrap();
    assert_eq!(
        written(&further.masked()),
        r#"{"raw":"of [redacted], sorry"}"#
    );
    assert!(!format!("{further:?}").contains("sk-proj"));
}
