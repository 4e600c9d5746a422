//! Numbers of bytes as Kubernetes writes quantities: `512Ki`, `10Mi`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A number of bytes above 0, as text: at most nine digits, with `Ki` or `Mi`, or without for single bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteSize(pub String);

/// Text that is no number of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not a size: write bytes with Ki or Mi, for example \"512Ki\" or \"10Mi\"")]
pub struct InvalidByteSize(pub String);

const PATTERN: &str = "^[1-9][0-9]{0,8}(Ki|Mi)?$";

// === impl ByteSize ===

impl ByteSize {
    /// The number of bytes.
    pub fn bytes(&self) -> Result<u64, InvalidByteSize> {
        let invalid = || InvalidByteSize(self.0.clone());
        let units = [("Ki", 1024), ("Mi", 1024 * 1024)];
        let unit = units.iter().find(|(unit, _)| self.0.ends_with(unit));
        let (unit, size) = unit.copied().unwrap_or(("", 1));
        let digits = self.0.strip_suffix(unit).unwrap_or(&self.0);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        if !plain || !(1..=9).contains(&digits.len()) || digits.starts_with('0') {
            return Err(invalid());
        }
        let number: u64 = digits.parse().map_err(|_| invalid())?;
        Ok(number * size)
    }
}

impl JsonSchema for ByteSize {
    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": 11, "pattern": PATTERN})
    }
}

impl From<&str> for ByteSize {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bytes() {
        for (text, bytes) in [
            ("1", 1),
            ("512Ki", 524_288),
            ("10Mi", 10_485_760),
            ("999999999Mi", 999_999_999 * 1_048_576),
        ] {
            assert_eq!(ByteSize::from(text).bytes(), Ok(bytes));
        }
        for wrong in [
            "",
            "0",
            "0Mi",
            "Mi",
            "1Gi",
            "1M",
            "1.5Mi",
            "-1",
            "1 Mi",
            "01",
            "1000000000",
        ] {
            let error = ByteSize::from(wrong).bytes().unwrap_err();
            assert!(error.to_string().contains(&format!("{wrong:?}")), "{error}");
        }
    }
}
