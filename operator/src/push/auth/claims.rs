//! What a token says of itself, without proof: its end, its audience, its pod.
//!
//! *Assumptions*: nothing is granted because of it. It spares a review that would refuse, shortens how long a proven
//! answer is remembered, and chooses the words and the object of a refusal's event.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use fkm_push::PodIdentity;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The part of a ServiceAccount token's claims that is of use here.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    aud: Audiences,
    exp: Option<u64>,
    #[serde(default, rename = "kubernetes.io")]
    kubernetes: Option<KubernetesClaims>,
}

/// One, or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct KubernetesClaims {
    namespace: String,
    pod: Option<PodClaims>,
}

#[derive(Debug, Deserialize)]
struct PodClaims {
    name: String,
    uid: String,
}

// === impl Claims ===

impl Claims {
    /// None: not a JSON web token.
    pub(super) fn peek(token: &SecretString) -> Option<Self> {
        let claims = token.expose_secret().split('.').nth(1)?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        serde_json::from_slice(&claims).ok()
    }

    pub(super) fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            Audiences::One(one) => one == audience,
            Audiences::Many(many) => many.iter().any(|one| one == audience),
        }
    }

    /// Until its end; none: unknown, or over.
    pub(super) fn remaining_at(&self, now: SystemTime) -> Option<Duration> {
        self.end()?.duration_since(now).ok()
    }

    pub(super) fn has_expired_at(&self, now: SystemTime) -> bool {
        self.end().is_some_and(|end| end <= now)
    }

    fn end(&self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(self.exp?))
    }

    pub(super) fn pod(self) -> Option<PodIdentity> {
        let kubernetes = self.kubernetes?;
        let pod = kubernetes.pod?;
        Some(PodIdentity {
            namespace: kubernetes.namespace,
            name: pod.name,
            uid: pod.uid,
        })
    }
}

// === impl Audiences ===

impl Default for Audiences {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}
