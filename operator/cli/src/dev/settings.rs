//! The arguments of `fkm dev`, checked: every mistake at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use fkm_sidecar::args::{Settings as Sidecar, Source, environment, parse_secrets};
use fkm_sidecar::network::NetworkSettings;
use fkm_sidecar::snapshot_source::file::read_secrets;
use fkm_snapshot::SecretId;
use secrecy::{ExposeSecret, SecretString};

use crate::args::DevArgs;
use crate::manifests::usable_key;

/// What running answers get after a signal. Short: somebody pressed Ctrl-C and waits.
const DRAIN: Duration = Duration::from_secs(5);

/// The namespace of a pod and of objects that name none.
const NAMESPACE: &str = "default";

/// Settings that have been checked.
#[derive(Debug)]
pub(super) struct Settings {
    /// Where the manifests are.
    pub(super) folder: PathBuf,
    /// The namespace of objects that name none.
    pub(super) namespace: String,
    /// Which pod to be; `None`: one that every route selects.
    pub(super) pod: Option<Pod>,
    /// Keys that are not in the folder.
    pub(super) secrets: BTreeMap<SecretId, SecretString>,
    /// Of the data plane.
    pub(super) sidecar: Sidecar,
}

/// What routes select by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pod {
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
}

/// Checks everything; adds every mistake to the list. `Some` is good only without mistakes.
pub(super) fn check(args: &DevArgs, mistakes: &mut Vec<String>) -> Option<Settings> {
    if !args.folder.is_dir() {
        mistakes.push(format!("{} is not a folder", args.folder.display()));
    }
    check_loopback("--listen", &args.listen, mistakes);
    check_loopback("--admin-listen", &args.admin_listen, mistakes);
    let namespace = args.namespace.as_deref().unwrap_or(NAMESPACE);
    if !is_dns_label(namespace) {
        mistakes.push(format!(
            "--namespace: {namespace:?} is no namespace: use at most 63 lower-case letters, digits and '-'"
        ));
    }
    let labels = labels(&args.labels, mistakes);
    let secrets = secrets(args, mistakes);
    let network = NetworkSettings::from_environment(environment, mistakes);
    let is_pod = args.namespace.is_some() || !args.labels.is_empty();
    mistakes.is_empty().then(|| Settings {
        folder: args.folder.clone(),
        namespace: namespace.to_owned(),
        pod: is_pod.then(|| Pod {
            namespace: namespace.to_owned(),
            labels,
        }),
        secrets,
        sidecar: Sidecar {
            listen: args.listen.clone(),
            admin_listen: args.admin_listen.clone(),
            probe_listen: args.probe_listen,
            source: Source::Embedded,
            drain: DRAIN,
            ambient: args.ambient.clone(),
            network,
        },
    })
}

fn check_loopback(flag: &str, addresses: &[SocketAddr], mistakes: &mut Vec<String>) {
    let foreign = addresses
        .iter()
        .filter(|address| !address.ip().is_loopback());
    for address in foreign {
        mistakes.push(format!(
            "{flag}: {address} is not a loopback address; use 127.0.0.1 or [::1]"
        ));
    }
}

fn labels(given: &[String], mistakes: &mut Vec<String>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for text in given {
        match text.split_once('=') {
            Some((key, value)) if is_label_key(key) && is_label_value(value) => {
                if labels.insert(key.to_owned(), value.to_owned()).is_some() {
                    mistakes.push(format!("--labels: {key:?} stands twice; give it one value"));
                }
            }
            _ => mistakes.push(format!(
                "--labels: {text:?} must be KEY=VALUE as on a pod, for example app=shop"
            )),
        }
    }
    labels
}

/// Reads each key by itself, so that every missing one is told.
fn secrets(args: &DevArgs, mistakes: &mut Vec<String>) -> BTreeMap<SecretId, SecretString> {
    let mut secrets = BTreeMap::new();
    for (id, source) in parse_secrets(&args.secrets, mistakes) {
        match read_secrets(&BTreeMap::from([(id, source)])) {
            Ok(read) => {
                for (id, value) in read.entries {
                    match usable_key(value.expose_secret()) {
                        Some(value) => drop(secrets.insert(id, value)),
                        None => {
                            mistakes.push(format!("--secret: {id} must be text, and not empty"));
                        }
                    }
                }
            }
            Err(error) => mistakes.push(format!("--secret: {:#}", anyhow::Error::from(error))),
        }
    }
    secrets
}

fn is_dns_label(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// `name`, or `prefix/name` with a DNS name before the slash.
fn is_label_key(text: &str) -> bool {
    let (prefix, name) = text
        .split_once('/')
        .map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let good_prefix = |prefix: &str| prefix.len() <= 253 && prefix.split('.').all(is_dns_label);
    !name.is_empty() && is_label_value(name) && prefix.is_none_or(good_prefix)
}

fn is_label_value(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    let ends = [text.bytes().next(), text.bytes().last()];
    let good_end = |end: &u8| end.is_ascii_alphanumeric();
    text.len() <= 63 && text.bytes().all(inner) && ends.iter().flatten().all(good_end)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn checked(words: &[&str]) -> (Option<Settings>, Vec<String>) {
        let args = Args::try_parse_from(["fkm", "dev"].iter().chain(words)).unwrap();
        let Command::Dev(args) = args.command else {
            panic!("{args:?}");
        };
        let mut mistakes = Vec::new();
        (check(&args, &mut mistakes), mistakes)
    }

    #[test]
    fn a_pod_is_what_was_given() {
        let (settings, _) = checked(&["/"]);
        assert_eq!(settings.unwrap().pod, None);
        let (settings, _) = checked(&["/", "--labels", "app=shop,example.com/tier=", "-l", "a=b"]);
        let pod = settings.unwrap().pod.unwrap();
        assert_eq!(pod.namespace, "default");
        assert_eq!(pod.labels["example.com/tier"], "");
        assert_eq!(pod.labels.len(), 3);
        let (settings, _) = checked(&["/", "--namespace", "shop"]);
        let settings = settings.unwrap();
        assert_eq!(
            (
                settings.namespace.as_str(),
                settings.pod.unwrap().labels.len()
            ),
            ("shop", 0)
        );
    }

    #[test]
    fn every_mistake_is_told() {
        let (settings, mistakes) = checked(&[
            "/nowhere",
            "--listen",
            "10.0.0.1:1,127.0.0.1:0",
            "--admin-listen",
            "0.0.0.0:1",
            "--namespace",
            "Shop",
            "--labels",
            "app,app=-x,a=1,a=2",
            "--secret",
            "a/b=env:X",
            "--secret",
            "a/b/c=env:NOT_SET_ANYWHERE",
            "--secret",
            "a/b/d=file:/nowhere/key",
            "--secret",
            "a/b/e=file:/dev/null",
        ]);
        assert!(settings.is_none());
        let starts = [
            "/nowhere is not a folder",
            "--listen: 10.0.0.1:1",
            "--admin-listen: 0.0.0.0:1",
            "--namespace: \"Shop\"",
            "--labels: \"app\"",
            "--labels: \"app=-x\"",
            "--labels: \"a\" stands twice",
            "--secret \"a/b\": the form is",
            "--secret: secret a/b/c: environment variable NOT_SET_ANYWHERE",
            "--secret: secret a/b/d: cannot read file \"/nowhere/key\": No such file",
            "--secret: a/b/e must be text",
        ];
        assert_eq!(mistakes.len(), starts.len(), "{mistakes:#?}");
        for (mistake, start) in mistakes.iter().zip(starts) {
            assert!(mistake.starts_with(start), "{start}: {mistakes:#?}");
        }
    }
}
