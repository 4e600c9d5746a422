//! A pool alone, with what the catalogue knows of its providers.

mod formats;
mod keeps;
mod media;
mod models;
mod network;
mod sign_in;
mod simulated;

use std::collections::{BTreeMap, BTreeSet};

use fkm_catalog::{Preset, near_matches, preset, preset_names};
use fkm_crds::{Provider, ProviderPoolSpec, ProviderType, Reason, Scope};
use fkm_snapshot::{
    Auth, Dialect, EmbeddingDialect, EmbeddingFormat, Format, Keeps, Locality, MediaFetch, Model,
    Network, RelayDialect, RelayFormat, RerankDialect, Simulated,
};

pub(crate) use self::media::{
    MAX_BYTES as MEDIA_BYTES, MAX_ITEMS as MEDIA_ITEMS, MAX_TOTAL_BYTES as MEDIA_TOTAL_BYTES,
    TIMEOUT as MEDIA_TIMEOUT, is_right as is_right_media,
};
pub(crate) use self::sign_in::{SecretAt, ValidCredential};
use super::base_url::{base_url, proxy_url, socket};
use super::{dialect, duplicates, weight};
use crate::Fault;
use crate::verdict::suggestion;

/// A pool whose own fields are right. Its references may still lead nowhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValidPool {
    pub(crate) providers: Vec<ValidProvider>,
    pub(crate) media: Option<MediaFetch>,
    /// What is right, and most likely not meant.
    pub(crate) warnings: Vec<Fault>,
}

#[derive(Clone, Debug)]
pub(crate) struct ValidProvider {
    pub(crate) name: String,
    /// Where it stands: `spec.providers[0]`.
    pub(crate) path: String,
    pub(crate) system: String,
    pub(crate) priority: i32,
    pub(crate) weight: u32,
    pub(crate) target: Target,
    pub(crate) models: BTreeMap<String, Model>,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Http(Box<HttpTarget>),
    Simulated(Simulated),
}

#[derive(Clone, Debug)]
pub(crate) struct HttpTarget {
    pub(crate) base_url: String,
    /// How it converses, if it does.
    pub(crate) dialect: Option<Dialect>,
    pub(crate) beside: Vec<Dialect>,
    pub(crate) embeddings: Option<EmbeddingDialect>,
    pub(crate) ranks: Option<RerankDialect>,
    pub(crate) keeps: Vec<Keeps>,
    pub(crate) relays: Vec<RelayDialect>,
    pub(crate) locality: Locality,
    /// Without what the references hold.
    pub(crate) network: Network,
    pub(crate) network_refs: NetworkRefs,
    pub(crate) credentials: Vec<ValidCredential>,
}

/// The objects that `network` needs, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkRefs {
    /// The config map with the certificates to trust.
    pub(crate) ca: Option<String>,
    /// The Secret with the client certificate.
    pub(crate) identity: Option<String>,
    /// The Secret with the credentials for the proxy.
    pub(crate) proxy: Option<String>,
}

/// Judges the spec of a pool.
pub(crate) fn pool(spec: &ProviderPoolSpec) -> Result<ValidPool, Vec<Fault>> {
    let mut faults = Vec::new();
    let weightless = spec.providers.iter().all(|one| weight(one.weight) == 0);
    if weightless {
        let message = "no provider has a weight above 0, so the pool could never answer; give at least one such a weight";
        faults.push(Fault::invalid("spec.providers", message));
    }
    match providers(spec) {
        Ok(valid) if faults.is_empty() => Ok(valid),
        Ok(_) => Err(faults),
        Err(further) => {
            faults.extend(further);
            Err(faults)
        }
    }
}

/// Judges the providers of a pool, whatever their weights.
pub(crate) fn providers(spec: &ProviderPoolSpec) -> Result<ValidPool, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    let names = spec
        .providers
        .iter()
        .map(|provider| provider.name.0.as_str());
    duplicates("spec.providers", names, &mut faults);
    let providers = spec.providers.iter().enumerate();
    let providers = providers.filter_map(|(index, spec)| {
        let path = format!("spec.providers[{index}]");
        Judge {
            path: &path,
            spec,
            faults: &mut faults,
            warnings: &mut warnings,
        }
        .provider()
    });
    let providers = providers.collect();
    let valid = ValidPool {
        providers,
        media: spec
            .media
            .as_ref()
            .map(|media| self::media::fetch(&media.fetch, &mut faults)),
        warnings,
    };
    if faults.is_empty() {
        Ok(valid)
    } else {
        Err(faults)
    }
}

/// Judges one provider.
struct Judge<'a> {
    path: &'a str,
    spec: &'a Provider,
    faults: &'a mut Vec<Fault>,
    warnings: &'a mut Vec<Fault>,
}

// === impl Judge ===

impl Judge<'_> {
    fn invalid(&mut self, field: &str, message: impl Into<String>) {
        self.faults
            .push(Fault::invalid(format!("{}.{field}", self.path), message));
    }

    /// `None` where a fault was found.
    fn provider(&mut self) -> Option<ValidProvider> {
        let before = self.faults.len();
        let preset = self.preset();
        let target = self.target(preset);
        let spoken = match &target {
            Some(Target::Http(http)) => formats::spoken(http),
            Some(Target::Simulated(_)) | None => BTreeSet::new(),
        };
        let models = self.models(preset, &spoken);
        let system = match (preset, self.spec.r#type) {
            (Some(preset), _) => preset.system.clone(),
            (None, ProviderType::Simulated) => "simulated".to_owned(),
            (None, _) => self.spec.name.0.clone(),
        };
        let provider = ValidProvider {
            name: self.spec.name.0.clone(),
            path: self.path.to_owned(),
            system,
            priority: self.spec.priority.unwrap_or(0),
            weight: weight(self.spec.weight),
            target: target?,
            models,
        };
        (self.faults.len() == before).then_some(provider)
    }

    fn preset(&mut self) -> Option<&'static Preset> {
        let given = self.spec.preset.as_ref().map(|preset| preset.0.as_str());
        match (self.spec.r#type, given) {
            (ProviderType::OpenAI, None) => preset("openai"),
            (ProviderType::Anthropic, None) => preset("anthropic"),
            (ProviderType::OpenAICompatible, Some(name)) => {
                let found = preset(name);
                if found.is_none() {
                    let near = suggestion(&near_matches(name, preset_names()));
                    let message = format!(
                        "preset {name:?} is not in the catalogue{near}; without a preset, give baseURL and models"
                    );
                    let path = format!("{}.preset", self.path);
                    self.faults
                        .push(Fault::new(Reason::ProviderNotFound, path, message));
                }
                found
            }
            (_, Some(name)) => {
                self.invalid(
                    "preset",
                    format!("preset {name:?} is for type OpenAICompatible only; remove it"),
                );
                None
            }
            (ProviderType::OpenAICompatible | ProviderType::Simulated, None) => None,
        }
    }

    fn target(&mut self, preset: Option<&Preset>) -> Option<Target> {
        if self.spec.r#type == ProviderType::Simulated {
            return self.simulated().map(Target::Simulated);
        }
        if self.spec.simulated.is_some() {
            self.invalid("simulated", "it is for type Simulated only; remove it");
        }
        let address = self.address(preset);
        let credentials = self.credentials(address.as_ref().map(|(url, _)| url.as_str()));
        let (base_url, socket) = address?;
        let (network, network_refs) = self.network(&base_url, socket);
        let dialect = self.dialect(preset);
        if let Some(dialect) = &dialect {
            self.check_version(&base_url, &dialect.path);
        }
        let beside = self.beside(preset, dialect.as_ref());
        let embeddings = self.embeddings(preset);
        let ranks = self.ranks(preset);
        let keeps = self.keeps(preset);
        let relays = match preset {
            Some(preset) => preset.relays.clone(),
            // Whoever asks for one that is not there is told so by the provider.
            None => RelayFormat::ALL.map(RelayDialect::usual).into(),
        };
        Some(Target::Http(Box::new(HttpTarget {
            base_url,
            dialect,
            beside,
            embeddings,
            ranks,
            keeps,
            relays,
            locality: if self.is_local() {
                Locality::Local
            } else {
                Locality::External
            },
            network,
            network_refs,
            credentials,
        })))
    }

    fn dialect(&mut self, preset: Option<&Preset>) -> Option<Dialect> {
        let record = match preset {
            Some(preset) => preset.dialect.clone(),
            None => Some(plain_dialect()),
        };
        let Some(given) = &self.spec.dialect else {
            return record;
        };
        let Some(record) = record else {
            let message =
                "the preset makes vectors and ranks only and does not converse; remove it";
            self.invalid("dialect", message);
            return None;
        };
        let (dialect, problems) = dialect::dialect(record, given);
        for (field, message) in problems {
            self.invalid(&format!("dialect.{field}"), message);
        }
        Some(dialect)
    }

    fn is_local(&self) -> bool {
        self.spec
            .locality
            .is_some_and(|locality| locality.scope == Scope::Local)
    }

    /// The base URL, and the path of the socket that is dialled for it, empty where none is.
    fn address(&mut self, preset: Option<&Preset>) -> Option<(String, String)> {
        let given = self.spec.base_url.as_ref();
        match given.and_then(|given| socket(&given.0, self.is_local())) {
            None => Some((self.base_url(preset)?, String::new())),
            Some(Ok((socket, url))) => Some((url, socket)),
            Some(Err(message)) => {
                self.invalid("baseURL", message);
                None
            }
        }
    }

    fn base_url(&mut self, preset: Option<&Preset>) -> Option<String> {
        let Some(given) = &self.spec.base_url else {
            let known = preset.and_then(|preset| preset.base_url.clone());
            match (preset, &self.spec.preset) {
                (None, None) => self.invalid(
                    "baseURL",
                    "type OpenAICompatible needs a baseURL or a preset",
                ),
                (Some(preset), Some(name)) if known.is_none() => {
                    let form = preset.base_url_form.as_deref().unwrap_or("https://…");
                    let message = format!(
                        "preset {:?} has no address of its own, for each customer has another; give your baseURL, of the form {form}",
                        name.0
                    );
                    self.invalid("baseURL", message);
                }
                _ => {}
            }
            return known;
        };
        match base_url(&given.0, self.is_local()) {
            Ok(url) => Some(url),
            Err(message) => {
                self.invalid("baseURL", message);
                None
            }
        }
    }

    /// A warning where the version would stand twice in what is asked for.
    fn check_version(&mut self, base_url: &str, path: &str) {
        if base_url.ends_with("/v1") && path.starts_with("/v1/") {
            let message = format!(
                "{path} is appended to {base_url:?}, so that /v1 stands twice; most likely it should end before /v1"
            );
            let path = format!("{}.baseURL", self.path);
            self.warnings.push(Fault::invalid(path, message));
        }
    }
}

/// OpenAI's embeddings, which nearly everybody has who speaks its chats.
fn plain_embeddings() -> EmbeddingDialect {
    EmbeddingDialect::new(EmbeddingFormat::OpenAiEmbeddings, "/embeddings")
}

/// OpenAI chat completions without deviations.
fn plain_dialect() -> Dialect {
    Dialect::new(Format::OpenAiChat, "/chat/completions", Auth::Bearer)
}
