//! Process settings, fixed at start: raw flags and environment, then checked, every mistake at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use fkm_snapshot::SecretId;

use crate::network::NetworkSettings;
use crate::signin::ambient::Ambient;

/// Exit code for settings that cannot be used (`EX_USAGE` of sysexits).
pub const EXIT_USAGE: u8 = 64;

/// What of the environment is not a flag.
const NETWORK_HELP: &str = "Connections to providers follow the environment, unless a pool says otherwise:
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY  HTTP proxies, perhaps with user and password
  NO_PROXY                            hosts with their subdomains, addresses, networks, each perhaps with a port; or *
  SSL_CERT_FILE                       PEM file of CAs to trust instead of the built-in public ones
  FKM_EXTRA_CA_FILE                   PEM file of CAs to trust besides";

/// The data plane of Flux-Kontext-Max: routes the LLM calls of one pod.
#[derive(Clone, Debug, Parser)]
#[command(name = "fkm-sidecar", version, after_help = NETWORK_HELP)]
pub struct Args {
    /// Addresses for LLM traffic. Loopback only.
    #[arg(
        long,
        env = "FKM_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:4000,[::1]:4000"
    )]
    pub listen: Vec<SocketAddr>,
    /// Addresses for the config dump. Loopback only.
    #[arg(
        long,
        env = "FKM_ADMIN_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:4001,[::1]:4001"
    )]
    pub admin_listen: Vec<SocketAddr>,
    /// Address for /livez, /readyz and /metrics; the kubelet dials the pod IP.
    #[arg(long, env = "FKM_PROBE_LISTEN", default_value = "0.0.0.0:4002")]
    pub probe_listen: SocketAddr,
    /// Serve this snapshot file instead of asking an operator.
    #[arg(long, env = "FKM_SNAPSHOT", conflicts_with = "operator")]
    pub snapshot: Option<PathBuf>,
    /// A key for --snapshot: `NAMESPACE/SECRET/KEY=env:VARIABLE` or `NAMESPACE/SECRET/KEY=file:PATH`. Repeatable.
    #[arg(long = "secret", value_name = "ID=SOURCE", requires = "snapshot")]
    pub secrets: Vec<String>,
    /// The operator's push address, for example `https://fkm-operator.fkm-system.svc:9443`.
    #[arg(long, env = "FKM_OPERATOR")]
    pub operator: Option<String>,
    /// PEM file with the operator's CA.
    #[arg(long, env = "FKM_OPERATOR_CA", requires = "operator")]
    pub operator_ca: Option<PathBuf>,
    /// PEM text of the operator's CA, where it is not a file.
    #[arg(
        long,
        env = "FKM_OPERATOR_CA_PEM",
        requires = "operator",
        conflicts_with = "operator_ca",
        hide_env_values = true
    )]
    pub operator_ca_pem: Option<String>,
    /// The projected ServiceAccount token that is shown to the operator.
    #[arg(long, env = "FKM_TOKEN_FILE", default_value = "/var/run/fkm/token")]
    pub token_file: PathBuf,
    /// Folder (tmpfs) for the last-known-good snapshot and its keys.
    #[arg(long, env = "FKM_STATE_DIR", default_value = "/var/lib/fkm")]
    pub state_dir: PathBuf,
    /// This pod's name, for the operator.
    #[arg(long, env = "FKM_POD_NAME", default_value = "")]
    pub pod_name: String,
    /// This pod's namespace, for the operator.
    #[arg(long, env = "FKM_POD_NAMESPACE", default_value = "")]
    pub pod_namespace: String,
    /// This pod's uid, for the operator.
    #[arg(long, env = "FKM_POD_UID", default_value = "")]
    pub pod_uid: String,
    /// Seconds that running exchanges get to finish after SIGTERM.
    #[arg(long, env = "FKM_DRAIN_SECONDS", default_value_t = 25)]
    pub drain_seconds: u64,
    /// Worker threads; 0: as many as the cgroup's CPU limit gives, at most 4.
    #[arg(long, env = "FKM_WORKER_THREADS", default_value_t = 0)]
    pub worker_threads: usize,
    /// Log filter, for example `info` or `fkm_sidecar=debug`.
    #[arg(long, env = "FKM_LOG", default_value = "info")]
    pub log: String,
    /// Log format.
    #[arg(long, env = "FKM_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,
    /// Send traces to this OTLP gRPC endpoint.
    #[arg(long, env = "FKM_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// What the platform says of the pod's identity.
    #[command(flatten)]
    pub ambient: Ambient,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Settings that have been checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// LLM traffic; loopback.
    pub listen: Vec<SocketAddr>,
    /// Config dump; loopback.
    pub admin_listen: Vec<SocketAddr>,
    /// Probes and metrics.
    pub probe_listen: SocketAddr,
    /// Where snapshots come from.
    pub source: Source,
    /// How long running exchanges may take after SIGTERM.
    pub drain: Duration,
    /// What the platform says of the pod's identity.
    pub ambient: Ambient,
    /// How providers are reached.
    pub network: NetworkSettings,
}

/// Where snapshots come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// One file, read at start.
    File {
        /// The snapshot's payload.
        path: PathBuf,
        /// Where its keys are.
        secrets: BTreeMap<SecretId, SecretSource>,
    },
    /// Pushed by an operator.
    Push(PushSettings),
    /// Handed in by the same process (`fkm dev`).
    Embedded,
}

/// How to reach the operator, and as whom.
#[derive(Clone, Debug)]
pub struct PushSettings {
    /// `https://host:port`.
    pub endpoint: String,
    /// PEM of the operator's CA.
    pub ca: CaSource,
    /// The projected token.
    pub token_file: PathBuf,
    /// Last-known-good goes here.
    pub state_dir: PathBuf,
    /// This pod's name, namespace and uid.
    pub pod: [String; 3],
}

/// Where the operator's CA is.
#[derive(Clone, Debug)]
pub enum CaSource {
    /// In a file.
    File(PathBuf),
    /// Given as text.
    Pem(String),
}

/// Where a key is, outside a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In an environment variable.
    Env(String),
    /// In a file, without its trailing line break.
    File(PathBuf),
}

// === impl Args ===

impl Args {
    /// Checks everything; the error lists every mistake, a line each.
    pub fn validate(&self) -> Result<Settings, Vec<String>> {
        let mut mistakes = Vec::new();
        check_loopback("--listen", &self.listen, &mut mistakes);
        check_loopback("--admin-listen", &self.admin_listen, &mut mistakes);
        let source = match (&self.snapshot, &self.operator) {
            (Some(path), _) => Some(Source::File {
                path: path.clone(),
                secrets: parse_secrets(&self.secrets, &mut mistakes),
            }),
            (None, Some(endpoint)) => self.push(endpoint, &mut mistakes).map(Source::Push),
            (None, None) => {
                mistakes.push(
                    "one of --operator (FKM_OPERATOR) and --snapshot (FKM_SNAPSHOT) is needed"
                        .to_owned(),
                );
                None
            }
        };
        let network = NetworkSettings::from_environment(environment, &mut mistakes);
        match source {
            Some(source) if mistakes.is_empty() => Ok(Settings {
                listen: self.listen.clone(),
                admin_listen: self.admin_listen.clone(),
                probe_listen: self.probe_listen,
                source,
                drain: Duration::from_secs(self.drain_seconds),
                ambient: self.ambient.clone(),
                network,
            }),
            _ => Err(mistakes),
        }
    }

    fn push(&self, endpoint: &str, mistakes: &mut Vec<String>) -> Option<PushSettings> {
        if !endpoint.starts_with("https://") {
            mistakes.push(format!("--operator: {endpoint:?} must start with https://"));
        }
        for (flag, value) in [
            ("--pod-name (FKM_POD_NAME)", &self.pod_name),
            ("--pod-namespace (FKM_POD_NAMESPACE)", &self.pod_namespace),
            ("--pod-uid (FKM_POD_UID)", &self.pod_uid),
        ] {
            if value.is_empty() {
                mistakes.push(format!(
                    "{flag} is needed with --operator; give it by the downward API"
                ));
            }
        }
        let ca = match (&self.operator_ca, &self.operator_ca_pem) {
            (Some(path), _) => CaSource::File(path.clone()),
            (None, Some(pem)) => CaSource::Pem(pem.clone()),
            (None, None) => {
                mistakes.push("--operator-ca (FKM_OPERATOR_CA) or FKM_OPERATOR_CA_PEM is needed with --operator".to_owned());
                return None;
            }
        };
        Some(PushSettings {
            endpoint: endpoint.to_owned(),
            ca,
            token_file: self.token_file.clone(),
            state_dir: self.state_dir.clone(),
            pod: [
                self.pod_name.clone(),
                self.pod_namespace.clone(),
                self.pod_uid.clone(),
            ],
        })
    }
}

/// A variable of the environment, if it is set to text.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads settings from the environment"
)]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn check_loopback(flag: &str, addresses: &[SocketAddr], mistakes: &mut Vec<String>) {
    for address in addresses
        .iter()
        .filter(|address| !address.ip().is_loopback())
    {
        mistakes.push(format!(
            "{flag}: {address} is not a loopback address; only the pod itself may call"
        ));
    }
}

/// Reads `ID=env:VARIABLE` and `ID=file:PATH`, adding every mistake to the list.
pub fn parse_secrets(
    given: &[String],
    mistakes: &mut Vec<String>,
) -> BTreeMap<SecretId, SecretSource> {
    let mut secrets = BTreeMap::new();
    for text in given {
        match parse_secret(text) {
            Some((id, source)) => drop(secrets.insert(id, source)),
            // What follows the name may be a key that was given by mistake.
            None => mistakes.push(format!(
                "--secret {:?}: the form is NAMESPACE/SECRET/KEY=env:VARIABLE or NAMESPACE/SECRET/KEY=file:PATH",
                text.split_once('=').map_or("(without =)", |(id, _)| id)
            )),
        }
    }
    secrets
}

fn parse_secret(text: &str) -> Option<(SecretId, SecretSource)> {
    let (id, source) = text.split_once('=')?;
    let source = match source.split_once(':')? {
        ("env", name) if !name.is_empty() => SecretSource::Env(name.to_owned()),
        ("file", path) if !path.is_empty() => SecretSource::File(PathBuf::from(path)),
        _ => return None,
    };
    let parts: Vec<&str> = id.split('/').collect();
    match parts[..] {
        [namespace, secret, key] if parts.iter().all(|part| !part.is_empty()) => {
            Some((SecretId::new(namespace, secret, key), source))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Args {
        Args::try_parse_from(std::iter::once("fkm-sidecar").chain(words.iter().copied())).unwrap()
    }

    #[test]
    fn every_mistake_is_listed() {
        let mistakes = args(&["--listen", "10.0.0.1:1", "--operator", "http://x"])
            .validate()
            .unwrap_err();
        let all = mistakes.join("\n");
        for part in [
            "10.0.0.1:1",
            "https://",
            "FKM_POD_NAME",
            "FKM_POD_UID",
            "FKM_OPERATOR_CA",
        ] {
            assert!(all.contains(part), "{part} not in {all}");
        }
    }

    #[test]
    fn secrets_are_read_and_wrong_ones_refused() {
        let mut mistakes = Vec::new();
        let given = [
            "a/b/c=env:X",
            "a/b/d=file:/x/y",
            "a/b=env:X",
            "a/b/c=vault:x",
        ]
        .map(str::to_owned);
        let secrets = parse_secrets(&given, &mut mistakes);
        assert_eq!(
            secrets[&SecretId::new("a", "b", "c")],
            SecretSource::Env("X".to_owned())
        );
        assert_eq!(
            secrets[&SecretId::new("a", "b", "d")],
            SecretSource::File("/x/y".into())
        );
        assert_eq!(mistakes.len(), 2);
        let mut mistakes = Vec::new();
        parse_secrets(
            &["a/b/c=sk-key".to_owned(), "sk-key".to_owned()],
            &mut mistakes,
        );
        assert_eq!(mistakes.len(), 2);
        assert!(!mistakes.concat().contains("sk-key"), "{mistakes:?}");
    }
}
