//! From a pointer into an object to the leaf of the generated schema that it changes.

use fkm_crds::{Kind, openapi_schema};
use serde_json::Value;

/// A leaf of a schema.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// As in [`fkm_crds::schema_leaves`].
    pub(crate) path: String,
    pub(crate) schema: &'static Value,
}

/// The leaf that the field at `pointer` of an object is; `None` where the schema has no such field, or it holds others.
pub(crate) fn leaf(kind: Kind, pointer: &str) -> Option<Leaf> {
    let mut path = String::new();
    let mut schema = openapi_schema(kind);
    for segment in pointer.split('/').skip(1) {
        if let Some(property) = schema["properties"].get(segment) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(segment);
            schema = property;
        } else if schema["items"].is_object() {
            segment.parse::<usize>().ok()?;
            path.push_str("[]");
            schema = &schema["items"];
        } else if schema["additionalProperties"].is_object() {
            path.push_str("{}");
            schema = &schema["additionalProperties"];
        } else {
            return None;
        }
    }
    let below = ["properties", "items", "additionalProperties"];
    let holds_others = below.iter().any(|below| schema[*below].is_object());
    (!holds_others).then_some(Leaf { path, schema })
}

#[test]
fn a_pointer_is_one_leaf() {
    let path = |pointer| leaf(Kind::LLMRoute, pointer).map(|leaf| leaf.path);
    let found = path("/spec/rules/0/matches/1/models/2");
    assert_eq!(found.as_deref(), Some("spec.rules[].matches[].models[]"));
    let found = path("/spec/workloadSelector/matchLabels/app");
    assert_eq!(
        found.as_deref(),
        Some("spec.workloadSelector.matchLabels{}")
    );
    for no_leaf in [
        "/spec/rules",
        "/spec/rules/0",
        "/spec/rules/x/name",
        "/spec/nothing",
    ] {
        assert_eq!(path(no_leaf), None, "{no_leaf}");
    }
}
