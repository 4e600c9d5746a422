//! Prints the names of the entry points, one a line.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for target in fkm_fuzz::targets() {
        writeln!(out, "{}", target.name)?;
    }
    Ok(())
}
