//! Base URLs: what they may name, whatever the spelling.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The ports on which a sidecar itself listens; a provider there would be a loop.
const OWN_PORTS: std::ops::RangeInclusive<u16> = 4000..=4002;

/// The longest path that a Unix socket can have (`sun_path` of Linux, without its end).
const MAX_SOCKET: usize = 107;

/// The path of the socket, and the URL of what is behind it; `None`: it is the URL of no socket.
pub(super) fn socket(text: &str, local: bool) -> Option<Result<(String, String), String>> {
    let rest = text.strip_prefix("unix://")?;
    Some(socket_and_prefix(text, rest, local))
}

fn socket_and_prefix(text: &str, rest: &str, local: bool) -> Result<(String, String), String> {
    let (socket, prefix) = rest.split_once(':').unwrap_or((rest, ""));
    let plain = |path: &str| {
        path.bytes()
            .all(|c| c.is_ascii_graphic() && !b"%?#\\:".contains(&c))
    };
    let within = |path: &str| path.split('/').all(|part| part != "..");
    let good_prefix = prefix.is_empty() || prefix.starts_with('/');
    if !socket.starts_with('/') || !good_prefix || !plain(socket) || !plain(prefix) || !within(rest)
    {
        return Err(format!(
            "{text:?} is not the path of a socket; write for example unix:///run/server.sock:/v1"
        ));
    }
    if socket.len() > MAX_SOCKET {
        return Err(format!(
            "the path of the socket has {} bytes, and {MAX_SOCKET} are the most; use a shorter one",
            socket.len()
        ));
    }
    if !local {
        return Err(format!(
            "{text:?} is inside the pod; if that is meant, set locality.scope to Local"
        ));
    }
    let url = format!("http://localhost{}", prefix.trim_end_matches('/'));
    Ok((socket.to_owned(), url))
}

/// The URL of a proxy in its one spelling; or what is wrong with it, without the URL, which may hold a password.
pub(super) fn proxy_url(text: &str, local: bool) -> Result<String, String> {
    let example = "write for example http://proxy.example.com:3128";
    let url = Url::parse(text).map_err(|error| format!("it is not a URL ({error}); {example}"))?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if url.scheme().starts_with("socks") {
        return Err(format!(
            "SOCKS is not spoken here; name an HTTP proxy that takes CONNECT: {example}"
        ));
    }
    if !matches!(url.scheme(), "http" | "https") || !bare {
        return Err(format!(
            "it must be an http or https URL of host and port alone; {example} and name a Secret in credentialsRef"
        ));
    }
    let Some(host) = url.host() else {
        return Err(format!("it names no host; {example}"));
    };
    check_host(text, &url, &host, local, "proxy")?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The URL in its one spelling, without a trailing slash; or what is wrong with it.
pub(super) fn base_url(text: &str, local: bool) -> Result<String, String> {
    let example = "write for example https://api.example.com/v1";
    let url =
        Url::parse(text).map_err(|error| format!("{text:?} is not a URL ({error}); {example}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{text:?} is not an http or https URL; {example}"));
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(format!(
            "it must not have credentials, a query or a fragment; {example} and put keys into credentials"
        ));
    }
    let Some(host) = url.host() else {
        return Err(format!("{text:?} names no host; {example}"));
    };
    check_host(text, &url, &host, local, "provider")?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn check_host(
    text: &str,
    url: &Url,
    host: &Host<&str>,
    local: bool,
    whose: &str,
) -> Result<(), String> {
    if let Some(metadata) = metadata_address(host) {
        return Err(format!(
            "{text:?} is the link-local or metadata address {metadata}; name the address of the {whose}"
        ));
    }
    if is_loopback(host) {
        if !local {
            return Err(format!(
                "{text:?} is inside the pod; if that is meant, set locality.scope to Local"
            ));
        }
        if url
            .port_or_known_default()
            .is_some_and(|port| OWN_PORTS.contains(&port))
        {
            return Err(format!(
                "{text:?} is the sidecar itself; name the port of the {whose}"
            ));
        }
    }
    Ok(())
}

/// The metadata addresses of clouds that are not link-local: the same that a sidecar refuses to dial.
const METADATA: [IpAddr; 6] = [
    // AWS: instance metadata, EKS Pod Identity
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    // Google Cloud
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    // Azure
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    // Alibaba Cloud
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Oracle Cloud
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
];

/// The address, if it is one behind which clouds keep metadata and keys.
fn metadata_address(host: &Host<&str>) -> Option<IpAddr> {
    let address = address(host)?;
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    (link_local || METADATA.contains(&address)).then_some(address)
}

fn is_loopback(host: &Host<&str>) -> bool {
    if let Host::Domain(name) = host {
        let name = name.trim_end_matches('.');
        return name == "localhost" || name.ends_with(".localhost");
    }
    // the unspecified address connects to this host too
    address(host).is_some_and(|address| address.is_loopback() || address.is_unspecified())
}

/// The address that a host spells, with IPv4 inside IPv6 taken out.
fn address(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Ipv4(v4) => Some(IpAddr::V4(*v4)),
        Host::Ipv6(v6) => Some(inner_v4(*v6).map_or(IpAddr::V6(*v6), IpAddr::V4)),
        Host::Domain(_) => None,
    }
}

/// IPv4 that is mapped (`::ffff:a.b.c.d`), compatible (`::a.b.c.d`), behind NAT64 (`64:ff9b::/96`) or 6to4 (`2002::/16`).
fn inner_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = v6.octets();
    let four = |at: usize| {
        Some(Ipv4Addr::new(
            octets[at],
            octets[at + 1],
            octets[at + 2],
            octets[at + 3],
        ))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => four(12),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => four(12),
        [0x2002, ..] => four(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let taken = |text| base_url(text, false);
        assert_eq!(
            taken("https://API.Example.com/v1/"),
            Ok("https://api.example.com/v1".to_owned())
        );
        assert_eq!(
            taken("https://api.example.com"),
            Ok("https://api.example.com".to_owned())
        );
        assert_eq!(
            taken("http://vllm.models.svc:8000/v1"),
            Ok("http://vllm.models.svc:8000/v1".to_owned())
        );
        assert_eq!(
            taken("https://10.0.0.7/v1"),
            Ok("https://10.0.0.7/v1".to_owned())
        );
    }

    #[test]
    fn forms_that_are_no_base_url() {
        for bad in [
            "",
            "api.example.com",
            "/v1",
            "ftp://x/",
            "https://",
            "https://u:p@x/",
            "https://x/?a=1",
            "https://x/#a",
        ] {
            assert!(base_url(bad, true).is_err(), "{bad}");
        }
        assert!(
            !base_url("https://u:hunter2@x/", true)
                .unwrap_err()
                .contains("hunter2")
        );
    }

    #[test]
    fn link_local_and_metadata_in_every_spelling() {
        for bad in [
            "http://169.254.169.254/v1",
            "http://[::ffff:169.254.169.254]/v1",
            "http://[::169.254.169.254]/v1",
            "http://[64:ff9b::a9fe:a9fe]/v1",
            "http://2852039166/v1",
            "http://0xa9fea9fe/v1",
            "http://0xa9.0376.43518/v1",
            "http://169.254.1/",
            "http://[fe80::1]/v1",
            "http://[2002:a9fe:a9fe::1]/v1",
            "http://[fd00:ec2::254]/v1",
            "http://[fd00:ec2::23]/v1",
            "http://[fd20:ce::254]/v1",
            "http://100.100.100.200/v1",
            "http://168.63.129.16/v1",
            "http://192.0.0.192/v1",
            "http://[::ffff:168.63.129.16]/v1",
            "http://[::192.0.0.192]/v1",
            "http://[64:ff9b::6464:64c8]/v1",
            "http://[2002:a83f:8110::1]/v1",
        ] {
            let message = base_url(bad, true).expect_err(bad);
            assert!(message.contains("link-local"), "{bad}: {message}");
        }
    }

    #[test]
    fn sockets_have_a_path_and_perhaps_a_prefix() {
        let taken = |text| socket(text, true).unwrap();
        let pair = |path: &str, url: &str| Ok((path.to_owned(), url.to_owned()));
        assert_eq!(
            taken("unix:///run/llm.sock"),
            pair("/run/llm.sock", "http://localhost")
        );
        assert_eq!(
            taken("unix:///run/llm.sock:/v1/"),
            pair("/run/llm.sock", "http://localhost/v1")
        );
        for wrong in [
            "unix://run/llm.sock",
            "unix://",
            "unix:///run/llm.sock:v1",
            "unix:///run/llm.sock:/v1:/x",
            "unix:///run/llm.sock?x",
            "unix:///run/../llm.sock",
            "unix:///run/a b",
        ] {
            assert!(taken(wrong).is_err(), "{wrong}");
        }
        let long = format!("unix:///{}", "x".repeat(MAX_SOCKET));
        assert!(taken(&long).unwrap_err().contains("107"));
        let outside = socket("unix:///run/llm.sock", false).unwrap();
        assert!(outside.unwrap_err().contains("locality.scope"));
        assert!(socket("http://x", true).is_none());
    }

    #[test]
    fn a_proxy_is_host_and_port_under_the_same_rule() {
        assert_eq!(
            proxy_url("http://Proxy.Corp:3128/", false),
            Ok("http://proxy.corp:3128".to_owned())
        );
        for wrong in ["socks5://p:1", "http://p/x", "http://p?x", "p:3128", ""] {
            assert!(proxy_url(wrong, true).is_err(), "{wrong}");
        }
        let with_password = proxy_url("http://u:hunter2@p", true).unwrap_err();
        assert!(!with_password.contains("hunter2"), "{with_password}");
        let metadata = proxy_url("http://0xa9fea9fe:3128", true).unwrap_err();
        assert!(metadata.contains("link-local"), "{metadata}");
        let inside = proxy_url("http://127.0.0.1:3128", false).unwrap_err();
        assert!(inside.contains("locality.scope"), "{inside}");
    }

    #[test]
    fn loopback_must_be_meant() {
        for inside in [
            "http://127.0.0.1:8000",
            "http://127.1:8000",
            "http://localhost:8000",
            "http://a.localhost.:8000",
            "http://[::1]:8000",
            "http://[::ffff:7f00:1]:8000",
            "http://0.0.0.0:8000",
            "http://[::]:8000",
            "http://2130706433:8000",
        ] {
            assert!(
                base_url(inside, false)
                    .expect_err(inside)
                    .contains("locality.scope"),
                "{inside}"
            );
            assert!(base_url(inside, true).is_ok(), "{inside}");
        }
        assert!(
            base_url("http://127.0.0.1:4000/v1", true)
                .unwrap_err()
                .contains("sidecar itself")
        );
    }
}
