//! Request bodies made of slices: what was received, with a few edited spans, and no copy of the rest.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

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
