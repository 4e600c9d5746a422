//! Events of the wire to events.

mod blocks;
mod message;
mod reading;
mod thought;

use serde_json::value::RawValue;

use crate::error::{DecodeError, StreamFault};
use crate::ir::{Event, Start};
use crate::json::{Object, Path, Shape, array};
use crate::openai_responses::response::{self, Head};
use crate::openai_responses::stream::decode::reading::Reading;
use crate::openai_responses::{error, types};
use crate::sse::DONE;
use crate::stream::StreamDecoder;
use crate::stream::framed::{Framed, Reader, malformed};

/// An event with more of a text, of a thought or of a call's arguments. What else belongs to it is told once more when the item is complete.
static PLAIN: Shape = Shape::Object(&[
    ("type", Shape::Text(0)),
    ("delta", Shape::Text(1)),
    ("output_index", Shape::Number(0)),
    ("content_index", Shape::Number(1)),
    ("summary_index", Shape::Number(1)),
    ("item_id", Shape::Any),
    ("sequence_number", Shape::Any),
    ("logprobs", Shape::Any),
    // Random padding against who listens to the line.
    ("obfuscation", Shape::Any),
]);

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

/// Decodes one stream.
pub(in crate::openai_responses) fn decoder() -> impl StreamDecoder {
    Framed::new(State::default())
}

// === impl State ===

impl Reader for State {
    fn frame(
        &mut self,
        _event: Option<&[u8]>,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if self.finished || self.failed {
            return Ok(());
        }
        if data == DONE {
            return self.complete();
        }
        if self.plain(data, out).is_some() {
            return Ok(());
        }
        self.event(data, out).map_err(|error| malformed(&error))
    }

    fn ended(&self) -> bool {
        self.finished
    }

    fn complete(&self) -> Result<(), StreamFault> {
        match self.finished {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }
}

impl State {
    /// Takes an event that only adds to the block that is open; `None` for every other.
    fn plain(&mut self, data: &[u8], out: &mut Vec<Event>) -> Option<()> {
        let found = PLAIN.read(data)?;
        let ([kind, delta, ..], [item, piece]) = (found.texts, found.numbers);
        self.reading.grow(&kind?, (item?, piece), delta?, out)
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
        let usage = types::take_usage(&mut object);
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
