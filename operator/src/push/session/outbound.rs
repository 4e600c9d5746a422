//! The way of messages to the client: a short queue, and a last word that does not stand in it.

use std::pin::Pin;
use std::task::{Context, Poll};

use fkm_push::wire;
use futures_util::Stream;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

/// Messages that wait to be written: a whole delivery with its context.
const QUEUE: usize = 3;

/// The session's end.
#[derive(Debug)]
pub(in crate::push) struct Outbound {
    messages: mpsc::Sender<wire::ServerMessage>,
    last: oneshot::Sender<Status>,
}

/// The transport's end. The last word comes before all that still waits, which is then dropped: a pod that may have no
/// keys any more must not find some in the queue.
#[derive(Debug)]
pub(in crate::push) struct Outgoing {
    messages: mpsc::Receiver<wire::ServerMessage>,
    /// `None`: it was said, or there will be none.
    last: Option<oneshot::Receiver<Status>>,
}

/// Both ends.
pub(in crate::push) fn channel() -> (Outbound, Outgoing) {
    let (sender, messages) = mpsc::channel(QUEUE);
    let (word, last) = oneshot::channel();
    let outbound = Outbound {
        messages: sender,
        last: word,
    };
    let last = Some(last);
    (outbound, Outgoing { messages, last })
}

// === impl Outbound ===

impl Outbound {
    /// Waits for room. `false`: the client is gone.
    pub(super) async fn send(&self, message: wire::ServerMessage) -> bool {
        self.messages.send(message).await.is_ok()
    }

    /// Ends the stream with this.
    pub(super) fn end(self, status: Status) {
        // A client that is gone needs no word.
        let _ = self.last.send(status);
    }
}

// === impl Outgoing ===

impl Stream for Outgoing {
    type Item = Result<wire::ServerMessage, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(last) = &mut self.last {
            match Pin::new(last).poll(context) {
                Poll::Ready(Ok(status)) => {
                    self.last = None;
                    self.messages.close();
                    while self.messages.try_recv().is_ok() {}
                    return Poll::Ready(Some(Err(status)));
                }
                Poll::Ready(Err(_)) => self.last = None,
                Poll::Pending => {}
            }
        }
        self.messages
            .poll_recv(context)
            .map(|message| message.map(Ok))
    }
}
