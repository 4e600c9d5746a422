//! JSON text that is carried, not understood.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON value as it was written: 30-digit numbers, key order and escapes survive.
///
/// Equality is equality of the text.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

// === impl RawJson ===

impl RawJson {
    /// Takes text that is one JSON value; white space around it is cut off.
    pub fn try_new(text: &str) -> Result<Self, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Ok(Self(raw.to_owned()))
    }

    /// The text of a string value.
    pub fn string(text: &str) -> Self {
        let text = serde_json::to_string(text).expect("a string is always JSON");
        Self(RawValue::from_string(text).expect("just serialised"))
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    pub(crate) fn raw(&self) -> &RawValue {
        &self.0
    }
}

impl From<&RawValue> for RawJson {
    fn from(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }
}

impl From<&serde_json::Value> for RawJson {
    fn from(value: &serde_json::Value) -> Self {
        let text = value.to_string();
        Self(RawValue::from_string(text).expect("a value prints as JSON"))
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for RawJson {}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
