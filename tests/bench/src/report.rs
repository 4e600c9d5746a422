//! From runs to figures and to a table. Pure.

use std::fmt::Write as _;

use crate::budget::{self, Line, Verdict};
use crate::load::{Load, Quantiles};
use crate::peer::Peer;
use crate::run::{Results, Run};
use crate::scenario::{self, Kind, Scenario};

/// What every other peer is measured against.
const FLOOR: Peer = Peer::BareProxy;
const MEBIBYTE: f64 = 1_048_576.0;

/// The median of the finite ones; NaN without any.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values
        .into_iter()
        .filter(|value| value.is_finite())
        .collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

// === impl Results ===

impl Results {
    /// The median of a figure over the passes.
    pub fn figure(&self, scenario: &Scenario, peer: Peer, figure: impl Fn(&Load) -> f64) -> f64 {
        median(self.loads(scenario, peer).map(|run| figure(&run.load)))
    }

    /// The median, over the passes, of a comparison of two peers in the same pass.
    pub fn compared(
        &self,
        scenario: &Scenario,
        [peer, other]: [Peer; 2],
        figure: impl Fn(&Load) -> f64,
        compare: impl Fn(f64, f64) -> f64,
    ) -> f64 {
        median(self.loads(scenario, peer).filter_map(|run| {
            let base = self
                .loads(scenario, other)
                .find(|base| base.pass == run.pass)?;
            Some(compare(figure(&run.load), figure(&base.load)))
        }))
    }

    /// A peer's CPU as a ratio to the floor's.
    pub fn cpu_ratio(&self, scenario: &Scenario, peer: Peer) -> f64 {
        self.compared(
            scenario,
            [peer, FLOOR],
            |load| cpu(scenario, load),
            |a, b| a / b,
        )
    }

    /// A peer's median time above another's, in microseconds.
    pub fn added(&self, scenario: &Scenario, peer: Peer, other: Peer) -> f64 {
        self.compared(
            scenario,
            [peer, other],
            |load| time(scenario, load),
            |a, b| a - b,
        )
    }

    /// The sidecar's figures beside their budgets; none where it or the floor was left out.
    pub fn lines(&self) -> Vec<Line> {
        if !self.peers.contains(&Peer::Sidecar) || !self.peers.contains(&FLOOR) {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for scenario in scenario::all() {
            if let Some(budget) = budget::cpu_ratio(&scenario) {
                let per = if scenario.kind == Kind::Streams {
                    "an event"
                } else {
                    "a request"
                };
                lines.push(Line {
                    what: format!("CPU {per}, {}", scenario.name()),
                    unit: "×",
                    figure: self.cpu_ratio(&scenario, Peer::Sidecar),
                    budget,
                });
            }
            if let Some(budget) = budget::added_micros(&scenario) {
                let time = if scenario.kind == Kind::FirstToken {
                    "first token"
                } else {
                    "p50"
                };
                lines.push(Line {
                    what: format!("added {time}, {}", scenario.name()),
                    unit: "µs",
                    figure: self.added(&scenario, Peer::Sidecar, FLOOR),
                    budget,
                });
            }
        }
        lines.push(Line {
            what: "idle memory".to_owned(),
            unit: "MiB",
            figure: self.idle_mebibytes(Peer::Sidecar),
            budget: budget::IDLE_MEBIBYTES,
        });
        lines
    }

    /// What went wrong under load, one line a run; a bench of failing requests measures nothing.
    pub fn errors(&self) -> Vec<String> {
        let failed = self
            .runs
            .iter()
            .filter(|run| run.load.error_count() > 0 || is_empty(run));
        failed
            .map(|run| {
                let (peer, scenario) = (run.peer.name(), run.scenario.name());
                format!(
                    "{peer}, {scenario}: {} answered, errors {:?}",
                    run.load.requests, run.load.errors
                )
            })
            .collect()
    }

    /// Everything as text.
    pub fn table(&self) -> String {
        let mut text = String::new();
        self.write_cpu(&mut text);
        self.write_rates(&mut text);
        self.write_times(&mut text);
        self.write_memory(&mut text);
        let lines = self.lines();
        if !lines.is_empty() {
            write_verdicts(&mut text, &lines);
        }
        text
    }

    fn write_cpu(&self, text: &mut String) {
        let peers: Vec<_> = self
            .peers
            .iter()
            .copied()
            .filter(|&peer| peer != Peer::Direct)
            .collect();
        heading(
            text,
            "CPU a request or event: µs of bare-proxy, then ratios to it",
            &peers,
        );
        for scenario in scenario::all() {
            if budget::cpu_ratio(&scenario).is_none() {
                continue;
            }
            row(text, &scenario.name(), &peers, |peer| {
                if peer == FLOOR {
                    format!(
                        "{:.1} µs",
                        self.figure(&scenario, peer, |load| cpu(&scenario, load))
                    )
                } else {
                    format!("{:.2}", self.cpu_ratio(&scenario, peer))
                }
            });
        }
    }

    fn write_rates(&self, text: &mut String) {
        heading(
            text,
            "Requests a second (two cores for proxy, load and upstream together)",
            &self.peers,
        );
        for scenario in scenario::all()
            .iter()
            .filter(|scenario| scenario.kind == Kind::Whole)
        {
            row(text, &scenario.name(), &self.peers, |peer| {
                format!("{:.0}", self.figure(scenario, peer, Load::rate))
            });
        }
    }

    fn write_times(&self, text: &mut String) {
        heading(
            text,
            "Median time: µs of direct, then what each adds to it",
            &self.peers,
        );
        for scenario in scenario::all() {
            if budget::added_micros(&scenario).is_none() {
                continue;
            }
            let what = if scenario.is_stream() {
                "first token, "
            } else {
                ""
            };
            row(
                text,
                &format!("{what}{}", scenario.name()),
                &self.peers,
                |peer| {
                    if peer == Peer::Direct {
                        format!(
                            "{:.0} µs",
                            self.figure(&scenario, peer, |load| time(&scenario, load))
                        )
                    } else {
                        format!("{:+.0}", self.added(&scenario, peer, Peer::Direct))
                    }
                },
            );
        }
    }

    fn write_memory(&self, text: &mut String) {
        let peers: Vec<_> = self.memory.iter().map(|memory| memory.peer).collect();
        heading(text, "Resident memory, MiB", &peers);
        row(text, "idle", &peers, |peer| {
            format!("{:.1}", self.idle_mebibytes(peer))
        });
        row(text, "peak", &peers, |peer| {
            format!("{:.1}", self.peak_mebibytes(peer))
        });
    }

    fn idle_mebibytes(&self, peer: Peer) -> f64 {
        self.mebibytes(peer, |memory| memory.idle)
    }

    fn peak_mebibytes(&self, peer: Peer) -> f64 {
        self.mebibytes(peer, |memory| memory.peak)
    }

    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
    fn mebibytes(&self, peer: Peer, which: impl Fn(&crate::run::Memory) -> u64) -> f64 {
        let memory = self.memory.iter().find(|memory| memory.peer == peer);
        memory.map_or(f64::NAN, |memory| which(memory) as f64 / MEBIBYTE)
    }

    fn loads(&self, scenario: &Scenario, peer: Peer) -> impl Iterator<Item = &Run> {
        let scenario = *scenario;
        self.runs
            .iter()
            .filter(move |run| run.peer == peer && run.scenario == scenario)
    }
}

/// Whether a run shows nothing. Of many long streams, none may end within a short time: their events count.
fn is_empty(run: &Run) -> bool {
    match run.scenario.kind {
        Kind::Streams => run.load.events == 0,
        Kind::Whole | Kind::FirstToken => run.load.requests == 0,
    }
}

/// The CPU figure of a scenario, in microseconds.
fn cpu(scenario: &Scenario, load: &Load) -> f64 {
    match scenario.kind {
        Kind::Streams => load.cpu_per_event(),
        Kind::Whole | Kind::FirstToken => load.cpu_per_request(),
    }
}

/// The time of a scenario, in microseconds.
fn time(scenario: &Scenario, load: &Load) -> f64 {
    let p50 = |times: Option<Quantiles>| times.map_or(f64::NAN, |times| times.p50);
    match scenario.kind {
        Kind::FirstToken => p50(load.first_token),
        Kind::Whole | Kind::Streams => p50(load.latency),
    }
}

const FIRST_COLUMN: usize = 44;
const COLUMN: usize = 12;

fn heading(text: &mut String, title: &str, peers: &[Peer]) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{title}");
    row(text, "", peers, |peer| peer.name().to_owned());
}

fn row(text: &mut String, name: &str, peers: &[Peer], cell: impl Fn(Peer) -> String) {
    let _ = write!(text, "  {name:<FIRST_COLUMN$}");
    for &peer in peers {
        let _ = write!(text, "{:>COLUMN$}", cell(peer));
    }
    text.push('\n');
}

fn write_verdicts(text: &mut String, lines: &[Line]) {
    let _ = writeln!(text, "\nThe sidecar's budgets (against bare-proxy)");
    for line in lines {
        let verdict = match line.verdict() {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::Failed => "FAILED",
        };
        let digits = if line.unit == "µs" { 0 } else { 2 };
        let figure = format!("{:.digits$} {}", line.figure, line.unit);
        let budget = format!("≤ {} {}", line.budget, line.unit);
        let _ = writeln!(
            text,
            "  {:<FIRST_COLUMN$}{figure:>COLUMN$}{budget:>COLUMN$}{verdict:>COLUMN$}",
            line.what
        );
    }
}

#[cfg(test)]
mod tests;
