//! What a container of any sort mounts and sees.

use k8s_openapi::api::core::v1::{
    Container, EphemeralContainer, PodSpec, VolumeDevice, VolumeMount,
};

/// One container's view.
pub(super) struct Mounts<'a> {
    /// Its name.
    pub(super) container: &'a str,
    /// The container whose processes it sees, for an ephemeral one.
    pub(super) targets: Option<&'a str>,
    volumes: &'a [VolumeMount],
    devices: &'a [VolumeDevice],
}

// === impl Mounts ===

impl<'a> Mounts<'a> {
    pub(super) fn of(container: &'a Container) -> Self {
        Self {
            container: &container.name,
            targets: None,
            volumes: container.volume_mounts.as_deref().unwrap_or_default(),
            devices: container.volume_devices.as_deref().unwrap_or_default(),
        }
    }

    fn of_ephemeral(container: &'a EphemeralContainer) -> Self {
        Self {
            container: &container.name,
            targets: container.target_container_name.as_deref(),
            volumes: container.volume_mounts.as_deref().unwrap_or_default(),
            devices: container.volume_devices.as_deref().unwrap_or_default(),
        }
    }

    /// Of every container of the pod but the sidecar: init, ordinary and ephemeral.
    pub(super) fn of_others(
        spec: &'a PodSpec,
        sidecar: &'a Container,
    ) -> impl Iterator<Item = Self> {
        let init = spec
            .init_containers
            .iter()
            .flatten()
            .filter(move |container| !std::ptr::eq(*container, sidecar))
            .map(Mounts::of);
        let ordinary = spec.containers.iter().map(Mounts::of);
        let ephemeral = spec
            .ephemeral_containers
            .iter()
            .flatten()
            .map(Mounts::of_ephemeral);
        init.chain(ordinary).chain(ephemeral)
    }

    pub(super) fn contains(&self, volume: &str) -> bool {
        self.volumes.iter().any(|mount| mount.name == volume)
            || self.devices.iter().any(|device| device.name == volume)
    }
}
