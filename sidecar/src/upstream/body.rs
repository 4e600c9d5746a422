//! Request bodies: made of slices, which is what was received with a few edited spans and no copy of the rest; or uploads,
//! which go on as they come.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use prometheus_client::metrics::counter::Counter;
use tokio::time::{Instant, Sleep};

use crate::steps::accept::BODY_IDLE;

/// The bytes of one attempt's request, in order. Its length is exact, so it is sent with `content-length`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segments {
    left: VecDeque<Bytes>,
}

impl From<Vec<Bytes>> for Segments {
    fn from(segments: Vec<Bytes>) -> Self {
        Self {
            left: segments.into(),
        }
    }
}

impl Body for Segments {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(
            self.left
                .pop_front()
                .map(|segment| Ok(Frame::data(segment))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.iter().map(|segment| segment.len() as u64).sum())
    }
}

/// The largest upload: OpenAI takes files of 512 MB, and a form around them.
pub(crate) const MAX_UPLOAD_BYTES: u64 = 513 * 1024 * 1024;

/// The body of a request to a provider.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// At hand.
    Segments(Segments),
    /// Comes from the client while it goes.
    Upload(Upload),
}

/// What a client sends, as it comes: bounded in size and in silence.
#[derive(Debug)]
pub(crate) struct Upload {
    incoming: Incoming,
    /// Bytes that may still come.
    left: u64,
    /// Since when the client has been waited for.
    silent: Option<Instant>,
    idle: Pin<Box<Sleep>>,
    sent: Counter,
}

/// Why an upload ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UploadFault {
    /// Larger than is taken.
    #[error("the upload is larger than {MAX_UPLOAD_BYTES} bytes")]
    TooLarge,
    /// The client fell silent.
    #[error("the request body stopped coming")]
    Stopped,
    /// The client's connection broke.
    #[error("the request body broke off")]
    BrokeOff,
}

// === impl Upload ===

impl Upload {
    /// Counts what goes on with `sent`.
    pub(crate) fn new(incoming: Incoming, sent: Counter) -> Self {
        Self {
            incoming,
            left: MAX_UPLOAD_BYTES,
            silent: None,
            idle: Box::pin(tokio::time::sleep(BODY_IDLE)),
            sent,
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UploadFault>>> {
        loop {
            let frame = match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(_))) => {
                    return Poll::Ready(Some(Err(UploadFault::BrokeOff)));
                }
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Pending => {
                    ready!(self.poll_silence(cx));
                    return Poll::Ready(Some(Err(UploadFault::Stopped)));
                }
            };
            self.silent = None;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let bytes = data.len() as u64;
            let Some(left) = self.left.checked_sub(bytes) else {
                return Poll::Ready(Some(Err(UploadFault::TooLarge)));
            };
            self.left = left;
            self.sent.inc_by(bytes);
            return Poll::Ready(Some(Ok(data)));
        }
    }

    /// Ready when nothing came for too long. Time in which nobody asked does not count: then the provider is slow.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = *self.silent.get_or_insert_with(Instant::now) + BODY_IDLE;
        loop {
            ready!(self.idle.as_mut().poll(cx));
            if Instant::now() >= until {
                return Poll::Ready(());
            }
            self.idle.as_mut().reset(until);
        }
    }
}

// === impl UploadFault ===

impl UploadFault {
    /// The one that an error of the HTTP client comes from.
    pub(crate) fn behind(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        causes.find_map(|error| error.downcast_ref::<Self>().copied())
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = UploadFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadFault>>> {
        match self.get_mut() {
            Self::Segments(segments) => {
                Poll::Ready(segments.left.pop_front().map(|one| Ok(Frame::data(one))))
            }
            Self::Upload(upload) => upload.poll_piece(cx).map_ok(Frame::data),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Segments(segments) => segments.is_end_stream(),
            Self::Upload(upload) => upload.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Segments(segments) => segments.size_hint(),
            Self::Upload(upload) => upload.incoming.size_hint(),
        }
    }
}
