//! Pools: which Secrets and config maps they name, all in their own namespace.

use std::collections::BTreeSet;

use fkm_crds::{Credential, ProviderPoolSpec};

use crate::object::ObjectName;

/// The Secrets that the credentials of a pool name.
pub(crate) fn secrets_of(namespace: &str, spec: &ProviderPoolSpec) -> BTreeSet<ObjectName> {
    let credentials = spec
        .providers
        .iter()
        .filter_map(|provider| provider.credentials.as_ref())
        .flatten();
    let named = credentials.flat_map(Credential::secrets);
    named
        .map(|(_, secret)| ObjectName::new(namespace, &secret.name.0))
        .collect()
}

/// The config maps that hold the CA bundles of a pool.
pub(crate) fn config_maps_of(namespace: &str, spec: &ProviderPoolSpec) -> BTreeSet<ObjectName> {
    let tls = spec
        .providers
        .iter()
        .filter_map(|provider| provider.tls.as_ref());
    tls.map(|tls| ObjectName::new(namespace, &tls.ca_certificate_ref.name.0))
        .collect()
}
