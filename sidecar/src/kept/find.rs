//! Step *find*: the one credential that is asked.

use std::sync::Arc;

use bytes::Bytes;
use fkm_llm::{Edits, Format};
use fkm_snapshot::AnyFormat;
use http::{HeaderMap, HeaderName};

use super::ask::{Ask, AskBody};
use crate::error::{ExchangeError, Reason};
use crate::runtime::{Candidate, Runtime, Speaks};
use crate::steps::plan;
use crate::surface::Brings;

/// The header by which a client says whose files and batches it means, by the model that it would ask there.
const X_MODEL: HeaderName = HeaderName::from_static("x-fkm-model");

/// Who is asked, and with what.
pub(super) struct Found {
    pub(super) rule: usize,
    pub(super) candidate: Candidate,
    /// As the client named it; empty where it named none.
    pub(super) model: Arc<str>,
    /// Empty for uploads.
    pub(super) body: Vec<Bytes>,
}

/// Finds it.
pub(super) fn run(
    runtime: &Runtime,
    ask: &Ask,
    headers: &HeaderMap,
) -> Result<Found, ExchangeError> {
    let body = match &ask.body {
        AskBody::Whole(body) => body.clone(),
        AskBody::Upload(_) => Bytes::new(),
    };
    if ask.call.brings(&ask.method) == Brings::Question {
        return question(runtime, ask, &body);
    }
    let model = headers.get(X_MODEL).and_then(|value| value.to_str().ok());
    let kept = ask.call.row.kept;
    let Some((rule, candidate)) = runtime.keeper(kept, ask.claim.as_ref(), model) else {
        return Err(nobody(ask));
    };
    Ok(Found {
        rule,
        candidate,
        model: model.unwrap_or_default().into(),
        body: if body.is_empty() {
            Vec::new()
        } else {
            vec![body]
        },
    })
}

/// What a model is asked about what is kept goes where the model is asked.
fn question(runtime: &Runtime, ask: &Ask, body: &Bytes) -> Result<Found, ExchangeError> {
    let scan = fkm_llm::scan(body)
        .map_err(|error| ExchangeError::new(Reason::BadRequest, error.to_string()))?;
    let model = plan::model_in(&scan)?;
    let format = AnyFormat::Chat(Format::OpenAiResponses);
    let (rule, mut plan) = plan::run(runtime, &model, format)?;
    if let Some(claim) = &ask.claim {
        plan = plan::owned(plan, claim)?;
    }
    let kept = ask.call.row.kept;
    let suits =
        |candidate: &Candidate| candidate.is_asked_in(format) && candidate.kept_url(kept).is_some();
    let candidate = plan.into_iter().find(suits).ok_or_else(|| nobody(ask))?;
    let body = match &candidate.way().speaks {
        Speaks::Chat(dialect) => {
            let edits = Edits {
                model: Some(&candidate.offer.upstream_model),
                include_usage: false,
                dialect,
            };
            fkm_llm::edit(body, &scan, &edits).segments
        }
        _ => vec![body.clone()],
    };
    Ok(Found {
        rule,
        candidate,
        model,
        body,
    })
}

fn nobody(ask: &Ask) -> ExchangeError {
    if let Some(claim) = &ask.claim {
        return claim.unknown();
    }
    let kept = ask.call.row.kept;
    let message = format!("no provider that this request can reach keeps {kept}");
    ExchangeError::new(Reason::StateElsewhere, message)
}
