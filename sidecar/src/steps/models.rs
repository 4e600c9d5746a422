//! `GET /v1/models`: what this pod may ask for, in OpenAI's format.

use serde::Serialize;

use crate::runtime::Runtime;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'a str,
}

/// The body of the answer.
pub(crate) fn list(runtime: &Runtime) -> Vec<u8> {
    let data = runtime.models.iter().map(|(id, owned_by)| Entry {
        id,
        object: "model",
        created: 0,
        owned_by,
    });
    let list = List {
        object: "list",
        data: data.collect(),
    };
    serde_json::to_vec(&list).expect("strings and numbers always serialise")
}
