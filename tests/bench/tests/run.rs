//! The whole bench at its shortest, without the sidecar: every program, every scenario.

use std::path::Path;
use std::time::Duration;

use fkm_bench::load::Load;
use fkm_bench::peer::{Peer, Programs};
use fkm_bench::run::{Pace, run};
use fkm_bench::scenario::{self, Kind};

fn programs() -> Programs {
    let own = Path::new(env!("CARGO_BIN_EXE_loadgen"))
        .parent()
        .expect("a program is in a folder");
    Programs {
        own: own.to_owned(),
        sidecar: own.join("no-such-sidecar"),
        nginx: None,
    }
}

fn pace(limit: Duration) -> Pace {
    Pace {
        repeats: 1,
        warm_up: Duration::from_millis(50),
        measured: Duration::from_millis(200),
        limit,
    }
}

#[test]
fn every_scenario_is_answered_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    let peers = [Peer::Direct, Peer::BareProxy];
    let results = run(
        &peers,
        &programs(),
        pace(Duration::from_mins(2)),
        folder.path(),
        |what| told.push(what),
    )
    .unwrap();
    assert_eq!(results.errors(), Vec::<String>::new());
    assert_eq!(results.runs.len(), 2 * scenario::all().len());
    assert_eq!(told.len(), results.runs.len() + peers.len());
    for scenario in scenario::all() {
        let figure: fn(&Load) -> f64 = match scenario.kind {
            Kind::Streams => Load::cpu_per_event,
            Kind::Whole | Kind::FirstToken => Load::cpu_per_request,
        };
        let cpu = results.figure(&scenario, Peer::BareProxy, figure);
        assert!(cpu > 0.0 && cpu < 1e6, "{scenario:?}: {cpu}");
        assert!(
            (results.cpu_ratio(&scenario, Peer::BareProxy) - 1.0).abs() < 1e-9,
            "{scenario:?}"
        );
        assert!(
            results.figure(&scenario, Peer::Direct, figure) < 1e-9,
            "{scenario:?}"
        );
        let events = results.figure(&scenario, Peer::Direct, |load| {
            if load.events > 0 { 1.0 } else { 0.0 }
        });
        assert_eq!(events > 0.5, scenario.kind != Kind::Whole, "{scenario:?}");
    }
    assert_eq!(results.memory.len(), 1);
    assert!(results.memory[0].peak >= results.memory[0].idle && results.memory[0].idle > 0);
    assert_eq!(results.lines(), Vec::new());
}

#[test]
fn time_is_bounded_and_a_missing_program_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let late = run(
        &[Peer::Direct],
        &programs(),
        pace(Duration::ZERO),
        folder.path(),
        |_| {},
    )
    .unwrap_err();
    assert!(late.to_string().contains("--limit-seconds"), "{late:#}");
    let limit = Duration::from_mins(1);
    let missing = run(
        &[Peer::Sidecar],
        &programs(),
        pace(limit),
        folder.path(),
        |_| {},
    )
    .unwrap_err();
    assert!(
        missing.to_string().contains("no-such-sidecar"),
        "{missing:#}"
    );
}
