//! A sidecar as far as the operator can tell: a real token, the real client, honest or dishonest answers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use fkm_operator::push::{CA_SECRET, TOKEN_AUDIENCE};
use fkm_push::{
    Ack, Client, ClientMessage, ClientSettings, ConnectError, Hello, Nack, PodIdentity, PushStream,
    ServerMessage, SnapshotMessage,
};
use fkm_snapshot::{PodContext, Problem, SecretId, Secrets, SnapshotHash, ValidSnapshot};
use fkm_tests::PodToken;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::{Api, ResourceExt};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::objects::uid;
use crate::world::{SHOP, SYSTEM, World};

/// Longer than any delivery takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Sidecar {
    stream: PushStream,
    pub(crate) held: Held,
}

/// What a sidecar keeps, also across its own restart and the operator's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) context: PodContext,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) snapshot: Option<ValidSnapshot>,
    version: u64,
}

// === impl Sidecar ===

impl Sidecar {
    /// Connects as the pod, holding nothing.
    pub(crate) async fn connect(world: &World, pod: &Pod) -> Result<Self> {
        Self::connect_with(world, pod, Held::default()).await
    }

    /// Connects as the pod, holding this.
    pub(crate) async fn connect_with(world: &World, pod: &Pod, held: Held) -> Result<Self> {
        let hello = hello(pod, &held);
        Ok(Self {
            stream: open(world, &token(world, pod).await?, hello).await?,
            held,
        })
    }

    /// Takes the next delivery, and says so.
    pub(crate) async fn take(&mut self) -> Result<()> {
        let refused = self.receive().await?;
        ensure!(refused.is_none(), "{refused:?}");
        self.ack().await
    }

    /// Takes deliveries until what is held is as wanted.
    pub(crate) async fn take_until(&mut self, wanted: impl Fn(&Held) -> bool) -> Result<()> {
        while !wanted(&self.held) {
            self.take().await?;
        }
        Ok(())
    }

    /// Refuses the next snapshot for this problem.
    pub(crate) async fn refuse(&mut self, problem: Problem) -> Result<()> {
        let kept = self.held.clone();
        let refused = self.receive().await?;
        ensure!(refused.is_none(), "{refused:?}");
        let hash = self.held.hash().context("nothing was sent")?;
        let version = self.held.version;
        self.held = Held { version, ..kept };
        let nack = Nack {
            version,
            hash,
            problems: vec![problem],
            kept_hash: self.held.hash(),
            kept_secrets_version: self.held.secrets.version.clone(),
        };
        Ok(self.stream.send(ClientMessage::Nack(nack)).await?)
    }

    /// Why the operator ends the stream.
    pub(crate) async fn ended(&mut self) -> Result<String> {
        loop {
            match timeout(PATIENCE, self.stream.receive()).await {
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return Ok(String::new()),
                Ok(Err(error)) => return Ok(error.to_string()),
                Err(_) => bail!("the stream is still open"),
            }
        }
    }

    /// Fails when keys or a snapshot come within a while.
    pub(crate) async fn is_quiet(&mut self) -> Result<()> {
        let delivery = async {
            while let Some(ServerMessage::Context(_)) = self.stream.receive().await? {}
            anyhow::Ok(())
        };
        match timeout(Duration::from_millis(700), delivery).await {
            Err(_) => Ok(()),
            Ok(Ok(())) => bail!("a delivery, or the end of the stream"),
            Ok(Err(error)) => Err(error.context("the stream ended")),
        }
    }

    async fn ack(&mut self) -> Result<()> {
        let hash = self.held.hash().context("nothing is held")?;
        let ack = Ack {
            version: self.held.version,
            hash,
            secrets_version: self.held.secrets.version.clone(),
        };
        Ok(self.stream.send(ClientMessage::Ack(ack)).await?)
    }

    /// One delivery: keys, a snapshot, or both.
    async fn receive(&mut self) -> Result<Option<Vec<Problem>>> {
        loop {
            let message = timeout(PATIENCE, self.stream.receive())
                .await
                .context("nothing comes")??;
            match message.context("the operator ended the stream")? {
                ServerMessage::Context(context) => self.held.context = context,
                ServerMessage::Secrets(message) => {
                    self.held.secrets = message.secrets;
                    if !message.snapshot_follows {
                        return Ok(None);
                    }
                }
                ServerMessage::Snapshot(message) => return Ok(self.open(&message).err()),
            }
        }
    }

    fn open(&mut self, message: &SnapshotMessage) -> Result<(), Vec<Problem>> {
        self.held.version = message.version;
        let snapshot = message.open()?.snapshot;
        let missing = fkm_push::missing_secrets(&snapshot, &self.held.secrets);
        self.held.snapshot = Some(snapshot);
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing)
        }
    }
}

// === impl Held ===

impl Held {
    pub(crate) fn hash(&self) -> Option<SnapshotHash> {
        self.snapshot.as_ref().map(ValidSnapshot::hash)
    }

    /// The names of the rules.
    pub(crate) fn rules(&self) -> Vec<&str> {
        let rules = self
            .snapshot
            .iter()
            .flat_map(|snapshot| &snapshot.get().rules);
        rules.map(|rule| rule.name.as_str()).collect()
    }

    /// Why rules cannot be answered, of those that cannot.
    pub(crate) fn unavailable(&self) -> Vec<(&str, &str)> {
        let rules = self
            .snapshot
            .iter()
            .flat_map(|snapshot| &snapshot.get().rules);
        let rules = rules.filter(|rule| !rule.unavailable.is_empty());
        rules
            .map(|rule| (rule.name.as_str(), rule.unavailable.as_str()))
            .collect()
    }

    /// The names of the providers in the pool.
    pub(crate) fn providers(&self) -> Vec<&str> {
        let pools = self
            .snapshot
            .iter()
            .flat_map(|snapshot| snapshot.get().pools.values());
        pools
            .flat_map(|pool| &pool.providers)
            .map(|provider| provider.name.as_str())
            .collect()
    }

    /// The value of the pool's key.
    pub(crate) fn key(&self) -> Option<&str> {
        let key = self
            .secrets
            .entries
            .get(&SecretId::new(SYSTEM, "llm-key", "apiKey"));
        key.map(ExposeSecret::expose_secret)
    }
}

pub(crate) fn hello(pod: &Pod, held: &Held) -> Hello {
    Hello {
        pod: PodIdentity {
            namespace: SHOP.to_owned(),
            name: pod.name_any(),
            uid: uid(pod),
        },
        sidecar_version: "0.1.0".to_owned(),
        applied_hash: held.hash(),
        applied_secrets_version: held.secrets.version.clone(),
        ..Hello::default()
    }
}

/// The token that the pod's sidecar finds in its volume.
pub(crate) async fn token(world: &World, pod: &Pod) -> Result<SecretString> {
    let wanted = PodToken {
        namespace: SHOP,
        service_account: "default",
        pod_name: &pod.name_any(),
        pod_uid: &uid(pod),
        audience: TOKEN_AUDIENCE,
        expiry_seconds: 600,
    };
    Ok(world.cluster.pod_token(wanted).await?.into())
}

/// Opens a stream; the CA is what the operator has put into its Secret.
pub(crate) async fn open(world: &World, token: &SecretString, hello: Hello) -> Result<PushStream> {
    open_at(world, world.push_endpoint()?, token, hello).await
}

/// The same at another address.
pub(crate) async fn open_at(
    world: &World,
    endpoint: String,
    token: &SecretString,
    hello: Hello,
) -> Result<PushStream> {
    let secrets: Api<Secret> = Api::namespaced(world.admin.clone(), SYSTEM);
    let data = secrets
        .get(CA_SECRET)
        .await?
        .data
        .context("the CA's Secret is empty")?;
    let ca = data
        .get("tls.crt")
        .context("no certificate in the CA's Secret")?;
    let settings = ClientSettings {
        endpoint,
        ca_pem: String::from_utf8(ca.0.clone())?,
        server_name: Some(format!("fkm-operator.{SYSTEM}.svc")),
    };
    Ok(Client::connect(&settings).await?.open(token, hello).await?)
}

/// Why a stream is refused: at once, or with its first message.
pub(crate) async fn refusal(opened: Result<PushStream>) -> Result<String> {
    let mut stream = match opened {
        Err(error) => return Ok(error.downcast::<ConnectError>()?.to_string()),
        Ok(stream) => stream,
    };
    match timeout(PATIENCE, stream.receive())
        .await
        .context("no refusal")?
    {
        Err(error) => Ok(error.to_string()),
        Ok(_) => bail!("something was sent"),
    }
}
