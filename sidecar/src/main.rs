//! Entry point: settings, telemetry, serve, drain, exit code.

use std::process::ExitCode;

use clap::Parser;
use fkm_sidecar::args::Args;

fn main() -> ExitCode {
    fkm_sidecar::process::run(&Args::parse())
}
