//! The pools that routes name, each judged once: which of its providers can be used, and what stands in the way.

use std::collections::BTreeMap;

use fkm_catalog::near_matches;
use fkm_crds::{AllowedRoutes, BASIC_AUTH_KEYS, CA_KEY, FromNamespaces, Reason, TLS_KEYS};
use fkm_snapshot::{
    ClientCertificate, Connection, Credential, HttpConnection, MediaFetch, Model, Network, Proxy,
    ProxyCredentials, SecretId,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::last_accepted::{self, Served};
use crate::validate::{HttpTarget, NetworkRefs, SecretAt, Target, ValidPool, ValidProvider};
use crate::verdict::suggestion;
use crate::{Complaint, Fault, Form, ObjectName, PoolInput, SecretKeys, Verdict, World};

/// The pools that were named so far.
pub(crate) struct Pools<'a> {
    world: &'a World<'a>,
    states: BTreeMap<ObjectName, PoolState>,
}

/// One pool, judged.
#[derive(Clone, Debug)]
pub(crate) struct PoolState {
    /// All that take effect, those that cannot be used included.
    pub(crate) providers: Vec<(UsableProvider, Option<Fault>)>,
    pub(crate) media: Option<MediaFetch>,
    verdict: Verdict,
}

/// A provider with all that it refers to.
#[derive(Clone, Debug)]
pub(crate) struct UsableProvider {
    pub(crate) name: String,
    pub(crate) system: String,
    pub(crate) priority: i32,
    pub(crate) weight: u32,
    pub(crate) connection: Connection,
    pub(crate) models: BTreeMap<String, Model>,
    /// The model of each name and alias; the names of one provider are all different.
    pub(super) offered: BTreeMap<String, String>,
}

// === impl Pools ===

impl<'a> Pools<'a> {
    pub(crate) fn new(world: &'a World<'a>) -> Self {
        Self {
            world,
            states: BTreeMap::new(),
        }
    }

    /// The pool of this name, judged when it is named first.
    pub(crate) fn get(&mut self, name: &ObjectName) -> Option<&PoolState> {
        let input = self.world.pools.get(name)?;
        let world = self.world;
        let state = self.states.entry(name.clone());
        Some(state.or_insert_with(|| judge(name, input, world)))
    }

    /// The pool of this name, if a route named it.
    pub(crate) fn named(&self, name: &ObjectName) -> Option<&PoolState> {
        self.states.get(name)
    }

    /// Whether there is a pool of this name.
    pub(crate) fn world_has(&self, name: &ObjectName) -> bool {
        self.world.pools.contains_key(name)
    }

    /// Whether routes of `namespace` may use the pool; false where there is none.
    pub(crate) fn allows(&self, name: &ObjectName, namespace: &str) -> bool {
        let Some(input) = self.world.pools.get(name) else {
            return false;
        };
        allows(
            input.live.allowed_routes.as_ref(),
            name,
            namespace,
            self.world,
        )
    }

    /// Pools that `namespace` may use and whose name is near.
    pub(crate) fn near(&self, name: &ObjectName, namespace: &str) -> String {
        let usable = self
            .world
            .pools
            .keys()
            .filter(|pool| self.allows(pool, namespace));
        let mut elsewhere = Vec::new();
        let mut here = Vec::new();
        for pool in usable {
            if pool.namespace == name.namespace {
                here.push(pool.name.as_str());
            } else if pool.name == name.name {
                elsewhere.push(pool);
            }
        }
        match elsewhere.first() {
            Some(pool) => format!("; did you mean namespace {:?}?", pool.namespace),
            None => suggestion(&near_matches(&name.name, here)),
        }
    }

    /// What is to be said of each pool that was named.
    pub(crate) fn into_verdicts(self) -> BTreeMap<ObjectName, Verdict> {
        let states = self.states.into_iter();
        states.map(|(name, state)| (name, state.verdict)).collect()
    }
}

fn allows(
    allowed: Option<&AllowedRoutes>,
    pool: &ObjectName,
    namespace: &str,
    world: &World<'_>,
) -> bool {
    let Some(AllowedRoutes { namespaces }) = allowed else {
        return pool.namespace == namespace;
    };
    match namespaces.from {
        FromNamespaces::Same => pool.namespace == namespace,
        FromNamespaces::All => true,
        FromNamespaces::Selector => {
            let labels = world.namespaces.get(namespace);
            let selector = namespaces.selector.as_ref();
            labels
                .zip(selector)
                .is_some_and(|(labels, selector)| selector.matches(labels))
        }
    }
}

fn judge(name: &ObjectName, input: &PoolInput<'_>, world: &World<'_>) -> PoolState {
    let effective = last_accepted::pool(input);
    let unknown = |fault: &&Fault| fault.reason == Reason::ProviderNotFound;
    let mut unresolved: Vec<Fault> = effective.faults.iter().filter(unknown).cloned().collect();
    let served = effective.valid.as_ref().map(|served| served.generation);
    let valid = effective.valid.map(|Served { spec, .. }| spec);
    let ValidPool {
        providers: valid,
        media,
        warnings,
    } = valid.unwrap_or_default();
    let dereference = |provider: ValidProvider| {
        Dereference {
            pool: name,
            world,
            faults: &mut unresolved,
        }
        .provider(provider)
    };
    let providers = valid.into_iter().map(dereference).collect();
    let accepted = Complaint::of(effective.faults).map_err(|complaint| Complaint {
        reason: Reason::Invalid,
        ..complaint
    });
    PoolState {
        providers,
        media,
        verdict: Verdict {
            accepted: accepted.map(|()| warnings),
            resolved: Complaint::of(unresolved),
            served,
        },
    }
}

/// Looks up what the providers of one pool refer to.
struct Dereference<'a> {
    pool: &'a ObjectName,
    world: &'a World<'a>,
    faults: &'a mut Vec<Fault>,
}

// === impl Dereference ===

impl Dereference<'_> {
    fn provider(&mut self, provider: ValidProvider) -> (UsableProvider, Option<Fault>) {
        let (connection, fault) = match provider.target {
            Target::Simulated(simulated) => (Connection::Simulated(simulated), None),
            Target::Http(http) => self.http(&provider.path, *http),
        };
        let usable = UsableProvider {
            name: provider.name,
            system: provider.system,
            priority: provider.priority,
            weight: provider.weight,
            connection,
            offered: offered(&provider.models),
            models: provider.models,
        };
        (usable, fault)
    }

    /// The connection, and why it cannot be used.
    fn http(&mut self, path: &str, target: HttpTarget) -> (Connection, Option<Fault>) {
        let before = self.faults.len();
        let mut credentials = Vec::new();
        let declared = target.credentials.len();
        for credential in target.credentials {
            let sign_in = credential
                .sign_in
                .try_map(|secret| self.secret(path, &secret));
            match sign_in {
                Ok(sign_in) => credentials.push(Credential {
                    name: credential.name,
                    sign_in,
                }),
                Err(fault) => self.faults.push(fault),
            }
        }
        let keyless = credentials.is_empty() && declared > 0;
        let mut fault = keyless.then(|| self.faults[before].clone());
        let (network, missing) = self.network(path, target.network, &target.network_refs);
        fault = fault.or(missing);
        let http = HttpConnection {
            base_url: target.base_url,
            dialect: target.dialect,
            beside: target.beside,
            embeddings: target.embeddings,
            ranks: target.ranks,
            keeps: target.keeps,
            relays: target.relays,
            locality: target.locality,
            network,
            credentials,
        };
        (Connection::Http(Box::new(http)), fault)
    }

    /// The network with what its references hold, and the first of them that leads nowhere.
    fn network(
        &mut self,
        path: &str,
        mut network: Network,
        refs: &NetworkRefs,
    ) -> (Network, Option<Fault>) {
        let before = self.faults.len();
        if let Some(name) = &refs.ca {
            match self.certificates(path, name) {
                Ok(pem) => network.tls.ca_pem = pem,
                Err(missing) => self.faults.push(missing),
            }
        }
        if let Some(name) = &refs.identity {
            let field = "tls.clientCertificateRef";
            let found = TLS_KEYS.map(|key| self.well_known(path, field, name, key, Form::Lines));
            if let [Some(certificate), Some(key)] = found {
                network.tls.client_certificate = Some(ClientCertificate { certificate, key });
            }
        }
        if let (Some(name), Proxy::Through(server)) = (&refs.proxy, &mut network.proxy) {
            let field = "proxy.credentialsRef";
            let found =
                BASIC_AUTH_KEYS.map(|key| self.well_known(path, field, name, key, Form::Line));
            if let [Some(username), Some(password)] = found {
                server.credentials = Some(ProxyCredentials { username, password });
            }
        }
        (network, self.faults.get(before).cloned())
    }

    /// A key that a Secret of a certain type has. Its name stands in no field, so that the fault is that of the Secret.
    fn well_known(
        &mut self,
        path: &str,
        field: &str,
        name: &str,
        key: &str,
        form: Form,
    ) -> Option<SecretId> {
        let at = SecretAt {
            path: field.to_owned(),
            name: name.to_owned(),
            key: key.to_owned(),
            form,
        };
        self.secret(path, &at)
            .map_err(|mut fault| {
                fault.path = format!("{path}.{field}.name");
                self.faults.push(fault);
            })
            .ok()
    }

    fn secret(&self, path: &str, at: &SecretAt) -> Result<SecretId, Fault> {
        let (name, key) = (at.name.as_str(), at.key.as_str());
        let path = format!("{path}.{}", at.path);
        let namespace = &self.pool.namespace;
        let fault = |field: &str, message: String| {
            Err(Fault::new(
                Reason::SecretNotFound,
                format!("{path}.{field}"),
                message,
            ))
        };
        match self.world.secrets.get(&ObjectName::new(namespace, name)) {
            Some(SecretKeys::Present(keys)) if keys.contains_key(key) => {
                if keys[key] == Form::Lines && at.form == Form::Line {
                    return fault(
                        "key",
                        format!(
                            "key {key:?} of Secret {name:?} in namespace {namespace:?} holds several lines, which cannot be sent as a key; put one line there or name another"
                        ),
                    );
                }
                Ok(SecretId::new(namespace, name, key))
            }
            Some(SecretKeys::Present(keys)) => {
                let near = suggestion(&near_matches(key, keys.keys().map(String::as_str)));
                fault(
                    "key",
                    format!(
                        "Secret {name:?} in namespace {namespace:?} has no key {key:?} with text in it{near}; add it or name another"
                    ),
                )
            }
            Some(SecretKeys::Unreadable(why)) => fault(
                "name",
                format!("Secret {name:?} in namespace {namespace:?} cannot be read: {why}"),
            ),
            None => {
                let known = self.world.secrets.keys();
                let secrets = known
                    .chain(&self.world.other_secrets)
                    .filter(|secret| secret.namespace == *namespace);
                let near = suggestion(&near_matches(
                    name,
                    secrets.map(|secret| secret.name.as_str()),
                ));
                fault(
                    "name",
                    format!(
                        "Secret {name:?} does not exist in namespace {namespace:?}{near}; create it or name another"
                    ),
                )
            }
        }
    }

    fn certificates(&self, path: &str, name: &str) -> Result<String, Fault> {
        let path = format!("{path}.tls.caCertificateRef.name");
        let namespace = &self.pool.namespace;
        let missing = |message| Fault::new(Reason::CertificateNotFound, path.clone(), message);
        let content = self
            .world
            .config_maps
            .get(&ObjectName::new(namespace, name));
        let content = content.ok_or_else(|| {
            missing(format!("ConfigMap {name:?} does not exist in namespace {namespace:?}; create it or name another"))
        })?;
        let pem = content.as_ref().ok_or_else(|| {
            missing(format!("ConfigMap {name:?} in namespace {namespace:?} has no key {CA_KEY:?}; put the PEM certificates there"))
        })?;
        check_pem(pem).map_err(|problem| {
            let message = format!("key {CA_KEY:?} of ConfigMap {name:?} in namespace {namespace:?} {problem}; put PEM certificates of CAs there");
            Fault::new(Reason::InvalidCertificate, path, message)
        })?;
        Ok(pem.clone())
    }
}

fn offered(models: &BTreeMap<String, Model>) -> BTreeMap<String, String> {
    let mut offered = BTreeMap::new();
    for (name, model) in models {
        for offer in std::iter::once(name).chain(&model.aliases) {
            offered.insert(offer.clone(), name.clone());
        }
    }
    offered
}

/// Whether every certificate can serve as a root.
fn check_pem(pem: &str) -> Result<(), String> {
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        count += 1;
        let certificate =
            certificate.map_err(|error| format!("is not PEM (certificate {count}: {error})"))?;
        webpki::anchor_from_trusted_cert(&certificate).map_err(|error| {
            format!("holds something else than a certificate (certificate {count}: {error})")
        })?;
    }
    if count == 0 {
        return Err("holds no certificate".to_owned());
    }
    Ok(())
}
