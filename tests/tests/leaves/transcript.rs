//! What was seen in one play of a scene, in words that are the same each time.

use std::fmt;

use fkm_compile::Verdict;
use fkm_tests::http::Reply;
use fkm_upstream::Received;
use serde_json::Value;

use crate::signature;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transcript {
    lines: Vec<String>,
    /// Whether anybody refused an object, or warned of it.
    pub(crate) refused: bool,
}

// === impl Transcript ===

impl Transcript {
    /// Adds a line, unless the last one says the same.
    pub(crate) fn add(&mut self, line: String) {
        if self.lines.last() != Some(&line) {
            self.lines.push(line);
        }
    }

    /// Adds what is wrong with an object.
    pub(crate) fn refuse(&mut self, line: String) {
        self.refused = true;
        self.add(line);
    }

    /// Adds what the compiler says of an object.
    pub(crate) fn verdict(&mut self, object: &str, verdict: &Verdict) {
        if let Err(complaint) = &verdict.accepted {
            self.refuse(format!(
                "{object}: Accepted=False {}: {}",
                complaint.reason,
                complaint.message()
            ));
        }
        if let Err(complaint) = &verdict.resolved {
            self.refuse(format!(
                "{object}: ResolvedRefs=False {}: {}",
                complaint.reason,
                complaint.message()
            ));
        }
        let warnings = verdict.warnings();
        if !warnings.is_empty() {
            self.refuse(format!("{object}: warning: {warnings}"));
        }
    }

    /// Replaces what is another each time, such as a port.
    pub(crate) fn replace(&mut self, from: &str, to: &str) {
        for line in &mut self.lines {
            *line = line.replace(from, to);
        }
    }

    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines
            .iter()
            .try_for_each(|line| writeln!(f, "    {line}"))
    }
}

/// An answer to a client: who gave it, and the text or the error.
pub(crate) fn answer(reply: &Reply) -> String {
    let provider = match reply.header("x-fkm-provider") {
        "" => "nobody".to_owned(),
        provider => format!("{provider} as {}", reply.header("x-fkm-model")),
    };
    let attempts = reply.header("x-fkm-attempts");
    let status = reply.status.as_u16();
    format!(
        "{status} by {provider}, attempts {attempts}: {}",
        said(&reply.body)
    )
}

/// The text of an answer, whole or streamed, and its error; other parts of it are another each time.
fn said(body: &str) -> String {
    let frames = body.lines().filter_map(|line| line.strip_prefix("data: "));
    let mut parts: Vec<Value> = frames
        .filter_map(|frame| serde_json::from_str(frame).ok())
        .collect();
    if parts.is_empty() {
        parts.extend(serde_json::from_str::<Value>(body));
    }
    let mut text = String::new();
    let mut end = "no end".to_owned();
    for part in parts {
        let choice = &part["choices"][0];
        for content in [&choice["message"]["content"], &choice["delta"]["content"]] {
            text.push_str(content.as_str().unwrap_or_default());
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            reason.clone_into(&mut end);
        }
        if let Some(message) = part["error"]["message"].as_str() {
            end = format!("error {}: {message}", part["error"]["type"]);
        }
    }
    format!("{text:?}, {end}")
}

/// What a provider got: all that a manifest can change of it.
pub(crate) fn received(request: &Received) -> String {
    if let Some(signed) = signature::told(request) {
        return format!("{} {} {signed}", request.method, request.path);
    }
    let keys = ["authorization", "x-api-key", "api-key", "x-goog-api-key"].map(|name| {
        let value = request.header(name);
        value
            .map(|value| format!(" {name}={value:?}"))
            .unwrap_or_default()
    });
    // That of its address says nothing.
    let host = request.header("host").filter(|host| host.contains(".test"));
    let host = host.map(|host| format!(" host={host}")).unwrap_or_default();
    let body = String::from_utf8_lossy(&request.body);
    format!(
        "{} {}{}{host} {body}",
        request.method,
        request.path,
        keys.concat()
    )
}
