//! How this process reaches the outside: proxies and trust from its environment, names from a resolver.
//!
//! The names of the variables, and what they mean, are those of curl, Go and OpenSSL. A pool's provider may say otherwise
//! for itself.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// Settings for every connection to providers. The default: no proxy, the public roots, the system's resolver.
#[derive(Clone, Debug, Default)]
pub struct NetworkSettings {
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.
    pub proxies: Proxies,
    /// `SSL_CERT_FILE`: PEM file to trust instead of the built-in public roots.
    pub roots: Option<PathBuf>,
    /// `FKM_EXTRA_CA_FILE`: PEM file to trust besides.
    pub extra_roots: Option<PathBuf>,
    /// Who looks names up.
    pub resolver: Resolver,
}

/// The proxies of the environment. `Debug` hides their URLs, which may hold passwords.
#[derive(Clone, Default)]
pub struct Proxies {
    https: Option<SecretString>,
    http: Option<SecretString>,
    /// `NO_PROXY`: hosts with their subdomains, addresses, networks, `*`; each perhaps with a port.
    bypass: String,
}

/// Who looks names up. Whatever it finds passes the address rule.
#[derive(Clone, Default)]
pub enum Resolver {
    /// The system's.
    #[default]
    System,
    /// A function: the addresses of a name, none where it does not exist. Asked anew for every connection.
    Function(Arc<LookUp>),
}

/// The addresses of a name.
pub type LookUp = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

// === impl NetworkSettings ===

impl NetworkSettings {
    /// Reads the variables, each in capitals first; adds every mistake to the list, without its value.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        mistakes: &mut Vec<String>,
    ) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        Self {
            proxies: Proxies::from_environment(variable, mistakes),
            roots: variable("SSL_CERT_FILE").map(PathBuf::from),
            extra_roots: variable("FKM_EXTRA_CA_FILE").map(PathBuf::from),
            resolver: Resolver::System,
        }
    }
}

// === impl Proxies ===

impl Proxies {
    fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
        mistakes: &mut Vec<String>,
    ) -> Self {
        let either =
            |upper: &'static str| variable(upper).or_else(|| variable(&upper.to_ascii_lowercase()));
        let mut proxy = |name: &'static str| {
            let url = either(name)?;
            if intercept(&url).is_none() {
                mistakes.push(format!("{name} {}", refusal(&url)));
            }
            Some(SecretString::from(url))
        };
        let all = proxy("ALL_PROXY");
        Self {
            https: proxy("HTTPS_PROXY").or_else(|| all.clone()),
            http: proxy("HTTP_PROXY").or(all),
            bypass: bypass(either("NO_PROXY"), mistakes),
        }
    }

    /// The proxy on the way to `url`. What is inside the pod has none.
    pub(crate) fn for_url(&self, url: &Url) -> Option<Intercept> {
        let proxy = match url.scheme() {
            "https" => self.https.as_ref()?,
            _ => self.http.as_ref()?,
        };
        if is_loopback(&url.host()?) {
            return None;
        }
        let port = url.port_or_known_default()?;
        let matcher = Matcher::builder()
            .all(proxy.expose_secret())
            .no(bypass_at(&self.bypass, port))
            .build();
        let host = url.host_str()?.trim_end_matches('.');
        matcher.intercept(&format!("{}://{host}", url.scheme()).parse().ok()?)
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies")
            .field("https", &self.https.is_some())
            .field("http", &self.http.is_some())
            .field("bypass", &self.bypass)
            .finish()
    }
}

/// The HTTP proxy at `url`; `None`: it is no URL of one.
pub(crate) fn intercept(url: &str) -> Option<Intercept> {
    let any = http::Uri::from_static("https://a");
    let found = Matcher::builder().all(url.trim()).build().intercept(&any)?;
    let is_http = matches!(found.uri().scheme_str(), Some("http" | "https"));
    is_http.then_some(found)
}

/// Why the text is no URL of a proxy, without the text: it may hold a password.
fn refusal(url: &str) -> String {
    const EXAMPLE: &str = "http://proxy.example.com:3128";
    let scheme = url.trim().split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some(socks) if socks.to_ascii_lowercase().starts_with("socks") => format!(
            "is the URL of a SOCKS proxy, which is not spoken here; name an HTTP proxy that takes CONNECT, for example {EXAMPLE}"
        ),
        _ => format!("is not the URL of an HTTP proxy; write for example {EXAMPLE}"),
    }
}

/// `NO_PROXY`; adds a mistake for every entry that could never hold.
fn bypass(given: Option<String>, mistakes: &mut Vec<String>) -> String {
    let bypass = given.unwrap_or_default();
    for entry in entries(&bypass) {
        if let Err(why) = check_entry(entry) {
            mistakes.push(format!("NO_PROXY: {entry:.100?} {why}"));
        }
    }
    bypass
}

fn entries(bypass: &str) -> impl Iterator<Item = &str> {
    let entries = bypass.split([',', ' ']).map(str::trim);
    entries.filter(|entry| !entry.is_empty())
}

/// An entry's host and port, empty where it has none.
fn host_and_port(entry: &str) -> (&str, &str) {
    match entry.rsplit_once(':') {
        // An IPv6 address has colons of its own; only in brackets can a port follow it.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
        _ => (entry, ""),
    }
}

/// What is wrong with an entry, and what would be right.
fn check_entry(entry: &str) -> Result<(), &'static str> {
    if entry.contains("://") {
        return Err("is a URL; write its host alone, for example example.com");
    }
    let (host, port) = host_and_port(entry);
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    if !is_port && (host.len() < entry.len()) {
        return Err("has a port that is none; write for example example.com:8443");
    }
    if let Some((address, prefix)) = host.split_once('/') {
        let most = match address.trim_matches(['[', ']']).parse() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return Err("is no network; write for example 10.0.0.0/8"),
        };
        let inside = prefix.parse::<u8>().is_ok_and(|prefix| prefix <= most);
        return match inside {
            true => Ok(()),
            false => {
                Err("has a prefix that its kind of address has not; write for example 10.0.0.0/8")
            }
        };
    }
    let name = host.strip_prefix("*.").unwrap_or(host);
    let name = name.strip_prefix('.').unwrap_or(name);
    let is_host = |name: &str| match name.contains(':') && !name.starts_with('[') {
        true => name.parse::<IpAddr>().is_ok(),
        false => !name.contains('*') && Host::parse(name).is_ok(),
    };
    match host == "*" || is_host(name) {
        true => Ok(()),
        false => Err("is no host; write a name, an address, a network, or * alone"),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback()
                || address
                    .to_ipv4_mapped()
                    .is_some_and(|address| address.is_loopback())
        }
    }
}

/// The entries of `NO_PROXY` that hold for `port`, in the form that the matcher knows, which is hosts alone.
fn bypass_at(bypass: &str, port: u16) -> String {
    let held = entries(bypass).filter_map(|entry| {
        let (host, of_port) = host_and_port(entry);
        let of_port = match of_port {
            "" => Some(port),
            given => given.parse().ok(),
        };
        let host = host.trim_matches(['[', ']']);
        let host = host
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(host);
        (of_port == Some(port)).then_some(host)
    });
    held.collect::<Vec<_>>().join(",")
}

// === impl Resolver ===

impl Resolver {
    /// The addresses of `name`.
    pub(crate) async fn resolve(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        match self {
            Self::System => {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
            Self::Function(look_up) => Ok(look_up(name)),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Function(_) => "Function",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (NetworkSettings, Vec<String>) {
        let mut mistakes = Vec::new();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let settings = NetworkSettings::from_environment(variable, &mut mistakes);
        (settings, mistakes)
    }

    fn proxy(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let (settings, mistakes) = read(variables);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let found = settings.proxies.for_url(&Url::parse(url).unwrap());
        found.map(|intercept| intercept.uri().authority().unwrap().to_string())
    }

    #[test]
    fn each_scheme_has_its_variable_in_either_case() {
        let both = [
            ("HTTPS_PROXY", "http://u:p@s:1"),
            ("http_proxy", "https://h:2"),
        ];
        assert_eq!(proxy(&both, "https://a").as_deref(), Some("s:1"));
        assert_eq!(proxy(&both, "http://a").as_deref(), Some("h:2"));
        let all = [("ALL_PROXY", "all:3"), ("HTTP_PROXY", "h:2")];
        assert_eq!(proxy(&all, "https://a").as_deref(), Some("all:3"));
        assert_eq!(proxy(&all, "http://a").as_deref(), Some("h:2"));
        assert_eq!(proxy(&[("HTTPS_PROXY", " ")], "https://a"), None);
    }

    #[test]
    fn what_is_in_no_proxy_or_in_the_pod_is_reached_without() {
        for (bypass, url, direct) in [
            ("example.com", "https://example.com/v1", true),
            ("example.com", "https://api.EXAMPLE.com./v1", true),
            (
                ".svc, .cluster.local",
                "https://vllm.models.svc:8443/v1",
                true,
            ),
            (".svc .local", "https://vllm.models.svc:8443/v1", true),
            ("*.example.com", "https://api.example.com", true),
            ("example.com", "https://notexample.com", false),
            ("*", "https://anything", true),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://167838211", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("fd00::/8", "https://[fd00::1]:8443", true),
            ("fd00::1", "https://[fd00::1]", true),
            ("[fd00::1]:8443", "https://[fd00::1]:8443", true),
            ("[fd00::1]:8443", "https://[fd00::1]", false),
            ("example.com:8443", "https://example.com:8443", true),
            ("example.com:8443", "https://example.com", false),
            ("example.com:443", "https://example.com", true),
            ("", "https://localhost:1", true),
            ("", "https://a.localhost:1", true),
            ("", "https://127.8.8.8:1", true),
            ("", "https://[::1]:1", true),
            ("", "https://[::ffff:127.0.0.1]:1", true),
            ("", "https://api.openai.com", false),
        ] {
            let variables = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", bypass)];
            assert_eq!(proxy(&variables, url).is_none(), direct, "{bypass} {url}");
        }
    }

    #[test]
    fn an_entry_that_could_never_hold_is_a_mistake() {
        for (entry, words) in [
            ("example.com:x", "port"),
            ("example.com:0", "port"),
            ("example.com:", "port"),
            ("example.com:99999", "port"),
            ("[fd00::1]:x", "port"),
            ("10.0.0.0/33", "prefix"),
            ("10.0.0.0/", "prefix"),
            ("fd00::/129", "prefix"),
            ("10.0.0/8", "no network"),
            ("example.com/8", "no network"),
            ("https://example.com", "its host alone"),
            ("ex*mple.com", "no host"),
            ("fd00::x", "no host"),
            ("a_b c|d", "no host"),
        ] {
            let list = format!("localhost, {entry},.svc");
            let (_, mistakes) = read(&[("NO_PROXY", &list)]);
            assert_eq!(mistakes.len(), 1, "{entry}: {mistakes:?}");
            let mistake = &mistakes[0];
            assert!(mistake.starts_with("NO_PROXY: \""), "{mistake}");
            assert!(mistake.contains(words), "{mistake}");
        }
        let right = "localhost,127.0.0.1,::1,[::1],[::1]:8080,.svc,*.cluster.local,10.0.0.0/8,fd00::/8,a_b,*,example.com:80,";
        assert_eq!(read(&[("no_proxy", right)]).1, [""; 0]);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_a_mistake_and_never_shown() {
        for wrong in [
            "socks5://u:hunter2@p:1",
            "ftp://u:hunter2@p",
            "http://u:hunter2@",
        ] {
            let (_, mistakes) = read(&[("HTTPS_PROXY", wrong)]);
            assert_eq!(mistakes.len(), 1, "{wrong}");
            assert!(mistakes[0].starts_with("HTTPS_PROXY"), "{mistakes:?}");
            assert!(!mistakes[0].contains("hunter2"), "{mistakes:?}");
            let socks = mistakes[0].contains("SOCKS");
            assert_eq!(socks, wrong.starts_with("socks"), "{mistakes:?}");
        }
        let (settings, _) = read(&[("HTTPS_PROXY", "http://u:hunter2@p:1")]);
        let url = Url::parse("https://a").unwrap();
        let found = settings.proxies.for_url(&url).unwrap();
        assert!(
            found
                .basic_auth()
                .is_some_and(http::HeaderValue::is_sensitive)
        );
        let shown = format!("{settings:?} {found:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
