use std::collections::VecDeque;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde_json::json;

use super::*;

/// Answers in order; counts.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<Result<TokenReviewStatus, ReviewError>>>,
    hangs: bool,
}

#[tonic::async_trait]
impl Reviewer for Script {
    async fn review(&self, _token: &SecretString) -> Result<TokenReviewStatus, ReviewError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        self.answers
            .lock()
            .pop_front()
            .expect("one review more than scripted")
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs()
}

fn token(audience: &str, exp: u64) -> SecretString {
    let claims = json!({
        "aud": [audience],
        "exp": exp,
        "kubernetes.io": {"namespace": "shop", "pod": {"name": "shop-1", "uid": "u-1"}}
    });
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("e30.{claims}.c2ln").into()
}

fn good_token() -> SecretString {
    token(TOKEN_AUDIENCE, now() + 3600)
}

fn accepted() -> TokenReviewStatus {
    serde_json::from_value(json!({
        "authenticated": true,
        "audiences": ["fkm-operator"],
        "user": {
            "username": "system:serviceaccount:shop:shop-account",
            "extra": {
                "authentication.kubernetes.io/pod-name": ["shop-1"],
                "authentication.kubernetes.io/pod-uid": ["u-1"]
            }
        }
    }))
    .unwrap()
}

fn shop_1() -> PodIdentity {
    PodIdentity {
        namespace: "shop".into(),
        name: "shop-1".into(),
        uid: "u-1".into(),
    }
}

fn metadata(token: &SecretString) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    let value = format!("Bearer {}", token.expose_secret());
    metadata.insert("authorization", value.parse().unwrap());
    metadata
}

fn authenticator(
    answers: impl IntoIterator<Item = Result<TokenReviewStatus, ReviewError>>,
) -> Authenticator {
    Authenticator::new(Arc::new(Script {
        answers: Mutex::new(answers.into_iter().collect()),
        hangs: false,
    }))
}

async fn failure(authenticator: &Authenticator, token: &SecretString) -> AuthFailure {
    let refused = authenticator.authenticate(&metadata(token)).await;
    refused.unwrap_err().failure
}

#[tokio::test(start_paused = true)]
async fn a_bound_token_names_its_pod_and_is_reviewed_once_a_minute() {
    let authenticator = authenticator([Ok(accepted()), Ok(TokenReviewStatus::default())]);
    let metadata = metadata(&good_token());
    for _ in 0..3 {
        let identity = authenticator.authenticate(&metadata).await.unwrap();
        assert_eq!(identity.pod, shop_1());
        assert_eq!(identity.service_account, "shop-account");
    }
    tokio::time::advance(Duration::from_secs(61)).await;
    let refused = authenticator.authenticate(&metadata).await.unwrap_err();
    assert_eq!(
        refused.failure,
        AuthFailure::InvalidToken { expired: false }
    );
}

#[tokio::test]
async fn refusals_have_their_reason() {
    let refused = TokenReviewStatus::default;
    let without = |change: fn(&mut TokenReviewStatus)| {
        let mut status = accepted();
        change(&mut status);
        status
    };
    let just_expired = || token(TOKEN_AUDIENCE, now() - 1);
    for (token, status, reason) in [
        (
            good_token(),
            refused(),
            AuthFailure::InvalidToken { expired: false },
        ),
        (
            just_expired(),
            refused(),
            AuthFailure::InvalidToken { expired: true },
        ),
        (
            good_token(),
            without(|status| status.audiences = None),
            AuthFailure::WrongAudience,
        ),
        (
            good_token(),
            without(|status| status.user.as_mut().unwrap().extra = None),
            AuthFailure::NotPodBound,
        ),
        (
            good_token(),
            without(|status| status.user.as_mut().unwrap().username = Some("admin".into())),
            AuthFailure::NotPodBound,
        ),
    ] {
        let authenticator = authenticator([Ok(status)]);
        assert_eq!(failure(&authenticator, &token).await, reason);
        // Remembered: the script has no second answer.
        assert_eq!(failure(&authenticator, &token).await, reason);
    }
}

#[tokio::test]
async fn what_is_plainly_no_token_for_us_is_refused_without_a_review() {
    // The script has no answer at all.
    let authenticator = authenticator([]);
    for (token, reason, name) in [
        (
            "nonsense".into(),
            AuthFailure::InvalidToken { expired: false },
            "InvalidToken",
        ),
        (
            "a.b.c".into(),
            AuthFailure::InvalidToken { expired: false },
            "InvalidToken",
        ),
        (
            token("vault", now() + 3600),
            AuthFailure::WrongAudience,
            "WrongAudience",
        ),
        (
            token(TOKEN_AUDIENCE, now() - 61),
            AuthFailure::InvalidToken { expired: true },
            "ExpiredToken",
        ),
    ] {
        assert_eq!(failure(&authenticator, &token).await, reason);
        assert_eq!(reason.reason(), name);
    }
}

#[tokio::test]
async fn a_refused_token_says_whose_it_claims_to_be() {
    let authenticator = authenticator([Ok(TokenReviewStatus::default())]);
    let refused = authenticator.authenticate(&metadata(&good_token())).await;
    assert_eq!(refused.unwrap_err().claimed, Some(shop_1()));
}

#[tokio::test]
async fn without_a_bearer_there_is_no_token() {
    let authenticator = authenticator([]);
    for value in [None, Some("Basic abc"), Some("Bearer"), Some("Bearer  ")] {
        let mut metadata = MetadataMap::new();
        if let Some(value) = value {
            metadata.insert("authorization", value.parse().unwrap());
        }
        let refused = authenticator.authenticate(&metadata).await.unwrap_err();
        assert_eq!(refused.failure, AuthFailure::NoToken, "{value:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_fails_or_hangs_is_not_the_tokens_fault_and_not_remembered() {
    let error = kube::Error::Service("connection refused".into());
    let authenticator = authenticator([Err(error.into()), Ok(accepted())]);
    let unavailable = failure(&authenticator, &good_token()).await;
    assert_eq!(unavailable, AuthFailure::ReviewUnavailable);
    assert_eq!(unavailable.status().code(), tonic::Code::Unavailable);
    assert!(
        authenticator
            .authenticate(&metadata(&good_token()))
            .await
            .is_ok()
    );

    let hanging = Authenticator::new(Arc::new(Script {
        hangs: true,
        ..Script::default()
    }));
    let begin = Instant::now();
    let unavailable = failure(&hanging, &good_token()).await;
    assert_eq!(unavailable, AuthFailure::ReviewUnavailable);
    assert_eq!(begin.elapsed(), REVIEW_TIMEOUT);
}

#[tokio::test]
async fn debug_shows_no_token() {
    let token = good_token();
    let authenticator = authenticator([Ok(accepted())]);
    authenticator.authenticate(&metadata(&token)).await.unwrap();
    let shown = format!("{authenticator:?} {token:?}");
    assert!(!shown.contains(token.expose_secret()), "{shown}");
}
