//! Snapshots from the operator: one stream, tried again for ever, and the last good one in between.
//!
//! *Flow*: last-known-good → connect → Hello → take what comes, answer Ack or Nack → on any end, wait and connect again.
//!
//! *Guarantees*: a snapshot is applied only with its keys; a refused one changes nothing; a lost operator changes nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fkm_push::{
    Ack, Client, ClientMessage, ClientSettings, ConnectError, Hello, Nack, PodIdentity, PushStream,
    SecretsMessage, ServerMessage, SnapshotMessage,
};
use fkm_snapshot::{FEATURES, Feature, PodContext, Problem, Secrets, SnapshotHash};
use secrecy::SecretString;
use thiserror::Error;

use super::last_good::{self, LastGood};
use crate::args::{CaSource, PushSettings};
use crate::context::Context;
use crate::upstream::connector::describe;

/// First and longest pause between two tries; each pause is drawn from zero up to a bound that doubles (full jitter), so
/// that a fleet does not come back at once.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A stream that lived so long was good: the next pause is short again.
const GOOD_STREAM: Duration = Duration::from_secs(10);

/// Why a stream could not be opened, or ended.
#[derive(Debug, Error)]
enum StreamEnd {
    #[error("cannot read {path:?}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the operator closed the stream")]
    Closed,
    #[error("the operator sent keys before any snapshot, which breaks the protocol")]
    KeysForNothing,
}

/// What one source knows between streams.
struct Source {
    context: Arc<Context>,
    settings: PushSettings,
    pod: PodContext,
    /// Keys in use, and those that wait for their snapshot.
    secrets: Arc<Secrets>,
    waiting: Option<Arc<Secrets>>,
    payload: Vec<u8>,
    /// Number of the newest snapshot of this stream.
    version: u64,
}

/// Starts the source; ends when draining begins.
pub(crate) fn spawn(context: &Arc<Context>, settings: PushSettings) {
    let mut source = Source {
        context: context.clone(),
        settings,
        pod: PodContext::default(),
        secrets: Arc::default(),
        waiting: None,
        payload: Vec::new(),
        version: 0,
    };
    let draining = context.tasks.draining().clone();
    source.restore();
    context.tasks.spawn(async move {
        tokio::select! {
            () = draining.cancelled() => {}
            () = source.run() => {}
        }
    });
}

// === impl Source ===

impl Source {
    /// Serves what was served before a restart.
    fn restore(&mut self) {
        let last_good = match last_good::read(&self.settings.state_dir) {
            Ok(Some(last_good)) => last_good,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(error = describe(&error), "no last-known-good snapshot");
                return;
            }
        };
        if self
            .context
            .store
            .apply(&last_good.payload, &last_good.secrets)
            .is_ok()
        {
            self.context.store.set_context(last_good.context.clone());
            self.pod = last_good.context;
            self.secrets = Arc::new(last_good.secrets);
            self.payload = last_good.payload;
            tracing::info!("serving the last-known-good snapshot until the operator answers");
        } else {
            tracing::warn!(
                "the last-known-good snapshot is of no use to this version; waiting for the operator"
            );
        }
    }

    async fn run(&mut self) {
        let mut bound = FIRST_PAUSE;
        loop {
            let began = tokio::time::Instant::now();
            let end = match self.stream().await {
                Ok(()) => StreamEnd::Closed,
                Err(end) => end,
            };
            self.context.metrics.push_connected.set(0);
            if began.elapsed() > GOOD_STREAM {
                bound = FIRST_PAUSE;
            }
            let pause = bound.mul_f64(fastrand::f64());
            tracing::warn!(error = describe(&end), again_in = ?pause, "no stream from the operator; what is applied stays");
            tokio::time::sleep(pause).await;
            bound = (bound * 2).min(LONGEST_PAUSE);
        }
    }

    /// One stream, from connecting to its end.
    async fn stream(&mut self) -> Result<(), StreamEnd> {
        let ca_pem = match &self.settings.ca {
            CaSource::Pem(pem) => pem.clone(),
            CaSource::File(path) => read(path).await?,
        };
        // Read anew each time: the kubelet renews it.
        let token = SecretString::from(read(&self.settings.token_file).await?);
        let endpoint = self.settings.endpoint.clone();
        let mut client = Client::connect(&ClientSettings {
            endpoint,
            ca_pem,
            server_name: None,
        })
        .await?;
        let mut stream = client.open(&token, self.hello()).await?;
        self.version = 0;
        self.waiting = None;
        self.context.metrics.push_connected.set(1);
        tracing::info!(
            operator = self.settings.endpoint,
            "connected to the operator"
        );
        while let Some(message) = stream.receive().await? {
            self.take(message, &stream).await?;
        }
        Ok(())
    }

    fn hello(&self) -> Hello {
        let applied = self.context.store.applied();
        let [name, namespace, uid] = self.settings.pod.clone();
        Hello {
            pod: PodIdentity {
                namespace,
                name,
                uid,
            },
            sidecar_version: env!("CARGO_PKG_VERSION").to_owned(),
            features: FEATURES.iter().map(|&name| Feature::from(name)).collect(),
            applied_secrets_version: applied
                .as_ref()
                .map(|(_, version)| version.clone())
                .unwrap_or_default(),
            applied_hash: applied.map(|(hash, _)| hash),
        }
    }

    async fn take(&mut self, message: ServerMessage, stream: &PushStream) -> Result<(), StreamEnd> {
        match message {
            ServerMessage::Context(context) => {
                self.context.store.set_context(context.clone());
                self.pod = context;
            }
            ServerMessage::Secrets(SecretsMessage {
                secrets,
                snapshot_follows: true,
            }) => self.waiting = Some(secrets),
            ServerMessage::Secrets(SecretsMessage { secrets, .. }) => {
                let (hash, taken) = match self.context.store.apply_secrets(&secrets) {
                    Ok(None) => return Err(StreamEnd::KeysForNothing),
                    Ok(hash) => (hash, Ok(())),
                    Err(problems) => {
                        let applied = self.context.store.applied();
                        (applied.map(|(hash, _)| hash), Err(problems))
                    }
                };
                if taken.is_ok() {
                    self.secrets = secrets;
                    self.keep().await;
                }
                self.answer(stream, hash, taken).await?;
            }
            ServerMessage::Snapshot(snapshot) => {
                let hash = snapshot.hash;
                let taken = self.apply(&snapshot);
                if taken.is_ok() {
                    self.keep().await;
                }
                self.answer(stream, Some(hash), taken).await?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, message: &SnapshotMessage) -> Result<(), Vec<Problem>> {
        self.version = message.version;
        let bytes = u64::try_from(message.payload.len()).unwrap_or(u64::MAX);
        self.context.metrics.snapshot_bytes_received.inc_by(bytes);
        let secrets = self.waiting.take().unwrap_or_else(|| self.secrets.clone());
        let open = message.open()?;
        self.context.store.apply_valid(open.snapshot, &secrets)?;
        self.payload = open.payload;
        self.secrets = secrets;
        Ok(())
    }

    async fn answer(
        &self,
        stream: &PushStream,
        hash: Option<SnapshotHash>,
        taken: Result<(), Vec<Problem>>,
    ) -> Result<(), StreamEnd> {
        let applied = self.context.store.applied();
        let secrets_version = applied
            .as_ref()
            .map(|(_, version)| version.clone())
            .unwrap_or_default();
        let Some(hash) = hash else { return Ok(()) };
        let message = match taken {
            Ok(()) => ClientMessage::Ack(Ack {
                version: self.version,
                hash,
                secrets_version,
            }),
            Err(problems) => ClientMessage::Nack(Nack {
                version: self.version,
                hash,
                problems,
                kept_hash: applied.map(|(hash, _)| hash),
                kept_secrets_version: secrets_version,
            }),
        };
        Ok(stream.send(message).await?)
    }

    /// Keeps what is served now for a restart.
    async fn keep(&self) {
        let folder = self.settings.state_dir.clone();
        let last_good = LastGood {
            payload: self.payload.clone(),
            secrets: (*self.secrets).clone(),
            context: self.pod.clone(),
        };
        let written =
            tokio::task::spawn_blocking(move || last_good::write(&folder, &last_good)).await;
        if let Ok(Err(error)) = written {
            tracing::error!(
                error = describe(&error),
                "the snapshot cannot be kept for a restart"
            );
        }
    }
}

async fn read(path: &PathBuf) -> Result<String, StreamEnd> {
    tokio::fs::read_to_string(path)
        .await
        .map_err(|source| StreamEnd::Read {
            path: path.clone(),
            source,
        })
}
