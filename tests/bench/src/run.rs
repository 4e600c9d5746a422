//! The runs themselves: every scenario against every peer, pass after pass.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::time::Instant;

use crate::child::{self, Process, command, free_address};
use crate::control::configure;
use crate::load::Load;
use crate::peer::{Peer, Programs, Running};
use crate::proc;
use crate::scenario::{self, Scenario};

/// What an idle process settles in.
const SETTLE: Duration = Duration::from_secs(1);
/// What a load may take beyond its own time.
const GRACE: Duration = Duration::from_secs(10);

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Passes over everything.
    pub repeats: usize,
    /// Before each measurement, not measured.
    pub warm_up: Duration,
    /// Measured.
    pub measured: Duration,
    /// The whole bench is given up after this.
    pub limit: Duration,
}

/// All that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// The peers, in the order of the report.
    pub peers: Vec<Peer>,
    /// One entry a load.
    pub runs: Vec<Run>,
    /// One entry a process.
    pub memory: Vec<Memory>,
}

/// One load on one peer.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// What was done.
    pub scenario: Scenario,
    /// To whom.
    pub peer: Peer,
    /// In which pass, from 0.
    pub pass: usize,
    /// What it showed.
    pub load: Load,
}

/// Memory of one peer, in bytes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// Whose.
    pub peer: Peer,
    /// After its first request, before any load.
    pub idle: u64,
    /// The most, over all loads.
    pub peak: u64,
}

/// Starts everything, measures, stops everything. `progress` is told what comes next.
pub fn run(
    peers: &[Peer],
    programs: &Programs,
    pace: Pace,
    folder: &Path,
    mut progress: impl FnMut(String),
) -> Result<Results> {
    let deadline = Instant::now() + pace.limit;
    let (upstream, _upstream) = start_upstream(programs, folder)?;
    let mut running = Vec::new();
    for peer in peers {
        progress(format!("starting {}", peer.name()));
        running.push(peer.start(programs, upstream, folder)?);
    }
    sleep(SETTLE);
    let idle: Vec<_> = running.iter().map(usage).collect();
    let mut runs = Vec::new();
    for pass in 0..pace.repeats {
        for scenario in scenario::all() {
            configure(upstream, &scenario)?;
            for one in &mut running {
                if Instant::now() > deadline {
                    bail!(
                        "not through after {:?}; raise --limit-seconds or lower --repeats",
                        pace.limit
                    );
                }
                let load = measure(programs, one, &scenario, pace)?;
                progress(line(pass, &scenario, one.peer, &load));
                runs.push(Run {
                    scenario,
                    peer: one.peer,
                    pass,
                    load,
                });
            }
        }
    }
    let memory = running
        .iter()
        .zip(idle)
        .filter(|(one, _)| one.process.is_some());
    let memory = memory.map(|(one, idle)| Memory {
        peer: one.peer,
        idle: idle.resident,
        peak: usage(one).peak,
    });
    Ok(Results {
        peers: peers.to_vec(),
        memory: memory.collect(),
        runs,
    })
}

fn start_upstream(programs: &Programs, folder: &Path) -> Result<(SocketAddr, Process)> {
    let address = free_address()?;
    let mut command = command(&programs.own.join("bench-upstream"));
    command.args(["--listen", &address.to_string()]);
    let process = Process::start("bench-upstream", &mut command, folder, address)?;
    Ok((address, process))
}

fn usage(running: &Running) -> proc::Usage {
    running
        .process
        .as_ref()
        .map(|process| proc::usage(process.id()))
        .unwrap_or_default()
}

fn measure(
    programs: &Programs,
    running: &mut Running,
    scenario: &Scenario,
    pace: Pace,
) -> Result<Load> {
    let mut command = command(&programs.own.join("loadgen"));
    command
        .args([
            "--url",
            &format!("http://{}/v1/chat/completions", running.address),
        ])
        .args(["--body-bytes", &scenario.body.to_string()])
        .args(["--connections", &scenario.connections.to_string()])
        .args(["--warm-up-millis", &pace.warm_up.as_millis().to_string()])
        .args(["--measured-millis", &pace.measured.as_millis().to_string()]);
    if scenario.is_stream() {
        command.arg("--stream");
    }
    if let Some(rate) = scenario.rate {
        command.args(["--rate", &rate.to_string()]);
    }
    if let Some(process) = &mut running.process {
        process.check()?;
        command.args(["--watch", &process.id().to_string()]);
    }
    let output = child::run(&mut command, pace.warm_up + pace.measured + GRACE)?;
    if !output.status.success() {
        bail!("loadgen: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("loadgen wrote something else than a load")
}

fn line(pass: usize, scenario: &Scenario, peer: Peer, load: &Load) -> String {
    let mut line = format!(
        "pass {} · {:<28} {:<11}{:>8.0}/s",
        pass + 1,
        scenario.name(),
        peer.name(),
        load.rate()
    );
    // Writing to a string cannot fail.
    if load.cpu_micros > 0.0 && scenario.is_stream() {
        let _ = write!(line, "  {:>6.1} µs CPU an event", load.cpu_per_event());
    } else if load.cpu_micros > 0.0 {
        let _ = write!(line, "  {:>6.1} µs CPU a request", load.cpu_per_request());
    }
    if load.error_count() > 0 {
        let _ = write!(line, "  errors: {:?}", load.errors);
    }
    line
}
