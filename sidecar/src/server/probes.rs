//! The probe port, on the pod's address: `/livez`, `/readyz` and `/metrics`, nothing else.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use super::admin::plain;
use crate::context::Context;

/// Ready from the first snapshot on, and until draining begins. A lost operator does not make a pod unready: it serves
/// on what it has.
pub(crate) fn answer(context: &Context, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/livez") => plain(StatusCode::OK, "alive\n"),
        (&Method::GET, "/readyz") if context.tasks.draining().is_cancelled() => {
            plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        }
        (&Method::GET, "/readyz") if context.store.current().is_some() => {
            plain(StatusCode::OK, "ready\n")
        }
        (&Method::GET, "/readyz") => plain(StatusCode::SERVICE_UNAVAILABLE, "no snapshot yet\n"),
        (&Method::GET, "/metrics") => metrics(context),
        (_, "/livez" | "/readyz" | "/metrics") => {
            plain(StatusCode::METHOD_NOT_ALLOWED, "use GET\n")
        }
        _ => plain(
            StatusCode::NOT_FOUND,
            "there are /livez, /readyz and /metrics\n",
        ),
    }
}

fn metrics(context: &Context) -> Response<Full<Bytes>> {
    let text = fkm_telemetry::metrics::encode(&context.registry);
    let mut response = Response::new(Full::new(Bytes::from(text)));
    let value = HeaderValue::from_static(fkm_telemetry::metrics::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}
