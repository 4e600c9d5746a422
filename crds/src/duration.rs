//! Durations as Gateway API writes them (GEP-2257): `1h30m`, `500ms`.

use std::borrow::Cow;
use std::time;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A duration as text: up to four of `<1 to 5 digits><h|m|s|ms>`. There are no days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(pub String);

/// Text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not a duration: write h, m, s and ms, for example \"1m30s\" or \"500ms\"")]
pub struct InvalidDuration(pub String);

const PATTERN: &str = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";

// === impl Duration ===

impl Duration {
    /// The shortest text for so many milliseconds, for example `20m` or `1m30s`.
    pub fn from_millis(millis: u64) -> Self {
        if millis == 0 {
            return Self("0s".to_owned());
        }
        let mut left = millis;
        let mut text = String::new();
        for unit in ["h", "m", "s", "ms"] {
            let size = unit_millis(unit).expect("these are the units");
            if left >= size {
                text += &(left / size).to_string();
                text += unit;
                left %= size;
            }
        }
        Self(text)
    }

    /// The duration that the text stands for.
    pub fn parse(&self) -> Result<time::Duration, InvalidDuration> {
        let invalid = || InvalidDuration(self.0.clone());
        let mut rest = self.0.as_str();
        let mut millis = 0u64;
        let mut parts = 0;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at(letters);
            parts += 1;
            if parts > 4 || !(1..=5).contains(&digits) {
                return Err(invalid());
            }
            let number: u64 = number.parse().map_err(|_| invalid())?;
            millis += number * unit_millis(unit).ok_or_else(invalid)?;
            rest = tail;
        }
        if parts == 0 {
            return Err(invalid());
        }
        Ok(time::Duration::from_millis(millis))
    }
}

fn unit_millis(unit: &str) -> Option<u64> {
    match unit {
        "h" => Some(3_600_000),
        "m" => Some(60_000),
        "s" => Some(1_000),
        "ms" => Some(1),
        _ => None,
    }
}

impl From<&str> for Duration {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 32, "pattern": PATTERN})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_it_reads() {
        for (millis, text) in [
            (0, "0s"),
            (500, "500ms"),
            (90_000, "1m30s"),
            (1_200_000, "20m"),
            (3_661_001, "1h1m1s1ms"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(duration.0, text);
            assert_eq!(
                duration.parse().unwrap(),
                time::Duration::from_millis(millis)
            );
        }
    }

    #[test]
    fn reads_what_the_pattern_takes() {
        let millis = |text| {
            Duration::from(text)
                .parse()
                .map(|d| d.as_millis())
                .map_err(|e| e.0)
        };
        assert_eq!(millis("1h30m"), Ok(5_400_000));
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("1m1s1ms"), Ok(61_001));
        assert_eq!(millis("0s"), Ok(0));
        assert_eq!(millis("99999h99999h99999h99999h"), Ok(1_439_985_600_000));
        for bad in [
            "",
            "5",
            "s",
            "1d",
            "1.5s",
            "-1s",
            "1s 2s",
            "100000s",
            "1s1s1s1s1s",
            "1S",
        ] {
            assert_eq!(millis(bad), Err(bad.to_owned()));
        }
    }
}
