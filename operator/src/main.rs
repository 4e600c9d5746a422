//! Entry point: settings, telemetry, serve, drain, exit code.

use std::process::ExitCode;

use clap::Parser;
use fkm_operator::args::Args;

fn main() -> ExitCode {
    match Args::try_parse() {
        Ok(args) => fkm_operator::process::run(&args),
        Err(error) => fkm_operator::process::refuse(&error),
    }
}
