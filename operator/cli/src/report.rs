//! A report for people and for programs.

use std::io::{self, Write};

use serde_json::json;

use crate::lint::{Judged, Report, Stage};

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const YELLOW: &str = "\u{1b}[33m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// One line an object, one a finding below it, and a sum.
pub(crate) fn human(report: &Report, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let paint = |code: &str, text: &str| {
        if color {
            format!("{code}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    };
    for judged in &report.objects {
        let word = match judged {
            judged if judged.has_problems() => paint(RED, "error"),
            judged if judged.findings.is_empty() => paint(GREEN, "ok   "),
            _ => paint(YELLOW, "warn "),
        };
        let (file, line) = judged.origin.location();
        let place = paint(DIM, &format!("{}:{line}", file.display()));
        writeln!(out, "{word} {} {place}", judged.origin.title())?;
        for finding in &judged.findings {
            let code = if finding.stage == Stage::Warning {
                YELLOW
            } else {
                RED
            };
            let who = finding.reason.map_or_else(
                || finding.stage.name().to_owned(),
                |reason| format!("{} {reason}", finding.stage.name()),
            );
            let path = if finding.path.is_empty() {
                String::new()
            } else {
                format!("{}: ", paint(code, &finding.path))
            };
            writeln!(
                out,
                "      {path}{} {}",
                finding.message,
                paint(DIM, &format!("[{who}]"))
            )?;
        }
    }
    let problems = report
        .objects
        .iter()
        .filter(|judged| judged.has_problems())
        .count();
    let warnings = report
        .objects
        .iter()
        .flat_map(|judged| &judged.findings)
        .filter(|finding| finding.stage == Stage::Warning)
        .count();
    writeln!(
        out,
        "{} objects, {problems} with problems, {warnings} warnings",
        report.objects.len()
    )
}

/// One JSON object.
pub(crate) fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let problems = report
        .objects
        .iter()
        .filter(|judged| Judged::has_problems(judged))
        .count();
    let shown = json!({"objects": report.objects, "problems": problems});
    serde_json::to_writer_pretty(&mut *out, &shown)?;
    writeln!(out)
}
