//! The form of the generated schemas, and a few leaves.

use super::*;

const KINDS: [Kind; 2] = [Kind::ProviderPool, Kind::LLMRoute];

/// Calls `visit` with the path and schema of every field below the spec.
fn walk(path: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, visit);
    }
    for below in ["items", "additionalProperties"] {
        if schema[below].is_object() {
            walk(&format!("{path}[]"), &schema[below], visit);
        }
    }
}

#[test]
fn everything_in_a_spec_is_bounded_and_typed() {
    for kind in KINDS {
        walk(
            "spec",
            &openapi_schema(kind)["properties"]["spec"],
            &mut |path, schema| {
                let bound = match schema["type"]
                    .as_str()
                    .unwrap_or_else(|| panic!("{path} has no type: {schema}"))
                {
                    "string" if schema["enum"].is_array() => "enum",
                    "string" => "maxLength",
                    "integer" => "maximum",
                    "array" => "maxItems",
                    "object" if schema["additionalProperties"].is_object() => "maxProperties",
                    "object" => "properties",
                    "boolean" => "type",
                    other => panic!("{path}: type {other}"),
                };
                assert!(!schema[bound].is_null(), "{path} has no {bound}: {schema}");
                if schema["type"] == "array" {
                    assert!(
                        !schema["x-kubernetes-list-type"].is_null(),
                        "{path} has no list type"
                    );
                }
                for union in ["oneOf", "anyOf", "allOf", "nullable", "default"] {
                    assert!(schema[union].is_null(), "{path} has {union}");
                }
            },
        );
    }
}

#[test]
fn everything_in_a_spec_is_described() {
    for kind in KINDS {
        walk(
            "spec",
            &openapi_schema(kind)["properties"]["spec"],
            &mut |path, schema| {
                let element = path.ends_with("[]");
                assert!(
                    element || schema["description"].is_string(),
                    "{path} has no description"
                );
            },
        );
    }
}

#[test]
fn no_unknown_formats() {
    for kind in KINDS {
        let text = json(kind).to_string();
        assert!(!text.contains("\"uint"), "{text}");
    }
}

#[test]
fn every_rule_compiles() {
    for kind in KINDS {
        let errors = compiled_schema(kind).compilation_errors();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn leaves_are_paths() {
    let pool = schema_leaves(Kind::ProviderPool);
    for leaf in [
        "spec.allowedRoutes.namespaces.from",
        "spec.allowedRoutes.namespaces.selector.matchLabels{}",
        "spec.providers[].credentials[].apiKey.secretKeyRef.key",
        "spec.providers[].models[].aliases[]",
        "spec.providers[].simulated.cutAfterEvents",
    ] {
        assert!(
            pool.iter().any(|found| found == leaf),
            "{leaf} not in {pool:#?}"
        );
    }
    let route = schema_leaves(Kind::LLMRoute);
    for leaf in [
        "spec.rules[].policy.fallback.on[]",
        "spec.defaults.poolRef.namespace",
    ] {
        assert!(
            route.iter().any(|found| found == leaf),
            "{leaf} not in {route:#?}"
        );
    }
}
