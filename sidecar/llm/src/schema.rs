//! JSON schemas cut down to what a provider takes: keywords that it refuses are left out and named, everything else stays
//! as it was written, in its order (models write members in the order of the schema).

use serde_json::value::RawValue;

use crate::ir::RawJson;
use crate::json::{Object, ObjectWriter, Path, array, write_array};

/// What a provider takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Keywords that it refuses.
    pub(crate) refused: &'static [&'static str],
    /// `oneOf` is read as `anyOf`.
    pub(crate) one_of_is_any_of: bool,
    /// Every object must say `additionalProperties: false`.
    pub(crate) closed: bool,
    /// The most that `minItems` may be.
    pub(crate) most_min_items: u64,
}

/// Deeper schemas are left as they are: the provider says what it thinks of them.
const MAX_DEPTH: usize = 64;

/// The schema as a provider takes it, and the keywords that were left out or changed; `None` when it can stay as it is.
pub(crate) fn restrict(schema: &RawJson, rules: &Rules) -> Option<(RawJson, Vec<&'static str>)> {
    let mut changed = Vec::new();
    let mut out = Vec::with_capacity(schema.get().len());
    write_schema(&mut out, schema.raw(), rules, 0, &mut changed);
    if changed.is_empty() {
        return None;
    }
    changed.sort_unstable();
    changed.dedup();
    let text = String::from_utf8(out).expect("pieces of a text and keywords");
    Some((RawJson::try_new(&text).expect("written as JSON"), changed))
}

fn write_schema(
    out: &mut Vec<u8>,
    raw: &RawValue,
    rules: &Rules,
    depth: usize,
    changed: &mut Vec<&'static str>,
) {
    let object = match Object::from_raw(raw, &Path::Root) {
        Ok(object) if depth < MAX_DEPTH => object,
        // `true` and `false` are schemas too.
        _ => {
            out.extend_from_slice(raw.get().as_bytes());
            return;
        }
    };
    let is_object = object.kind() == "object";
    let mut closed = false;
    let mut writer = ObjectWriter::new(out);
    for (name, value) in object.members() {
        if let Some(keyword) = rules.refused.iter().find(|keyword| **keyword == name) {
            changed.push(keyword);
            continue;
        }
        match name {
            "minItems" if exceeds(value, rules.most_min_items) => changed.push("minItems"),
            "additionalProperties" if rules.closed => {
                closed = true;
                if value.get() != "false" {
                    changed.push("additionalProperties");
                }
                writer.value("additionalProperties", &false);
            }
            "oneOf" if rules.one_of_is_any_of => {
                changed.push("oneOf");
                write_list(writer.key("anyOf"), value, rules, depth, changed);
            }
            "anyOf" | "allOf" | "oneOf" | "prefixItems" => {
                write_list(writer.key(name), value, rules, depth, changed);
            }
            "properties" | "$defs" | "definitions" | "patternProperties" => {
                write_map(writer.key(name), value, rules, depth, changed);
            }
            "items" | "not" | "contains" | "additionalProperties" => {
                write_schema(writer.key(name), value, rules, depth + 1, changed);
            }
            _ => writer.key(name).extend_from_slice(value.get().as_bytes()),
        }
    }
    if rules.closed && is_object && !closed {
        changed.push("additionalProperties");
        writer.value("additionalProperties", &false);
    }
    writer.end();
}

fn exceeds(value: &RawValue, most: u64) -> bool {
    value.get().parse::<u64>().is_ok_and(|number| number > most)
}

fn write_list(
    out: &mut Vec<u8>,
    raw: &RawValue,
    rules: &Rules,
    depth: usize,
    changed: &mut Vec<&'static str>,
) {
    match array(raw, &Path::Root) {
        Ok(items) => write_array(out, items, |out, item| {
            write_schema(out, item, rules, depth + 1, changed);
        }),
        Err(_) => out.extend_from_slice(raw.get().as_bytes()),
    }
}

/// Schemas by name: the names are no keywords.
fn write_map(
    out: &mut Vec<u8>,
    raw: &RawValue,
    rules: &Rules,
    depth: usize,
    changed: &mut Vec<&'static str>,
) {
    let Ok(object) = Object::from_raw(raw, &Path::Root) else {
        out.extend_from_slice(raw.get().as_bytes());
        return;
    };
    let mut writer = ObjectWriter::new(out);
    for (name, value) in object.members() {
        write_schema(writer.key(name), value, rules, depth + 1, changed);
    }
    writer.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        refused: &["minimum", "pattern"],
        one_of_is_any_of: true,
        closed: true,
        most_min_items: 1,
    };

    fn raw(text: &str) -> RawJson {
        RawJson::try_new(text).expect("JSON")
    }

    fn restricted(text: &str) -> (String, Vec<&'static str>) {
        let (schema, changed) = restrict(&raw(text), &RULES).expect("a change");
        (schema.get().to_owned(), changed)
    }

    #[test]
    fn what_is_taken_stays_as_it_was_written() {
        let schema = r#"{ "type":"object", "properties":{"minimum":{"type":"string"}},"additionalProperties":false}"#;
        assert!(restrict(&raw(schema), &RULES).is_none());
        assert!(restrict(&raw("true"), &RULES).is_none());
    }

    #[test]
    fn keywords_are_left_out_wherever_they_stand_but_names_are_not() {
        let (schema, changed) = restricted(
            r#"{"type":"object","properties":{"b":{"type":"integer","minimum":1},"a":{"type":"array","minItems":2,"items":{"oneOf":[{"pattern":"x"},{}]}}},"required":["minimum"],"enum":[{"minimum":1}]}"#,
        );
        assert_eq!(
            schema,
            r#"{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"array","items":{"anyOf":[{},{}]}}},"required":["minimum"],"enum":[{"minimum":1}],"additionalProperties":false}"#
        );
        assert_eq!(
            changed,
            [
                "additionalProperties",
                "minItems",
                "minimum",
                "oneOf",
                "pattern"
            ]
        );
    }
}
