//! Whether what stands at addresses in requests is fetched, from whom, and how much of it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Millis, is_default};

/// How images and documents are fetched that a client gives by their address and a provider wants here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MediaFetch {
    /// From whom, each a [`HostPattern`]; at least one.
    pub hosts: Vec<String>,
    /// `http` is taken besides `https`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub plain_http: bool,
    /// Which addresses a host may have.
    #[serde(default, skip_serializing_if = "is_default")]
    pub addresses: Addresses,
    /// The most bytes of one image or document.
    pub max_bytes: u64,
    /// The most bytes of all of a request.
    pub max_total_bytes: u64,
    /// How many a request may have.
    pub max_items: u32,
    /// How long one may take, redirects included.
    pub timeout: Millis,
}

/// Which addresses may be dialled, each with those before it. Link-local and metadata addresses never.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Addresses {
    /// Those of the public internet.
    #[default]
    Public,
    /// Those of private networks.
    Private,
    /// Loopback.
    Local,
}

/// Bytes, for [`MediaFetch::max_total_bytes`] and below: what fits into the largest request body once it is base64.
pub const MAX_MEDIA_BYTES: u64 = 24 * 1024 * 1024;

/// For [`MediaFetch::max_items`].
pub const MAX_MEDIA_ITEMS: u32 = 100;

/// For [`MediaFetch::timeout`].
pub const MAX_MEDIA_TIMEOUT: Millis = Millis(120_000);

/// Hosts from which something is fetched: `*` (any), `*.example.com` (all below), or a name or address; each perhaps with
/// `:PORT`. Without one, the port of the scheme is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    name: Name,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Any,
    /// With its dot: `.example.com`.
    Below(String),
    Exactly(String),
}

/// Text that is no [`HostPattern`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0:?} is neither a host in lower case, nor *.example.com for all below, nor * for any; a port may follow, as in images.example.com:8443"
)]
pub struct InvalidHostPattern(pub String);

// === impl HostPattern ===

impl HostPattern {
    /// Reads a pattern.
    pub fn try_new(text: &str) -> Result<Self, InvalidHostPattern> {
        let invalid = || InvalidHostPattern(text.to_owned());
        let (name, port) = match text.split_once(':') {
            None => (text, None),
            Some((name, port)) => {
                let port: u16 = port.parse().map_err(|_| invalid())?;
                (name, Some(port).filter(|port| *port > 0))
            }
        };
        if text.contains(':') && port.is_none() {
            return Err(invalid());
        }
        let label = |label: &str| {
            let inner = label.bytes();
            let mut inner =
                inner.map(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            (1..=63).contains(&label.len())
                && inner.all(|fits| fits)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let host = |name: &str| name.len() <= 253 && name.split('.').all(label);
        let name = match name.strip_prefix('*') {
            Some("") => Name::Any,
            Some(rest) if rest.strip_prefix('.').is_some_and(host) => Name::Below(rest.to_owned()),
            None if host(name) => Name::Exactly(name.to_owned()),
            _ => return Err(invalid()),
        };
        Ok(Self { name, port })
    }

    /// Whether any host fits.
    pub fn is_any(&self) -> bool {
        self.name == Name::Any
    }

    /// Whether a host, as a parsed URL has it, fits at this port; `usual` is the port of the URL's scheme.
    pub fn matches(&self, host: &str, port: u16, usual: u16) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        port == self.port.unwrap_or(usual)
            && match &self.name {
                Name::Any => true,
                Name::Below(rest) => host.len() > rest.len() && host.ends_with(rest.as_str()),
                Name::Exactly(name) => host == name,
            }
    }
}

// === impl MediaFetch ===

impl MediaFetch {
    /// What a reader must obey.
    pub const FEATURE: &'static str = "media.fetch";

    /// What cannot be: the field, and why.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if self.hosts.is_empty() {
            problems.push(("hosts".to_owned(), "at least one is needed".to_owned()));
        }
        for (index, host) in self.hosts.iter().enumerate() {
            let field = format!("hosts[{index}]");
            match HostPattern::try_new(host) {
                Err(error) => problems.push((field, error.to_string())),
                Ok(pattern) if pattern.is_any() && self.addresses != Addresses::Public => {
                    let message = format!(
                        "{host:?} would open all private networks; name the hosts, or leave addresses at Public"
                    );
                    problems.push((field, message));
                }
                Ok(_) => {}
            }
        }
        let bounds = [
            ("maxBytes", self.max_bytes, self.max_total_bytes),
            ("maxTotalBytes", self.max_total_bytes, MAX_MEDIA_BYTES),
            ("maxItems", self.max_items.into(), MAX_MEDIA_ITEMS.into()),
            ("timeout", self.timeout.0, MAX_MEDIA_TIMEOUT.0),
        ];
        for (field, value, most) in bounds {
            if value == 0 || value > most {
                let message = format!("{value} is not between 1 and {most}");
                problems.push((field.to_owned(), message));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch() -> MediaFetch {
        MediaFetch {
            hosts: vec!["*.example.com".to_owned()],
            plain_http: false,
            addresses: Addresses::Public,
            max_bytes: 1,
            max_total_bytes: 2,
            max_items: 1,
            timeout: Millis(1),
        }
    }

    #[test]
    fn hosts_match_by_name_and_port() {
        for (pattern, host, port, fits) in [
            ("*", "anything.test", 443, true),
            ("*", "[2606:4700::1]", 443, true),
            ("*", "anything.test", 8443, false),
            ("*:8443", "anything.test", 8443, true),
            ("*.example.com", "a.example.com", 443, true),
            ("*.example.com", "a.b.example.com.", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("*.example.com", ".example.com", 443, false),
            ("*.example.com", "badexample.com", 443, false),
            ("*.example.com", "example.com.evil.test", 443, false),
            ("example.com", "example.com.", 443, true),
            ("example.com", "a.example.com", 443, false),
            ("example.com:444", "example.com", 443, false),
            ("10.0.0.5", "10.0.0.5", 443, true),
        ] {
            let found = HostPattern::try_new(pattern)
                .unwrap()
                .matches(host, port, 443);
            assert_eq!(found, fits, "{pattern} {host} {port}");
        }
        for wrong in [
            "",
            "*.",
            "*example.com",
            "a.*",
            "Example.com",
            "https://a",
            "a/b",
            "a:",
            "a:0",
            "a:x",
            "a:65536",
            "a b",
            "a..b",
            "-a",
            "[::1]",
            "user@a",
            "*.*.a",
        ] {
            assert!(HostPattern::try_new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_is_a_problem() {
        let fields = |fetch: &MediaFetch| {
            let problems = fetch.problems().into_iter();
            problems.map(|(field, _)| field).collect::<Vec<_>>()
        };
        assert!(fields(&fetch()).is_empty());
        let mut wrong = fetch();
        wrong.hosts = vec!["*:8443".to_owned(), "A".to_owned()];
        wrong.addresses = Addresses::Private;
        wrong.max_bytes = 3;
        wrong.max_items = MAX_MEDIA_ITEMS + 1;
        wrong.timeout = Millis(0);
        let expected = ["hosts[0]", "hosts[1]", "maxBytes", "maxItems", "timeout"];
        assert_eq!(fields(&wrong), expected);
        wrong.hosts.clear();
        wrong.max_total_bytes = MAX_MEDIA_BYTES + 1;
        assert_eq!(
            fields(&wrong),
            ["hosts", "maxTotalBytes", "maxItems", "timeout"]
        );
    }
}
