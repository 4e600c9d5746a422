//! Single requests, outside of any measurement: settings of `bench-upstream`, and a first request to each peer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::body;
use crate::scenario::Scenario;

const WITHIN: Duration = Duration::from_secs(10);

/// The key that peers are called with.
pub const CLIENT_KEY: &str = "sk-bench-client";

/// What `bench-upstream` got with the last request that it kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The head, as received.
    pub head: String,
    /// The body.
    pub body: Value,
}

/// Sets how `bench-upstream` answers from now on.
pub fn configure(upstream: SocketAddr, scenario: &Scenario) -> Result<()> {
    let micros = scenario.interval.as_micros();
    let path = format!(
        "/__config?events={}&interval-micros={micros}",
        scenario.events
    );
    expect_ok(upstream, "GET", &path, b"").map(drop)
}

/// Sends one chat request through `peer` and returns what `bench-upstream` got.
pub fn probe(peer: SocketAddr, upstream: SocketAddr) -> Result<Kept> {
    expect_ok(upstream, "GET", "/__keep", b"")?;
    let answer = expect_ok(
        peer,
        "POST",
        "/v1/chat/completions",
        &body::chat(300, false),
    )?;
    // It may be chunked: what matters is between the braces.
    let answer = answer
        .find('{')
        .zip(answer.rfind('}'))
        .and_then(|(from, to)| answer.get(from..=to));
    let answer: Value =
        serde_json::from_str(answer.unwrap_or_default()).context("the answer is no JSON")?;
    if answer["object"] != "chat.completion" {
        bail!("the answer is no chat completion: {answer}");
    }
    let kept = expect_ok(upstream, "GET", "/__kept", b"")?;
    let (head, body) = kept
        .split_once("\r\n\r\n")
        .context("the request did not arrive")?;
    Ok(Kept {
        head: head.to_ascii_lowercase(),
        body: serde_json::from_str(body).context("what arrived is no JSON")?,
    })
}

fn expect_ok(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Result<String> {
    let mut socket = TcpStream::connect_timeout(&address, WITHIN)?;
    socket.set_read_timeout(Some(WITHIN))?;
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {CLIENT_KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    socket.write_all(&request)?;
    let answer = read_answer(&mut socket)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("{method} {path} at {address} was answered with {answer}");
    }
    Ok(body.to_owned())
}

/// Reads an answer to its end, by its length, its last chunk or the end of the connection.
fn read_answer(socket: &mut TcpStream) -> Result<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = socket.read(&mut part)?;
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if count == 0 || is_complete(&text) {
            return Ok(text.into_owned());
        }
    }
}

fn is_complete(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    match head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
    {
        Some(length) => length.trim().parse() == Ok(body.len()),
        None => head.contains("chunked") && body.ends_with("0\r\n\r\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_answer() {
        let head = "HTTP/1.1 200 OK\r\n";
        assert!(is_complete(&format!("{head}Content-Length: 2\r\n\r\nok")));
        assert!(!is_complete(&format!("{head}Content-Length: 2\r\n\r\no")));
        assert!(is_complete(&format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        )));
        assert!(!is_complete(&format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
        )));
        assert!(!is_complete(head));
    }
}
