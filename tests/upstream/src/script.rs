//! What the upstream can be told to do with a request: one [`Step`] a request.
//!
//! Also the JSON form for scripts in files and over the control address: `{"answer": {"text": "hi"}}`, `"hang"`,
//! `{"streamed": {"pieces": ["a", "b"], "cut": {"afterFrame": 1}, "end": "reset"}}`. Unknown fields are refused.

use serde::{Deserialize, Serialize};

/// What is done with one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Step {
    /// Answers as asked: whole, or as a stream where the request says `"stream": true`.
    Answer(Answer),
    /// Answers with a stream, whatever was asked.
    Streamed(Streamed),
    /// Answers with a status, headers and a body of its own.
    Status(Status),
    /// Answers nothing until the client goes away.
    Hang,
    /// Sends the head of a good answer, then nothing until the client goes away.
    HangAfterHeaders,
    /// Sends the head of a whole answer with its full length, a part of the body, and ends the connection.
    BreakBody(BreakBody),
    /// Sends these very bytes instead of an HTTP answer, then closes the connection. In JSON: a string whose characters
    /// up to U+00FF stand for one byte each.
    #[serde(with = "latin1")]
    Raw(Vec<u8>),
    /// Refuses the key: an error whose body and whose header `x-echoed-key` repeat it as received.
    EchoKey {
        /// The HTTP status, for example 401.
        status: u16,
    },
    /// Ends the connection without a byte of an answer, as a server does that gave up an idle connection meanwhile.
    Drop(End),
    /// Waits, then does the other step.
    Delayed {
        /// The wait.
        millis: u64,
        /// What is done after it.
        then: Box<Self>,
    },
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The text. Default: a greeting.
    pub text: String,
    /// Tools that the model wants called. Default none.
    pub tool_calls: Vec<ToolCall>,
    /// Tokens reported.
    pub usage: Usage,
}

/// A streamed answer. One frame is one SSE event.
///
/// The frames of `openai.chat` are: the role, one a piece, two a tool call, the finish reason, the usage where it is
/// due, `[DONE]`. Those of `anthropic.messages`: message start, block start, one a piece, block stop, four a tool call,
/// message delta, message stop. Those of `openai.responses`: created, in progress, two at the beginning of the text, one a
/// piece, three at its end, four a tool call, completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Streamed {
    /// The text, in the pieces in which it comes. Default: a greeting in four.
    pub pieces: Vec<String>,
    /// Tools that the model wants called. Default none.
    pub tool_calls: Vec<ToolCall>,
    /// Tokens reported.
    pub usage: Usage,
    /// When `openai.chat` reports them. Default: as asked.
    pub usage_chunk: UsageChunk,
    /// Sent as they are instead of the frames made of the fields above, each with its own empty line at the end.
    /// Default none.
    pub frames: Vec<String>,
    /// Where it stops short. Default: nowhere.
    pub cut: Cut,
    /// How it ends. Default: clean.
    pub end: End,
    /// Bytes a write (and an HTTP chunk); 0, the default: one frame a write.
    pub rechunk: usize,
    /// Wait before each write but the first. Default 0.
    pub delay_millis: u64,
}

/// An answer with a status of choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Status {
    /// The HTTP status.
    pub status: u16,
    /// Further headers, for example `("retry-after", "2")`. `content-type: application/json` unless named.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body; empty: the format's own error for that status.
    #[serde(default)]
    pub body: String,
}

/// A whole answer that breaks in its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BreakBody {
    /// The answer that is begun.
    #[serde(default)]
    pub answer: Answer,
    /// Bytes of the body that are sent; less than it has.
    pub after: usize,
    /// How the connection ends; `clean` is no different from `close` here.
    #[serde(default)]
    pub end: End,
}

/// Where a stream stops short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cut {
    /// Nowhere.
    #[default]
    Nowhere,
    /// After so many bytes of its body, counted without HTTP's own.
    AtByte(usize),
    /// After so many frames; 0: after the head.
    AfterFrame(usize),
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// As HTTP wants it; the connection can be used again.
    #[default]
    Clean,
    /// The connection is closed (FIN) in the middle of the answer.
    Close,
    /// The connection is reset (RST) in the middle of the answer.
    Reset,
}

/// A tool that the model wants called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ToolCall {
    /// The call's id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments, as JSON text.
    pub arguments: String,
}

/// Tokens of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Usage {
    /// Tokens read. Default 11.
    pub input_tokens: u64,
    /// Tokens written. Default 7.
    pub output_tokens: u64,
}

/// When a stream of `openai.chat` carries a usage chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UsageChunk {
    /// When the request says `stream_options.include_usage`.
    #[default]
    AsAsked,
    /// Always.
    Always,
    /// Never.
    Never,
}

// === impl Step ===

impl Step {
    /// An answer with this text.
    pub fn answer(text: impl Into<String>) -> Self {
        Self::Answer(Answer {
            text: text.into(),
            ..Answer::default()
        })
    }

    /// An error of this status, with the format's own body.
    pub fn status(status: u16) -> Self {
        Self::Status(Status {
            status,
            headers: Vec::new(),
            body: String::new(),
        })
    }

    /// 429 with `retry-after` in seconds.
    pub fn rate_limited(retry_after: u32) -> Self {
        Self::Status(Status {
            status: 429,
            headers: vec![("retry-after".to_owned(), retry_after.to_string())],
            body: String::new(),
        })
    }

    /// This step, some milliseconds later.
    #[must_use]
    pub fn delayed(self, millis: u64) -> Self {
        Self::Delayed {
            millis,
            then: Box::new(self),
        }
    }
}

// === impl Answer ===

impl Default for Answer {
    fn default() -> Self {
        Self {
            text: "Hello from the upstream.".to_owned(),
            tool_calls: Vec::new(),
            usage: Usage::default(),
        }
    }
}

// === impl Streamed ===

impl Streamed {
    /// A stream of so many pieces of text: `"0 "`, `"1 "` and so on.
    pub fn counting(pieces: usize) -> Self {
        Self {
            pieces: (0..pieces).map(|piece| format!("{piece} ")).collect(),
            ..Self::default()
        }
    }

    /// The stream of a whole answer, its text cut behind each space.
    pub fn of(answer: &Answer) -> Self {
        Self {
            pieces: answer
                .text
                .split_inclusive(' ')
                .map(str::to_owned)
                .collect(),
            tool_calls: answer.tool_calls.clone(),
            usage: answer.usage,
            ..Self::default()
        }
    }
}

impl Default for Streamed {
    fn default() -> Self {
        let answer = Answer::default();
        Self {
            pieces: answer
                .text
                .split_inclusive(' ')
                .map(str::to_owned)
                .collect(),
            tool_calls: Vec::new(),
            usage: answer.usage,
            usage_chunk: UsageChunk::default(),
            frames: Vec::new(),
            cut: Cut::default(),
            end: End::default(),
            rechunk: 0,
            delay_millis: 0,
        }
    }
}

// === impl Usage ===

impl Default for Usage {
    fn default() -> Self {
        Self {
            input_tokens: 11,
            output_tokens: 7,
        }
    }
}

/// Bytes as a JSON string of the characters U+0000 to U+00FF.
mod latin1 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(
            &bytes
                .iter()
                .map(|&byte| char::from(byte))
                .collect::<String>(),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(from)?
            .chars()
            .map(|c| {
                u8::try_from(c).map_err(|_| {
                    D::Error::custom(format!(
                        "{c:?} is above U+00FF: a character stands for a byte"
                    ))
                })
            })
            .collect()
    }
}
