//! Made-up runs with known figures.

use super::*;
use crate::run::Memory;

/// Three passes on a machine that is twice as slow in the second; the sidecar costs `ratio` times the floor.
fn results(ratio: f64, added: f64) -> Results {
    let mut runs = Vec::new();
    for (pass, slow) in [1.0, 2.0, 1.0].into_iter().enumerate() {
        for scenario in scenario::all() {
            for (peer, cost, wait) in [
                (Peer::Direct, 0.0, 0.0),
                (Peer::BareProxy, 20.0, 50.0),
                (Peer::Sidecar, 20.0 * ratio, 50.0 + added),
            ] {
                let times = Some(Quantiles {
                    count: 100,
                    p50: 100.0 * slow + wait,
                    ..Quantiles::default()
                });
                let load = Load {
                    seconds: 1.0,
                    requests: 100,
                    events: 100,
                    cpu_micros: 100.0 * cost * slow,
                    latency: times,
                    first_token: times,
                    ..Load::default()
                };
                runs.push(Run {
                    scenario,
                    peer,
                    pass,
                    load,
                });
            }
        }
    }
    let memory = |peer, idle: u64| Memory {
        peer,
        idle: idle << 20,
        peak: 20 << 20,
    };
    Results {
        peers: vec![Peer::Direct, Peer::BareProxy, Peer::Sidecar],
        runs,
        memory: vec![memory(Peer::BareProxy, 3), memory(Peer::Sidecar, 8)],
    }
}

fn verdicts(results: &Results, verdict: Verdict) -> usize {
    results
        .lines()
        .iter()
        .filter(|line| line.verdict() == verdict)
        .count()
}

#[test]
fn medians() {
    for (values, expected) in [
        (vec![], "NaN"),
        (vec![3.0], "3"),
        (vec![9.0, 1.0, 2.0], "2"),
        (vec![4.0, 1.0, 2.0, 9.0], "3"),
        (vec![f64::NAN, 5.0, f64::INFINITY], "5"),
    ] {
        assert_eq!(median(values).to_string(), expected);
    }
}

#[test]
fn ratios_are_taken_within_a_pass() {
    let results = results(1.2, 30.0);
    for scenario in scenario::all() {
        let ratio = results.cpu_ratio(&scenario, Peer::Sidecar);
        assert!((ratio - 1.2).abs() < 1e-9, "{ratio}");
        let added = results.added(&scenario, Peer::Sidecar, Peer::BareProxy);
        assert!((added - 30.0).abs() < 1e-9, "{added}");
        let added = results.added(&scenario, Peer::Sidecar, Peer::Direct);
        assert!((added - 80.0).abs() < 1e-9, "{added}");
    }
}

#[test]
fn lines_are_met_missed_and_failed() {
    let good = results(1.2, 30.0);
    assert_eq!(good.lines().len(), 9 + 1 + 3 + 1 + 1);
    assert_eq!(verdicts(&good, Verdict::Met), good.lines().len());
    assert_eq!(budget::exit_code(&good.lines()), 0);

    // Above 1.25 and 1.2, below 1.5: the three large bodies still meet theirs.
    let missed = results(1.4, 120.0);
    assert_eq!(verdicts(&missed, Verdict::Missed), 7 + 4);
    assert_eq!(budget::exit_code(&missed.lines()), 0);
    assert!(missed.table().contains("MISSED"), "{}", missed.table());

    let failed = results(1.9, 30.0);
    assert_eq!(verdicts(&failed, Verdict::Failed), 7);
    assert_eq!(budget::exit_code(&failed.lines()), 1);
}

#[test]
fn a_peer_that_was_not_measured_is_no_success() {
    let mut results = results(1.0, 0.0);
    results.runs.retain(|run| run.peer != Peer::Sidecar);
    results.memory.clear();
    assert_eq!(verdicts(&results, Verdict::Failed), results.lines().len());
    results.peers.retain(|&peer| peer != Peer::Sidecar);
    assert_eq!(results.lines(), Vec::new());
}

#[test]
fn errors_and_empty_runs_are_told() {
    let mut results = results(1.0, 0.0);
    assert_eq!(results.errors(), Vec::<String>::new());
    results.runs[0]
        .load
        .errors
        .insert("status 500".to_owned(), 3);
    results.runs[1].load.requests = 0;
    let errors = results.errors();
    assert_eq!(errors.len(), 2);
    assert!(
        errors[0].starts_with("direct, 300 B, 1 connection: 100 answered"),
        "{errors:?}"
    );
}

#[test]
fn the_table_shows_ratios() {
    let table = results(1.2, 30.0).table();
    for expected in [
        "20.0 µs",
        "1.20",
        "100 µs",
        "+80",
        "≤ 1.25 ×",
        "≤ 100 µs",
        "8.00 MiB",
    ] {
        assert!(table.contains(expected), "{expected} in {table}");
    }
}
