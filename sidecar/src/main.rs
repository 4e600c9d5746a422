//! Entry point: settings, telemetry, serve, drain, exit code.

use std::process::ExitCode;

use clap::Parser;
use fkm_sidecar::args::{Args, EXIT_USAGE};

fn main() -> ExitCode {
    match Args::try_parse() {
        Ok(args) => fkm_sidecar::process::run(&args),
        Err(error) => {
            // Help and version are no mistakes. Nobody is left to tell when even this cannot be printed.
            let _ = error.print();
            if error.use_stderr() {
                ExitCode::from(EXIT_USAGE)
            } else {
                ExitCode::SUCCESS
            }
        }
    }
}
