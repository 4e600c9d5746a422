//! A server that gives tokens, on loopback: records what it is asked, and answers by a function.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// The body as a form.
    pub(crate) form: BTreeMap<String, String>,
}

/// What it answers.
pub(crate) struct Gives {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

type Answers = dyn Fn(usize, &Asked) -> Gives + Send + Sync;

/// A running server; ends with the test.
pub(crate) struct TokenServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

// === impl Asked ===

impl Asked {
    /// A header's value; empty where it has none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

// === impl Gives ===

impl Gives {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_string(),
        }
    }

    /// The token `token-NUMBER-of-the-test`.
    pub(crate) fn token(number: usize, expires_in: u64) -> Self {
        let token = token(number);
        Self::json(
            200,
            &json!({"access_token": token, "token_type": "Bearer", "expires_in": expires_in}),
        )
    }

    pub(crate) fn text(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        }
    }
}

/// The token that [`Gives::token`] gives.
pub(crate) fn token(number: usize) -> String {
    format!("token-{number}-of-the-test")
}

// === impl TokenServer ===

impl TokenServer {
    /// Answers each question, counted from 1, after some milliseconds.
    pub(crate) async fn start(
        delay_millis: u64,
        answers: impl Fn(usize, &Asked) -> Gives + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let record = asked.clone();
        let answers: Arc<Answers> = Arc::new(answers);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (record, answers) = (record.clone(), answers.clone());
                let service = service_fn(move |request| {
                    answer(record.clone(), answers.clone(), delay_millis, request)
                });
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(socket), service));
            }
        });
        Self { address, asked }
    }

    /// Gives tokens that live so long.
    pub(crate) async fn tokens(expires_in: u64) -> Self {
        Self::start(0, move |number, _| Gives::token(number, expires_in)).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }
}

async fn answer(
    record: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Answers>,
    delay_millis: u64,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let asked = Asked {
        method: head.method,
        path: head.uri.to_string(),
        headers: head.headers,
        form: url::form_urlencoded::parse(&body).into_owned().collect(),
    };
    let number = {
        let mut all = record.lock();
        all.push(asked.clone());
        all.len()
    };
    let gives = answers(number, &asked);
    tokio::time::sleep(Duration::from_millis(delay_millis)).await;
    let mut response = Response::builder().status(gives.status);
    for (name, value) in gives.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(Bytes::from(gives.body))).unwrap())
}
