//! Manifests as the compiler's inputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fkm_compile::{
    Compiled, Form, Inputs, Meta, ObjectName, PoolInput, RouteInput, SecretKeys, Stored, World,
    compile,
};
use fkm_crds::{CA_KEY, LLMRouteSpec, ProviderPoolSpec};
use serde_json::Value;

/// The objects of some manifests. `accepted_*` are what was kept of earlier generations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    pub(crate) routes: BTreeMap<ObjectName, LLMRouteSpec>,
    pub(crate) pools: BTreeMap<ObjectName, ProviderPoolSpec>,
    pub(crate) accepted_routes: BTreeMap<ObjectName, LLMRouteSpec>,
    pub(crate) accepted_pools: BTreeMap<ObjectName, ProviderPoolSpec>,
    pub(crate) created: BTreeMap<ObjectName, i64>,
    pub(crate) namespaces: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) secrets: BTreeMap<ObjectName, SecretKeys>,
    pub(crate) config_maps: BTreeMap<ObjectName, Option<String>>,
}

/// The generation of every live spec.
pub(crate) const LIVE: i64 = 7;
/// The generation of every accepted one.
pub(crate) const ACCEPTED: i64 = 6;

/// The manifests of a folder below `tests/manifests`, by name.
pub(crate) fn manifests(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/manifests")
        .join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    paths.iter().map(read).collect()
}

impl Objects {
    pub(crate) fn parse(yaml: &str) -> Self {
        let mut objects = Self::default();
        let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
        for document in documents {
            match document["kind"].as_str() {
                Some("List") => document["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .for_each(|item| objects.add(item)),
                _ => objects.add(&document),
            }
        }
        objects
    }

    fn add(&mut self, object: &Value) {
        let metadata = &object["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = ObjectName::new(text(&metadata["namespace"]), text(&metadata["name"]));
        match object["kind"].as_str().unwrap() {
            "LLMRoute" => {
                self.routes.insert(
                    name,
                    serde_json::from_value(object["spec"].clone()).unwrap(),
                );
            }
            "ProviderPool" => {
                self.pools.insert(
                    name,
                    serde_json::from_value(object["spec"].clone()).unwrap(),
                );
            }
            "Secret" => {
                let keys: BTreeMap<String, Form> = object["stringData"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter_map(|(key, value)| Some((key.clone(), Form::of(value.as_str()?)?)))
                    .collect();
                self.secrets.insert(name, SecretKeys::Present(keys));
            }
            "ConfigMap" => {
                let ca = object["data"][CA_KEY].as_str().map(str::to_owned);
                self.config_maps.insert(name, ca);
            }
            "Namespace" => {
                let labels = serde_json::from_value(metadata["labels"].clone()).unwrap();
                self.namespaces.insert(name.name, labels);
            }
            other => panic!("{other}"),
        }
    }

    pub(crate) fn world(&self) -> World<'_> {
        let pool = |(name, live): (&ObjectName, _)| {
            let accepted = self.accepted_pools.get(name);
            let accepted = accepted.map(|spec| Stored {
                generation: ACCEPTED,
                spec,
            });
            (
                name.clone(),
                PoolInput {
                    generation: LIVE,
                    live,
                    accepted,
                },
            )
        };
        World {
            pools: self.pools.iter().map(pool).collect(),
            namespaces: self.namespaces.clone(),
            secrets: self.secrets.clone(),
            config_maps: self.config_maps.clone(),
            ..World::default()
        }
    }

    pub(crate) fn compile(&self) -> Compiled {
        let route = |(name, live): (&'_ ObjectName, _)| {
            let accepted = self.accepted_routes.get(name);
            (name.clone(), live, accepted)
        };
        let named: Vec<_> = self.routes.iter().map(route).collect();
        let routes = named.iter().map(|(name, live, accepted)| RouteInput {
            meta: Meta {
                namespace: &name.namespace,
                name: &name.name,
                generation: LIVE,
                created: self.created.get(name).copied().unwrap_or(0),
            },
            live,
            accepted: accepted.map(|spec| Stored {
                generation: ACCEPTED,
                spec,
            }),
        });
        compile(&Inputs {
            routes: routes.collect(),
            world: &self.world(),
        })
    }
}
