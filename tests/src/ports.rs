//! Ports that stay free from when they are chosen until a server binds them, and while that server is restarted.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::Path;

use anyhow::{Result, bail};
use parking_lot::Mutex;

/// Below where Linux takes the local ports of outgoing connections from (32768), so none of those can slip in.
const RANGE: Range<u16> = 20_000..32_768;
const ATTEMPTS: usize = 100;

/// Locked files, one for each port that this process has chosen; given back when the process ends, however it ends.
static TAKEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A free loopback port that no other test process of this user chooses while this one runs.
///
/// The files stay, empty, at most one for each port of the range. Where none can be made (the folder belongs to another
/// user, nothing can be written), chance alone keeps processes apart.
pub(crate) fn free() -> Result<u16> {
    let folder = std::env::temp_dir().join("fkm-test-ports");
    // where this fails, so does every file
    drop(fs::create_dir_all(&folder));
    for _ in 0..ATTEMPTS {
        let port = fastrand::u16(RANGE);
        let file = open(&folder.join(port.to_string())).ok();
        let is_ours = file.as_ref().is_none_or(|file| file.try_lock().is_ok());
        if is_ours && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            TAKEN.lock().extend(file);
            return Ok(port);
        }
    }
    bail!("no free loopback port in {RANGE:?} after {ATTEMPTS} attempts")
}

/// Opened without changing what stands there: in a folder that anybody writes to, that may be anything.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false).open(path)
}
