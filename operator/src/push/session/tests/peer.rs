//! A session over channels, with the client's end of them.

use std::sync::Arc;
use std::time::Duration;

use fkm_push::{Ack, ClientMessage, Nack, ServerMessage, SnapshotMessage, wire};
use fkm_snapshot::{PodContext, SnapshotHash};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use super::problem;
use crate::assignment::Assignment;
use crate::push::TokenIdentity;
use crate::push::fixtures::{Tables, hello_with, pod};
use crate::push::session::{Outgoing, Session, Shared, Timings, channel};
use crate::task::Tasks;

/// The session's client.
pub(super) struct Peer {
    pub(super) tables: Tables,
    pub(super) tasks: Tasks,
    pub(super) to_server: Option<mpsc::Sender<Result<wire::ClientMessage, Status>>>,
    pub(super) from_server: Outgoing,
}

/// What the client sees next.
#[derive(Debug)]
pub(super) enum Seen {
    Message(ServerMessage),
    End(Code, String),
    /// The stream ended without a word.
    Closed,
    Nothing,
}

impl Peer {
    pub(super) fn new() -> Self {
        Self::in_tables(Tables::new())
    }

    /// A session of an operator that there is already.
    pub(super) fn in_tables(tables: Tables) -> Self {
        let tasks = Tasks::new();
        let (to_server, inbound) = mpsc::channel(8);
        let (outbound, from_server) = channel();
        let shared = Shared {
            assignments: tables.assignments.clone(),
            acknowledgements: tables.acknowledgements.clone(),
            incidents: tables.incidents.clone(),
            metrics: tables.metrics.clone(),
            timings: Timings::default(),
            stopping: tasks.stopping(),
        };
        let identity = TokenIdentity {
            pod: pod(),
            service_account: "shop-account".into(),
        };
        let inbound = Box::pin(ReceiverStream::new(inbound));
        let session = Session::new(Arc::new(shared), identity, inbound, outbound);
        tasks.spawn("session", session.run());
        Self {
            tables,
            tasks,
            to_server: Some(to_server),
            from_server,
        }
    }

    /// Connected, with this in use and nothing else wanted.
    pub(super) async fn settled(wanted: &Assignment) -> Self {
        let mut peer = Self::new();
        peer.tables.grant(wanted);
        peer.say(ClientMessage::Hello(hello_with(wanted))).await;
        peer.context().await;
        assert!(matches!(peer.see().await, Seen::Nothing));
        peer
    }

    pub(super) async fn say(&self, message: ClientMessage) {
        let to_server = self.to_server.as_ref().unwrap();
        to_server.send(Ok(message.into())).await.unwrap();
    }

    /// Waits for at most a second of the paused clock.
    pub(super) async fn see(&mut self) -> Seen {
        match timeout(Duration::from_secs(1), self.from_server.next()).await {
            Ok(Some(Ok(message))) => Seen::Message(message.try_into().unwrap()),
            Ok(Some(Err(status))) => Seen::End(status.code(), status.message().to_owned()),
            Ok(None) => Seen::Closed,
            Err(_) => Seen::Nothing,
        }
    }

    pub(super) async fn context(&mut self) -> PodContext {
        match self.see().await {
            Seen::Message(ServerMessage::Context(context)) => context,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn secrets(&mut self) -> (String, bool) {
        match self.see().await {
            Seen::Message(ServerMessage::Secrets(message)) => {
                (message.secrets.version.clone(), message.snapshot_follows)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn snapshot(&mut self) -> SnapshotMessage {
        match self.see().await {
            Seen::Message(ServerMessage::Snapshot(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn end(&mut self) -> (Code, String) {
        match self.see().await {
            Seen::End(code, message) => {
                assert!(matches!(self.see().await, Seen::Closed));
                (code, message)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn is_quiet(&mut self) {
        let seen = self.see().await;
        assert!(matches!(seen, Seen::Nothing), "{seen:?}");
    }

    pub(super) async fn ack(&self, version: u64, held: &Assignment) {
        self.say(ClientMessage::Ack(Ack {
            version,
            hash: held.snapshot.hash,
            secrets_version: held.secrets.version.clone(),
        }))
        .await;
    }

    pub(super) async fn nack(&self, version: u64, refused: SnapshotHash, kept: &Assignment) {
        self.say(ClientMessage::Nack(Nack {
            version,
            hash: refused,
            problems: vec![problem()],
            kept_hash: Some(kept.snapshot.hash),
            kept_secrets_version: kept.secrets.version.clone(),
        }))
        .await;
    }

    pub(super) fn reason(&mut self) -> &'static str {
        self.tables.reported.try_recv().unwrap().reason
    }
}
