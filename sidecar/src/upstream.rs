//! The far side of an attempt: the way there, connections, the address rule, and the simulated provider.

pub(crate) mod address;
pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod connector;
pub(crate) mod dialer;
pub(crate) mod fetch;
pub(crate) mod material;
pub(crate) mod proxy;
pub(crate) mod simulated;
pub(crate) mod stream;
pub(crate) mod tls;

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use hyper::body::Incoming;

/// The head of a provider's answer, and where the rest comes from.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: AnswerSource,
}

/// The body of a provider's answer, as it comes.
#[derive(Debug)]
pub(crate) enum AnswerSource {
    Http(Incoming),
    Simulated(simulated::Script),
}

/// The connection broke before the body's end. What it was does not matter to the client; the log has it.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

// === impl AnswerSource ===

impl AnswerSource {
    /// The next piece; `None` at the end.
    pub(crate) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Broken>>> {
        let incoming = match self {
            Self::Simulated(script) => return Poll::Ready(script.next_piece()),
            Self::Http(incoming) => incoming,
        };
        loop {
            let frame = match Pin::new(&mut *incoming).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(Broken(connector::describe(&error)))));
                }
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            if let Ok(data) = frame.into_data()
                && !data.is_empty()
            {
                return Poll::Ready(Some(Ok(data)));
            }
        }
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn piece(&mut self) -> Option<Result<Bytes, Broken>> {
        std::future::poll_fn(|cx| self.poll_piece(cx)).await
    }
}
