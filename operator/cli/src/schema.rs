//! One object against the schema of its kind, as a strict API server judges it: types and bounds, unknown fields,
//! duplicates, then CEL.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use fkm_catalog::near_matches;
use fkm_crds::{Kind, Validator as CelValidator, compiled_schema, openapi_schema};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use crate::finding::{Finding, Stage};

static POOL: LazyLock<Validator> = LazyLock::new(|| validator(Kind::ProviderPool));
static ROUTE: LazyLock<Validator> = LazyLock::new(|| validator(Kind::LLMRoute));

/// The fields that every object may have besides those of its kind.
const OBJECT_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

fn validator(kind: Kind) -> Validator {
    let options = jsonschema::options().with_draft(Draft::Draft4);
    let options = options.with_pattern_options(PatternOptions::regex());
    options
        .build(openapi_schema(kind))
        .expect("checked by a test")
}

/// What the API server would refuse of this object. Explicit nulls are taken out first, as there.
pub(crate) fn check(kind: Kind, object: &mut Value) -> Vec<Finding> {
    let schema = openapi_schema(kind);
    let mut findings = Vec::new();
    drop_nulls(schema, object);
    unknown_fields("", schema, object, &mut findings);
    duplicates("", schema, object, &mut findings);
    let validator = match kind {
        Kind::ProviderPool => &POOL,
        Kind::LLMRoute => &ROUTE,
    };
    findings.extend(validator.iter_errors(object).map(|error| violation(&error)));
    if findings.is_empty() {
        findings.extend(cel(kind, object));
    }
    findings
}

fn cel(kind: Kind, object: &Value) -> Vec<Finding> {
    let verdict = CelValidator::new().validate_compiled(compiled_schema(kind), object, None);
    let errors = verdict
        .err()
        .map(fkm_crds::ValidationErrors::into_vec)
        .unwrap_or_default();
    errors
        .into_iter()
        .map(|error| Finding::new(Stage::Cel, error.field_path, error.message))
        .collect()
}

fn drop_nulls(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, field| !field.is_null());
            for (name, field) in map {
                drop_nulls(field_schema(schema, name), field);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| drop_nulls(&schema["items"], item)),
        _ => {}
    }
}

/// The schema of a field; null where the schema knows none.
fn field_schema<'a>(schema: &'a Value, name: &str) -> &'a Value {
    match &schema["properties"][name] {
        Value::Null => &schema["additionalProperties"],
        field => field,
    }
}

fn unknown_fields(path: &str, schema: &Value, value: &Value, findings: &mut Vec<Finding>) {
    match value {
        Value::Object(map) => {
            let Some(known) = schema["properties"].as_object() else {
                return;
            };
            for (name, field) in map {
                let path = join(path, name);
                if path == "metadata" {
                    continue;
                }
                if let Some(schema) = known.get(name) {
                    unknown_fields(&path, schema, field, findings);
                } else if !(path == *name && OBJECT_FIELDS.contains(&name.as_str())) {
                    findings.push(Finding::new(
                        Stage::Schema,
                        path,
                        unknown_message(name, known),
                    ));
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                unknown_fields(
                    &format!("{path}[{index}]"),
                    &schema["items"],
                    item,
                    findings,
                );
            }
        }
        _ => {}
    }
}

fn unknown_message(name: &str, known: &Map<String, Value>) -> String {
    let mut message = format!("unknown field {name:?}");
    if name == "true" && known.contains_key("on") {
        message.push_str("; YAML reads a plain on as true, so write \"on\" in quotes");
    } else if let Some(near) = near_matches(name, known.keys().map(String::as_str)).first() {
        let _ = write!(message, "; did you mean {near:?}?");
    }
    message
}

fn duplicates(path: &str, schema: &Value, value: &Value, findings: &mut Vec<Finding>) {
    match value {
        Value::Object(map) => {
            for (name, field) in map {
                duplicates(
                    &join(path, name),
                    field_schema(schema, name),
                    field,
                    findings,
                );
            }
        }
        Value::Array(items) => {
            let mut seen = BTreeSet::new();
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                if identity(schema, item).is_some_and(|identity| !seen.insert(identity)) {
                    let message = format!(
                        "Duplicate value: {}; give each a name of its own",
                        identity(schema, item).unwrap_or_default()
                    );
                    findings.push(Finding::new(Stage::Schema, path.clone(), message));
                }
                duplicates(&path, &schema["items"], item, findings);
            }
        }
        _ => {}
    }
}

/// What must be unique of an item of this list.
fn identity(schema: &Value, item: &Value) -> Option<String> {
    match schema["x-kubernetes-list-type"].as_str()? {
        "set" => Some(item.to_string()),
        "map" => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array()?;
            let identity = keys
                .iter()
                .filter_map(Value::as_str)
                .map(|key| (key.to_owned(), item[key].clone()));
            Some(Value::Object(identity.collect()).to_string())
        }
        _ => None,
    }
}

/// An error of the validator, in the words of the API server.
fn violation(error: &ValidationError<'_>) -> Finding {
    let mut path = dotted(error.instance_path());
    let instance = error.instance();
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            path = join(&path, property.as_str().unwrap_or_default());
            "Required value".to_owned()
        }
        ValidationErrorKind::Type {
            kind: TypeKind::Single(wanted),
        } => {
            let quotes = if wanted.to_string() == "string" {
                "; put it in quotes"
            } else {
                ""
            };
            format!(
                "must be of type {wanted}, but {instance} is {}{quotes}",
                type_name(instance)
            )
        }
        ValidationErrorKind::Enum { options } => format!(
            "Unsupported value: {instance}: supported values: {}",
            listed(options)
        ),
        ValidationErrorKind::Pattern { pattern } => format!("{instance} should match '{pattern}'"),
        ValidationErrorKind::MaxItems { limit } | ValidationErrorKind::MaxProperties { limit } => {
            format!("must have at most {limit} items")
        }
        ValidationErrorKind::MinItems { limit } => format!("should have at least {limit} items"),
        ValidationErrorKind::MaxLength { limit } => {
            format!("may not be more than {limit} characters")
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("should be at least {limit} chars long")
        }
        ValidationErrorKind::Minimum { limit } => {
            format!(
                "{instance} should be greater than or equal to {}",
                whole(limit)
            )
        }
        ValidationErrorKind::Maximum { limit } => {
            format!(
                "{instance} should be less than or equal to {}",
                whole(limit)
            )
        }
        _ => error.to_string(),
    };
    Finding::new(Stage::Schema, path, message)
}

fn listed(options: &Value) -> String {
    let options = options
        .as_array()
        .into_iter()
        .flatten()
        .map(ToString::to_string);
    options.collect::<Vec<_>>().join(", ")
}

/// A bound without the `.0` that the schema writes.
fn whole(limit: &Value) -> f64 {
    limit.as_f64().unwrap_or_default()
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn dotted(location: &Location) -> String {
    let mut path = String::new();
    for segment in location {
        match segment {
            LocationSegment::Property(name) => path = join(&path, &name),
            LocationSegment::Index(index) => {
                let _ = write!(path, "[{index}]");
            }
        }
    }
    path
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
