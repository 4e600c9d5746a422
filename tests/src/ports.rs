//! Ports that stay free from when they are chosen until a server binds them, and while that server is restarted.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::{Context as _, Result, bail};
use parking_lot::Mutex;

/// Below where Linux takes the local ports of outgoing connections from (32768), so none of those can slip in.
const RANGE: Range<u16> = 20_000..32_768;
const ATTEMPTS: usize = 100;

/// Locked files, one for each port that this process has chosen; given back when the process ends, however it ends.
static TAKEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A free loopback port that no other test process chooses while this one runs.
pub(crate) fn free() -> Result<u16> {
    let folder = std::env::temp_dir().join("fkm-test-ports");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for _ in 0..ATTEMPTS {
        let port = fastrand::u16(RANGE);
        let file = File::create(folder.join(port.to_string()))?;
        let is_ours = file.try_lock().is_ok();
        if is_ours && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            TAKEN.lock().push(file);
            return Ok(port);
        }
    }
    bail!("no free loopback port in {RANGE:?} after {ATTEMPTS} attempts")
}
