//! Prints the names of the entry points, one a line; given a folder, writes the seeds into it, one a file.

use std::io::Write as _;
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    if let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) {
        for (index, seed) in fkm_fuzz::seeds().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{index}")), seed)?;
        }
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    for target in fkm_fuzz::targets() {
        writeln!(out, "{}", target.name)?;
    }
    Ok(())
}
