//! Walks over a long string 64 bytes at a time, by bit masks: text with a line break or a quote every few words costs a
//! branch a block instead of a branch an escape.
//!
//! The masks of escaped bytes follow simdjson (Langdale and Lemire, *Parsing gigabytes of JSON per second*, 2019, §3.1.1).

use wide::u8x16;

/// Bytes that are looked at together: one mask.
const BLOCK: usize = 64;

/// Where a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Walked {
    /// The closing quote, or where a slower walk has to go on: near the end of the text, or at something wrong. Never
    /// between a backslash and what it escapes.
    pub(super) at: usize,
    /// Whether `at` is the closing quote.
    pub(super) closed: bool,
    /// Whether there were escapes on the way.
    pub(super) escaped: bool,
}

/// One bit a byte.
#[derive(Default)]
struct Masks {
    quotes: u64,
    backslashes: u64,
    /// Below space: not allowed in a string.
    controls: u64,
}

/// Walks from `at`, inside a string and not behind a backslash.
pub(super) fn walk(bytes: &[u8], mut at: usize) -> Walked {
    let mut escaped = false;
    // 1 when the block before ended with a backslash that escapes the first byte of this one.
    let mut carry = 0;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let masks = Masks::of(block);
        let mut next = carry;
        let behind = escapes(masks.backslashes, &mut next);
        let ends = masks.quotes & !behind;
        let inside = ends.wrapping_sub(1) & !ends;
        if masks.controls & inside != 0 || !are_valid(bytes, at, behind & inside) {
            break;
        }
        escaped |= masks.backslashes & inside != 0;
        if ends != 0 {
            let at = at + ends.trailing_zeros() as usize;
            return Walked {
                at,
                closed: true,
                escaped,
            };
        }
        carry = next;
        at += BLOCK;
    }
    // One byte back is the backslash that escapes the first byte here.
    let back = usize::from(carry != 0);
    Walked {
        at: at - back,
        closed: false,
        escaped,
    }
}

/// The bytes that a backslash escapes. `carry` goes from block to block.
fn escapes(backslashes: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslashes = backslashes & !*carry;
    let follows = backslashes << 1 | *carry;
    let odd_starts = backslashes & !EVEN & !follows;
    let (even_sequences, overflow) = odd_starts.overflowing_add(backslashes);
    *carry = u64::from(overflow);
    (EVEN ^ (even_sequences << 1)) & follows
}

/// Whether each of the marked bytes of the block at `at` may stand behind a backslash.
fn are_valid(bytes: &[u8], at: usize, mut marked: u64) -> bool {
    while marked != 0 {
        let place = at + marked.trailing_zeros() as usize;
        match bytes[place] {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
            b'u' => {
                let digits = bytes.get(place + 1..place + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return false;
                }
            }
            _ => return false,
        }
        marked &= marked - 1;
    }
    true
}

// === impl Masks ===

impl Masks {
    fn of(block: &[u8; BLOCK]) -> Self {
        let (lanes, _) = block.as_chunks::<16>();
        let mut masks = Self::default();
        for (index, lane) in lanes.iter().enumerate() {
            let lane = u8x16::new(*lane);
            let bits = |lanes: u8x16| u64::from(lanes.to_bitmask()) << (16 * index);
            masks.quotes |= bits(lane.simd_eq(u8x16::splat(b'"')));
            masks.backslashes |= bits(lane.simd_eq(u8x16::splat(b'\\')));
            masks.controls |= bits(lane.min(u8x16::splat(0x1f)).simd_eq(lane));
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Just, Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    /// The same, a byte at a time.
    fn naive(bytes: &[u8]) -> Option<(usize, bool)> {
        let mut at = 0;
        let mut escaped = false;
        loop {
            match *bytes.get(at)? {
                b'"' => return Some((at, escaped)),
                b'\\' => {
                    escaped = true;
                    match *bytes.get(at + 1)? {
                        b'u' if bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => {
                            at += 6;
                        }
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                        _ => return None,
                    }
                }
                ..0x20 => return None,
                _ => at += 1,
            }
        }
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let pieces = prop_oneof![
            20 => vec(b'a'..=b'z', 1..30),
            4 => Just(b"\\\\".to_vec()),
            4 => Just(b"\\\"".to_vec()),
            3 => Just(b"\\n".to_vec()),
            2 => Just(b"\\u00e9".to_vec()),
            2 => Just("é — 😀".as_bytes().to_vec()),
            1 => Just(b"\\".to_vec()),
            1 => Just(b"\\u12".to_vec()),
            1 => Just(b"\\x".to_vec()),
            1 => Just(b"\"".to_vec()),
            1 => Just(vec![0x1f]),
            1 => Just(vec![b'\\'; 65]),
        ];
        vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn walks_as_one_does_byte_by_byte(text in text()) {
            let expected = naive(&text);
            let walked = walk(&text, 0);
            if walked.closed {
                prop_assert_eq!(Some((walked.at, walked.escaped)), expected);
            } else {
                // What is left leads to the same end: it stopped at a boundary, and before anything wrong.
                let rest = naive(&text[walked.at..]);
                let rest = rest.map(|(at, escaped)| (walked.at + at, escaped || walked.escaped));
                prop_assert_eq!(rest, expected);
            }
        }
    }

    #[test]
    fn a_closed_string_is_found_in_blocks() {
        for length in 0..200 {
            let text = [vec![b'x'; length], b"\"".to_vec(), vec![b' '; 64]].concat();
            let expected = Walked {
                at: length,
                closed: true,
                escaped: false,
            };
            assert_eq!(walk(&text, 0), expected);
        }
    }
}
