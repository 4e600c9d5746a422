//! Streams as clients read them: server-sent events, and the event stream of Bedrock.

use serde_json::Value;

use crate::judge::{counted, joined};
use crate::surface::Surface;

/// What a stream said so far.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that was said, and any of them may be missing"
)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// It said that it is whole, in every way in which its format does.
    pub(crate) finished: bool,
    /// It said that it failed.
    pub(crate) error: bool,
    /// The tokens that were asked with, as it told them last.
    pub(crate) counted: Option<u64>,
    /// The finish reason has come.
    stopped: bool,
    /// The first event has come.
    begun: bool,
}

// === impl Said ===

impl Said {
    /// A piece of the text; none comes after the finish reason.
    fn piece(&mut self, text: &str) -> Option<()> {
        self.text.push_str(text);
        (text.is_empty() || !self.stopped && !self.finished).then_some(())
    }

    fn count(&mut self, event: &Value) {
        self.counted = counted(event).or(self.counted);
    }
}

/// Reads every frame; the last may be in part where the client gave up (`whole` is false).
pub(crate) fn read(surface: Surface, body: &[u8], whole: bool) -> Result<Said, String> {
    let mut said = Said::default();
    if surface == Surface::Bedrock {
        let rest = read_event_stream(body, &mut said)?;
        return match whole && rest > 0 {
            true => Err(format!("{rest} bytes after the last frame")),
            false => Ok(said),
        };
    }
    let text = match (std::str::from_utf8(body), whole) {
        (Ok(text), _) => text,
        (Err(error), false) => std::str::from_utf8(&body[..error.valid_up_to()]).expect("valid"),
        (Err(error), true) => return Err(error.to_string()),
    };
    let mut rest = text;
    while let Some((frame, after)) = rest.split_once("\n\n") {
        rest = after;
        take_event(surface, frame, &mut said)?;
    }
    // Gemini says its end with the finish reason alone, and may tell usage after it.
    said.finished |= surface == Surface::Gemini && said.stopped && !said.error;
    // A further empty line says nothing to any reader of events.
    match whole && !rest.trim_matches('\n').is_empty() {
        true => Err(format!("no frame at the end: {rest:?}")),
        false => Ok(said),
    }
}

/// One server-sent event.
fn take_event(surface: Surface, frame: &str, said: &mut Said) -> Result<(), String> {
    let (mut name, mut data) = (None, String::new());
    for line in frame.lines() {
        match line.split_once(':') {
            Some(("data", value)) => data.push_str(value.trim_start()),
            Some(("event", value)) => name = Some(value.trim()),
            Some(("", _)) => {}
            // An empty line more than needed.
            None if line.is_empty() => {}
            _ => return Err(format!("no line of an event: {line:?}")),
        }
    }
    if data.is_empty() {
        return Ok(());
    }
    // Cohere ends with both.
    if data == "[DONE]" && surface == Surface::Cohere && said.finished {
        return Ok(());
    }
    if said.finished || said.error {
        return Err(format!("after the end: {frame:?}"));
    }
    if data == "[DONE]" {
        said.finished = said.stopped;
        return match said.stopped {
            true => Ok(()),
            false => Err("[DONE] without a finish reason".to_owned()),
        };
    }
    let data: Value = serde_json::from_str(&data).map_err(|error| format!("{error}: {frame:?}"))?;
    if name.is_some() && data["type"].as_str() != name {
        return Err(format!("two names: {frame:?}"));
    }
    said.count(&data);
    match surface {
        Surface::Chat | Surface::Completions => of_choices(&data, said),
        Surface::Responses => of_responses(&data, said),
        Surface::Messages => of_messages(&data, said),
        Surface::Gemini => of_candidates(&data, said),
        _ => of_cohere(&data, said),
    }
    .ok_or_else(|| format!("not in the format: {frame:?}"))
}

/// Its error, if it is one with words.
fn words(value: &Value) -> Option<&str> {
    value.as_str().filter(|words| !words.is_empty())
}

fn of_choices(data: &Value, said: &mut Said) -> Option<()> {
    if let Some(error) = data.get("error") {
        words(&error["message"])?;
        words(&error["type"])?;
        said.error = true;
        return Some(());
    }
    for choice in data["choices"].as_array()? {
        let text = choice.get("text");
        let text = text.unwrap_or_else(|| &choice["delta"]["content"]);
        said.piece(text.as_str().unwrap_or_default())?;
        said.stopped |= choice["finish_reason"].is_string();
    }
    Some(())
}

fn of_responses(data: &Value, said: &mut Said) -> Option<()> {
    let kind = data["type"].as_str()?;
    match kind {
        "response.created" => said.begun = true,
        "response.output_text.delta" => said.piece(data["delta"].as_str()?)?,
        "response.completed" => {
            let items = data["response"]["output"].as_array()?.iter();
            let whole: String = items.map(|item| joined(&item["content"])).collect();
            said.finished = whole == said.text;
            return said.finished.then_some(());
        }
        "response.failed" => {
            words(&data["response"]["error"]["message"])?;
            said.error = true;
        }
        "error" => {
            words(&data["message"])?;
            said.error = true;
        }
        _ => {}
    }
    said.begun.then_some(())
}

fn of_messages(data: &Value, said: &mut Said) -> Option<()> {
    match data["type"].as_str()? {
        "message_start" => said.begun = true,
        "content_block_delta" => said.piece(data["delta"]["text"].as_str()?)?,
        "message_delta" => said.stopped |= data["delta"]["stop_reason"].is_string(),
        "message_stop" => {
            said.finished = true;
            return said.stopped.then_some(());
        }
        "error" => {
            words(&data["error"]["message"])?;
            words(&data["error"]["type"])?;
            said.error = true;
        }
        _ => {}
    }
    said.begun.then_some(())
}

fn of_candidates(data: &Value, said: &mut Said) -> Option<()> {
    if let Some(error) = data.get("error") {
        words(&error["message"])?;
        words(&error["status"])?;
        said.error = error["code"].is_u64();
        return said.error.then_some(());
    }
    let candidate = &data["candidates"][0];
    said.piece(&joined(&candidate["content"]["parts"]))?;
    said.stopped |= candidate["finishReason"].is_string();
    data.is_object().then_some(())
}

fn of_cohere(data: &Value, said: &mut Said) -> Option<()> {
    match data["type"].as_str()? {
        "message-start" => said.begun = true,
        "content-delta" => {
            let text = &data["delta"]["message"]["content"]["text"];
            said.piece(text.as_str()?)?;
        }
        "message-end" => match data["delta"]["finish_reason"].as_str()? {
            "ERROR" | "TIMEOUT" => {
                words(&data["delta"]["error"])?;
                said.error = true;
            }
            _ => said.finished = true,
        },
        _ => {}
    }
    said.begun.then_some(())
}

/// The frames of `application/vnd.amazon.eventstream`; how many bytes are left.
fn read_event_stream(mut body: &[u8], said: &mut Said) -> Result<usize, String> {
    while let Some(length) = body.first_chunk().map(|four| u32::from_be_bytes(*four)) {
        let length = length as usize;
        if !(16..=1 << 24).contains(&length) {
            return Err(format!("a frame of {length} bytes"));
        }
        if body.len() < length {
            break;
        }
        let (frame, rest) = body.split_at(length);
        body = rest;
        take_frame(frame, said).ok_or_else(|| {
            format!(
                "not in the format, or after the end: {:?}",
                String::from_utf8_lossy(frame)
            )
        })?;
    }
    Ok(body.len())
}

fn take_frame(frame: &[u8], said: &mut Said) -> Option<()> {
    let number = |at: usize| Some(u32::from_be_bytes(frame.get(at..at + 4)?.try_into().ok()?));
    let end = frame.len() - 4;
    if number(8)? != crc32fast::hash(&frame[..8])
        || number(end)? != crc32fast::hash(&frame[..end])
        || said.error
    {
        return None;
    }
    let split = 12 + number(4)? as usize;
    let headers = headers(frame.get(12..split)?)?;
    let payload: Value = serde_json::from_slice(frame.get(split..end)?).ok()?;
    let header = |name: &str| {
        let mut all = headers.iter();
        all.find(|(known, _)| known == name).map(|(_, value)| value)
    };
    if header(":message-type")? == "exception" {
        header(":exception-type")?;
        words(&payload["message"])?;
        said.error = true;
        return Some(());
    }
    said.count(&payload);
    match header(":event-type")?.as_str() {
        "messageStart" => said.begun = true,
        "contentBlockDelta" => said.piece(payload["delta"]["text"].as_str()?)?,
        "messageStop" => {
            words(&payload["stopReason"])?;
            said.finished = true;
        }
        _ => {}
    }
    said.begun.then_some(())
}

/// Headers whose values are strings.
fn headers(mut bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (kind, rest) = rest.split_first()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        if *kind != 7 {
            return None;
        }
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        found.push((text(name)?, text(value)?));
        bytes = rest;
    }
    Some(found)
}
