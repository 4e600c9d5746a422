//! Whether a pod is such that its sidecar may have keys: pure, over the pod as it stands in the store.
//!
//! *Guarantees*: where [`judge()`] agrees, no other container of the pod can read the sidecar's token, its stored
//! snapshot, its memory or its loopback listener by what Kubernetes offers to pods: volumes, shared process namespaces,
//! the node's namespaces.
//!
//! *Caveats*: whoever may exec into the pod, create pods with an allowed image, or mount the node's disk into any pod
//! of the node, can reach the keys of that pod; so can whoever may have a token made for it (`serviceaccounts/token`).
//! `hostIPC` is not looked at: System V and POSIX shared memory are all that it shares, and the sidecar uses neither.

mod container;
mod image;
mod mounts;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Volume};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::TOKEN_AUDIENCE;

use container::judge_container;
use image::ImagePattern;
pub use image::InvalidImagePattern;
use mounts::Mounts;

const INJECTED_LABEL: &str = "fluxkontext.dev/injected";
/// The name of our container.
pub(crate) const SIDECAR: &str = "fkm-sidecar";
const TOKEN_VOLUME: &str = "fkm-token";
const STATE_VOLUME: &str = "fkm-state";

/// What the judge goes by.
#[derive(Clone, Debug)]
pub struct JudgeSettings {
    sidecar_images: Vec<ImagePattern>,
    /// What pods may set of the variables that lead the sidecar's connections, and to what.
    sidecar_environment: BTreeMap<String, SecretString>,
}

/// Why a pod may not have keys.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// Without our label.
    #[error("label {INJECTED_LABEL} is not \"true\"; let the webhook inject the sidecar")]
    NotInjected,
    /// No native sidecar of our name.
    #[error(
        "no init container {SIDECAR:?} with restartPolicy Always; let the webhook inject the sidecar"
    )]
    NoSidecar,
    /// An image that the platform has not named.
    #[error(
        "image {image:?} of container {SIDECAR:?} is not one of the operator's setting sidecarImages"
    )]
    ForeignImage {
        /// As it stands in the pod.
        image: String,
    },
    /// A volume of ours is missing, not mounted in the sidecar, or not what it has to be.
    #[error("volume {volume:?} must be {wanted}, mounted in container {SIDECAR:?}")]
    WrongVolume {
        /// Which.
        volume: &'static str,
        /// What it has to be.
        wanted: &'static str,
    },
    /// A volume of ours is not where the sidecar looks for it, or something else is there too.
    #[error(
        "container {SIDECAR:?} must mount volume {volume:?} at {place}, whole and once, and nothing else there or below"
    )]
    Misplaced {
        /// Which.
        volume: &'static str,
        /// Where it has to be.
        place: &'static str,
    },
    /// The sidecar mounts what another container may write or read.
    #[error(
        "container {SIDECAR:?} mounts volume {volume:?}; besides its own two it may mount only configMap, secret, projected and downwardAPI volumes, and an emptyDir with readOnly: true"
    )]
    WritableVolume {
        /// Which.
        volume: String,
    },
    /// The sidecar would run something else, or keep its files elsewhere.
    #[error(
        "container {SIDECAR:?} has {field}; its program and the places of its state and token are those of its image"
    )]
    Overridden {
        /// What it has.
        field: String,
    },
    /// The sidecar would show its keys to another proxy, or trust another CA.
    #[error(
        "container {SIDECAR:?} has variable {variable}, which leads its connections elsewhere; the operator's setting sidecarEnvironment does not have it with this value"
    )]
    Redirected {
        /// Which.
        variable: String,
    },
    /// A volume of ours is mounted in another container too.
    #[error("container {container:?} mounts volume {volume:?}; only {SIDECAR:?} may")]
    SharedVolume {
        /// Which.
        volume: &'static str,
        /// The other container.
        container: String,
    },
    /// Another container has a token that the operator would accept.
    #[error(
        "container {container:?} mounts volume {volume:?}, a token for audience {TOKEN_AUDIENCE:?}; only {SIDECAR:?} may have one"
    )]
    TokenElsewhere {
        /// The volume.
        volume: String,
        /// The other container.
        container: String,
    },
    /// A debug container that sees the sidecar's processes.
    #[error(
        "ephemeral container {container:?} targets {SIDECAR:?} and sees its processes; debug another container, and replace the pod"
    )]
    DebuggedSidecar {
        /// The ephemeral container.
        container: String,
    },
    /// Containers see each other's processes, and through them each other's files.
    #[error(
        "shareProcessNamespace is set; the other containers could read the sidecar's memory and files"
    )]
    SharedProcessNamespace,
    /// The node's processes.
    #[error("hostPID is set; the other containers could read the sidecar's memory and files")]
    HostPid,
    /// The node's loopback is the sidecar's: every pod like it, and the node, could call it.
    #[error("hostNetwork is set; the whole node could call the sidecar's loopback listener")]
    HostNetwork,
}

/// Whether the pod's sidecar may have keys; if not, the first reason found. Judge again on every change of the pod.
///
/// Looks at labels, images, init containers' restart policies, volumes, volume mounts and devices, the sidecar's command,
/// arguments and variables, targets of ephemeral containers and the host flags: a pruned pod must have kept them.
pub fn judge(pod: &Pod, settings: &JudgeSettings) -> Result<(), Violation> {
    let labels = pod.metadata.labels.as_ref();
    if labels
        .and_then(|labels| labels.get(INJECTED_LABEL))
        .map(String::as_str)
        != Some("true")
    {
        return Err(Violation::NotInjected);
    }
    let spec = pod.spec.as_ref().ok_or(Violation::NoSidecar)?;
    judge_namespaces(spec)?;
    let sidecar = sidecar(spec).ok_or(Violation::NoSidecar)?;
    let image = sidecar.image.as_deref().unwrap_or_default();
    if !settings.allows(image) {
        return Err(Violation::ForeignImage {
            image: image.to_owned(),
        });
    }
    judge_own_volumes(spec, sidecar)?;
    judge_container(spec, sidecar, settings)?;
    judge_others(spec, sidecar)
}

/// Which namespaces the pod shares, with whom.
fn judge_namespaces(spec: &PodSpec) -> Result<(), Violation> {
    if spec.share_process_namespace == Some(true) {
        return Err(Violation::SharedProcessNamespace);
    }
    if spec.host_pid == Some(true) {
        return Err(Violation::HostPid);
    }
    if spec.host_network == Some(true) {
        return Err(Violation::HostNetwork);
    }
    Ok(())
}

fn sidecar(spec: &PodSpec) -> Option<&Container> {
    spec.init_containers
        .iter()
        .flatten()
        .find(|container| container.name == SIDECAR)
        .filter(|container| container.restart_policy.as_deref() == Some("Always"))
}

type IsRight = fn(&Volume) -> bool;

/// The two volumes are there, of the right kind, and the sidecar's.
fn judge_own_volumes(spec: &PodSpec, sidecar: &Container) -> Result<(), Violation> {
    let own: [(_, _, IsRight); 2] = [
        (
            TOKEN_VOLUME,
            "a projected token for audience \"fkm-operator\"",
            holds_our_token,
        ),
        (STATE_VOLUME, "an emptyDir of medium Memory", is_tmpfs),
    ];
    for (volume, wanted, is_right) in own {
        let found = spec
            .volumes
            .iter()
            .flatten()
            .find(|candidate| candidate.name == volume);
        let right = found.is_some_and(is_right) && Mounts::of(sidecar).contains(volume);
        if !right {
            return Err(Violation::WrongVolume { volume, wanted });
        }
    }
    Ok(())
}

/// No other container, of whatever sort, has what is the sidecar's.
fn judge_others(spec: &PodSpec, sidecar: &Container) -> Result<(), Violation> {
    let tokens: Vec<&str> = spec
        .volumes
        .iter()
        .flatten()
        .filter(|volume| holds_our_token(volume))
        .map(|volume| volume.name.as_str())
        .collect();
    for other in Mounts::of_others(spec, sidecar) {
        let container = || other.container.to_owned();
        for volume in [TOKEN_VOLUME, STATE_VOLUME] {
            if other.contains(volume) {
                let container = container();
                return Err(Violation::SharedVolume { volume, container });
            }
        }
        if let Some(volume) = tokens.iter().find(|volume| other.contains(volume)) {
            return Err(Violation::TokenElsewhere {
                volume: (*volume).to_owned(),
                container: container(),
            });
        }
        if other.targets == Some(SIDECAR) {
            let container = container();
            return Err(Violation::DebuggedSidecar { container });
        }
    }
    Ok(())
}

fn holds_our_token(volume: &Volume) -> bool {
    let sources = volume
        .projected
        .iter()
        .flat_map(|projected| &projected.sources);
    sources
        .flatten()
        .filter_map(|source| source.service_account_token.as_ref())
        .any(|token| token.audience.as_deref() == Some(TOKEN_AUDIENCE))
}

fn is_tmpfs(volume: &Volume) -> bool {
    let medium = volume
        .empty_dir
        .as_ref()
        .and_then(|dir| dir.medium.as_deref());
    medium == Some("Memory")
}

// === impl JudgeSettings ===

impl JudgeSettings {
    /// The images that may be the sidecar, each as pods name it: in full, or with a `*` at the end of its tag or digest
    /// (`registry.example/fkm-sidecar:1.*`, `registry.example/fkm-sidecar@sha256:*`). The repository is always in full.
    pub fn try_new<'a>(
        sidecar_images: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidImagePattern> {
        let sidecar_images = sidecar_images
            .into_iter()
            .map(ImagePattern::try_new)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            sidecar_images,
            sidecar_environment: BTreeMap::new(),
        })
    }

    /// The same, where pods may give the sidecar these variables with exactly these values.
    #[must_use]
    pub fn with_environment(self, sidecar_environment: BTreeMap<String, SecretString>) -> Self {
        Self {
            sidecar_environment,
            ..self
        }
    }

    fn allows_variable(&self, name: &str, value: Option<&str>) -> bool {
        let allowed = self.sidecar_environment.get(name);
        allowed.is_some_and(|allowed| Some(allowed.expose_secret()) == value)
    }

    fn allows(&self, image: &str) -> bool {
        self.sidecar_images
            .iter()
            .any(|pattern| pattern.matches(image))
    }
}

// === impl Violation ===

impl Violation {
    /// The reason, for metrics, conditions and events.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotInjected => "NotInjected",
            Self::NoSidecar => "NoSidecar",
            Self::ForeignImage { .. } => "ForeignImage",
            Self::WrongVolume { .. } => "WrongVolume",
            Self::Misplaced { .. } => "MisplacedVolume",
            Self::WritableVolume { .. } => "WritableVolume",
            Self::Overridden { .. } => "OverriddenSidecar",
            Self::Redirected { .. } => "RedirectedSidecar",
            Self::SharedVolume { .. } => "SharedVolume",
            Self::TokenElsewhere { .. } => "TokenElsewhere",
            Self::DebuggedSidecar { .. } => "DebuggedSidecar",
            Self::SharedProcessNamespace => "SharedProcessNamespace",
            Self::HostPid => "HostPid",
            Self::HostNetwork => "HostNetwork",
        }
    }
}

#[cfg(test)]
mod tests;
