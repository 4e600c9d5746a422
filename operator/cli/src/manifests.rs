//! Manifests from files and folders: the objects that the compiler works on, each checked as the API server would.

mod files;
mod object;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fkm_compile::{Form, Meta, ObjectName, PoolInput, RouteInput, SecretKeys, World};
use fkm_crds::{LLMRouteSpec, Provider, ProviderPoolSpec};
use fkm_snapshot::SecretId;
use secrecy::{ExposeSecret, SecretString};

use crate::finding::{Finding, Judged, Stage};
use crate::yaml;

pub use crate::finding::Origin;
pub use files::ReadError;
pub(crate) use object::usable_key;

/// How manifests are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespace of objects that name none.
    pub namespace: String,
    /// Whether Secrets that are not there are taken as existing, with every key.
    pub assume_secrets: bool,
}

/// The objects of some files.
///
/// Objects that the API server would refuse are in [`judged`](Self::judged) alone.
#[derive(Debug)]
pub struct Manifests {
    options: Options,
    judged: Vec<Judged>,
    routes: BTreeMap<ObjectName, LLMRouteSpec>,
    pools: BTreeMap<ObjectName, ProviderPoolSpec>,
    namespaces: BTreeMap<String, BTreeMap<String, String>>,
    secrets: BTreeMap<ObjectName, BTreeMap<String, SecretString>>,
    config_maps: BTreeMap<ObjectName, Option<String>>,
}

/// Every object made of a file has this generation: files have no history.
const GENERATION: i64 = 1;

// === impl Manifests ===

impl Manifests {
    /// No objects yet.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            judged: Vec::new(),
            routes: BTreeMap::new(),
            pools: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            secrets: BTreeMap::new(),
            config_maps: BTreeMap::new(),
        }
    }

    /// Reads files, and the `.yaml`, `.yml` and `.json` files of folders and their folders.
    ///
    /// An error is about a path that cannot be read; what is wrong inside of a file is in [`judged`](Self::judged).
    pub fn read(paths: &[PathBuf], options: Options) -> Result<Self, ReadError> {
        let mut manifests = Self::new(options);
        for file in files::list(paths)? {
            let text = files::read(&file)?;
            manifests.add_text(&file, &text);
        }
        Ok(manifests)
    }

    /// Adds the objects of one file's text.
    pub fn add_text(&mut self, file: &Path, text: &str) {
        for document in yaml::documents(text) {
            let origin = Origin {
                file: file.to_owned(),
                line: document.line,
                kind: String::new(),
                namespace: String::new(),
                name: String::new(),
            };
            match document.content {
                Ok(value) => object::add(self, origin, value),
                Err(error) => {
                    let finding = Finding::new(Stage::Yaml, "", error.message);
                    let origin = Origin {
                        line: error.line,
                        ..origin
                    };
                    self.judged.push(Judged {
                        origin,
                        findings: vec![finding],
                    });
                }
            }
        }
    }

    /// Adds a key of a Secret that is not in a file.
    pub fn add_secret(&mut self, secret: ObjectName, key: String, value: SecretString) {
        self.secrets.entry(secret).or_default().insert(key, value);
    }

    /// Every object of the product and every document that could not be read, with what the API server would refuse.
    pub fn judged(&self) -> &[Judged] {
        &self.judged
    }

    /// The routes, for the compiler.
    pub fn routes(&self) -> Vec<RouteInput<'_>> {
        let routes = self.routes.iter().map(|(name, live)| RouteInput {
            meta: Meta {
                namespace: &name.namespace,
                name: &name.name,
                generation: GENERATION,
                created: 0,
            },
            live,
            accepted: None,
        });
        routes.collect()
    }

    /// Everything else, for the compiler.
    pub fn world(&self) -> World<'_> {
        let pool = |(name, live): (&ObjectName, _)| {
            let input = PoolInput {
                generation: GENERATION,
                live,
                accepted: None,
            };
            (name.clone(), input)
        };
        World {
            pools: self.pools.iter().map(pool).collect(),
            namespaces: self.namespaces.clone(),
            secrets: self.secret_keys(),
            config_maps: self.config_maps.clone(),
            ..World::default()
        }
    }

    /// The values of the Secrets in the manifests, by what a snapshot calls them.
    pub fn secret_values(&self) -> BTreeMap<SecretId, SecretString> {
        let secrets = self.secrets.iter().flat_map(|(secret, keys)| {
            keys.iter().map(|(key, value)| {
                (
                    SecretId::new(&secret.namespace, &secret.name, key),
                    value.clone(),
                )
            })
        });
        secrets.collect()
    }

    /// The specs of the routes.
    pub(crate) fn route_specs(&self) -> &BTreeMap<ObjectName, LLMRouteSpec> {
        &self.routes
    }

    /// The specs of the pools.
    pub(crate) fn pool_specs(&self) -> &BTreeMap<ObjectName, ProviderPoolSpec> {
        &self.pools
    }

    /// The Secrets with their values.
    pub(crate) fn secrets(&self) -> &BTreeMap<ObjectName, BTreeMap<String, SecretString>> {
        &self.secrets
    }

    fn secret_keys(&self) -> BTreeMap<ObjectName, SecretKeys> {
        let mut keys: BTreeMap<ObjectName, BTreeMap<String, Form>> = BTreeMap::new();
        for (secret, values) in &self.secrets {
            let forms = values
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), Form::of(value.expose_secret())?)));
            keys.insert(secret.clone(), forms.collect());
        }
        if self.options.assume_secrets {
            for (secret, key) in self.named_secrets() {
                if !self.secrets.contains_key(&secret) {
                    keys.entry(secret).or_default().insert(key, Form::Line);
                }
            }
        }
        keys.into_iter()
            .map(|(secret, keys)| (secret, SecretKeys::Present(keys)))
            .collect()
    }

    /// The Secrets, with a key, that the pools name.
    fn named_secrets(&self) -> impl Iterator<Item = (ObjectName, String)> {
        self.pools.iter().flat_map(|(pool, spec)| {
            let named = spec.providers.iter().flat_map(Provider::secret_keys);
            named.map(|(secret, key)| (ObjectName::new(&pool.namespace, secret), key.to_owned()))
        })
    }
}
