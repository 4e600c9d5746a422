//! Measures the wire formats: cost of a request, an answer and a streamed event of each pair, beside pass-through; and that
//! work is linear. `make bench-formats`.
#![expect(clippy::print_stdout, reason = "it talks to the person in front of it")]

mod linear;
mod measure;
mod sample;
mod work;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use fkm_dialect::Format;
use linear::{Growth, LIMIT};
use measure::Cost;
use work::{Pair, PassThrough};

/// Measures the wire formats, in one thread, without a network.
///
/// Exit code 0 when all work is linear, 1 when not.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Samples of 20 ms each; the best counts
    #[arg(long, default_value_t = 7)]
    samples: usize,
    /// What is printed: tables, or every number
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let passed = Format::ALL
        .into_iter()
        .map(|home| work::pass_through(home, args.samples))
        .collect::<Result<Vec<_>>>()?;
    let pairs = Format::ALL
        .into_iter()
        .flat_map(|provider| Format::ALL.map(|client| (client, provider)))
        .map(|(client, provider)| work::pair(client, provider, args.samples))
        .collect::<Result<Vec<_>>>()?;
    let mut growth = Vec::new();
    for home in Format::ALL {
        growth.extend(linear::growth(home, args.samples.min(3))?);
    }
    match args.output {
        Output::Json => {
            let all = serde_json::json!({"passThrough": passed, "pairs": pairs, "growth": growth});
            println!("{all}");
        }
        Output::Text => print(&passed, &pairs, &growth),
    }
    let steep = growth.iter().any(|growth| growth.ratio > LIMIT);
    Ok(ExitCode::from(u8::from(steep)))
}

fn print(passed: &[PassThrough], pairs: &[Pair], growth: &[Growth]) {
    println!(
        "request of 4 KiB, whole answer of 400 pieces, one event of a stream: time, allocations\n"
    );
    println!(
        "{:<26} {:<26} {:>16} {:>17} {:>16}",
        "provider", "client", "request", "answer", "event"
    );
    for one in passed {
        let (home, request, answer, event) = (one.format, Some(one.request), one.answer, one.event);
        println!("{}", row(home, "passed through", request, answer, event));
    }
    for one in pairs {
        let (request, answer, event) = (one.request, one.answer, one.event);
        println!(
            "{}",
            row(one.provider, one.client.name(), request, answer, event)
        );
    }
    println!("\ntime a byte (or event) at 16 times the size; more than {LIMIT} is not linear");
    for Growth { what, ratio } in growth {
        println!("{ratio:>6.2} {what}");
    }
}

fn row(provider: Format, client: &str, request: Option<Cost>, answer: Cost, event: Cost) -> String {
    let request = request.map_or_else(|| "refused".to_owned(), |cost| micro(&cost));
    let event = format!("{:>6.0} ns {:>5.2}", event.nanoseconds, event.allocations);
    format!(
        "{:<26} {client:<26} {request:>16} {:>17} {event:>16}",
        provider.name(),
        micro(&answer)
    )
}

fn micro(cost: &Cost) -> String {
    format!(
        "{:>7.1} µs {:>4.0}",
        cost.nanoseconds / 1000.0,
        cost.allocations
    )
}
