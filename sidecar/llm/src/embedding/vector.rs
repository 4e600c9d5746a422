//! A vector, kept as it came.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::embedding::Encoding;
use crate::error::DecodeError;
use crate::ir::RawJson;
use crate::json::{Path, string, write_array, write_json};

/// A vector as its provider wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vector {
    /// A JSON array of numbers.
    Floats(RawJson),
    /// Base64 of 32-bit floats, least significant byte first.
    Base64(String),
}

/// A vector that cannot be written otherwise than it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVector {
    /// Not base64.
    #[error("the vector is not base64")]
    NotBase64,
    /// Not whole 32-bit floats.
    #[error("the vector is not made of 32-bit floats")]
    NotFloats,
    /// Infinite, or no number: JSON has no word for it, and so has a 32-bit float none for what is too large.
    #[error("the vector holds what is no finite 32-bit number")]
    NotFinite,
}

// === impl Vector ===

impl Vector {
    /// A vector as it is found in JSON: an array of numbers, or a string.
    pub(crate) fn decode(raw: &RawValue, path: &Path<'_>) -> Result<Self, DecodeError> {
        if let Some(text) = string(raw) {
            return Ok(Self::Base64(text.into_owned()));
        }
        match is_numbers(raw) {
            true => Ok(Self::Floats(raw.into())),
            false => Err(DecodeError::Invalid {
                path: path.to_string(),
                expected: "an array of numbers or base64".to_owned(),
            }),
        }
    }

    /// A vector of these numbers, as a list.
    pub fn from_values(values: &[f32]) -> Result<Self, InvalidVector> {
        list(values).map(Self::Floats)
    }

    /// Its numbers. Those of a list are rounded to 32 bits, once.
    pub fn values(&self) -> Result<Vec<f32>, InvalidVector> {
        match self {
            Self::Floats(raw) => {
                let numbers: Vec<&RawValue> =
                    serde_json::from_str(raw.get()).map_err(|_| InvalidVector::NotFloats)?;
                let number = |raw: &RawValue| match raw.get().parse::<f32>() {
                    Ok(number) if number.is_finite() => Ok(number),
                    Ok(_) => Err(InvalidVector::NotFinite),
                    Err(_) => Err(InvalidVector::NotFloats),
                };
                numbers.into_iter().map(number).collect()
            }
            Self::Base64(text) => {
                let bytes = STANDARD
                    .decode(text)
                    .map_err(|_| InvalidVector::NotBase64)?;
                let (floats, rest) = bytes.as_chunks::<4>();
                match rest {
                    [] => Ok(floats.iter().copied().map(f32::from_le_bytes).collect()),
                    _ => Err(InvalidVector::NotFloats),
                }
            }
        }
    }

    /// As a list of numbers: its own text, or the shortest that gives the same 32-bit floats.
    pub fn to_floats(&self) -> Result<Cow<'_, RawJson>, InvalidVector> {
        match self {
            Self::Floats(raw) => Ok(Cow::Borrowed(raw)),
            Self::Base64(_) => list(&self.values()?).map(Cow::Owned),
        }
    }

    /// As base64: its own text, or that of its numbers rounded to 32 bits.
    pub fn to_base64(&self) -> Result<Cow<'_, str>, InvalidVector> {
        match self {
            Self::Base64(text) => Ok(Cow::Borrowed(text)),
            Self::Floats(_) => {
                let bytes: Vec<u8> = self
                    .values()?
                    .into_iter()
                    .flat_map(f32::to_le_bytes)
                    .collect();
                Ok(Cow::Owned(STANDARD.encode(bytes)))
            }
        }
    }

    /// Writes it as JSON, in this encoding.
    pub(crate) fn encode(
        &self,
        encoding: Encoding,
        out: &mut Vec<u8>,
    ) -> Result<(), InvalidVector> {
        match encoding {
            Encoding::Float => write_json(out, &*self.to_floats()?),
            Encoding::Base64 => write_json(out, &*self.to_base64()?),
        }
        Ok(())
    }
}

/// Whether it is an array of nothing but numbers. It is JSON already: without quotes, brackets and letters (but those of exponents)
/// nothing else is left.
fn is_numbers(raw: &RawValue) -> bool {
    let inner = raw.get().strip_prefix('[');
    let inner = inner.and_then(|inner| inner.strip_suffix(']'));
    inner.is_some_and(|inner| {
        let mut bytes = inner.bytes();
        bytes.all(|byte| {
            matches!(
                byte,
                b'0'..=b'9'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'e'
                    | b'E'
                    | b','
                    | b' '
                    | b'\t'
                    | b'\n'
                    | b'\r'
            )
        })
    })
}

fn list(values: &[f32]) -> Result<RawJson, InvalidVector> {
    if !values.iter().all(|value| value.is_finite()) {
        return Err(InvalidVector::NotFinite);
    }
    let mut text = Vec::with_capacity(values.len() * 13 + 2);
    write_array(&mut text, values, write_json);
    let text = String::from_utf8(text).expect("numbers are ASCII");
    Ok(RawJson::try_new(&text).expect("just written"))
}

#[cfg(test)]
mod tests;
