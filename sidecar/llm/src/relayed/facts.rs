//! What answers say of themselves: what they used, how many pictures there are, how long the sound was.
//!
//! `usage` is of tokens, of seconds, or absent
//! (<https://platform.openai.com/docs/api-reference/images/object>,
//! <https://platform.openai.com/docs/api-reference/audio/json-object>); `verbose_json` tells the `duration` of the sound beside
//! it, as do Groq and others.

use std::borrow::Cow;

use fkm_dialect::RelayFormat;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::StreamFault;
use crate::ir::Usage;
use crate::json::string;
use crate::openai_error;
use crate::stream::{Measured, Progress};

/// An answer, or an event, as far as it is looked into.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Peek<'a> {
    #[serde(borrow)]
    pub(super) r#type: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    results: Option<&'a RawValue>,
    #[serde(borrow)]
    duration: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
    /// Of servers that stream transcripts as chunks of a chat.
    #[serde(borrow)]
    pub(super) choices: Option<&'a RawValue>,
}

/// `usage` of any of these operations.
#[derive(Default, Deserialize)]
#[serde(default)]
struct UsageIn {
    input_tokens: Option<u64>,
    prompt_tokens: Option<u64>,
    output_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    input_tokens_details: Option<Details>,
    input_token_details: Option<Details>,
    /// Of `type: duration`.
    seconds: Option<f64>,
    /// Mistral's word for it.
    prompt_audio_seconds: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    audio_tokens: Option<u64>,
    cached_tokens: Option<u64>,
}

// === impl Peek ===

impl<'a> Peek<'a> {
    pub(super) fn of(body: &'a [u8]) -> Result<Self, StreamFault> {
        match serde_json::from_slice(body) {
            Ok(peek) => Ok(peek),
            Err(error) if error.is_eof() => Err(StreamFault::Incomplete),
            Err(error) => Err(StreamFault::Malformed {
                // The text of the error may quote the answer; its place does not.
                detail: format!("not an answer at column {}", error.column()),
            }),
        }
    }

    pub(super) fn check(&self, text: &[u8]) -> Result<(), StreamFault> {
        match self.error.is_some_and(|error| error.get() != "null") {
            true => Err(StreamFault::Provider(Box::new(
                openai_error::decode_inside(text),
            ))),
            false => Ok(()),
        }
    }

    /// The tokens, and what else was measured.
    pub(super) fn used(&self, format: RelayFormat) -> (Option<Usage>, Measured) {
        let wire = self
            .usage
            .and_then(|usage| serde_json::from_str::<Option<UsageIn>>(usage.get()).ok()?)
            .unwrap_or_default();
        let told = self.duration.map(RawValue::get);
        let told = told.and_then(|told| told.trim_matches('"').parse().ok());
        let seconds = wire.seconds.or(wire.prompt_audio_seconds).or(told);
        let measured = Measured {
            images: 0,
            audio_millis: seconds.map_or(0, millis),
        };
        (wire.tokens(format), measured)
    }
}

// === impl UsageIn ===

impl UsageIn {
    fn tokens(self, format: RelayFormat) -> Option<Usage> {
        let input_tokens = self.input_tokens.or(self.prompt_tokens)?;
        let output = self.output_tokens.or(self.completion_tokens);
        let output_tokens = output.unwrap_or_default();
        let details = self.input_tokens_details.or(self.input_token_details);
        let details = details.unwrap_or_default();
        let speaks = format == RelayFormat::Speech;
        Some(Usage {
            input_tokens,
            output_tokens,
            input_audio_tokens: details.audio_tokens.unwrap_or_default(),
            cached_input_tokens: details.cached_tokens.unwrap_or_default(),
            // All that speech gives is sound.
            output_audio_tokens: if speaks { output_tokens } else { 0 },
            ..Usage::default()
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float stops at the ends of its type"
)]
fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

/// Reads a whole answer.
pub(super) fn read(format: RelayFormat, body: &[u8]) -> Result<Progress, StreamFault> {
    let peek = Peek::of(body)?;
    peek.check(body)?;
    let (usage, mut measured) = peek.used(format);
    let is_there = match format {
        RelayFormat::Images | RelayFormat::ImageEdits | RelayFormat::ImageVariations => {
            let data = peek.data.map(RawValue::get).unwrap_or_default();
            let pictures: Vec<&RawValue> = serde_json::from_str(data).unwrap_or_default();
            measured.images = pictures.len() as u64;
            !pictures.is_empty()
        }
        RelayFormat::Transcriptions | RelayFormat::Translations => peek.text.is_some(),
        RelayFormat::Moderations => peek.results.is_some(),
        // Some give sound inside of JSON, each under a name of its own.
        RelayFormat::Speech => true,
    };
    if !is_there {
        return Err(StreamFault::Incomplete);
    }
    Ok(Progress {
        response_model: peek.model.and_then(string).map(Cow::into_owned),
        usage,
        measured,
        ..complete()
    })
}

/// What is known of every answer that is there.
pub(super) fn complete() -> Progress {
    Progress {
        content_started: true,
        finished: true,
        events: 1,
        ..Progress::default()
    }
}
