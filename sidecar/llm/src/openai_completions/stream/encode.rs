//! Events to chunks.

use bytes::Bytes;

use crate::format::StreamOptions;
use crate::ir::{Delta, Event, Extra, FinishReason, Start, Usage};
use crate::json::{ObjectWriter, Report, write_json};
use crate::openai_completions::response::{CHOICE_MEMBERS, LOGPROBS, MEMBERS};
use crate::openai_completions::{FORMAT, finish_word};
use crate::stream::StreamEncoder;
use crate::{openai_error, openai_usage};

/// Encodes one stream. What a client could not ask for (thoughts, calls) has no place in it.
pub(in crate::openai_completions) struct Encoder {
    options: StreamOptions,
    /// What every chunk begins with, up to the opening of its choices; empty until the start.
    head: Vec<u8>,
    usage: Option<Usage>,
}

// === impl Encoder ===

impl Encoder {
    pub(in crate::openai_completions) fn new(options: &StreamOptions) -> Self {
        Self {
            options: options.clone(),
            head: Vec::new(),
            usage: None,
        }
    }

    fn start(&mut self, start: &Start) {
        let shown = self.options.model.as_deref().or(start.model.as_deref());
        let mut head = b"data: ".to_vec();
        let mut object = ObjectWriter::new(&mut head);
        object.value("id", start.id.as_deref().unwrap_or_default());
        object.value("object", "text_completion");
        let created = start.created.unwrap_or(self.options.created);
        object.value("created", &created);
        object.value("model", shown.unwrap_or_default());
        // Streams have no place to say what was dropped.
        object.extra(&start.extra, FORMAT, &MEMBERS, "", &mut Report::default());
        object.key("choices");
        self.head = head;
    }

    /// One chunk: a piece of text, or the end of a choice.
    fn chunk(&mut self, choice: u32, text: &str, stop: Option<(&FinishReason, &Extra)>) -> Bytes {
        if self.head.is_empty() {
            self.start(&Start::default());
        }
        let mut frame = Vec::with_capacity(self.head.len() + text.len() + 128);
        frame.extend_from_slice(&self.head);
        frame.push(b'[');
        let mut object = ObjectWriter::new(&mut frame);
        object.value("text", text);
        object.value("index", &choice);
        let nothing = Extra::default();
        let extra = stop.map_or(&nothing, |(_, extra)| extra);
        if extra.get(FORMAT, LOGPROBS).is_none() {
            object.value(LOGPROBS, &());
        }
        object.extra(extra, FORMAT, &CHOICE_MEMBERS, "", &mut Report::default());
        let word = stop.map(|(reason, _)| finish_word(reason).0);
        object.value("finish_reason", &word);
        object.end();
        frame.extend_from_slice(match self.options.include_usage {
            true => b"],\"usage\":null}\n\n",
            false => b"]}\n\n",
        });
        frame.into()
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<Bytes>) {
        match event {
            Event::Start(start) => self.start(start),
            Event::Delta {
                choice,
                delta: Delta::Text(text) | Delta::Refusal(text),
                ..
            } => out.push(self.chunk(*choice, text, None)),
            Event::Delta { .. } | Event::BlockStart { .. } | Event::BlockStop { .. } => {}
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop {
                choice,
                reason,
                extra,
            } => out.push(self.chunk(*choice, "", Some((reason, extra)))),
            Event::Error(error) => out.push(openai_error::encode_frame(&error.into())),
        }
    }

    fn end(&mut self, out: &mut Vec<Bytes>) {
        if let Some(usage) = self.usage.filter(|_| self.options.include_usage) {
            let mut frame = self.head.clone();
            frame.extend_from_slice(b"[],\"usage\":");
            write_json(&mut frame, &openai_usage::written(usage));
            frame.extend_from_slice(b"}\n\n");
            out.push(frame.into());
        }
        out.push(Bytes::from_static(b"data: [DONE]\n\n"));
    }
}
