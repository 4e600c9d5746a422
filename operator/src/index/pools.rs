//! Pools: which Secrets and config maps they name, all in their own namespace.

use std::collections::BTreeSet;

use fkm_crds::{Provider, ProviderPoolSpec};

use crate::object::ObjectName;

/// The Secrets that the providers of a pool name.
pub(crate) fn secrets_of(namespace: &str, spec: &ProviderPoolSpec) -> BTreeSet<ObjectName> {
    let keys = spec.providers.iter().flat_map(Provider::secret_keys);
    keys.map(|(secret, _)| ObjectName::new(namespace, secret))
        .collect()
}

/// The config maps that hold the CA bundles of a pool.
pub(crate) fn config_maps_of(namespace: &str, spec: &ProviderPoolSpec) -> BTreeSet<ObjectName> {
    let tls = spec
        .providers
        .iter()
        .filter_map(|provider| provider.tls.as_ref());
    tls.filter_map(|tls| tls.ca_certificate_ref.as_ref())
        .map(|ca| ObjectName::new(namespace, &ca.name.0))
        .collect()
}
