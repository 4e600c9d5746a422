//! The little HTTP that tests need: one request, one whole answer.

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: String,
}

/// The body of a GET; an error where the status is not 2xx.
pub async fn get(url: &str) -> Result<String> {
    let reply = request(Method::GET, url, String::new()).await?;
    ensure!(
        reply.status.is_success(),
        "{url}: {}: {}",
        reply.status,
        reply.body
    );
    Ok(reply.body)
}

/// The answer to a POST of this JSON.
pub async fn post(url: &str, body: &serde_json::Value) -> Result<Reply> {
    request(Method::POST, url, body.to_string()).await
}

async fn request(method: Method, url: &str, body: String) -> Result<Reply> {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("content-type", "application/json");
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = client
        .request(request.body(Full::new(body.into()))?)
        .await?
        .into_parts();
    let body = String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned();
    Ok(Reply {
        status: head.status,
        headers: head.headers,
        body,
    })
}

// === impl Reply ===

impl Reply {
    /// A header as text; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
