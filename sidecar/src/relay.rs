//! Bodies of answers. A stream is pulled by the client's connection itself: provider, transform, client, with no task and
//! no channel in between, so a client that goes away drops everything up to the provider's connection.
//!
//! *Guarantees*: after the first content a stream ends in one of two ways: complete as its format defines it, or with an
//! error event in that format. Which of them, and what was used, is recorded exactly once, also when the client left.

mod guard;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use fkm_llm::{Progress, StreamTransform};
use http_body::{Body, Frame, SizeHint};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

pub(crate) use self::guard::Start;
use self::guard::{Cut, Guard};
use crate::metrics::Outcome;
use crate::upstream::{AnswerSource, Broken};

/// The body of an answer to a client.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// At hand.
    Whole(Option<Bytes>),
    /// Comes as a stream of its format.
    Stream(Box<Relay>),
    /// Comes as it is.
    Large(Box<Large>),
}

/// A stream on its way.
pub(crate) struct Relay {
    source: AnswerSource,
    transform: Box<dyn StreamTransform>,
    /// What may be sent.
    ready: VecDeque<Bytes>,
    /// Reused for what the transform puts out.
    out: Vec<Bytes>,
    guard: Guard,
}

/// A whole answer that is too large to keep.
pub(crate) struct Large {
    source: AnswerSource,
    ready: VecDeque<Bytes>,
    guard: Guard,
    /// Counts the bytes, where somebody wants to know.
    counter: Option<Counter>,
}

// === impl AnswerBody ===

impl AnswerBody {
    /// A body at hand.
    pub(crate) fn whole(body: Bytes) -> Self {
        Self::Whole(Some(body).filter(|body| !body.is_empty()))
    }

    /// A stream whose first pieces are at hand.
    pub(crate) fn stream(
        ready: Vec<Bytes>,
        source: AnswerSource,
        transform: Box<dyn StreamTransform>,
        start: Start,
    ) -> Self {
        let mut guard = Guard::from(start);
        if transform.progress().finished {
            guard.timer.hurry();
        }
        Self::Stream(Box::new(Relay {
            source,
            transform,
            ready: ready.into(),
            out: Vec::new(),
            guard,
        }))
    }

    /// A large whole answer whose first pieces are at hand.
    pub(crate) fn large(ready: Vec<Bytes>, source: AnswerSource, start: Start) -> Self {
        Self::Large(Box::new(Large {
            source,
            ready: ready.into(),
            guard: start.into(),
            counter: None,
        }))
    }

    /// The same, with its bytes counted where it comes as it is.
    pub(crate) fn counted(mut self, counter: Counter) -> Self {
        if let Self::Large(large) = &mut self {
            large.counter = Some(counter);
        }
        self
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Self::Stream(relay) => relay
                .poll_piece(cx)
                .map(|piece| piece.map(|Ok(piece)| Ok(Frame::data(piece)))),
            Self::Large(large) => large.poll_counted(cx).map_ok(Frame::data),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_none(),
            Self::Stream(relay) => relay.ready.is_empty() && relay.guard.record.is_none(),
            Self::Large(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Self::Stream(_) | Self::Large(_) => SizeHint::default(),
        }
    }
}

// === impl Relay ===

impl Relay {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(piece)));
            }
            if self.guard.record.is_none() {
                return Poll::Ready(None);
            }
            let step = match self.source.poll_piece(cx) {
                Poll::Ready(piece) => self.take(piece),
                Poll::Pending => {
                    let cut = ready!(self.guard.poll_cut(cx));
                    match self.transform.progress().finished {
                        // Everything was said; whoever is silent, slow or leaving now takes nothing away.
                        true => self.complete(),
                        false => Err(cut),
                    }
                }
            };
            self.ready.extend(self.out.drain(..));
            if let Err(cut) = step {
                let error = self.guard.cut(cut, self.transform.progress());
                self.ready
                    .push_back(self.guard.format.encode_stream_error(&error));
            }
        }
    }

    fn take(&mut self, piece: Option<Result<Bytes, Broken>>) -> Result<(), Cut> {
        self.guard.timer.last = Instant::now();
        match piece {
            Some(Ok(piece)) => {
                self.transform
                    .push(piece, &mut self.out)
                    .map_err(Cut::fault)?;
                if self.transform.progress().finished {
                    self.guard.timer.hurry();
                }
                Ok(())
            }
            // However the connection ended: what the provider meant to say is complete, or it is not.
            Some(Err(_)) | None => self.complete(),
        }
    }

    /// The provider has nothing more to say.
    fn complete(&mut self) -> Result<(), Cut> {
        self.transform.end(&mut self.out).map_err(Cut::fault)?;
        let progress = self.transform.progress();
        self.guard.record(Outcome::Complete, progress);
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let progress = self.transform.progress();
        // A client may close once it has read the last event, before the provider's connection has ended.
        let outcome = if progress.finished {
            Outcome::Complete
        } else {
            Outcome::Cancelled
        };
        self.guard.record(outcome, progress);
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("progress", self.transform.progress())
            .finish_non_exhaustive()
    }
}

// === impl Large ===

impl Large {
    fn poll_counted(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let polled = self.poll_piece(cx);
        if let (Poll::Ready(Some(Ok(piece))), Some(counter)) = (&polled, &self.counter) {
            counter.inc_by(piece.len() as u64);
        }
        polled
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(piece) = self.ready.pop_front() {
            return Poll::Ready(Some(Ok(piece)));
        }
        if self.guard.record.is_none() {
            return Poll::Ready(None);
        }
        let cut = match self.source.poll_piece(cx) {
            Poll::Ready(Some(Ok(piece))) => {
                self.guard.timer.last = Instant::now();
                return Poll::Ready(Some(Ok(piece)));
            }
            Poll::Ready(None) => {
                self.guard.record(Outcome::Complete, &Progress::default());
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Err(broken))) => Cut::Broken(broken),
            Poll::Pending => ready!(self.guard.poll_cut(cx)),
        };
        // There is no room for an error in a half-sent JSON document: the connection breaks, which every client notices.
        let error = self.guard.cut(cut, &Progress::default());
        Poll::Ready(Some(Err(io::Error::other(error.message))))
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        self.guard.record(Outcome::Cancelled, &Progress::default());
    }
}

impl std::fmt::Debug for Large {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Large").finish_non_exhaustive()
    }
}
