//! Who reviews tokens: the API server; a script in tests.

use std::fmt;

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use kube::api::PostParams;
use kube::{Api, Client};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::TOKEN_AUDIENCE;

/// Reviews tokens.
#[tonic::async_trait]
pub trait Reviewer: fmt::Debug + Send + Sync + 'static {
    /// What the API server says of this token. The caller bounds the time.
    async fn review(&self, token: &SecretString) -> Result<TokenReviewStatus, ReviewError>;
}

/// The API server could not be asked. May need the `ClusterRole` of the operator (`create` of `tokenreviews`).
#[derive(Debug, Error)]
#[error("cannot review a token")]
pub struct ReviewError(#[from] kube::Error);

/// Asks the API server.
#[derive(Clone)]
pub struct KubeReviewer {
    reviews: Api<TokenReview>,
}

// === impl KubeReviewer ===

impl KubeReviewer {
    /// Through this client.
    pub fn new(client: Client) -> Self {
        Self {
            reviews: Api::all(client),
        }
    }
}

impl fmt::Debug for KubeReviewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubeReviewer").finish_non_exhaustive()
    }
}

#[tonic::async_trait]
impl Reviewer for KubeReviewer {
    async fn review(&self, token: &SecretString) -> Result<TokenReviewStatus, ReviewError> {
        let review = TokenReview {
            spec: TokenReviewSpec {
                audiences: Some(vec![TOKEN_AUDIENCE.to_owned()]),
                token: token.expose_secret().to_owned(),
            },
            ..TokenReview::default()
        };
        let answer = self.reviews.create(&PostParams::default(), &review).await?;
        Ok(answer.status.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn asks_for_our_audience() {
        let (service, mut server) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
        let reviewer = KubeReviewer::new(Client::new(service, "default"));
        let token = SecretString::from("secret-token");
        let answer = async {
            let (request, respond) = server.next_request().await.unwrap();
            assert_eq!(request.method(), "POST");
            assert_eq!(
                request.uri().path(),
                "/apis/authentication.k8s.io/v1/tokenreviews"
            );
            let asked = request.into_body().collect_bytes().await.unwrap();
            let asked: Value = serde_json::from_slice(&asked).unwrap();
            let wanted = json!({"audiences": ["fkm-operator"], "token": "secret-token"});
            assert_eq!(asked["spec"], wanted);
            let review = json!({"spec": wanted, "status": {"authenticated": true}});
            respond.send_response(Response::new(Body::from(review.to_string().into_bytes())));
        };
        let (status, ()) = tokio::join!(reviewer.review(&token), answer);
        assert_eq!(status.unwrap().authenticated, Some(true));
        assert!(!format!("{reviewer:?}").contains("secret-token"));
    }
}
