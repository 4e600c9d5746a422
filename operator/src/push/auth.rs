//! Whose token it is: a TokenReview, remembered for a while.
//!
//! *Guarantees*: what is plainly no token for us is refused without a review; an answer is remembered for at most 60 s and never past the token's own end; a refusal for 5 s; what is
//! remembered is bounded and keyed by the token's SHA-256; no token is stored, printed or sent elsewhere.
//!
//! *Caveats*: a token of a deleted pod may pass for as long as an answer is remembered: the session asks the pod store too.

mod cache;
mod claims;
mod reviewer;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fkm_push::PodIdentity;
use k8s_openapi::api::authentication::v1::TokenReviewStatus;
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tonic::metadata::MetadataMap;
use tracing::warn;

use super::AuthFailure;

use cache::Cache;
use claims::Claims;
pub use reviewer::{KubeReviewer, ReviewError, Reviewer};

/// The audience that a sidecar's token must have.
pub const TOKEN_AUDIENCE: &str = "fkm-operator";

/// How long one review may take, waiting for its turn included.
const REVIEW_TIMEOUT: Duration = Duration::from_secs(5);

/// Reviews at one time: a storm of reconnects, or of bad tokens, must not become one on the API server.
const REVIEWS: usize = 32;

/// How long after a token's end by our clock it is for the API server's clock to say whether it is over.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

const POD_NAME: &str = "authentication.kubernetes.io/pod-name";
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";

/// Whom a token belongs to, as the API server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenIdentity {
    /// The pod that it is bound to.
    pub pod: PodIdentity,
    /// The ServiceAccount, in the pod's namespace.
    pub service_account: String,
}

/// Finds out whose token a request shows.
#[derive(Debug)]
pub struct Authenticator {
    reviewer: Arc<dyn Reviewer>,
    cache: Mutex<Cache>,
    turns: Semaphore,
}

/// A refused token, with what it says of itself: for the event, not to be believed.
#[derive(Debug)]
pub(super) struct RefusedToken {
    pub(super) failure: AuthFailure,
    pub(super) claimed: Option<PodIdentity>,
}

// === impl Authenticator ===

impl Authenticator {
    /// Asks this reviewer.
    pub fn new(reviewer: Arc<dyn Reviewer>) -> Self {
        Self {
            reviewer,
            cache: Mutex::default(),
            turns: Semaphore::new(REVIEWS),
        }
    }

    /// Whose token it is that these metadata hold.
    pub(super) async fn authenticate(
        &self,
        metadata: &MetadataMap,
    ) -> Result<TokenIdentity, RefusedToken> {
        let Some(token) = bearer(metadata) else {
            return Err(RefusedToken {
                failure: AuthFailure::NoToken,
                claimed: None,
            });
        };
        self.identify(&token).await.map_err(|failure| RefusedToken {
            failure,
            claimed: Claims::peek(&token).and_then(Claims::pod),
        })
    }

    async fn identify(&self, token: &SecretString) -> Result<TokenIdentity, AuthFailure> {
        let claims = Claims::peek(token);
        refuse_at(SystemTime::now(), claims.as_ref())?;
        let key = cache::key(token);
        if let Some(known) = self.cache.lock().get(&key, Instant::now()) {
            return known;
        }
        let status = self.review(token).await?;
        let (now, wall) = (Instant::now(), SystemTime::now());
        let verdict = judge_review(status, claims.as_ref(), wall);
        let remaining = claims.and_then(|claims| claims.remaining_at(wall));
        self.cache
            .lock()
            .insert(key, verdict.clone(), remaining, now);
        verdict
    }

    async fn review(&self, token: &SecretString) -> Result<TokenReviewStatus, AuthFailure> {
        let review = async {
            let _turn = self
                .turns
                .acquire()
                .await
                .expect("the semaphore is never closed");
            self.reviewer.review(token).await
        };
        match timeout(REVIEW_TIMEOUT, review).await {
            Ok(Ok(status)) => Ok(status),
            Ok(Err(error)) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "token review failed"
                );
                Err(AuthFailure::ReviewUnavailable)
            }
            Err(_) => {
                warn!(limit = ?REVIEW_TIMEOUT, "token review timed out");
                Err(AuthFailure::ReviewUnavailable)
            }
        }
    }
}

fn bearer(metadata: &MetadataMap) -> Option<SecretString> {
    let value = metadata.get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.into())
}

/// Refuses what the API server would refuse too, without asking: anyone can send these at any rate.
fn refuse_at(now: SystemTime, claims: Option<&Claims>) -> Result<(), AuthFailure> {
    let Some(claims) = claims else {
        return Err(AuthFailure::InvalidToken { expired: false });
    };
    if !claims.is_for(TOKEN_AUDIENCE) {
        return Err(AuthFailure::WrongAudience);
    }
    if claims.has_expired_at(now.checked_sub(CLOCK_SKEW).unwrap_or(now)) {
        return Err(AuthFailure::InvalidToken { expired: true });
    }
    Ok(())
}

/// What the answer of the API server says. `claims` are unproven where it refuses, and only choose the message.
fn judge_review(
    status: TokenReviewStatus,
    claims: Option<&Claims>,
    now: SystemTime,
) -> Result<TokenIdentity, AuthFailure> {
    if status.authenticated != Some(true) {
        let for_another = claims.is_some_and(|claims| !claims.is_for(TOKEN_AUDIENCE));
        if for_another {
            return Err(AuthFailure::WrongAudience);
        }
        let expired = claims.is_some_and(|claims| claims.has_expired_at(now));
        return Err(AuthFailure::InvalidToken { expired });
    }
    // An API server that knows nothing of audiences accepts a token meant for itself.
    let audiences = status.audiences.unwrap_or_default();
    if !audiences.iter().any(|audience| audience == TOKEN_AUDIENCE) {
        return Err(AuthFailure::WrongAudience);
    }
    let user = status.user.unwrap_or_default();
    let extra = user.extra.unwrap_or_default();
    let one = |key: &str| extra.get(key).and_then(|values| values.first()).cloned();
    let account = user
        .username
        .as_deref()
        .and_then(|name| name.strip_prefix("system:serviceaccount:"))
        .and_then(|name| name.split_once(':'));
    match (account, one(POD_NAME), one(POD_UID)) {
        (Some((namespace, service_account)), Some(name), Some(uid)) => Ok(TokenIdentity {
            pod: PodIdentity {
                namespace: namespace.to_owned(),
                name,
                uid,
            },
            service_account: service_account.to_owned(),
        }),
        _ => Err(AuthFailure::NotPodBound),
    }
}

#[cfg(test)]
mod tests;
