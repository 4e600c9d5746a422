//! The models of this pod, one or all, as each family's SDK reads them. What a provider knows beyond the names (windows,
//! methods, prices) is not told: one name may stand for several models.

use serde_json::{Value, json};

use crate::error::{ExchangeError, Reason};
use crate::runtime::Runtime;
use crate::surface::Family;

/// Nobody knows when a model was made; SDKs want a time.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// The body of a list. It is whole: there are no further pages.
pub(crate) fn list(family: Family, runtime: &Runtime) -> Vec<u8> {
    let models = runtime.models.iter();
    let entries: Vec<Value> = models.map(|(id, owner)| entry(family, id, owner)).collect();
    let list = match family {
        Family::OpenAi | Family::Bedrock | Family::Mistral | Family::Voyage => {
            json!({"object": "list", "data": entries})
        }
        Family::Anthropic => {
            let id = |entry: Option<&Value>| entry.map_or(Value::Null, |entry| entry["id"].clone());
            let (first, last) = (id(entries.first()), id(entries.last()));
            json!({"data": entries, "has_more": false, "first_id": first, "last_id": last})
        }
        Family::Gemini | Family::Cohere => json!({"models": entries}),
    };
    list.to_string().into_bytes()
}

/// The body of one; an error where this pod has none of the name.
pub(crate) fn one(family: Family, runtime: &Runtime, name: &str) -> Result<Vec<u8>, ExchangeError> {
    let Some(owner) = runtime.models.get(name) else {
        let message =
            format!("no model {name:.200?} is listed; GET the list of models for those that are");
        return Err(ExchangeError::new(Reason::ModelNotFound, message));
    };
    Ok(entry(family, name, owner).to_string().into_bytes())
}

/// Clients of Mistral want to know what a model can. It is what may be asked for here; who answers may still refuse.
fn asked_for() -> Value {
    json!({"completion_chat": true, "function_calling": true, "vision": true})
}

fn entry(family: Family, id: &str, owner: &str) -> Value {
    match family {
        Family::OpenAi | Family::Bedrock | Family::Voyage => {
            json!({"id": id, "object": "model", "created": 0, "owned_by": owner})
        }
        Family::Mistral => json!({
            "id": id, "object": "model", "created": 0, "owned_by": owner, "type": "base", "name": id,
            "capabilities": asked_for(),
        }),
        Family::Anthropic => {
            json!({"type": "model", "id": id, "display_name": id, "created_at": EPOCH})
        }
        Family::Gemini => json!({"name": format!("models/{id}"), "displayName": id}),
        Family::Cohere => json!({"name": id}),
    }
}
