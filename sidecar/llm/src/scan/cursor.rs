//! A position in JSON text that moves value by value, without recursion.

use std::borrow::Cow;
use std::ops::Range;

use crate::scan::{MAX_DEPTH, ScanError, block};

/// What a value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

/// Walks over `text`.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// Open arrays and objects around `at` that [`Cursor::object`] has entered.
    depth: usize,
}

// === impl Kind ===

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Null => "null",
        }
    }
}

// === impl Cursor ===

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// At a place where a value begins.
    pub(super) fn at(text: &'a str, at: usize) -> Self {
        Self { text, at, depth: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn text(&self, span: &Range<usize>) -> &'a str {
        &self.text[span.clone()]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn syntax<T>(&self, expected: &'static str) -> Result<T, ScanError> {
        Err(ScanError::Syntax {
            at: self.at,
            expected,
        })
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// What value begins here.
    pub(super) fn kind(&self) -> Result<Kind, ScanError> {
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            _ => self.syntax("expected a value"),
        }
    }

    /// Enters the object that begins here; `member` must move over each value. Gives the span of the object.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Cow<'a, str>, Range<usize>) -> Result<(), ScanError>,
    ) -> Result<Range<usize>, ScanError> {
        let start = self.at;
        self.at += 1;
        self.enter()?;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                self.skip_space();
                if self.peek() != Some(b'"') {
                    return self.syntax("expected a key in double quotes");
                }
                let (key, key_span) = self.string()?;
                self.colon()?;
                member(self, key, key_span)?;
                if self.after_member(b'}')? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(start..self.at)
    }

    /// Enters the array that begins here; `item` must move over each value.
    pub(super) fn array(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), ScanError>,
    ) -> Result<(), ScanError> {
        self.at += 1;
        self.enter()?;
        self.skip_space();
        let mut ended = self.peek() == Some(b']');
        self.at += usize::from(ended);
        while !ended {
            self.skip_space();
            item(self)?;
            ended = self.after_member(b']')?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), ScanError> {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => Err(ScanError::TooDeep { at: self.at - 1 }),
            false => Ok(()),
        }
    }

    fn colon(&mut self) -> Result<(), ScanError> {
        self.skip_space();
        if self.peek() != Some(b':') {
            return self.syntax("expected `:`");
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Moves over `,` (more follows: false) or the closing bracket (true).
    fn after_member(&mut self, close: u8) -> Result<bool, ScanError> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(true)
            }
            _ if close == b'}' => self.syntax("expected `,` or `}`"),
            _ => self.syntax("expected `,` or `]`"),
        }
    }

    /// Moves over one value of any kind.
    pub(super) fn skip_value(&mut self) -> Result<Range<usize>, ScanError> {
        let start = self.at;
        // One bit a level, set for an object: deeper than the limit is refused before it could overflow.
        let mut objects: u128 = 0;
        let outer = self.depth;
        loop {
            let opened = match self.kind()? {
                Kind::Object => self.open(&mut objects, true)?,
                Kind::Array => self.open(&mut objects, false)?,
                Kind::String => self.skip_string().map(|_| false)?,
                Kind::Number => self.skip_number().map(|()| false)?,
                Kind::Bool | Kind::Null => self.skip_literal().map(|()| false)?,
            };
            if !opened && self.close_finished(&mut objects, outer)? {
                return Ok(start..self.at);
            }
        }
    }

    /// Enters an array or object; false when it was empty and is left again.
    fn open(&mut self, objects: &mut u128, object: bool) -> Result<bool, ScanError> {
        self.at += 1;
        self.enter()?;
        self.skip_space();
        let close = if object { b'}' } else { b']' };
        if self.peek() == Some(close) {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        *objects = (*objects << 1) | u128::from(object);
        if object {
            self.skip_key()?;
        }
        Ok(true)
    }

    /// After a value: closes what ends here. True when the outermost value is complete.
    fn close_finished(&mut self, objects: &mut u128, outer: usize) -> Result<bool, ScanError> {
        while self.depth > outer {
            let object = *objects & 1 == 1;
            if !self.after_member(if object { b'}' } else { b']' })? {
                if object {
                    self.skip_key()?;
                }
                self.skip_space();
                return Ok(false);
            }
            self.depth -= 1;
            *objects >>= 1;
        }
        Ok(true)
    }

    fn skip_key(&mut self) -> Result<(), ScanError> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return self.syntax("expected a key in double quotes");
        }
        self.skip_string()?;
        self.colon()
    }

    /// Reads the string that begins here; gives its text, unescaped, and its span with the quotes.
    pub(super) fn string(&mut self) -> Result<(Cow<'a, str>, Range<usize>), ScanError> {
        let start = self.at;
        let escaped = self.skip_string()?;
        let span = start..self.at;
        let text: &'a str = self.text;
        if !escaped {
            return Ok((Cow::Borrowed(&text[start + 1..self.at - 1]), span));
        }
        match serde_json::from_str(&text[span.clone()]) {
            Ok(text) => Ok((Cow::Owned(text), span)),
            // The syntax was checked: only half a surrogate pair is left.
            Err(_) => Err(ScanError::Syntax {
                at: start,
                expected: "expected a string without lone surrogates",
            }),
        }
    }

    /// Moves over the string that begins here; whether it holds escapes.
    fn skip_string(&mut self) -> Result<bool, ScanError> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        // A short string, as most keys are, ends before a block is worth its masks.
        let near = next_special(bytes, self.at);
        if bytes.get(near) == Some(&b'"') {
            self.at = near + 1;
            return Ok(false);
        }
        let walked = block::walk(bytes, self.at);
        self.at = walked.at;
        let mut escaped = walked.escaped;
        loop {
            self.at = next_special(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    self.skip_escape()?;
                }
                Some(_) => return self.syntax("expected no control character in a string"),
                None => return self.syntax("expected the end of a string"),
            }
        }
    }

    fn skip_escape(&mut self) -> Result<(), ScanError> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = self.text.as_bytes().get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return self.syntax("expected four hexadecimal digits");
                }
                self.at += 5;
            }
            _ => return self.syntax("expected an escape"),
        }
        Ok(())
    }

    fn skip_number(&mut self) -> Result<(), ScanError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.skip_digits(),
            _ => return self.syntax("expected a digit"),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), ScanError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.syntax("expected a digit");
        }
        self.skip_digits();
        Ok(())
    }

    fn skip_digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn skip_literal(&mut self) -> Result<(), ScanError> {
        let rest = &self.text.as_bytes()[self.at..];
        for literal in ["true", "false", "null"] {
            if rest.starts_with(literal.as_bytes()) {
                self.at += literal.len();
                return Ok(());
            }
        }
        self.syntax("expected a value")
    }
}

/// Words looked at one by one before a search begins: escapes come in crowds, and a search costs more to begin.
const WORDS: usize = 4;

/// Where the next `"`, `\` or control character is, from `at` on; the end when there is none.
fn next_special(bytes: &[u8], mut at: usize) -> usize {
    for _ in 0..WORDS {
        let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) else {
            break;
        };
        match specials(u64::from_le_bytes(*word)) {
            0 => at += size_of::<u64>(),
            found => return at + found.trailing_zeros() as usize / 8,
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let end = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
    let before = &rest[..end];
    match has_control(before) {
        true => at + before.iter().position(|byte| *byte < 0x20).unwrap_or(end),
        false => at + end,
    }
}

/// The high bit of each byte that is `"`, `\` or below space; the lowest is exact, those above it may be false.
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGH
}

/// Whether a byte below space is among `bytes`. Without an early exit, so that it is vectorised.
fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(u8::MAX, |low, byte| low.min(*byte)) < 0x20
}
