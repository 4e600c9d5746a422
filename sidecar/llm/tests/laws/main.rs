//! The laws of every format, for generated values: what encode accepts without a drop, decode gives back, as a whole and
//! as a stream, however the stream is cut; a stream is complete exactly when its finish reasons have come; and nothing
//! panics on any bytes.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod bytes;
mod generate;
mod requests;
mod responses;
mod streams;

use fkm_llm::{Dialect, Format};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Runs `law` on `cases` values; gives how many of them it applied to (`Ok(true)`).
fn check<S: Strategy>(
    cases: u32,
    values: &S,
    law: impl Fn(S::Value) -> Result<bool, TestCaseError>,
) -> usize {
    let applied = std::cell::Cell::new(0);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(values, |value| {
        applied.set(applied.get() + usize::from(law(value)?));
        Ok(())
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
    applied.get()
}

/// A provider without peculiarities.
fn dialect(format: Format) -> Dialect {
    let record = serde_json::json!({"format": format, "path": "/x", "auth": "Bearer"});
    serde_json::from_value(record).unwrap()
}
