//! Decimals as quoted text: never a float.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A number that is not negative, as text: `"0.25"`. At most 12 digits before the point and 6 after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decimal(pub String);

/// Text that is no decimal, or one outside of what is asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidDecimal {
    /// Not of the form.
    #[error(
        "{0:?} is not a decimal: write it in quotes with at most 6 places, for example \"0.25\""
    )]
    Form(String),
    /// A rate above one.
    #[error("{0:?} is above 1: a rate is between \"0\" and \"1\", for example \"0.25\"")]
    AboveOne(String),
}

const PATTERN: &str = r"^[0-9]{1,12}(\.[0-9]{1,6})?$";
const PLACES: u32 = 6;

// === impl Decimal ===

impl Decimal {
    /// The value in millionths.
    pub fn millionths(&self) -> Result<u64, InvalidDecimal> {
        let invalid = || InvalidDecimal::Form(self.0.clone());
        let (whole, places) = match self.0.split_once('.') {
            Some((_, "")) => return Err(invalid()),
            Some(parts) => parts,
            None => (self.0.as_str(), ""),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 12
            || places.len() > 6
            || !digits(whole)
            || !digits(places)
        {
            return Err(invalid());
        }
        let whole: u64 = whole.parse().map_err(|_| invalid())?;
        let fraction: u64 = format!("{places:0<6}").parse().map_err(|_| invalid())?;
        Ok(whole * 10u64.pow(PLACES) + fraction)
    }

    /// The value as a rate between 0 and 1, in millionths.
    pub fn rate_per_million(&self) -> Result<u32, InvalidDecimal> {
        match self.millionths()? {
            millionths @ ..=1_000_000 => {
                Ok(u32::try_from(millionths).expect("at most a million fits"))
            }
            _ => Err(InvalidDecimal::AboveOne(self.0.clone())),
        }
    }
}

impl From<&str> for Decimal {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 19, "pattern": PATTERN})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        let rate = |text| Decimal::from(text).rate_per_million();
        assert_eq!(rate("0"), Ok(0));
        assert_eq!(rate("0.2"), Ok(200_000));
        assert_eq!(rate("0.000001"), Ok(1));
        assert_eq!(rate("1"), Ok(1_000_000));
        assert_eq!(
            rate("1.000001"),
            Err(InvalidDecimal::AboveOne("1.000001".into()))
        );
        for bad in [
            "",
            ".5",
            "1.",
            "-1",
            "1e3",
            "0.1234567",
            "0,5",
            "1234567890123",
        ] {
            assert_eq!(rate(bad), Err(InvalidDecimal::Form(bad.into())));
        }
    }
}
