//! Events of the wire to events.

mod message;
mod reading;
mod thought;

use serde_json::value::RawValue;

use crate::error::{DecodeError, StreamFault};
use crate::ir::{Event, Start};
use crate::json::{Object, Path, array};
use crate::openai_responses::response::{self, Head};
use crate::openai_responses::stream::decode::reading::Reading;
use crate::openai_responses::{error, types};
use crate::sse::{DONE, Frame, Splitter};
use crate::stream::StreamDecoder;

/// Decodes one stream.
pub(in crate::openai_responses) struct Decoder {
    splitter: Splitter,
    state: State,
}

/// What is known between events.
#[derive(Default)]
struct State {
    /// The head, when it has come.
    start: Option<Start>,
    reading: Reading,
    finished: bool,
    /// The provider said that it failed.
    failed: bool,
}

// === impl Decoder ===

impl Decoder {
    pub(in crate::openai_responses) fn new() -> Self {
        Self {
            splitter: Splitter::new(),
            state: State::default(),
        }
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let state = &mut self.state;
        self.splitter.split(chunk, |frame| state.frame(frame, out))
    }

    fn ended(&self) -> bool {
        self.state.finished
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let tail = self.splitter.take_tail();
        // The last frame may lack its blank line; what cannot be read is only part of one.
        match self.state.frame(&tail, out) {
            Ok(()) | Err(StreamFault::Malformed { .. }) => {}
            Err(fault) => return Err(fault),
        }
        self.state.complete()
    }
}

// === impl State ===

impl State {
    fn frame(&mut self, frame: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let frame = Frame::parse(frame);
        let Some(data) = frame.data.filter(|data| !data.is_empty()) else {
            return Ok(());
        };
        if self.finished || self.failed {
            return Ok(());
        }
        if &*data == DONE {
            return self.complete();
        }
        self.event(&data, out)
            .map_err(|error| StreamFault::Malformed {
                detail: error.to_string(),
            })
    }

    fn complete(&self) -> Result<(), StreamFault> {
        match self.finished {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }

    fn event(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut object = Object::parse(data, &Path::Root)?;
        let kind = object.kind();
        let has_error = object
            .peek("error")
            .is_some_and(|raw| !matches!(raw.get(), "null" | "\"\"" | "{}"));
        if has_error || matches!(&*kind, "error" | "response.failed") {
            self.failed = true;
            out.push(Event::Error(error::decode_inside(data)));
            return Ok(());
        }
        match &*kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                if self.start.is_none() {
                    self.begin(object.raw("response"), out)?;
                }
                Ok(())
            }
            "response.completed" | "response.incomplete" => {
                self.finish(object.required("response")?, out)
            }
            kind => {
                if self.start.is_none() {
                    self.begin(None, out)?;
                }
                self.reading.event(kind, object, out)
            }
        }
    }

    fn begin(
        &mut self,
        response: Option<&RawValue>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let path = Path::Root.member("response");
        let start = match response {
            Some(raw) => Head::take(Object::from_raw(raw, &path)?)?.start,
            None => Start::default(),
        };
        out.push(Event::Start(start.clone()));
        self.start = Some(start);
        Ok(())
    }

    /// The last event holds the whole answer: what has not been told of it is told now.
    fn finish(&mut self, raw: &RawValue, out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let path = Path::Root.member("response");
        let mut object = Object::from_raw(raw, &path)?;
        if response::is_failed(&object) {
            self.failed = true;
            let reported = error::decode_inside(raw.get().as_bytes());
            out.push(Event::Error(reported));
            return Ok(());
        }
        if self.start.is_none() {
            self.begin(Some(raw), out)?;
        }
        let items = path.member("output");
        let output = match object.raw("output") {
            Some(raw) => array(raw, &items)?,
            None => Vec::new(),
        };
        for (index, raw) in (0..).zip(output) {
            self.reading.complete(index, raw, out)?;
        }
        self.reading.close(out);
        let reason = response::finish(&mut object, self.reading.calls())?;
        let usage = object.raw("usage").and_then(types::usage);
        let end = Head::take(object)?.start;
        let start = self.start.take().unwrap_or_default();
        out.extend(usage.map(Event::Usage));
        out.push(Event::Stop {
            choice: 0,
            reason,
            extra: response::said(&end.extra, &start.extra),
        });
        self.finished = true;
        Ok(())
    }
}
