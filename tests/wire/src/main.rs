//! The wire formats as a program, for the suites in Python: reads one JSON command a line from stdin, writes one JSON
//! result a line to stdout, and nothing else. It ends with its input. Commands and results: [`command`].

mod answer;
mod chat;
mod codec;
mod command;
mod cost;
mod embedding;
mod failure;
mod rerank;
mod run;

use std::io::{BufRead as _, Write as _};

use command::Command;

fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let result = match serde_json::from_str::<Command>(&line?) {
            Ok(command) => run::run(&command),
            Err(error) => failure::of_command(&error),
        };
        serde_json::to_writer(&mut out, &result)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}
