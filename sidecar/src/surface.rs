//! What a client calls: the operation that a path stands for, in whose words, and what of the request the path itself says.
//!
//! Every surface has a prefix of its own (`/openai`, `/anthropic`, `/gemini`, `/cohere`, `/bedrock`, `/mistral`, `/voyage`) and, where no two
//! collide, stands at its bare path too; for `/v1/models` the client's own headers decide. Pure: a head in, a [`Call`] out.

mod kept;
mod path;

use std::sync::Arc;

use fkm_llm::{ClientForm, Format, RerankFormat};
use fkm_snapshot::{AnyFormat, Operation};
use http::{HeaderMap, Method, Uri};

pub(crate) use self::kept::{Brings, Gives, KeptCall};
use crate::codec::Codec;
use crate::error::{ExchangeError, Reason};

/// Whose clients call: how lists and errors read that belong to no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    OpenAi,
    Anthropic,
    Gemini,
    Cohere,
    Bedrock,
    Mistral,
    Voyage,
}

/// A path, as its client calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) family: Family,
    /// `None`: there is no such path.
    asked: Option<Asked>,
    /// The path with its names left open, for spans: few values, whatever the clients send. Empty where it is not known.
    pub(crate) route: &'static str,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// An answer of a model.
    Answer(Question),
    /// How many tokens a request holds.
    Count(Question),
    /// The models of this pod.
    Models,
    /// One of them.
    Model(Arc<str>),
    /// Something that a provider keeps.
    Kept(KeptCall),
}

/// A request in `format`, and what its path says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) format: AnyFormat,
    /// The model, where the path names it.
    pub(crate) model: Option<Arc<str>>,
    /// Whether the answer streams, where the path says so.
    pub(crate) stream: Option<bool>,
}

// === impl Family ===

impl Family {
    /// The format whose errors its clients read.
    fn error_format(self) -> AnyFormat {
        AnyFormat::Chat(match self {
            Self::OpenAi | Self::Mistral => Format::OpenAiChat,
            Self::Anthropic => Format::AnthropicMessages,
            Self::Gemini => Format::GeminiGenerateContent,
            Self::Cohere => Format::CohereChat,
            Self::Bedrock => Format::BedrockConverse,
            Self::Voyage => return AnyFormat::Rerank(RerankFormat::VoyageRerank),
        })
    }

    /// The form in which its clients have the formats that it shares with others.
    pub(crate) fn form(self) -> ClientForm {
        match self {
            Self::Mistral => ClientForm::Mistral,
            Self::Voyage => ClientForm::Voyage,
            Self::OpenAi | Self::Anthropic | Self::Gemini | Self::Cohere | Self::Bedrock => {
                ClientForm::Plain
            }
        }
    }
}

// === impl Call ===

impl Call {
    /// What a path stands for.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        path::call(uri.path(), headers)
    }

    /// The format in which the client reads errors.
    pub(crate) fn error_format(&self) -> Codec {
        let format = match &self.asked {
            Some(Asked::Answer(question) | Asked::Count(question)) => question.format,
            Some(Asked::Kept(kept)) => kept.format(),
            _ => self.family.error_format(),
        };
        Codec::for_client(format, self.family.form())
    }

    /// What a model is asked to do, where one is asked.
    pub(crate) fn operation(&self) -> Option<Operation> {
        match &self.asked {
            Some(Asked::Answer(question)) => Some(question.format.operation()),
            _ => None,
        }
    }

    /// What is asked by this method; an error says what there is.
    pub(crate) fn asked(self, method: &Method, uri: &Uri) -> Result<Asked, ExchangeError> {
        let Some(asked) = self.asked else {
            let message = format!(
                "no such path: {:.200}; there are {}",
                uri.path(),
                path::LISTED
            );
            return Err(ExchangeError::new(Reason::UnknownPath, message));
        };
        let allowed = asked.methods();
        if !allowed.split(", ").any(|known| known == method.as_str()) {
            let message = format!(
                "{:.200} does not know {method:.20}; use {allowed}",
                uri.path()
            );
            let mut error = ExchangeError::new(Reason::MethodNotAllowed, message);
            error.allow = Some(allowed);
            return Err(error);
        }
        if let Asked::Answer(question) = &asked {
            question.check_query(uri.query().unwrap_or_default())?;
        }
        Ok(asked)
    }
}

// === impl Asked ===

impl Asked {
    fn methods(&self) -> &'static str {
        match self {
            Self::Answer(_) | Self::Count(_) => "POST",
            Self::Models | Self::Model(_) => "GET",
            Self::Kept(kept) => kept.row.methods,
        }
    }
}

// === impl Question ===

impl Question {
    /// A stream of Gemini's comes as events, or as one JSON array, which nobody reads before its end.
    fn check_query(&self, query: &str) -> Result<(), ExchangeError> {
        let events = query.split('&').any(|pair| pair == "alt=sse");
        if self.format == AnyFormat::Chat(Format::GeminiGenerateContent)
            && self.stream == Some(true)
            && !events
        {
            let message =
                "a stream is given as server-sent events only; add ?alt=sse, as the SDKs do";
            return Err(ExchangeError::new(Reason::BadRequest, message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, uri: &'static str) -> Result<Asked, ExchangeError> {
        let uri = Uri::from_static(uri);
        Call::of(&uri, &HeaderMap::new()).asked(method, &uri)
    }

    #[test]
    fn wrong_method_names_the_right_one() {
        let error = asked(&Method::GET, "/v1/chat/completions").unwrap_err();
        assert_eq!(
            (error.reason, error.allow),
            (Reason::MethodNotAllowed, Some("POST"))
        );
        let error = asked(&Method::POST, "/v1/models").unwrap_err();
        assert_eq!(error.allow, Some("GET"));
    }

    #[test]
    fn a_stream_of_geminis_is_asked_for_as_events() {
        let stream = "/v1beta/models/m:streamGenerateContent";
        let error = asked(&Method::POST, stream).unwrap_err();
        assert_eq!(error.reason, Reason::BadRequest);
        let events = "/v1beta/models/m:streamGenerateContent?key=k&alt=sse";
        assert!(asked(&Method::POST, events).is_ok());
    }
}
