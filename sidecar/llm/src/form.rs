//! One pass over a form (`multipart/form-data`, RFC 7578): which model is asked for, whether the answer streams, and where in
//! the bytes that stands.
//!
//! *Guarantees*: nothing is copied but the model's name and the boundary; what is in files is not looked at, but for the
//! boundary. Work is linear in the body. Every part must be named, and the form must be closed, or it is refused here rather
//! than by a provider.
//!
//! Not `multer`, the crate that is usual for it: it reads streams, copies every byte, and gives no positions.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;

use crate::patches::Patches;
use crate::scan::{Model, RequestScan};

/// The most parts of a form: `OpenAI` takes 16 pictures, and has about 20 other fields.
const MAX_PARTS: usize = 256;

/// The longest value of a field that is read here, in bytes.
const MAX_FIELD_BYTES: usize = 1024;

/// The longest head of a part, in bytes.
const MAX_HEAD_BYTES: usize = 8 * 1024;

/// The longest boundary (RFC 2046, 5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;

/// The most headers of a part; RFC 7578 knows three.
const MAX_HEADERS: usize = 16;

/// A form as far as routing must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What parts it, without the leading hyphens.
    boundary: String,
    /// Where the first part begins, with its boundary.
    start: usize,
}

/// Why a form is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The header that says how the body is written does not say what parts it.
    #[error("content-type multipart/form-data needs a boundary of 1 to 70 characters")]
    NoBoundary,
    /// The boundary never comes.
    #[error("the body is not the form that content-type announces: its boundary is not in it")]
    NotAForm,
    /// A part does not end.
    #[error("the form breaks off in part {part}: its closing boundary is missing")]
    Unclosed {
        /// Its place, from 1.
        part: usize,
    },
    /// The head of a part cannot be read.
    #[error("part {part} of the form has no readable head: {reason}")]
    Head {
        /// Its place, from 1.
        part: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// Too many parts.
    #[error("the form has more than {MAX_PARTS} parts")]
    TooManyParts,
    /// A field twice: what we read and what the provider reads could differ.
    #[error("`{field}` appears twice; send it once")]
    Duplicate {
        /// Which.
        field: &'static str,
    },
    /// A field that must be read has the wrong form.
    #[error("`{field}` must be {expected}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
    },
}

// === impl FormError ===

impl FormError {
    /// The field that is wrong, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Duplicate { field } | Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }
}

// === impl Form ===

impl Form {
    /// Reads a form. `content_type` is the header's value.
    pub fn scan(content_type: &str, body: &[u8]) -> Result<(Self, RequestScan), FormError> {
        let boundary = boundary(content_type).ok_or(FormError::NoBoundary)?;
        let mark = format!("\r\n--{boundary}");
        let finder = memmem::Finder::new(mark.as_bytes());
        // The very first one needs no line before it; what else stands before it is no part (RFC 2046, 5.1.1).
        let start = match body.starts_with(&mark.as_bytes()[2..]) {
            true => 0,
            false => finder.find(body).ok_or(FormError::NotAForm)? + 2,
        };
        let mut found = Fields::default();
        let mut at = start + mark.len() - 2;
        for part in 1.. {
            let rest = &body[at..];
            if rest.starts_with(b"--") {
                break;
            }
            if part > MAX_PARTS {
                return Err(FormError::TooManyParts);
            }
            let unclosed = FormError::Unclosed { part };
            let line = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
            let line = line.filter(|&line| rest[line..].starts_with(b"\r\n"));
            let head = at + line.ok_or_else(|| unclosed.clone())? + 2;
            let (name, length) = head_of(&body[head..], part)?;
            let value = head + length;
            let end = finder.find(&body[value..]).ok_or(unclosed)? + value;
            found.take(&name, value..end, body)?;
            at = end + mark.len();
        }
        let scan = RequestScan {
            model: found.model,
            stream: found.stream.unwrap_or(false),
            n: found.n,
            ..RequestScan::default()
        };
        Ok((Self { boundary, start }, scan))
    }

    /// The form with another name of the model, which is added where it names none. `scan` must be of this `body`.
    pub fn edit(&self, body: &Bytes, scan: &RequestScan, model: &str) -> Vec<Bytes> {
        let mut patches = Patches::default();
        match &scan.model {
            Some(named) if named.name == model => {}
            Some(named) => patches.rewrite(named.span.clone(), model.to_owned()),
            None => {
                let boundary = &self.boundary;
                let part = format!(
                    "--{boundary}\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n"
                );
                patches.insert(self.start, part);
            }
        }
        patches.apply(body).0
    }
}

/// The fields that are read.
#[derive(Default)]
struct Fields {
    model: Option<Model>,
    stream: Option<bool>,
    n: Option<u32>,
}

// === impl Fields ===

impl Fields {
    fn take(&mut self, name: &str, span: Range<usize>, body: &[u8]) -> Result<(), FormError> {
        let text = |field, expected| {
            let short = span.len() <= MAX_FIELD_BYTES;
            let text = std::str::from_utf8(&body[span.clone()]).ok();
            text.filter(|_| short)
                .ok_or(FormError::Invalid { field, expected })
        };
        let once = |is_there: bool, field| match is_there {
            true => Err(FormError::Duplicate { field }),
            false => Ok(()),
        };
        match name {
            "model" => {
                once(self.model.is_some(), "model")?;
                let name = text("model", "a text of at most 1024 bytes")?.to_owned();
                self.model = Some(Model { name, span });
            }
            "stream" => {
                once(self.stream.is_some(), "stream")?;
                self.stream = Some(match text("stream", "true or false")? {
                    "true" | "True" | "1" => true,
                    "false" | "False" | "0" | "" => false,
                    _ => {
                        let expected = "true or false";
                        return Err(FormError::Invalid {
                            field: "stream",
                            expected,
                        });
                    }
                });
            }
            "n" => {
                once(self.n.is_some(), "n")?;
                // What is no number is the provider's to refuse.
                self.n = text("n", "a whole number")?.parse().ok();
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether a body is said to be a form.
pub fn is_form(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type
        .trim()
        .eq_ignore_ascii_case("multipart/form-data")
}

/// The parameter `boundary`, as it is or in quotes.
fn boundary(content_type: &str) -> Option<String> {
    let value = parameter(content_type, "boundary")?;
    let fits = (1..=MAX_BOUNDARY_BYTES).contains(&value.len());
    let printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (fits && printable && !value.ends_with(' ')).then_some(value)
}

/// A parameter of a header's value, as it is or in quotes; a quoted one may hold `;` and, behind a backslash, quotes.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, left) = value_of(after.trim_start());
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = left.split_once(';')?.1;
    }
}

/// The value that a text begins with, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim_end().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// The name of a part, and the length of its head with the empty line.
fn head_of(part: &[u8], number: usize) -> Result<(String, usize), FormError> {
    let wrong = |reason| FormError::Head {
        part: number,
        reason,
    };
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let head = &part[..part.len().min(MAX_HEAD_BYTES)];
    let (length, headers) = match httparse::parse_headers(head, &mut slots) {
        Ok(httparse::Status::Complete(parsed)) => parsed,
        Ok(httparse::Status::Partial) => return Err(wrong("it does not end")),
        Err(_) => return Err(wrong("a header is malformed")),
    };
    let mut dispositions = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("content-disposition"));
    let disposition = dispositions
        .next()
        .ok_or_else(|| wrong("content-disposition is missing"))?;
    if dispositions.next().is_some() {
        return Err(wrong("content-disposition appears twice"));
    }
    let text = std::str::from_utf8(disposition.value)
        .map_err(|_| wrong("content-disposition is not UTF-8"))?;
    let name = parameter(text, "name").ok_or_else(|| wrong("it has no name"))?;
    Ok((name, length))
}

#[cfg(test)]
mod tests;
