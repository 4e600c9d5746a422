//! From arguments to an exit code.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::{CommandFactory, Parser};

use crate::args::{Args, Command, LintArgs, Output};
use crate::dev;
use crate::exit::{Exit, complain};
use crate::lint;
use crate::manifests::{Manifests, Options};
use crate::report;

/// Does what the arguments (the program's name first) say; results go to `out`, complaints to standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write) -> Exit {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let wanted = !error.use_stderr();
            // nothing can be done where even this cannot be written
            drop(error.print());
            return if wanted { Exit::Ok } else { Exit::Usage };
        }
    };
    let done = match &args.command {
        Command::Lint(args) => lint(args, out),
        Command::Dev(args) => Ok(dev::run(args)),
        Command::Completion { shell } => {
            clap_complete::generate(*shell, &mut Args::command(), "fkm", out);
            Ok(Exit::Ok)
        }
    };
    done.unwrap_or_else(|error| match error.kind() {
        // whoever reads has seen enough
        io::ErrorKind::BrokenPipe => Exit::Ok,
        _ => complain(&error),
    })
}

fn lint(args: &LintArgs, out: &mut dyn Write) -> io::Result<Exit> {
    let options = Options {
        namespace: args.namespace.clone(),
        assume_secrets: args.assume_secrets,
    };
    let manifests = match Manifests::read(&args.paths, options) {
        Ok(manifests) => manifests,
        Err(error) => return Ok(complain(&error)),
    };
    let report = lint::lint(&manifests);
    match args.output {
        Output::Human => report::human(&report, args.color.is_on(), out)?,
        Output::Json => report::json(&report, out)?,
    }
    Ok(if report.has_problems() {
        Exit::Problems
    } else {
        Exit::Ok
    })
}
