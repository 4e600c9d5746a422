//! Step *ask*: what is asked, in the provider's own ids, and who keeps what they name.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, request};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;

use crate::context::Context;
use crate::error::{ExchangeError, Reason};
use crate::owner::{self, Claim};
use crate::segment::escaped;
use crate::steps::accept::{self, BodyGuard, MAX_BODY_BYTES};
use crate::surface::{Brings, KeptCall};
use crate::upstream::body::MAX_UPLOAD_BYTES;

/// Parameters of a query that are no provider's: the version of its API that Azure's clients name, which our providers have
/// in their addresses, and the key of Google's clients.
const KEPT_HERE: [&str; 2] = ["api-version", "key"];

/// Parameters of a query that hold ids.
const CURSORS: [&str; 4] = ["after", "before", "after_id", "before_id"];

/// What is asked.
pub(super) struct Ask {
    pub(super) call: KeptCall,
    pub(super) method: Method,
    /// What follows the provider's path for what is kept, with the query.
    pub(super) rest: String,
    pub(super) claim: Option<Claim>,
    pub(super) stream: bool,
    pub(super) body: AskBody,
    /// Keeps the body counted for as long as it is in memory.
    pub(super) guard: BodyGuard,
}

/// What is sent with it.
pub(super) enum AskBody {
    /// At hand; empty where nothing is sent.
    Whole(Bytes),
    /// Still with the client.
    Upload(Incoming),
}

/// Reads the head and, but for uploads, the body.
pub(super) async fn run(
    context: &Context,
    call: KeptCall,
    head: &request::Parts,
    body: Incoming,
) -> Result<Ask, ExchangeError> {
    let (own, of_path) = match call.id.as_deref() {
        Some(id) => owner::split(id, "id"),
        None => ("", None),
    };
    let mut rest = call.rest(own).ok_or_else(no_id)?;
    let query = head.uri.query().unwrap_or_default();
    let (own_query, mut claims) = own_query(query);
    if !own_query.is_empty() {
        rest = format!("{rest}?{own_query}");
    }
    claims.extend(of_path);
    let brings = call.brings(&head.method);
    let (body, guard) = match brings {
        Brings::Upload => {
            check_upload(&head.headers)?;
            (AskBody::Upload(body), context.bodies.guard())
        }
        Brings::Nothing => {
            let (_, guard) =
                accept::body(&context.bodies, MAX_BODY_BYTES, &head.headers, body).await?;
            (AskBody::Whole(Bytes::new()), guard)
        }
        Brings::Json | Brings::Question => {
            let (body, guard) =
                accept::body(&context.bodies, MAX_BODY_BYTES, &head.headers, body).await?;
            let (body, of_body) = owner::unmark(&body)?;
            claims.extend(of_body);
            (AskBody::Whole(body), guard)
        }
    };
    Ok(Ask {
        call,
        method: head.method.clone(),
        rest,
        claim: owner::agree(claims)?,
        stream: query.split('&').any(|pair| pair == "stream=true"),
        body,
        guard,
    })
}

fn no_id() -> ExchangeError {
    let mut error = ExchangeError::new(Reason::BadRequest, "`id` in the path is no id");
    error.client.param = Some("id".to_owned());
    error
}

/// The query with the provider's own ids, and what it claims.
fn own_query(query: &str) -> (String, Vec<Claim>) {
    let mut claims = Vec::new();
    let mut own = String::with_capacity(query.len());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if KEPT_HERE.contains(&name) {
            continue;
        }
        if !own.is_empty() {
            own.push('&');
        }
        let cursor = CURSORS.into_iter().find(|cursor| *cursor == name);
        let decoded = percent_decode_str(value).decode_utf8_lossy();
        match cursor.map(|cursor| (cursor, owner::split(&decoded, cursor))) {
            Some((name, (id, Some(claim)))) => {
                claims.push(claim);
                own.push_str(name);
                own.push('=');
                own.push_str(&escaped(id));
            }
            _ => own.push_str(pair),
        }
    }
    (own, claims)
}

/// What is known of an upload before it comes.
fn check_upload(headers: &HeaderMap) -> Result<(), ExchangeError> {
    if let Some(encoding) = headers
        .get(CONTENT_ENCODING)
        .filter(|value| *value != "identity")
    {
        let message = format!("content-encoding {encoding:?} is not taken; send the body as it is");
        return Err(ExchangeError::new(Reason::BadRequest, message));
    }
    let announced = headers.get(CONTENT_LENGTH).map(HeaderValue::to_str);
    let announced = announced.and_then(|length| length.ok()?.parse::<u64>().ok());
    match announced {
        Some(bytes) if bytes > MAX_UPLOAD_BYTES => {
            let message = format!("the upload is larger than {MAX_UPLOAD_BYTES} bytes");
            Err(ExchangeError::new(Reason::BodyTooLarge, message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::Owner;

    #[test]
    fn cursors_are_given_back_and_versions_kept_here() {
        let owner = Owner::new("p", "q", "r");
        let query = format!(
            "limit=2&after=file-1{}&api-version=2025-04-01&key=secret&include[]=a.b&x&after_id=msg%5F1",
            owner.mark()
        );
        let (own, claims) = own_query(&query);
        assert_eq!(own, "limit=2&after=file-1&include[]=a.b&x&after_id=msg%5F1");
        assert!(claims.len() == 1 && owner.is(&claims[0]));
        assert_eq!(own_query("").0, "");
    }
}
