//! The numbers as tables.

use crate::embed::{self, NUMBERS};
use crate::linear::{Growth, LIMIT};
use crate::measure::Cost;
use crate::work;

/// Prints all of them.
pub(crate) fn print(rows: &[work::Row], embeddings: &[embed::Row], growth: &[Growth]) {
    println!(
        "time and allocations: a request of 4 KiB, a whole answer of 400 pieces, one event of a stream (text, thought, arguments)\n"
    );
    println!(
        "{:<24} {:<24} {:>14} {:>14} {:>14} {:>14} {:>14}",
        "provider", "client", "request", "answer", "text", "thought", "arguments"
    );
    for row in rows {
        println!(
            "{:<24} {:<24} {:>14} {:>14} {:>14} {:>14} {:>14}",
            row.provider.name(),
            row.client
                .map_or("passed through", fkm_dialect::Format::name),
            micro(&row.request),
            micro(&row.answer),
            nano(Some(&row.text)),
            nano(row.thought.as_ref()),
            nano(row.arguments.as_ref()),
        );
    }
    println!(
        "\na request for 16 vectors; one vector of {NUMBERS} numbers: as it came, lists to base64, base64 to lists\n"
    );
    for row in embeddings {
        println!(
            "{:<24} {:<24} {:>14} {:>14} {:>14} {:>14}",
            row.provider.name(),
            row.client.name(),
            micro(&row.request),
            micro(&row.floats),
            row.to_base64.as_ref().map_or_else(none, micro),
            row.from_base64.as_ref().map_or_else(none, micro),
        );
    }
    println!("\ntime a byte at 16 times the size; more than {LIMIT} is not linear");
    for Growth { what, ratio } in growth {
        println!("{ratio:>6.2} {what}");
    }
}

fn none() -> String {
    "-".to_owned()
}

fn nano(cost: Option<&Cost>) -> String {
    cost.map_or_else(none, |cost| {
        format!("{:>5.0} ns {:>5.2}", cost.nanoseconds, cost.allocations)
    })
}

fn micro(cost: &Cost) -> String {
    let time = cost.nanoseconds / 1000.0;
    format!("{time:>6.1} µs {:>4.0}", cost.allocations)
}
