//! Which addresses may be dialled. Asked after name resolution, for the very address that is connected to, so that no
//! spelling and no DNS answer gets around it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use fkm_snapshot::{Addresses, Locality};
use thiserror::Error;
use url::Host;

/// Why an address is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Forbidden {
    /// `169.254/16`, `fe80::/10` and the metadata addresses of clouds.
    #[error("{0} is a link-local or metadata address, which no provider may have")]
    LinkLocal(IpAddr),
    /// A name behind which clouds keep metadata.
    #[error("{0:?} is the name of a metadata service, which no provider may have")]
    MetadataName(&'static str),
    /// Loopback without `locality.scope: Local`.
    #[error(
        "{0} is a loopback address; set locality.scope: Local on the provider if that is meant"
    )]
    Loopback(IpAddr),
    /// `localhost` without `locality.scope: Local`.
    #[error("localhost is not outside of the pod; set locality.scope: Local if that is meant")]
    Localhost,
    /// One of the sidecar's own listeners.
    #[error("{0} is one of the sidecar's own ports")]
    OwnPort(SocketAddr),
    /// Unspecified, multicast or broadcast.
    #[error("{0} is not the address of one host")]
    NotAHost(IpAddr),
    /// Of no host of the internet, where only such are meant.
    #[error("{0} is not a public address")]
    NotPublic(IpAddr),
}

/// Which addresses a provider of this locality may have.
pub(crate) fn reach(locality: Locality) -> Addresses {
    match locality {
        Locality::External => Addresses::Private,
        Locality::Local => Addresses::Local,
    }
}

/// The cloud metadata and credential addresses that are not link-local: AWS (metadata and EKS Pod Identity), Google Cloud,
/// Azure, Alibaba Cloud, Oracle Cloud classic.
const METADATA: [IpAddr; 6] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
];

/// The names of what is at those addresses: Google Cloud, AWS.
const METADATA_NAMES: [&str; 5] = [
    "instance-data",
    "instance-data.ec2.internal",
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
];

/// Whether a proxy may be asked for `host`: what can be said of it without knowing what the proxy makes of a name.
pub(crate) fn check_unresolved(
    host: &Host,
    port: u16,
    reach: Addresses,
    own_ports: &[u16],
) -> Result<(), Forbidden> {
    let name = match host {
        Host::Ipv4(ip) => return check((*ip, port).into(), reach, own_ports),
        Host::Ipv6(ip) => return check((*ip, port).into(), reach, own_ports),
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
    };
    if let Some(known) = METADATA_NAMES.iter().find(|known| **known == name) {
        return Err(Forbidden::MetadataName(known));
    }
    let is_localhost = name == "localhost" || name.ends_with(".localhost");
    match is_localhost && reach != Addresses::Local {
        true => Err(Forbidden::Localhost),
        false => Ok(()),
    }
}

/// Whether `address` may be dialled where these are meant, by a process that listens on `own_ports`.
pub(crate) fn check(
    address: SocketAddr,
    reach: Addresses,
    own_ports: &[u16],
) -> Result<(), Forbidden> {
    let ip = embedded_v4(address.ip());
    match ip {
        IpAddr::V4(v4) if v4.is_link_local() => return Err(Forbidden::LinkLocal(address.ip())),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => {
            return Err(Forbidden::LinkLocal(address.ip()));
        }
        _ if METADATA.contains(&ip) => return Err(Forbidden::LinkLocal(address.ip())),
        IpAddr::V4(v4) if v4.is_broadcast() => return Err(Forbidden::NotAHost(address.ip())),
        _ => {}
    }
    if ip.is_multicast() || ip.is_unspecified() {
        return Err(Forbidden::NotAHost(address.ip()));
    }
    if ip.is_loopback() {
        if reach != Addresses::Local {
            return Err(Forbidden::Loopback(address.ip()));
        }
        if own_ports.contains(&address.port()) {
            return Err(Forbidden::OwnPort(address));
        }
    }
    if reach == Addresses::Public && !is_public(ip) {
        return Err(Forbidden::NotPublic(address.ip()));
    }
    Ok(())
}

/// Whether an address can be that of a host of the internet: by the registries of special-purpose addresses (RFC 6890 and
/// its followers), in which it is not listed, or listed as globally reachable.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            // This network, shared (RFC 6598), protocol assignments, benchmarks, reserved.
            let special = a == 0
                || (a == 100 && (64..128).contains(&b))
                || (a, b, c) == (192, 0, 0)
                || (a == 198 && (b & 0xfe) == 18)
                || a >= 240;
            !(special || v4.is_private() || v4.is_documentation())
        }
        IpAddr::V6(v6) => {
            // Of 2000::/3, but for what is of a protocol (2001::/23: Teredo, ORCHID, benchmarks) or of documentation.
            let [a, b, ..] = v6.segments();
            let protocol = a == 0x2001 && b < 0x200;
            let documentation = (a, b) == (0x2001, 0xdb8) || (a == 0x3fff && b < 0x1000);
            a & 0xe000 == 0x2000 && !protocol && !documentation
        }
    }
}

/// The IPv4 address inside an IPv6 one: mapped (`::ffff:a.b.c.d`), compatible (`::a.b.c.d`), NAT64 (`64:ff9b::/96`) and
/// 6to4 (`2002::/16`).
fn embedded_v4(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let octets = v6.octets();
    let four = |at: usize| {
        let mut four = [0; 4];
        four.copy_from_slice(&octets[at..at + 4]);
        IpAddr::V4(Ipv4Addr::from(four))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => four(12),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => four(12),
        [0x2002, ..] => four(2),
        _ => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(address: &str, locality: Locality) -> Result<(), Forbidden> {
        check(address.parse().unwrap(), reach(locality), &[4000])
    }

    #[test]
    fn where_public_ones_are_meant_no_other_is_dialled() {
        let verdict = |address: &str| check(address.parse().unwrap(), Addresses::Public, &[4000]);
        for address in [
            "8.8.8.8:443",
            "100.128.0.1:443",
            "192.0.1.1:443",
            "198.20.0.1:443",
            "172.32.0.1:443",
            "[2606:4700::1]:443",
            "[2001:4860:4860::8888]:443",
            "[::ffff:8.8.8.8]:443",
            "[64:ff9b::808:808]:443",
        ] {
            assert_eq!(verdict(address), Ok(()), "{address}");
        }
        for address in [
            "10.0.0.1:443",
            "172.16.0.1:443",
            "192.168.1.1:443",
            "100.64.0.1:443",
            "0.1.2.3:443",
            "192.0.0.8:443",
            "192.0.2.1:443",
            "198.18.0.1:443",
            "198.19.255.1:443",
            "203.0.113.1:443",
            "240.0.0.1:443",
            "[::ffff:10.0.0.1]:443",
            "[::10.0.0.1]:443",
            "[64:ff9b::a00:1]:443",
            "[2002:a00:1::1]:443",
            "[64:ff9b:1::1]:443",
            "[fc00::1]:443",
            "[fd12::1]:443",
            "[fec0::1]:443",
            "[2001::1]:443",
            "[2001:db8::1]:443",
            "[3fff::1]:443",
            "[100::1]:443",
            "[5f00::1]:443",
        ] {
            assert!(
                matches!(verdict(address), Err(Forbidden::NotPublic(_))),
                "{address}"
            );
            let private = check(address.parse().unwrap(), Addresses::Private, &[4000]);
            assert_eq!(private, Ok(()), "{address}");
        }
        for address in [
            "127.0.0.1:443",
            "[::1]:443",
            "169.254.169.254:443",
            "[fe80::1]:443",
        ] {
            assert!(verdict(address).is_err(), "{address}");
        }
    }

    #[test]
    fn link_local_is_refused_whatever_its_form() {
        for address in [
            "169.254.169.254:80",
            "169.254.0.1:443",
            "[::ffff:169.254.169.254]:80",
            "[::169.254.169.254]:80",
            "[64:ff9b::a9fe:a9fe]:80",
            "[2002:a9fe:a9fe::1]:80",
            "[fe80::1]:80",
            "[fd00:ec2::254]:80",
            "[fd00:ec2::23]:80",
            "[fd20:ce::254]:80",
            "168.63.129.16:80",
            "100.100.100.200:80",
        ] {
            for locality in [Locality::External, Locality::Local] {
                assert!(
                    matches!(verdict(address, locality), Err(Forbidden::LinkLocal(_))),
                    "{address}"
                );
            }
        }
    }

    #[test]
    fn loopback_needs_local_and_never_our_own_ports() {
        for address in [
            "127.0.0.1:9",
            "127.8.8.8:9",
            "[::1]:9",
            "[::ffff:127.0.0.1]:9",
        ] {
            assert!(
                matches!(
                    verdict(address, Locality::External),
                    Err(Forbidden::Loopback(_))
                ),
                "{address}"
            );
            assert_eq!(verdict(address, Locality::Local), Ok(()), "{address}");
        }
        assert!(matches!(
            verdict("127.0.0.1:4000", Locality::Local),
            Err(Forbidden::OwnPort(_))
        ));
    }

    #[test]
    fn what_a_proxy_is_asked_for_is_no_metadata_however_it_is_spelled() {
        let verdict = |host: &str| {
            let host = Host::parse(host).unwrap();
            check_unresolved(&host, 80, Addresses::Private, &[])
        };
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0xa9.0376.43518",
            "169.254.43518",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[fd00:ec2::254]",
        ] {
            assert!(
                matches!(verdict(host), Err(Forbidden::LinkLocal(_))),
                "{host}"
            );
        }
        for host in [
            "metadata.google.internal",
            "Metadata.Google.Internal.",
            "metadata",
        ] {
            assert!(
                matches!(verdict(host), Err(Forbidden::MetadataName(_))),
                "{host}"
            );
        }
        assert_eq!(verdict("a.localhost."), Err(Forbidden::Localhost));
        assert!(matches!(verdict("127.1"), Err(Forbidden::Loopback(_))));
        assert_eq!(verdict("api.openai.com"), Ok(()));
        assert_eq!(verdict("metadata.example.com"), Ok(()));
    }

    #[test]
    fn hosts_pass_and_non_hosts_do_not() {
        for address in [
            "10.1.2.3:443",
            "8.8.8.8:443",
            "[2606:4700::1]:443",
            "192.168.0.9:8000",
        ] {
            assert_eq!(verdict(address, Locality::External), Ok(()), "{address}");
        }
        for address in [
            "0.0.0.0:80",
            "[::]:80",
            "224.0.0.1:80",
            "255.255.255.255:80",
            "[ff02::1]:80",
        ] {
            assert!(
                matches!(
                    verdict(address, Locality::Local),
                    Err(Forbidden::NotAHost(_))
                ),
                "{address}"
            );
        }
    }
}
