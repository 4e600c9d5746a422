//! Streams from one format to another: what a provider sends is decoded and written again as the client reads it.

use std::fmt;

use bytes::Bytes;
use fkm_dialect::{Auth, Dialect, Format};

use crate::error::StreamFault;
use crate::format::{StreamOptions, WireFormat};
use crate::ir::Event;
use crate::names::{Restorer, ToolNames};
use crate::registry::format;
use crate::stream::{Progress, StreamDecoder, StreamEncoder, StreamTransform};

/// A transform that decodes a stream of a provider of dialect `from` and encodes `to`.
pub fn translate(from: &Dialect, to: Format, options: &StreamOptions) -> Box<dyn StreamTransform> {
    translate_for(from, format(to), options)
}

/// The same for clients who read the format in a form of their own.
pub fn translate_for(
    from: &Dialect,
    to: &dyn WireFormat,
    options: &StreamOptions,
) -> Box<dyn StreamTransform> {
    Box::new(Translator {
        decoder: format(from.format).stream_decoder(from),
        encoder: to.stream_encoder(options),
        choices: options.choices.max(1),
        tool_names: options.tool_names.clone(),
        restorer: Restorer::default(),
        ended: false,
        events: Vec::new(),
        progress: Progress::default(),
    })
}

/// All events of a stream that is at hand as a whole, of a provider without deviations.
pub fn decode_stream(from: Format, bytes: &[u8]) -> Result<Vec<Event>, StreamFault> {
    let mut decoder = format(from).stream_decoder(&Dialect::new(from, "/", Auth::Bearer));
    let mut events = Vec::new();
    decoder.push(bytes, &mut events)?;
    decoder.end(&mut events)?;
    Ok(events)
}

struct Translator {
    decoder: Box<dyn StreamDecoder>,
    encoder: Box<dyn StreamEncoder>,
    choices: u32,
    tool_names: ToolNames,
    restorer: Restorer,
    /// The end has been told to the client.
    ended: bool,
    /// Reused between pushes.
    events: Vec<Event>,
    progress: Progress,
}

// === impl Translator ===

impl fmt::Debug for Translator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Translator")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl Translator {
    fn forward(&mut self, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        for mut event in self.events.drain(..) {
            if !self.tool_names.is_empty() {
                self.restorer.restore(&mut event, &self.tool_names);
            }
            if let Event::Error(error) = event {
                return Err(StreamFault::Provider(Box::new(error)));
            }
            self.progress.note(&event, self.choices);
            self.encoder.push(&event, out);
        }
        Ok(())
    }

    /// Completes the stream for the client, once.
    fn complete(&mut self, out: &mut Vec<Bytes>) {
        if !std::mem::replace(&mut self.ended, true) {
            self.encoder.end(out);
        }
    }
}

impl StreamTransform for Translator {
    fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        let decoded = self.decoder.push(&chunk, &mut self.events);
        self.forward(out)?;
        decoded?;
        // The client need not wait until the provider closes its connection.
        if self.progress.finished && self.decoder.ended() {
            self.complete(out);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        let decoded = self.decoder.end(&mut self.events);
        self.forward(out)?;
        decoded?;
        if !self.progress.finished {
            return Err(StreamFault::Incomplete);
        }
        self.complete(out);
        Ok(())
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}
