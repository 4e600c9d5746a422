//! Ports that stay free from when they are chosen until a server binds them, and while that server is restarted.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::{Result, bail};

/// Below where Linux takes the local ports of outgoing connections from (32768), so none of those can slip in.
const RANGE: Range<u16> = 20_000..32_768;
const ATTEMPTS: usize = 100;

/// A free loopback port. Chosen at random because other test processes choose at the same time.
pub(crate) fn free() -> Result<u16> {
    for _ in 0..ATTEMPTS {
        let port = fastrand::u16(RANGE);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free loopback port in {RANGE:?} after {ATTEMPTS} attempts")
}
