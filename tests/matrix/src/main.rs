//! Makes the table of what each client format gets of each provider format, `sidecar/llm/FORMATS.md`: `make matrix`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to the person in front of it"
)]

mod answer;
mod cases;
mod failure;
mod feature;
mod outcome;
mod request;
mod round_trip;
mod table;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use table::Table;

/// Makes the table of the formats from hand-written cases.
///
/// Exit code 1 when a case is lost in silence, a cell is empty, or (with --check) the table that is there is another.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Compare with the table that is there instead of writing it
    #[arg(long)]
    check: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = cases::load(here)?;
    let table = Table::judge(&cases, cases::load_not_applicable(here)?);
    let problems = table.problems();
    for problem in &problems {
        eprintln!("matrix: {problem}");
    }
    println!("matrix: {}", table.counts());
    let path = here.join("../../sidecar/llm/FORMATS.md");
    let text = table.markdown();
    let same = if args.check {
        std::fs::read_to_string(&path).context("FORMATS.md is missing: make matrix")? == text
    } else if problems.is_empty() {
        std::fs::write(&path, text)?;
        true
    } else {
        true
    };
    if !same {
        eprintln!("matrix: FORMATS.md is not what the cases say: make matrix");
    }
    Ok(ExitCode::from(u8::from(!same || !problems.is_empty())))
}
