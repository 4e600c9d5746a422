//! `fkm`: see the library.

use std::io::stdout;
use std::process::ExitCode;

fn main() -> ExitCode {
    fkm_cli::run(std::env::args_os(), &mut stdout().lock()).into()
}
