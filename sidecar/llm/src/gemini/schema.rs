//! Schemas in the older form, the subset of `OpenAPI` 3.0 of `parameters` and `responseSchema`, as JSON schemas, which every
//! other format takes and this one too (`parametersJsonSchema`, `responseJsonSchema`). What is not rewritten stays as it was
//! written, in its order.

use serde_json::value::RawValue;

use crate::ir::RawJson;
use crate::json::{Object, ObjectWriter, Path, array, string, write_array};

/// Deeper schemas are left as they are.
const MAX_DEPTH: usize = 64;

/// `int64` in Protocol Buffers' JSON: a string.
const NUMBERS: [&str; 6] = [
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
];

/// The schema as a JSON schema; itself when it is one already.
pub(super) fn to_json_schema(raw: RawJson) -> RawJson {
    let mut changed = false;
    let mut out = Vec::with_capacity(raw.get().len());
    write_schema(&mut out, raw.raw(), 0, &mut changed);
    if !changed {
        return raw;
    }
    let text = String::from_utf8(out).expect("pieces of a text");
    RawJson::try_new(&text).expect("written as JSON")
}

fn write_schema(out: &mut Vec<u8>, raw: &RawValue, depth: usize, changed: &mut bool) {
    let object = match Object::from_raw(raw, &Path::Root) {
        Ok(object) if depth < MAX_DEPTH => object,
        _ => {
            out.extend_from_slice(raw.get().as_bytes());
            return;
        }
    };
    let nullable = object.peek("nullable").map(RawValue::get) == Some("true");
    let mut writer = ObjectWriter::new(out);
    for (name, value) in object.members() {
        match name {
            "nullable" => *changed = true,
            "type" => match older_type(value) {
                Some(word) if nullable => {
                    *changed = true;
                    writer.value(name, &[word.as_str(), "null"]);
                }
                Some(word) => {
                    *changed = true;
                    writer.value(name, &word);
                }
                None => writer.key(name).extend_from_slice(value.get().as_bytes()),
            },
            "items" | "additionalProperties" => {
                write_schema(writer.key(name), value, depth + 1, changed);
            }
            "anyOf" | "prefixItems" => write_list(writer.key(name), value, depth, changed),
            "properties" | "defs" | "$defs" => {
                write_map(writer.key(name), value, depth, changed);
            }
            _ => match number(name, value) {
                Some(number) => {
                    *changed = true;
                    writer.value(name, &number);
                }
                None => writer.key(name).extend_from_slice(value.get().as_bytes()),
            },
        }
    }
    writer.end();
}

/// The type that a word of the older form names: `STRING`.
fn older_type(value: &RawValue) -> Option<String> {
    let word = string(value)?;
    let older = word.bytes().all(|byte| byte.is_ascii_uppercase());
    (older && !word.is_empty()).then(|| word.to_ascii_lowercase())
}

fn number(name: &str, value: &RawValue) -> Option<u64> {
    if !NUMBERS.contains(&name) {
        return None;
    }
    string(value)?.parse().ok()
}

fn write_list(out: &mut Vec<u8>, raw: &RawValue, depth: usize, changed: &mut bool) {
    match array(raw, &Path::Root) {
        Ok(items) => write_array(out, items, |out, item| {
            write_schema(out, item, depth + 1, changed);
        }),
        Err(_) => out.extend_from_slice(raw.get().as_bytes()),
    }
}

/// Schemas by name: the names are no keywords.
fn write_map(out: &mut Vec<u8>, raw: &RawValue, depth: usize, changed: &mut bool) {
    let Ok(object) = Object::from_raw(raw, &Path::Root) else {
        out.extend_from_slice(raw.get().as_bytes());
        return;
    };
    let mut writer = ObjectWriter::new(out);
    for (name, value) in object.members() {
        write_schema(writer.key(name), value, depth + 1, changed);
    }
    writer.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(text: &str) -> String {
        let schema = to_json_schema(RawJson::try_new(text).unwrap());
        schema.get().to_owned()
    }

    #[test]
    fn the_older_form_becomes_a_json_schema() {
        let text = r#"{"type":"OBJECT","properties":{"type":{"type":"ARRAY","minItems":"2","items":{"nullable":true,"type":"STRING"}},"a":{"enum":["X"]}}}"#;
        assert_eq!(
            converted(text),
            r#"{"type":"object","properties":{"type":{"type":"array","minItems":2,"items":{"type":["string","null"]}},"a":{"enum":["X"]}}}"#
        );
    }

    #[test]
    fn a_json_schema_stays_as_it_was_written() {
        for text in [
            r#"{ "type":"object", "properties":{"TYPE":{"const":1e999}}}"#,
            r#"{"type":["string","null"],"maximum":123456789012345678901234567890}"#,
            "true",
        ] {
            assert_eq!(converted(text), text);
        }
    }
}
