//! Runs the bench and holds the sidecar against its budgets: `make bench`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to the person in front of it"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use fkm_bench::budget;
use fkm_bench::peer::{Peer, Programs};
use fkm_bench::run::{Pace, Results, run};
use serde_json::json;

/// Measures the sidecar beside bare-proxy, nginx and no proxy.
///
/// Exit code 0 when every budget is kept or missed by less than half, 1 when one is missed by more or a request
/// failed.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The sidecar's program [default: fkm-sidecar beside this one]
    #[arg(long)]
    sidecar: Option<PathBuf>,
    /// What is measured
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "direct,nginx,bare-proxy,sidecar"
    )]
    peers: Vec<Peer>,
    /// Passes over everything; the median counts [default: 3, with --quick 1]
    #[arg(long)]
    repeats: Option<usize>,
    /// About one minute instead of four
    #[arg(long)]
    quick: bool,
    /// Gives up after so many seconds
    #[arg(long, default_value_t = 420)]
    limit_seconds: u64,
    /// Installs nginx with apt-get where it is missing
    #[arg(long)]
    install: bool,
    /// What is printed: a table, or every number
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

const NGINX: [&str; 2] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"];

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let own = std::env::current_exe()?;
    let own = own.parent().context("a program is in a folder")?;
    let programs = Programs {
        own: own.to_owned(),
        sidecar: args
            .sidecar
            .clone()
            .unwrap_or_else(|| own.join("fkm-sidecar")),
        nginx: nginx(args.install)?,
    };
    let mut peers = args.peers.clone();
    peers.sort_unstable();
    peers.dedup();
    if programs.nginx.is_none() && peers.contains(&Peer::Nginx) {
        eprintln!("nginx is not installed and is left out; --install installs it");
        peers.retain(|&peer| peer != Peer::Nginx);
    }
    let folder = tempfile::tempdir()?;
    let results = run(&peers, &programs, pace(&args), folder.path(), |what| {
        eprintln!("{what}");
    })?;
    show(&results, args.output)?;
    if results.lines().is_empty() {
        eprintln!("no budget was looked at: that takes the sidecar and bare-proxy");
    }
    let errors = results.errors();
    for error in &errors {
        eprintln!("error: {error}");
    }
    Ok(ExitCode::from(
        budget::exit_code(&results.lines()).max(u8::from(!errors.is_empty())),
    ))
}

/// With both, the sum over all passes is what the help promises.
fn pace(args: &Args) -> Pace {
    let (repeats, warm_up, measured) = if args.quick {
        (1, 200, 900)
    } else {
        (3, 300, 1200)
    };
    Pace {
        repeats: args.repeats.unwrap_or(repeats),
        warm_up: Duration::from_millis(warm_up),
        measured: Duration::from_millis(measured),
        limit: Duration::from_secs(args.limit_seconds),
    }
}

fn show(results: &Results, output: Output) -> Result<()> {
    match output {
        Output::Text => println!("{}", results.table()),
        Output::Json => {
            let lines: Vec<_> = results
                .lines()
                .iter()
                .map(|line| json!({"line": line, "verdict": line.verdict()}))
                .collect();
            println!(
                "{}",
                serde_json::to_string_pretty(&json!({"results": results, "budgets": lines}))?
            );
        }
    }
    Ok(())
}

/// Finds nginx; installs it before where that is wanted.
fn nginx(install: bool) -> Result<Option<PathBuf>> {
    let find = || {
        NGINX
            .iter()
            .map(Path::new)
            .find(|path| path.exists())
            .map(Path::to_owned)
    };
    if find().is_some() || !install {
        return Ok(find());
    }
    eprintln!("installing nginx");
    let status = Command::new("apt-get")
        .args(["install", "-y", "--no-install-recommends", "nginx-light"])
        // Debian starts what it installs; at run level 1 it does not.
        .env("RUNLEVEL", "1")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::io::stderr())
        .status()
        .context("apt-get does not run")?;
    ensure!(
        status.success(),
        "apt-get ended with {status}; run `apt-get update` first, or leave --install out"
    );
    Ok(find())
}
