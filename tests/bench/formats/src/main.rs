//! Measures the wire formats: cost of a request, an answer and a streamed event of each pair, beside pass-through; and that
//! work is linear. `make bench-formats`.
#![expect(clippy::print_stdout, reason = "it talks to the person in front of it")]

mod embed;
mod linear;
mod measure;
mod sample;
mod table;
mod work;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use fkm_dialect::{EmbeddingFormat, Format};
use linear::LIMIT;

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
    let Args { samples, output } = Args::parse();
    // From here on the allocator keeps large blocks: what the kernel needs for new pages is no work of ours.
    drop(std::hint::black_box(vec![0_u8; 24 << 20]));
    let mut rows = Vec::new();
    let mut growth = Vec::new();
    for provider in Format::ALL {
        rows.push(work::pass_through(provider, samples)?);
        for client in Format::ALL {
            rows.push(work::pair(client, provider, samples)?);
        }
        growth.extend(linear::of(provider, samples.min(3))?);
    }
    let mut embeddings = Vec::new();
    for provider in EmbeddingFormat::ALL {
        for client in EmbeddingFormat::ALL {
            embeddings.push(embed::pair(client, provider, samples)?);
        }
        growth.push(linear::of_embeddings(provider, samples.min(3))?);
    }
    match output {
        Output::Json => {
            let all =
                serde_json::json!({"pairs": rows, "embeddings": embeddings, "growth": growth});
            println!("{all}");
        }
        Output::Text => table::print(&rows, &embeddings, &growth),
    }
    let steep = growth.iter().any(|growth| growth.ratio > LIMIT);
    Ok(ExitCode::from(u8::from(steep)))
}
