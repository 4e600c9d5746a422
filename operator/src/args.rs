//! The settings of the process: read once, here, from flags and `FKM_…` variables.
//!
//! [`Args`] is what was written, [`Settings`] what it means. All mistakes are reported at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use clap::Parser;
use fkm_telemetry::logs::LogFormat;
use secrecy::SecretString;
use thiserror::Error;

use crate::push::JudgeSettings;

/// The exit code of a process whose settings are wrong (`EX_USAGE`).
pub const EXIT_USAGE: u8 = 64;

/// Where the operator keeps what is its own, when nothing else is said.
const DEFAULT_NAMESPACE: &str = "fkm-system";
/// All interfaces: sidecars of every node connect.
const DEFAULT_PUSH_ADDRESS: &str = "0.0.0.0:9443";
/// All interfaces: the kubelet and Prometheus dial the pod IP.
const DEFAULT_ADMIN_ADDRESS: &str = "0.0.0.0:8080";
/// Without the client: it logs every failed call as an error, which whoever made the call judges and logs anyway.
const DEFAULT_LOG: &str = "info,kube_client=off";

/// The control plane of Flux-Kontext-Max.
#[derive(Clone, Debug, Parser)]
#[command(name = "fkm-operator", version)]
pub struct Args {
    /// The operator's own namespace: its CA and its revisions are kept there.
    #[arg(long, env = "FKM_NAMESPACE", default_value = DEFAULT_NAMESPACE)]
    pub namespace: String,

    /// Namespaces whose ProviderPools, Secrets and ConfigMaps are read, separated by commas. Default: its own.
    #[arg(long, env = "FKM_POOL_NAMESPACES", value_delimiter = ',')]
    pub pool_namespaces: Vec<String>,

    /// Images that may run as the sidecar, separated by commas, as they stand in pods: a pod with another one gets no keys.
    #[arg(long, env = "FKM_SIDECAR_IMAGES", value_delimiter = ',')]
    pub sidecar_images: Vec<String>,

    /// Variables that pods may give the sidecar to lead its connections, as NAME=VALUE, separated by semicolons: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`, `FKM_EXTRA_CA_FILE`. A pod with another value gets no keys; with `SSL_CERT_FILE` or `FKM_EXTRA_CA_FILE`, whoever writes a pod can say whom it trusts.
    #[arg(
        long,
        env = "FKM_SIDECAR_ENVIRONMENT",
        value_delimiter = ';',
        hide_env_values = true
    )]
    pub sidecar_environment: Vec<String>,

    /// Where sidecars connect, TLS.
    #[arg(long, env = "FKM_PUSH_ADDRESS", default_value = DEFAULT_PUSH_ADDRESS)]
    pub push_address: String,

    /// Where `/livez`, `/readyz` and `/metrics` answer, plain HTTP.
    #[arg(long, env = "FKM_ADMIN_ADDRESS", default_value = DEFAULT_ADMIN_ADDRESS)]
    pub admin_address: String,

    /// More names or addresses for the push certificate, separated by commas, beside those of its Service.
    #[arg(long, env = "FKM_EXTRA_SANS", value_delimiter = ',')]
    pub extra_sans: Vec<String>,

    /// What is logged, as `tracing` filter directives: `info`, `info,fkm_operator=debug`.
    #[arg(long, env = "FKM_LOG", default_value = DEFAULT_LOG)]
    pub log: String,

    /// How log lines look.
    #[arg(long, env = "FKM_LOG_FORMAT", value_parser = parse_format, default_value = "auto")]
    pub log_format: LogFormat,

    /// The OTLP gRPC endpoint that spans are sent to, for example `http://collector:4317`. Omitted: none are sent.
    #[arg(long, env = "FKM_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

/// Settings that can be used as they are.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The operator's own namespace.
    pub namespace: String,
    /// Where pools live. Never empty.
    pub pool_namespaces: BTreeSet<String>,
    /// Knows the images that may be the sidecar.
    pub judge: JudgeSettings,
    /// Where sidecars connect.
    pub push_address: SocketAddr,
    /// Where probes and metrics are.
    pub admin_address: SocketAddr,
    /// Additional names and addresses of the push certificate.
    pub extra_sans: BTreeSet<String>,
}

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting {
    name: &'static str,
    value: String,
    fix: String,
}

/// Every setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct InvalidSettings(pub Vec<InvalidSetting>);

// === impl Settings ===

impl TryFrom<&Args> for Settings {
    type Error = InvalidSettings;

    fn try_from(args: &Args) -> Result<Self, InvalidSettings> {
        let mut invalid = Vec::new();
        let namespace = args.namespace.trim().to_owned();
        if !is_dns_label(&namespace) {
            invalid.push(InvalidSetting::new("namespace", &namespace, NAMESPACE_FIX));
        }
        let mut pool_namespaces = list(&args.pool_namespaces);
        for wrong in pool_namespaces.iter().filter(|name| !is_dns_label(name)) {
            invalid.push(InvalidSetting::new("pool-namespaces", wrong, NAMESPACE_FIX));
        }
        if pool_namespaces.is_empty() {
            pool_namespaces.insert(namespace.clone());
        }
        let sidecar_images = list(&args.sidecar_images);
        if sidecar_images.is_empty() {
            let fix =
                "name at least one image; without one no pod could ever be trusted with a key";
            invalid.push(InvalidSetting::new("sidecar-images", "", fix));
        }
        for (image, error) in sidecar_images
            .iter()
            .filter_map(|image| Some((image, is_image(image).err()?)))
        {
            invalid.push(InvalidSetting::new("sidecar-images", image, error));
        }
        let sidecar_environment = variables(&args.sidecar_environment, &mut invalid);
        let push_address = address("push-address", &args.push_address, &mut invalid);
        let admin_address = address("admin-address", &args.admin_address, &mut invalid);
        let extra_sans = list(&args.extra_sans);
        for wrong in extra_sans.iter().filter(|san| !is_san(san)) {
            let fix = "give a DNS name or an IP address";
            invalid.push(InvalidSetting::new("extra-sans", wrong, fix));
        }
        match (push_address, admin_address) {
            (Some(push_address), Some(admin_address)) if invalid.is_empty() => Ok(Self {
                namespace,
                pool_namespaces,
                judge: JudgeSettings::try_new(sidecar_images.iter().map(String::as_str))
                    .expect("each was tried alone before")
                    .with_environment(sidecar_environment),
                push_address,
                admin_address,
                extra_sans,
            }),
            _ => Err(InvalidSettings(invalid)),
        }
    }
}

// === impl InvalidSetting ===

impl InvalidSetting {
    fn new(name: &'static str, value: &str, fix: impl Into<String>) -> Self {
        Self {
            name,
            value: value.to_owned(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, fix } = self;
        let variable = name.to_uppercase().replace('-', "_");
        write!(f, "--{name} (FKM_{variable}): {value:?}: {fix}")
    }
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrong settings:")?;
        self.0
            .iter()
            .try_for_each(|setting| write!(f, "\n  {setting}"))
    }
}

const NAMESPACE_FIX: &str =
    "give the name of a namespace: at most 63 of a-z, 0-9 and -, no - at either end";

/// The entries, trimmed, without empty ones: `a, b,` is two.
fn list(entries: &[String]) -> BTreeSet<String> {
    let entries = entries.iter().map(|entry| entry.trim());
    entries
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

fn address(
    name: &'static str,
    value: &str,
    invalid: &mut Vec<InvalidSetting>,
) -> Option<SocketAddr> {
    let parsed = value.trim().parse().ok();
    if parsed.is_none() {
        invalid.push(InvalidSetting::new(
            name,
            value,
            "give an IP address and a port, for example 0.0.0.0:9443",
        ));
    }
    parsed
}

fn is_dns_label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn is_image(image: &str) -> Result<(), String> {
    if !image.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("give the image as pods name it, without white space".to_owned());
    }
    JudgeSettings::try_new([image])
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// Reads `NAME=VALUE`. A wrong one is told without its value, which may hold a password.
fn variables(
    given: &[String],
    invalid: &mut Vec<InvalidSetting>,
) -> BTreeMap<String, SecretString> {
    let mut variables = BTreeMap::new();
    for text in given.iter().map(|text| text.trim()) {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.contains("$(") => {
                variables.insert(name.to_owned(), SecretString::from(value));
            }
            None if text.is_empty() => {}
            other => {
                let name = other.map_or("(without =)", |(name, _)| name);
                let fix = "write NAME=VALUE, where the value has no $(…)";
                invalid.push(InvalidSetting::new("sidecar-environment", name, fix));
            }
        }
    }
    variables
}

fn parse_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "auto" => Ok(LogFormat::Auto),
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        _ => Err("give auto, json or text".to_owned()),
    }
}

fn is_san(san: &str) -> bool {
    san.parse::<IpAddr>().is_ok() || (san.len() <= 253 && san.split('.').all(is_dns_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Settings, InvalidSettings> {
        let args = Args::try_parse_from([&["fkm-operator"], args].concat()).unwrap();
        Settings::try_from(&args)
    }

    #[test]
    fn defaults_need_only_the_image() {
        let settings = parse(&["--sidecar-images", "registry.example/fkm-sidecar:1"]).unwrap();
        assert_eq!(settings.namespace, DEFAULT_NAMESPACE);
        assert_eq!(
            settings.pool_namespaces,
            BTreeSet::from([DEFAULT_NAMESPACE.to_owned()])
        );
        assert_eq!(settings.push_address.port(), 9443);
        assert_eq!(settings.admin_address.port(), 8080);
    }

    #[test]
    fn lists_are_trimmed() {
        let settings = parse(&[
            "--sidecar-images",
            "a, b,",
            "--pool-namespaces",
            " llm ,models",
        ])
        .unwrap();
        assert_eq!(
            settings.pool_namespaces,
            BTreeSet::from(["llm".to_owned(), "models".to_owned()])
        );
    }

    #[test]
    fn variables_of_the_sidecar_are_read_and_their_values_never_told() {
        let given = "HTTPS_PROXY=http://u:hunter2@p:1; NO_PROXY=.svc,10.0.0.0/8";
        let images = "--sidecar-images=a:1";
        let settings = parse(&[images, "--sidecar-environment", given]).unwrap();
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("NO_PROXY") && !shown.contains("hunter2"),
            "{shown}"
        );
        let wrong = "HTTP_PROXY=hunter2$(X);hunter2";
        let wrong = parse(&[images, "--sidecar-environment", wrong]).unwrap_err();
        assert_eq!(wrong.0.len(), 2);
        assert!(!wrong.to_string().contains("hunter2"), "{wrong}");
    }

    #[test]
    fn an_image_pattern_must_name_its_repository() {
        let InvalidSettings(invalid) =
            parse(&["--sidecar-images", "good:1,registry.example/*,two words"]).unwrap_err();
        let values: Vec<_> = invalid
            .iter()
            .map(|setting| setting.value.as_str())
            .collect();
        assert_eq!(values, ["registry.example/*", "two words"]);
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let wrong = [
            "--namespace=Fkm",
            "--pool-namespaces=a,b_c",
            "--push-address=9443",
            "--extra-sans=-x",
        ];
        let InvalidSettings(invalid) = parse(&wrong).unwrap_err();
        let names: Vec<_> = invalid.iter().map(|setting| setting.name).collect();
        assert_eq!(
            names,
            [
                "namespace",
                "pool-namespaces",
                "sidecar-images",
                "push-address",
                "extra-sans"
            ]
        );
        let message = InvalidSettings(invalid).to_string();
        assert!(
            message.contains("--pool-namespaces (FKM_POOL_NAMESPACES): \"b_c\""),
            "{message}"
        );
    }
}
