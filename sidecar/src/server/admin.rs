//! The admin port, on loopback: what is served now. Keys are no part of it.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::Serialize;

use crate::context::Context;
use crate::media_type::JSON;
use crate::steps::accept;

#[derive(Serialize)]
struct Dump<'a> {
    hash: String,
    #[serde(rename = "secretsVersion")]
    secrets_version: &'a str,
    pod: Option<&'a fkm_snapshot::PodContext>,
    models: Vec<&'a str>,
    snapshot: &'a fkm_snapshot::Snapshot,
}

/// `GET /config`: the snapshot in use. `GET /`: what there is.
pub(crate) fn answer(context: &Context, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if accept::check_site(request.uri(), request.headers()).is_err() {
        return plain(
            StatusCode::FORBIDDEN,
            "call 127.0.0.1, [::1] or localhost\n",
        );
    }
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/config") => config(context),
        (&Method::GET, "/") => plain(
            StatusCode::OK,
            "GET /config  the snapshot in use, as JSON; keys are never shown\n",
        ),
        (_, "/" | "/config") => plain(StatusCode::METHOD_NOT_ALLOWED, "use GET\n"),
        _ => plain(
            StatusCode::NOT_FOUND,
            "no such path; there is GET /config\n",
        ),
    }
}

fn config(context: &Context) -> Response<Full<Bytes>> {
    let Some(runtime) = context.store.current() else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "no snapshot yet\n");
    };
    let context = context.store.context();
    let dump = Dump {
        hash: runtime.snapshot.hash().to_string(),
        secrets_version: &runtime.secrets_version,
        pod: context.as_deref(),
        models: runtime.models.keys().map(String::as_str).collect(),
        snapshot: runtime.snapshot.get(),
    };
    let body = serde_json::to_vec_pretty(&dump).expect("plain data always serialises");
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// An answer for people.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
