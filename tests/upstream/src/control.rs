//! Orders over HTTP, for tests in other languages, on an address of its own.
//!
//! `GET /__requests` · `POST /__script` (a JSON array of steps) · `POST /__default` (one step) · `POST /__reset` ·
//! `POST /__refuse` · `POST /__reopen`. Every answer is JSON.

use std::sync::Arc;

use bytes::BytesMut;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::request::{self, Request};
use crate::upstream::Provider;
use crate::{Received, writer};

/// Serves one connection to its end.
pub(crate) async fn serve(mut socket: TcpStream, provider: Arc<Provider>) {
    let mut buffer = BytesMut::new();
    while let Ok(Some(request)) = request::read(&mut socket, &mut buffer).await {
        let (status, body) = match obey(&request, &provider).await {
            Ok(value) => (200, value),
            Err((status, message)) => (status, json!({"error": message})),
        };
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let written =
            writer::whole(&mut socket, status, &headers, body.to_string().as_bytes()).await;
        if written.is_err() || !request.keep_alive {
            return;
        }
    }
}

async fn obey(request: &Request, provider: &Provider) -> Result<Value, (u16, String)> {
    let state = &provider.state;
    match (request.method.as_str(), request.path()) {
        ("GET", "/__requests") => {
            return Ok(state.requests().iter().map(shown).collect());
        }
        ("POST", "/__script") => state.set_script(parse(&request.body)?),
        ("POST", "/__default") => state.set_default(parse(&request.body)?),
        ("POST", "/__reset") => state.reset(),
        ("POST", "/__refuse") => provider.refuse().await,
        ("POST", "/__reopen") => provider.open().map_err(|error| (500, error.to_string()))?,
        (method, path) => return Err((404, format!("{method} {path} is no order"))),
    }
    Ok(json!({"ok": true}))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, (u16, String)> {
    serde_json::from_slice(body).map_err(|error| (400, error.to_string()))
}

/// A request as JSON; times in milliseconds, bytes that are no UTF-8 replaced.
fn shown(received: &Received) -> Value {
    let since = |at: Option<Instant>| at.map(|at| (at - received.at).as_secs_f64() * 1e3);
    let headers: Vec<_> = received
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    json!({
        "method": received.method.as_str(),
        "path": received.path,
        "headers": headers,
        "body": String::from_utf8_lossy(&received.body),
        "connection": received.connection,
        "agoMillis": received.at.elapsed().as_secs_f64() * 1e3,
        "cancelled": received.cancelled(),
        "cancelledAfterMillis": since(received.cancelled_at),
        "answeredAfterMillis": since(received.answered_at),
    })
}
