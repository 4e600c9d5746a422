//! Does one step of the script on one socket.

use std::future::pending;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use crate::completion::Asked;
use crate::request::Request;
use crate::script::{Answer, BreakBody, Cut, End, Status, Step, Streamed};
use crate::writer::{self, Framing};

/// What becomes of the connection after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It serves the next request.
    Reuse,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
}

/// Does the step; an error is the client's going away.
pub(crate) async fn respond(
    out: &mut (impl AsyncWrite + Unpin),
    mut step: Step,
    request: &Request,
    asked: &Asked,
) -> io::Result<Then> {
    while let Step::Delayed { millis, then } = step {
        sleep(Duration::from_millis(millis)).await;
        step = *then;
    }
    match step {
        Step::Answer(answer) if asked.stream => stream(out, &Streamed::of(&answer), asked).await,
        Step::Answer(answer) => {
            writer::whole(out, 200, &answer_headers(asked), &asked.body(&answer)).await?;
            Ok(Then::Reuse)
        }
        Step::Streamed(streamed) => stream(out, &streamed, asked).await,
        Step::Status(status) => refuse(out, &status, asked).await,
        Step::Hang | Step::Delayed { .. } => pending().await,
        Step::HangAfterHeaders => {
            out.write_all(&good_head(asked)).await?;
            pending().await
        }
        Step::BreakBody(broken) => break_body(out, &broken, asked).await,
        Step::Raw(bytes) => {
            out.write_all(&bytes).await?;
            Ok(Then::Close)
        }
        Step::EchoKey { status } => echo_key(out, status, request, asked).await,
        Step::Drop(end) => Ok(broken_off(end)),
    }
}

/// The head that a good answer would have.
fn good_head(asked: &Asked) -> Vec<u8> {
    if asked.stream {
        writer::head(200, &stream_headers(asked), Framing::Chunked)
    } else {
        let length = asked.body(&Answer::default()).len();
        writer::head(200, &answer_headers(asked), Framing::Length(length))
    }
}

async fn stream(
    out: &mut (impl AsyncWrite + Unpin),
    streamed: &Streamed,
    asked: &Asked,
) -> io::Result<Then> {
    let head = writer::head(200, &stream_headers(asked), Framing::Chunked);
    out.write_all(&head).await?;
    let pieces = pieces(asked.frames(streamed), streamed.cut, streamed.rechunk);
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 && streamed.delay_millis > 0 {
            sleep(Duration::from_millis(streamed.delay_millis)).await;
        }
        writer::chunk(out, piece).await?;
    }
    if streamed.end == End::Clean {
        writer::last_chunk(out).await?;
        return Ok(Then::Reuse);
    }
    Ok(broken_off(streamed.end))
}

/// The writes of a stream: its frames, cut, and cut again into pieces of `rechunk` bytes where that is not 0.
fn pieces(mut frames: Vec<Vec<u8>>, cut: Cut, rechunk: usize) -> Vec<Vec<u8>> {
    match cut {
        Cut::Nowhere => {}
        Cut::AfterFrame(count) => frames.truncate(count),
        Cut::AtByte(mut left) => {
            for frame in &mut frames {
                frame.truncate(left);
                left -= frame.len();
            }
        }
    }
    frames.retain(|frame| !frame.is_empty());
    if rechunk == 0 {
        return frames;
    }
    frames
        .concat()
        .chunks(rechunk)
        .map(<[u8]>::to_vec)
        .collect()
}

async fn refuse(
    out: &mut (impl AsyncWrite + Unpin),
    refusal: &Status,
    asked: &Asked,
) -> io::Result<Then> {
    let mut headers = refusal.headers.clone();
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        headers.extend(json_headers(asked));
    }
    let body = if refusal.body.is_empty() {
        let message = format!("The upstream was told to answer {}.", refusal.status);
        asked.error(refusal.status, &message)
    } else {
        refusal.body.clone().into_bytes()
    };
    writer::whole(out, refusal.status, &headers, &body).await?;
    Ok(Then::Reuse)
}

async fn break_body(
    out: &mut (impl AsyncWrite + Unpin),
    broken: &BreakBody,
    asked: &Asked,
) -> io::Result<Then> {
    let body = asked.body(&broken.answer);
    let sent = broken.after.min(body.len().saturating_sub(1));
    let mut bytes = writer::head(200, &answer_headers(asked), Framing::Length(body.len()));
    bytes.extend_from_slice(&body[..sent]);
    out.write_all(&bytes).await?;
    Ok(broken_off(broken.end))
}

async fn echo_key(
    out: &mut (impl AsyncWrite + Unpin),
    status: u16,
    request: &Request,
    asked: &Asked,
) -> io::Result<Then> {
    let key = ["authorization", "x-api-key"]
        .iter()
        .find_map(|name| request.headers.get(*name))
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default();
    let key = key.strip_prefix("Bearer ").unwrap_or(&key);
    let mut headers = json_headers(asked);
    headers.push(("x-echoed-key".to_owned(), key.to_owned()));
    let message =
        format!("Incorrect API key provided: {key}. You can find your API key in your account.");
    writer::whole(out, status, &headers, &asked.error(status, &message)).await?;
    Ok(Then::Reuse)
}

/// The end of a connection in the middle of an answer; there is no clean one.
fn broken_off(end: End) -> Then {
    match end {
        End::Clean | End::Close => Then::Close,
        End::Reset => Then::Reset,
    }
}

fn answer_headers(asked: &Asked) -> Vec<(String, String)> {
    headers(asked.content_type(), asked)
}

fn json_headers(asked: &Asked) -> Vec<(String, String)> {
    headers("application/json", asked)
}

fn stream_headers(asked: &Asked) -> Vec<(String, String)> {
    headers("text/event-stream; charset=utf-8", asked)
}

fn headers(content_type: &str, asked: &Asked) -> Vec<(String, String)> {
    vec![
        ("content-type".to_owned(), content_type.to_owned()),
        (
            "x-request-id".to_owned(),
            format!("req_upstream{}", asked.number),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<Vec<u8>> {
        vec![b"one\n".to_vec(), b"two\n".to_vec(), b"three\n".to_vec()]
    }

    #[test]
    fn cuts_are_exact() {
        for at in 0..=14 {
            let pieces = pieces(frames(), Cut::AtByte(at), 0).concat();
            assert_eq!(pieces, frames().concat()[..at], "{at}");
        }
        assert_eq!(pieces(frames(), Cut::AtByte(99), 0), frames());
        assert_eq!(
            pieces(frames(), Cut::AfterFrame(0), 0),
            Vec::<Vec<u8>>::new()
        );
        assert_eq!(pieces(frames(), Cut::AfterFrame(2), 0), frames()[..2]);
    }

    #[test]
    fn rechunking_changes_no_byte() {
        for size in 1..=20 {
            let pieces = pieces(frames(), Cut::Nowhere, size);
            assert!(pieces.iter().all(|piece| piece.len() <= size), "{size}");
            assert_eq!(pieces.concat(), frames().concat(), "{size}");
        }
    }
}
