//! One object of a manifest: which kind it is, what of it is needed, and what is wrong with its frame.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fkm_catalog::near_matches;
use fkm_compile::{Form, ObjectName};
use fkm_crds::{CA_KEY, GROUP, Kind, VERSION};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Manifests;
use crate::finding::{Finding, Judged, Origin, Stage};
use crate::schema;

/// Adds an object, or the objects of a list. Kinds that are none of ours and are not referred to are passed over.
pub(super) fn add(manifests: &mut Manifests, origin: Origin, mut value: Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&value["apiVersion"]), text(&value["kind"]));
    let namespace = &value["metadata"]["namespace"];
    let origin = Origin {
        namespace: namespace
            .as_str()
            .unwrap_or(&manifests.options.namespace)
            .to_owned(),
        name: text(&value["metadata"]["name"]),
        kind: kind.clone(),
        ..origin
    };
    match (version.as_str(), kind.as_str()) {
        ("v1", "List") => {
            let items = value["items"].take();
            for item in items.as_array().into_iter().flatten() {
                add(manifests, origin.clone(), item.clone());
            }
        }
        ("v1", "Secret") => secret(manifests, &origin, &value),
        ("v1", "ConfigMap") => {
            let ca = value["data"][CA_KEY].as_str().map(str::to_owned);
            manifests.config_maps.insert(origin.object_name(), ca);
        }
        ("v1", "Namespace") => {
            let labels = value["metadata"]["labels"]
                .as_object()
                .into_iter()
                .flatten();
            let labels = labels.map(|(label, value)| (label.clone(), text(value)));
            manifests.namespaces.insert(origin.name, labels.collect());
        }
        (version, kind) if version.split('/').next() == Some(GROUP) => {
            let findings = ours(manifests, &origin, version, kind, value);
            manifests.judged.push(Judged { origin, findings });
        }
        ("", _) | (_, "") => {
            let finding = Finding::new(
                Stage::Yaml,
                "",
                "this is no Kubernetes object: apiVersion and kind are needed",
            );
            manifests.judged.push(Judged {
                origin,
                findings: vec![finding],
            });
        }
        _ => {}
    }
}

/// Takes an object of our group, or says why not.
fn ours(
    manifests: &mut Manifests,
    origin: &Origin,
    version: &str,
    kind: &str,
    mut value: Value,
) -> Vec<Finding> {
    let our_kind = match kind {
        "ProviderPool" => Kind::ProviderPool,
        "LLMRoute" => Kind::LLMRoute,
        other => {
            let near = near_matches(other, ["ProviderPool", "LLMRoute"]);
            let near = near
                .first()
                .map(|near| format!("; did you mean {near:?}?"))
                .unwrap_or_default();
            return vec![Finding::new(
                Stage::Schema,
                "kind",
                format!("group {GROUP} has no kind {other:?}{near}"),
            )];
        }
    };
    if version
        .split_once('/')
        .is_none_or(|(_, version)| version != VERSION)
    {
        let message = format!("{version:?} is not served; write {GROUP}/{VERSION}");
        return vec![Finding::new(Stage::Schema, "apiVersion", message)];
    }
    let name = origin.object_name();
    let mut findings = schema::check(our_kind, &mut value);
    findings.extend(name_fault(&origin.name));
    let taken = match our_kind {
        Kind::ProviderPool => take(&mut manifests.pools, &name, &value, &mut findings),
        Kind::LLMRoute => take(&mut manifests.routes, &name, &value, &mut findings),
    };
    if !taken && findings.is_empty() {
        let mut others = manifests.judged.iter().map(|judged| &judged.origin);
        let first = others.find(|other| other.kind == kind && other.object_name() == name);
        let place =
            first.map(|first| format!(", first in {}:{}", first.file.display(), first.line));
        let message = format!(
            "{kind} {name} stands in more than one document{}; remove all but one",
            place.unwrap_or_default()
        );
        findings.push(Finding::new(Stage::Yaml, "metadata.name", message));
    }
    findings
}

/// Keeps a spec without findings, if it is the first of its name.
fn take<S: DeserializeOwned>(
    kept: &mut BTreeMap<ObjectName, S>,
    name: &ObjectName,
    value: &Value,
    findings: &mut Vec<Finding>,
) -> bool {
    if !findings.is_empty() || kept.contains_key(name) {
        return false;
    }
    match serde_json::from_value(value["spec"].clone()) {
        Ok(spec) => drop(kept.insert(name.clone(), spec)),
        Err(error) => findings.push(Finding::new(Stage::Schema, "spec", error.to_string())),
    }
    true
}

fn name_fault(name: &str) -> Option<Finding> {
    if name.is_empty() {
        return Some(Finding::new(
            Stage::Schema,
            "metadata.name",
            "Required value: give the object a name",
        ));
    }
    let is_label = |label: &str| {
        let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let good = name.len() <= 253 && name.split('.').all(is_label);
    (!good).then(|| {
        let message = format!(
            "{name:?} is no name of an object: use lower-case letters, digits, '-' and '.'"
        );
        Finding::new(Stage::Schema, "metadata.name", message)
    })
}

/// Takes the entries of a Secret that can be of use, as the operator does.
fn secret(manifests: &mut Manifests, origin: &Origin, value: &Value) {
    let keys = manifests.secrets.entry(origin.object_name()).or_default();
    let entries = |field: &str| value[field].as_object().into_iter().flatten();
    for (key, data) in entries("data") {
        let bytes = data
            .as_str()
            .and_then(|text| BASE64_STANDARD.decode(text.trim()).ok());
        if let Some(key_value) = bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| usable_key(&text))
        {
            keys.insert(key.clone(), key_value);
        }
    }
    for (key, data) in entries("stringData") {
        if let Some(key_value) = data.as_str().and_then(usable_key) {
            keys.insert(key.clone(), key_value);
        }
    }
}

/// The text without trailing white space, if it is of a [`Form`].
pub(crate) fn usable_key(text: &str) -> Option<SecretString> {
    let text = text.trim_end();
    Form::of(text).map(|_| SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn keys_that_can_be_sent() {
        let usable = |text| usable_key(text).map(|key| key.expose_secret().to_owned());
        assert_eq!(usable("sk-1\r\n").as_deref(), Some("sk-1"));
        assert_eq!(usable("two words").as_deref(), Some("two words"));
        assert_eq!(usable("one\ntwo\n").as_deref(), Some("one\ntwo"));
        for wrong in ["", "\n", "nul\0"] {
            assert_eq!(usable(wrong), None, "{wrong:?}");
        }
    }
}
