//! What a provider answered instead of an answer, classified.

use fkm_dialect::FailureClass;
use http::HeaderMap;

use crate::error::further::Further;
use crate::error::mask::mask_keys;
use crate::error::redactor::Redactor;
use crate::error::{ClientError, ErrorKind, RetryAfter};

/// Longer messages of a provider are cut (at a character).
pub const MAX_MESSAGE_BYTES: usize = 2048;

/// As much of each text as is kept until [`ProviderError::redact`] has looked at it.
const MAX_RAW_BYTES: usize = 16 * 1024;

/// An error of a provider.
///
/// *Guarantees*: texts are bounded, one line, free of HTML, and words that look like keys are masked. A caller that
/// knows the key that it sent also calls [`ProviderError::redact`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    /// The HTTP status, or the one that an error inside a 200 answer stands for.
    pub status: u16,
    /// Whether and why another candidate may be tried; `None`: the client's own fault.
    pub class: Option<FailureClass>,
    /// For a human.
    pub message: String,
    /// The provider's type word, for example `rate_limit_error`.
    pub kind: Option<String>,
    /// The provider's code, for example `insufficient_quota`.
    pub code: Option<String>,
    /// The request member that it names.
    pub param: Option<String>,
    /// When it wants to be asked again.
    pub retry_after: Option<RetryAfter>,
    /// Its request id.
    pub request_id: Option<String>,
    /// Whether asking the same provider again can help; false for an empty account or a refused key.
    pub retryable: bool,
    /// What else it says, for clients of the same format.
    further: Option<Box<Further>>,
    /// The texts before they were cleaned: a key must be looked for in what was said, not in what is left of it.
    raw: Raw,
}

/// Message, kind, code, param and request id as the provider wrote them, bounded. Gone after [`ProviderError::redact`].
#[derive(Clone, Default, PartialEq, Eq)]
struct Raw([Option<String>; 5]);

/// What a format found in an error body, before classification.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// The status that the body names, where it names one.
    pub(crate) status: Option<u16>,
    pub(crate) message: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) param: Option<String>,
    pub(crate) request_id: Option<String>,
}

// === impl ProviderError ===

impl ProviderError {
    /// Classifies by what was said first, by status otherwise.
    pub(crate) fn classify(status: u16, headers: &HeaderMap, said: &Said) -> Self {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let mut said = said.clone();
        said.request_id = said.request_id.or_else(|| {
            let value = header("x-request-id").or_else(|| header("request-id"));
            value.map(str::to_owned)
        });
        let mut error = Self::of(status, &said);
        error.retry_after = RetryAfter::from_headers(headers);
        error
    }

    /// Classifies an error that came without headers.
    pub(crate) fn of(status: u16, said: &Said) -> Self {
        // The code says more than the kind: `model_not_found` of an `invalid_request_error`.
        let words = [said.code.as_deref(), said.kind.as_deref()];
        let status = match said.status {
            Some(named) if status < 400 => named,
            _ => status,
        };
        let status = effective_status(status, words);
        let class = FailureClass::of_status(status);
        let exhausted = words.into_iter().flatten().any(is_exhausted);
        let retryable = !exhausted
            && matches!(
                class,
                Some(
                    FailureClass::RateLimited
                        | FailureClass::Overloaded
                        | FailureClass::ServerError
                        | FailureClass::Timeout
                )
            );
        let message = said
            .message
            .as_deref()
            .map(clean)
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| format!("the provider answered with status {status}"));
        Self {
            status,
            class,
            message,
            kind: said.kind.as_deref().map(clean),
            code: said.code.as_deref().map(clean),
            param: said.param.as_deref().map(clean),
            retry_after: None,
            request_id: said.request_id.as_deref().map(clean),
            retryable,
            further: None,
            raw: Raw::of(said),
        }
    }

    /// The same with what else was said.
    pub(crate) fn with_further(mut self, further: Option<Further>) -> Self {
        self.further = further.map(Box::new);
        self
    }

    /// Masks a key wherever the provider repeated it, in whatever form.
    pub fn redact(&mut self, redactor: &Redactor) {
        let Raw([message, kind, code, param, request_id]) = std::mem::take(&mut self.raw);
        let again = |raw: Option<String>| raw.map(|raw| clean(&redactor.redact(&raw)));
        if let Some(message) = again(message).filter(|text| !text.is_empty()) {
            self.message = message;
        }
        for (text, raw) in [
            (&mut self.kind, kind),
            (&mut self.code, code),
            (&mut self.param, param),
            (&mut self.request_id, request_id),
        ] {
            *text = again(raw).or_else(|| text.take().map(|text| redactor.redact(&text)));
        }
        if let Some(further) = &mut self.further {
            further.redact(redactor);
        }
    }

    /// See `From<&ProviderError> for ClientError`.
    pub(crate) fn for_client(&self) -> ClientError {
        let (kind, code) = match self.class {
            None => {
                let kind = match self.status {
                    413 => ErrorKind::PayloadTooLarge,
                    405 => ErrorKind::MethodNotAllowed,
                    _ => ErrorKind::InvalidRequest,
                };
                return ClientError {
                    kind,
                    status: (400..500).contains(&self.status).then_some(self.status),
                    message: self.message.clone(),
                    code: self.code.clone().map(Into::into),
                    param: self.param.clone(),
                    request_id: None,
                    further: self.further_for_client(),
                };
            }
            Some(FailureClass::CredentialRejected) => {
                let message = "the provider refused the credential that its pool holds";
                return ClientError::new(ErrorKind::Upstream, message).with_code("provider_auth");
            }
            Some(FailureClass::RateLimited) => (ErrorKind::RateLimited, self.code.clone()),
            Some(FailureClass::Overloaded) => (ErrorKind::Overloaded, None),
            Some(FailureClass::Timeout) => (ErrorKind::Timeout, None),
            Some(FailureClass::ModelUnavailable) => (ErrorKind::NotFound, self.code.clone()),
            Some(
                FailureClass::ConnectFailure
                | FailureClass::ServerError
                | FailureClass::BrokenStream,
            ) => (ErrorKind::Upstream, None),
        };
        let mut error = ClientError::new(kind, self.message.clone());
        error.code = code.map(Into::into);
        error.further = self.further_for_client();
        error
    }

    fn further_for_client(&self) -> Option<Box<Further>> {
        let further = self.further.as_deref()?;
        Some(Box::new(further.masked()))
    }
}

/// The status that the provider's own words stand for, where they say more than the status does.
fn effective_status(status: u16, words: [Option<&str>; 2]) -> u16 {
    let said = words.into_iter().flatten().find_map(|word| {
        Some(match word {
            "overloaded_error" | "overloaded" | "engine_overloaded" => 529,
            "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" => 429,
            "authentication_error" | "invalid_api_key" => 401,
            "billing_error" => 402,
            "permission_error" => 403,
            "not_found_error" | "model_not_found" => 404,
            "request_too_large" => 413,
            "timeout_error" => 504,
            "invalid_request_error" => 400,
            "api_error" | "server_error" | "internal_server_error" => 500,
            _ => return None,
        })
    });
    match (status, said) {
        // Inside a 200 answer the words are all there is; in a 400 that says "model not found", "your key" or "no quota",
        // and in a 5xx that says "overloaded", they are more exact.
        (..400, Some(said)) | (400, Some(said @ (401..=404 | 429))) | (500.., Some(said @ 529)) => {
            said
        }
        (..400, None) => 500,
        _ => status,
    }
}

/// Words for an account that is empty: waiting does not help.
fn is_exhausted(word: &str) -> bool {
    matches!(
        word,
        "insufficient_quota"
            | "credit_balance_exhausted"
            | "billing_hard_limit_reached"
            | "enforced_spend_limit_reached"
            | "billing_error"
    )
}

// === impl Raw ===

impl Raw {
    fn of(said: &Said) -> Self {
        let texts = [
            &said.message,
            &said.kind,
            &said.code,
            &said.param,
            &said.request_id,
        ];
        Self(texts.map(|text| text.as_deref().map(bounded)))
    }
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Raw(..)")
    }
}

/// The beginning of a text; a word that would be cut is left out, for it may be half a key.
fn bounded(text: &str) -> String {
    if text.len() <= MAX_RAW_BYTES {
        return text.to_owned();
    }
    let kept = &text[..text.floor_char_boundary(MAX_RAW_BYTES)];
    let end = kept.rfind(char::is_whitespace).unwrap_or(0);
    kept[..end].to_owned()
}

/// One line, no HTML, bounded, words that look like keys masked.
fn clean(text: &str) -> String {
    let text = text.trim();
    if text.starts_with('<') {
        return "the provider answered with a page of HTML".to_owned();
    }
    let mut out = String::with_capacity(text.len().min(MAX_MESSAGE_BYTES));
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        mask_keys(word, &mut out);
        if out.len() > MAX_MESSAGE_BYTES {
            out.truncate(out.floor_char_boundary(MAX_MESSAGE_BYTES));
            out.push('…');
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests;
