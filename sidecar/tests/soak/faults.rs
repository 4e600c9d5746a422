//! What goes wrong with an answer, and the bytes of it.

use std::time::Duration;

use fastrand::Rng;
use fkm_upstream::{Scene, SceneEnd};

/// An answer before anything goes wrong with it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) content_type: &'static str,
    /// The pieces of a stream; one of a whole answer.
    pub(crate) frames: Vec<Vec<u8>>,
    /// The first frame with content; 0 where the answer is whole.
    pub(crate) content: usize,
    pub(crate) stream: bool,
    /// Stands for the rest of a stream that fails.
    pub(crate) error_frame: Vec<u8>,
    /// What is no frame.
    pub(crate) garbage: Vec<u8>,
    /// The body of an error answer.
    pub(crate) error_body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// In small pieces with small waits.
    Drip,
    /// In its frames, with long waits.
    Slow,
    /// An error status with the format's own body.
    Status(u16),
    /// An error status with a page or nothing.
    Page(u16),
    /// The connection ends before the head.
    Drop(SceneEnd),
    /// No head.
    Stall,
    /// No more after some of the body.
    StallInside,
    /// The connection ends after some bytes of the body.
    Cut(SceneEnd),
    /// A clean end after some of the frames.
    Short,
    /// An error in an answer of status 200; in a stream before its content, or after some of it.
    Inside {
        late: bool,
    },
    /// Nonsense in the place of a frame, or a body that is no JSON.
    Garbage {
        late: bool,
    },
    /// 200 and nothing.
    Empty,
}

const STATUSES: [u16; 7] = [429, 429, 500, 503, 529, 401, 400];

// === impl Fault ===

impl Fault {
    /// Of a first candidate nearly half of the answers fail, of others less.
    pub(crate) fn draw(rng: &mut Rng, first: bool) -> Self {
        let end = match rng.bool() {
            true => SceneEnd::Close,
            false => SceneEnd::Reset,
        };
        match rng.u8(..if first { 24 } else { 40 }) {
            0 | 1 => Self::Status(STATUSES[rng.usize(..STATUSES.len())]),
            2 => Self::Page(*rng.choice(&[500, 502, 503]).expect("some")),
            3 => Self::Drop(end),
            4 if rng.bool() => Self::Stall,
            5 if rng.bool() => Self::StallInside,
            6 | 7 => Self::Cut(end),
            8 => Self::Short,
            9 | 10 => Self::Inside { late: rng.bool() },
            11 => Self::Garbage { late: rng.bool() },
            12 if rng.bool() => Self::Empty,
            13 | 14 => Self::Drip,
            _ => Self::None,
        }
    }

    /// The answer with this fault.
    pub(crate) fn scene(self, answer: Answer, rng: &mut Rng) -> Scene {
        match self {
            Self::Status(status) => json(status, &answer.error_body),
            Self::Page(status) => {
                let page: &[u8] = rng.choice([&b"<h1>no</h1>"[..], b""]).expect("some");
                once(
                    &head(status, "text/html", page.len()),
                    page,
                    SceneEnd::Reuse,
                )
            }
            Self::Drop(end) => of(Vec::new(), end),
            Self::Stall => of(Vec::new(), SceneEnd::Hang),
            Self::Empty => once(&head(200, answer.content_type, 0), b"", SceneEnd::Reuse),
            Self::Inside { .. } if !answer.stream => json(200, &answer.error_body),
            fault if answer.stream => fault.streamed(answer, rng),
            fault => fault.whole(&answer, rng),
        }
    }

    fn whole(self, answer: &Answer, rng: &mut Rng) -> Scene {
        let body = answer.frames.concat();
        let head = head(200, answer.content_type, body.len());
        let some = rng.usize(..body.len());
        match self {
            Self::Cut(end) => once(&head, &body[..some], end),
            Self::StallInside | Self::Short => once(&head, &body[..some], SceneEnd::Hang),
            Self::Garbage { .. } => json(200, &body[..some]),
            _ => once(&head, &body, SceneEnd::Reuse),
        }
    }

    fn streamed(self, answer: Answer, rng: &mut Rng) -> Scene {
        let Answer { mut frames, .. } = answer;
        let at = match self {
            Self::Inside { late: false } | Self::Garbage { late: false } => answer.content,
            _ => rng.usize(answer.content..frames.len()),
        };
        let mut wait = Duration::ZERO;
        let end = match self {
            Self::Drip => {
                let size = rng.usize(1..64);
                let bytes = frames.concat();
                frames = bytes.chunks(size).map(<[u8]>::to_vec).collect();
                wait = Duration::from_micros(rng.u64(..1500));
                SceneEnd::Reuse
            }
            Self::Slow => {
                wait = Duration::from_millis(40);
                SceneEnd::Reuse
            }
            Self::StallInside => {
                frames.truncate(at);
                SceneEnd::Hang
            }
            Self::Cut(end) => {
                let bytes = frames.concat();
                frames = vec![bytes[..rng.usize(..bytes.len())].to_vec()];
                frames.retain(|frame| !frame.is_empty());
                end
            }
            Self::Short => {
                frames.truncate(rng.usize(..frames.len()));
                SceneEnd::Reuse
            }
            Self::Inside { .. } => {
                frames.truncate(at);
                frames.push(answer.error_frame);
                SceneEnd::Reuse
            }
            Self::Garbage { .. } => {
                frames.truncate(at);
                frames.push(answer.garbage);
                SceneEnd::Reuse
            }
            _ => SceneEnd::Reuse,
        };
        chunked(answer.content_type, frames, wait, end)
    }
}

/// A stream whose frames are one chunk each.
fn chunked(content_type: &str, frames: Vec<Vec<u8>>, wait: Duration, end: SceneEnd) -> Scene {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let mut writes = vec![(Duration::ZERO, head.into_bytes())];
    writes.extend(frames.into_iter().map(|frame| {
        let length = format!("{:x}\r\n", frame.len()).into_bytes();
        (wait, [length, frame, b"\r\n".to_vec()].concat())
    }));
    if end == SceneEnd::Reuse {
        writes.push((Duration::ZERO, b"0\r\n\r\n".to_vec()));
    }
    Scene { writes, end }
}

fn json(status: u16, body: &[u8]) -> Scene {
    once(
        &head(status, "application/json", body.len()),
        body,
        SceneEnd::Reuse,
    )
}

fn head(status: u16, content_type: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    )
}

fn once(head: &str, body: &[u8], end: SceneEnd) -> Scene {
    of([head.as_bytes(), body].concat(), end)
}

fn of(bytes: Vec<u8>, end: SceneEnd) -> Scene {
    Scene {
        writes: vec![(Duration::ZERO, bytes)],
        end,
    }
}
