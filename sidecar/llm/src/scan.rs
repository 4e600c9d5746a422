//! One pass over a request body: is it one JSON object within the limits, and where are the members that routing and
//! pass-through need?
//!
//! *Guarantees*: accepts exactly what `serde_json` accepts as an object (RFC 8259, valid UTF-8), nested at most
//! [`MAX_DEPTH`] deep, with at most [`MAX_MEMBERS`] top-level members, none of them twice. Nothing is copied but the
//! model's name and keys that hold escapes. One pass, whatever the body holds.
//!
//! Not `serde_json` itself: its `IgnoredAny` knows no depth and does not look at UTF-8, its recursive visitors copy
//! strings and refuse numbers like `1e999`, and neither gives positions.

mod block;
mod cursor;
mod inside;

use std::borrow::Cow;
use std::ops::Range;

use self::cursor::{Cursor, Kind};
pub use self::inside::Member;
pub(crate) use self::inside::{items, members, members_so_far};

/// Deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 128;

/// Most members of the top-level object.
pub const MAX_MEMBERS: usize = 256;

/// What was found. Spans are byte ranges of the scanned body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestScan {
    /// `model`.
    pub model: Option<Model>,
    /// `stream`; absent and `null` are false.
    pub stream: bool,
    /// `stream_options`, when present.
    pub stream_options: Option<StreamOptions>,
    /// The key `max_tokens` with its quotes.
    pub max_tokens_key: Option<Range<usize>>,
    /// The key `max_completion_tokens` with its quotes.
    pub max_completion_tokens_key: Option<Range<usize>>,
    /// `n`; absent and `null` are `None`.
    pub n: Option<u32>,
    /// Just after the `{` of the object, where a member can be inserted.
    pub start: usize,
    /// Every member, in order.
    pub members: Vec<Member>,
}

/// The member `model`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The name, unescaped.
    pub name: String,
    /// The value with its quotes.
    pub span: Range<usize>,
}

/// The member `stream_options`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// The whole value.
    pub span: Range<usize>,
    /// `include_usage`; absent and `null` are false.
    pub include_usage: bool,
    /// The value of `include_usage`, when it is there.
    pub include_usage_span: Option<Range<usize>>,
    /// Whether the value is an object (it may be `null`), and whether that has members.
    pub object: Option<bool>,
}

/// Why a body is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// Not JSON.
    #[error("the body is not valid JSON: {expected} at byte {at}")]
    Syntax {
        /// Where.
        at: usize,
        /// What would be right there, for example `expected a value`.
        expected: &'static str,
    },
    /// Not UTF-8.
    #[error("the body is not valid UTF-8 at byte {at}")]
    NotUtf8 {
        /// Where.
        at: usize,
    },
    /// JSON, but no object.
    #[error("the body must be a JSON object, not {found}")]
    NotAnObject {
        /// What it is, for example `an array`.
        found: &'static str,
    },
    /// Something follows the object.
    #[error("the body must end after its JSON object; more follows at byte {at}")]
    TrailingBytes {
        /// Where.
        at: usize,
    },
    /// Nested too deep.
    #[error("the body is nested deeper than {MAX_DEPTH} levels at byte {at}")]
    TooDeep {
        /// Where.
        at: usize,
    },
    /// Too many members.
    #[error("the body has more than {MAX_MEMBERS} top-level members")]
    TooManyMembers,
    /// A key twice: what we read and what the provider reads could differ.
    #[error("`{key}` appears twice, the second time at byte {at}; send it once")]
    DuplicateKey {
        /// The key, shortened.
        key: String,
        /// Where the second one is.
        at: usize,
    },
    /// A member that we must read has the wrong type.
    #[error("`{key}` must be {expected}")]
    WrongType {
        /// The key, for example `stream_options.include_usage`.
        key: &'static str,
        /// What would be right, for example `a string`.
        expected: &'static str,
    },
}

/// Scans a request body.
pub fn scan(body: &[u8]) -> Result<RequestScan, ScanError> {
    // Validated as a whole: vector code beats any check on the way.
    let text = simdutf8::basic::from_utf8(body).map_err(|_| not_utf8(body))?;
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    match cursor.kind()? {
        Kind::Object => {}
        other => return Err(not_an_object(&mut cursor, other)),
    }
    let mut found = RequestScan {
        start: cursor.position() + 1,
        members: Vec::with_capacity(16),
        ..RequestScan::default()
    };
    let mut keys: Vec<Cow<'_, str>> = Vec::with_capacity(16);
    cursor.object(|cursor, key, key_span| {
        if keys.len() == MAX_MEMBERS {
            return Err(ScanError::TooManyMembers);
        }
        if keys.contains(&key) {
            return Err(duplicate(&key, key_span.start));
        }
        let value = cursor.position();
        found.member(cursor, &key, key_span.clone())?;
        found.members.push(Member {
            key: key_span,
            value: value..cursor.position(),
        });
        keys.push(key);
        Ok(())
    })?;
    cursor.skip_space();
    match cursor.at_end() {
        true => Ok(found),
        false => Err(ScanError::TrailingBytes {
            at: cursor.position(),
        }),
    }
}

/// The vector code does not say where.
fn not_utf8(body: &[u8]) -> ScanError {
    let at = std::str::from_utf8(body).map_or_else(|error| error.valid_up_to(), |_| body.len());
    ScanError::NotUtf8 { at }
}

fn not_an_object(cursor: &mut Cursor<'_>, kind: Kind) -> ScanError {
    // A syntax error inside says more than the wrong type outside.
    match cursor.skip_value() {
        Err(error) => error,
        Ok(_) => ScanError::NotAnObject { found: kind.name() },
    }
}

fn duplicate(key: &str, at: usize) -> ScanError {
    let key = key.chars().take(64).collect();
    ScanError::DuplicateKey { key, at }
}

// === impl RequestScan ===

impl RequestScan {
    /// Reads or skips the value that the cursor stands at.
    fn member(
        &mut self,
        cursor: &mut Cursor<'_>,
        key: &str,
        key_span: Range<usize>,
    ) -> Result<(), ScanError> {
        match key {
            "model" => self.model = Some(model(cursor)?),
            "stream" => self.stream = boolean(cursor, "stream")?.0,
            "stream_options" => self.stream_options = Some(stream_options(cursor)?),
            "n" => self.n = choices(cursor)?,
            "max_tokens" => {
                self.max_tokens_key = Some(key_span);
                cursor.skip_value()?;
            }
            "max_completion_tokens" => {
                self.max_completion_tokens_key = Some(key_span);
                cursor.skip_value()?;
            }
            _ => {
                cursor.skip_value()?;
            }
        }
        Ok(())
    }
}

fn model(cursor: &mut Cursor<'_>) -> Result<Model, ScanError> {
    const WRONG: ScanError = ScanError::WrongType {
        key: "model",
        expected: "a string",
    };
    if !matches!(cursor.kind()?, Kind::String) {
        return Err(WRONG);
    }
    let (name, span) = cursor.string()?;
    Ok(Model {
        name: name.into_owned(),
        span,
    })
}

fn boolean(cursor: &mut Cursor<'_>, key: &'static str) -> Result<(bool, Range<usize>), ScanError> {
    let span = cursor.skip_value()?;
    match cursor.text(&span) {
        "true" => Ok((true, span)),
        "false" | "null" => Ok((false, span)),
        _ => Err(ScanError::WrongType {
            key,
            expected: "true or false",
        }),
    }
}

fn choices(cursor: &mut Cursor<'_>) -> Result<Option<u32>, ScanError> {
    let span = cursor.skip_value()?;
    match cursor.text(&span) {
        "null" => Ok(None),
        text => match text.parse() {
            Ok(n @ 1..=128) => Ok(Some(n)),
            _ => Err(ScanError::WrongType {
                key: "n",
                expected: "a whole number from 1 to 128",
            }),
        },
    }
}

fn stream_options(cursor: &mut Cursor<'_>) -> Result<StreamOptions, ScanError> {
    let mut found = StreamOptions {
        span: 0..0,
        include_usage: false,
        include_usage_span: None,
        object: None,
    };
    match cursor.kind()? {
        Kind::Object => {
            let mut members = 0_usize;
            found.span = cursor.object(|cursor, key, key_span| {
                members += 1;
                if key != "include_usage" {
                    cursor.skip_value()?;
                } else if found.include_usage_span.is_some() {
                    return Err(duplicate("stream_options.include_usage", key_span.start));
                } else {
                    let (value, span) = boolean(cursor, "stream_options.include_usage")?;
                    found.include_usage = value;
                    found.include_usage_span = Some(span);
                }
                Ok(())
            })?;
            found.object = Some(members > 0);
        }
        Kind::Null => found.span = cursor.skip_value()?,
        _ => {
            return Err(ScanError::WrongType {
                key: "stream_options",
                expected: "an object",
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
