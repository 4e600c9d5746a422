//! The definitions as an API server gets them, and views of their schema.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube_core::CustomResourceExt;
use kube_core::cel::{CompiledSchema, compile_schema};
use serde_json::Value;

use crate::{LLMRoute, ProviderPool};

/// One of the two kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `ProviderPool`.
    ProviderPool,
    /// `LLMRoute`.
    LLMRoute,
}

static POOL: LazyLock<Value> = LazyLock::new(|| definition(ProviderPool::crd()));
static ROUTE: LazyLock<Value> = LazyLock::new(|| definition(LLMRoute::crd()));
static POOL_CEL: LazyLock<CompiledSchema> =
    LazyLock::new(|| compile_schema(openapi_schema(Kind::ProviderPool)));
static ROUTE_CEL: LazyLock<CompiledSchema> =
    LazyLock::new(|| compile_schema(openapi_schema(Kind::LLMRoute)));

/// The definition of a kind, as it is checked in and installed.
pub fn crd(kind: Kind) -> CustomResourceDefinition {
    serde_json::from_value(json(kind).clone()).expect("it was made from one")
}

/// The `openAPIV3Schema` of a kind.
pub fn openapi_schema(kind: Kind) -> &'static Value {
    json(kind)
        .pointer("/spec/versions/0/schema/openAPIV3Schema")
        .expect("a derived definition has a schema")
}

/// The schema of a kind with its CEL rules compiled, for a [`Validator`](crate::Validator).
pub fn compiled_schema(kind: Kind) -> &'static CompiledSchema {
    match kind {
        Kind::ProviderPool => &POOL_CEL,
        Kind::LLMRoute => &ROUTE_CEL,
    }
}

/// Every field of the spec that holds a value of its own, as `spec.providers[].name`; a map ends in `{}`.
pub fn schema_leaves(kind: Kind) -> Vec<String> {
    let mut leaves = Vec::new();
    collect_leaves(
        "spec",
        &openapi_schema(kind)["properties"]["spec"],
        &mut leaves,
    );
    leaves
}

fn json(kind: Kind) -> &'static Value {
    match kind {
        Kind::ProviderPool => &POOL,
        Kind::LLMRoute => &ROUTE,
    }
}

fn definition(derived: CustomResourceDefinition) -> Value {
    let mut json = serde_json::to_value(derived).expect("a definition is plain data");
    tidy(&mut json);
    json
}

/// Takes away what an API server warns of or obeys otherwise than meant: formats that it does not know, and `nullable`
/// (an explicit null then counts as omitted, instead of as a value that no rule expects).
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let unknown = |format: &Value| format.as_str().is_some_and(|f| f.starts_with("uint"));
            if map.get("format").is_some_and(unknown) {
                map.remove("format");
            }
            map.remove("nullable");
            if let Some(Value::Array(values)) = map.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn collect_leaves(path: &str, schema: &Value, leaves: &mut Vec<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            collect_leaves(&format!("{path}.{name}"), property, leaves);
        }
    } else if schema["items"].is_object() {
        collect_leaves(&format!("{path}[]"), &schema["items"], leaves);
    } else if schema["additionalProperties"].is_object() {
        collect_leaves(
            &format!("{path}{{}}"),
            &schema["additionalProperties"],
            leaves,
        );
    } else {
        leaves.push(path.to_owned());
    }
}

#[cfg(test)]
mod tests;
