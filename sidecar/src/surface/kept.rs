//! The paths under which something is asked that a provider keeps.

use std::sync::Arc;

use fkm_llm::{Format, Ids};
use fkm_snapshot::{AnyFormat, Kept};
use http::Method;

use super::Family;
use crate::segment::{escaped, is_segment, name};

/// A call about something kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptCall {
    /// How the path stands in the table.
    pub(crate) row: &'static Row,
    /// The id in the path, as the client knows it.
    pub(crate) id: Option<Arc<str>>,
}

/// One path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    family: Family,
    pub(crate) kept: Kept,
    /// The path, with the id left open.
    pub(crate) path: &'static str,
    /// The methods that it knows.
    pub(crate) methods: &'static str,
    /// What follows the provider's own path for what is kept; the id is left open.
    pub(crate) rest: &'static str,
    pub(crate) gives: Gives,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// JSON, with ids of what is kept.
    Ids(Ids),
    /// Bytes, which are not looked at.
    Content,
}

/// What a POST brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brings {
    /// Nothing that is looked at, and nothing that is sent on.
    Nothing,
    /// JSON, which may name what is kept.
    Json,
    /// JSON, for a model.
    Question,
    /// A body of any size, which is sent on as it comes.
    Upload,
}

/// Before every path, but for those of Azure's clients, who leave it to their query.
const VERSION: &str = "/v1";

/// Stands for the id in a path.
const ID: &str = "{id}";

const fn row(
    kept: Kept,
    path: &'static str,
    rest: &'static str,
    methods: &'static str,
    gives: Gives,
) -> Row {
    let family = match kept {
        Kept::AnthropicFiles => Family::Anthropic,
        Kept::OpenAiBatches | Kept::OpenAiFiles | Kept::OpenAiResponses => Family::OpenAi,
    };
    Row {
        family,
        kept,
        path,
        methods,
        rest,
        gives,
    }
}

const RESPONSE: Gives = Gives::Ids(Ids::RESPONSE);
const ITEMS: Gives = Gives::Ids(Ids::ITEMS);
const FILE: Gives = Gives::Ids(Ids::FILE);
const BATCH: Gives = Gives::Ids(Ids::BATCH);

/// Every path, the first that fits first.
#[rustfmt::skip]
static ROWS: [Row; 13] = [
    row(Kept::OpenAiResponses, "/v1/responses/compact", "/compact", "POST", RESPONSE),
    row(Kept::OpenAiResponses, "/v1/responses/{id}", "/{id}", "GET, DELETE", RESPONSE),
    row(Kept::OpenAiResponses, "/v1/responses/{id}/cancel", "/{id}/cancel", "POST", RESPONSE),
    row(Kept::OpenAiResponses, "/v1/responses/{id}/input_items", "/{id}/input_items", "GET", ITEMS),
    row(Kept::OpenAiFiles, "/v1/files", "", "GET, POST", FILE),
    row(Kept::OpenAiFiles, "/v1/files/{id}", "/{id}", "GET, DELETE", FILE),
    row(Kept::OpenAiFiles, "/v1/files/{id}/content", "/{id}/content", "GET", Gives::Content),
    row(Kept::OpenAiBatches, "/v1/batches", "", "GET, POST", BATCH),
    row(Kept::OpenAiBatches, "/v1/batches/{id}", "/{id}", "GET", BATCH),
    row(Kept::OpenAiBatches, "/v1/batches/{id}/cancel", "/{id}/cancel", "POST", BATCH),
    row(Kept::AnthropicFiles, "/v1/files", "", "GET, POST", FILE),
    row(Kept::AnthropicFiles, "/v1/files/{id}", "/{id}", "GET, DELETE", FILE),
    row(Kept::AnthropicFiles, "/v1/files/{id}/content", "/{id}/content", "GET", Gives::Content),
];

/// What a path of this family asks of something kept.
pub(super) fn find(family: Family, path: &str) -> Option<KeptCall> {
    let bare = unversioned(path);
    let mut rows = ROWS.iter().filter(|row| row.family == family);
    rows.find_map(|row| fits(row, bare))
}

fn unversioned(path: &str) -> &str {
    let rest = path.strip_prefix(VERSION);
    rest.filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// The call of this path, which has no version; `None` where the row is of another one.
fn fits(row: &'static Row, bare: &str) -> Option<KeptCall> {
    let known = unversioned(row.path);
    let Some((before, after)) = known.split_once(ID) else {
        return (known == bare).then_some(KeptCall { row, id: None });
    };
    let id = bare.strip_prefix(before)?.strip_suffix(after)?;
    let id = Some(id).filter(|id| !id.contains('/')).and_then(name)?;
    is_segment(&id).then_some(KeptCall { row, id: Some(id) })
}

// === impl KeptCall ===

impl KeptCall {
    /// The format in which errors are read.
    pub(crate) fn format(&self) -> AnyFormat {
        AnyFormat::Chat(match self.row.kept {
            Kept::AnthropicFiles => Format::AnthropicMessages,
            Kept::OpenAiBatches | Kept::OpenAiFiles => Format::OpenAiChat,
            Kept::OpenAiResponses => Format::OpenAiResponses,
        })
    }

    /// What its body is.
    pub(crate) fn brings(&self, method: &Method) -> Brings {
        match (self.row.kept, self.row.rest) {
            _ if method != Method::POST => Brings::Nothing,
            (Kept::OpenAiFiles | Kept::AnthropicFiles, "") => Brings::Upload,
            (_, "") => Brings::Json,
            (_, "/compact") => Brings::Question,
            _ => Brings::Nothing,
        }
    }

    /// What follows the provider's path, for the provider's own id; `None` where that would make another path of it.
    pub(crate) fn rest(&self, id: &str) -> Option<String> {
        is_segment(id).then(|| self.row.rest.replace(ID, &escaped(id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(family: Family, path: &str) -> Option<(&'static str, Option<String>)> {
        let call = find(family, path)?;
        Some((call.row.path, call.id.map(|id| id.to_string())))
    }

    #[test]
    fn paths_are_told_apart() {
        for (path, expected) in [
            (
                "/v1/responses/compact",
                Some(("/v1/responses/compact", None)),
            ),
            (
                "/v1/responses/resp_1",
                Some(("/v1/responses/{id}", Some("resp_1"))),
            ),
            (
                "/v1/responses/a%2Fb",
                Some(("/v1/responses/{id}", Some("a/b"))),
            ),
            (
                "/v1/responses/resp_1/cancel",
                Some(("/v1/responses/{id}/cancel", Some("resp_1"))),
            ),
            (
                "/v1/responses/resp_1/input_items",
                Some(("/v1/responses/{id}/input_items", Some("resp_1"))),
            ),
            ("/v1/files", Some(("/v1/files", None))),
            (
                "/v1/files/f/content",
                Some(("/v1/files/{id}/content", Some("f"))),
            ),
            (
                "/v1/batches/b/cancel",
                Some(("/v1/batches/{id}/cancel", Some("b"))),
            ),
            ("/files", Some(("/v1/files", None))),
            ("/files/f", Some(("/v1/files/{id}", Some("f")))),
            ("/v1/v1/files", None),
            ("/v1files", None),
            ("/v1/responses/", None),
            ("/v1/responses/a/b", None),
            ("/v1/responses/%2E%2e", None),
            ("/v1/responses//cancel", None),
        ] {
            let expected = expected.map(|(path, id)| (path, id.map(str::to_owned)));
            assert_eq!(found(Family::OpenAi, path), expected, "{path}");
            assert_eq!(found(Family::Cohere, path), None);
        }
    }

    #[test]
    fn an_id_stands_in_one_segment() {
        let call = find(Family::OpenAi, "/v1/responses/a%2F%2E%2E%2Fb/cancel").unwrap();
        assert_eq!(call.id.as_deref(), Some("a/../b"));
        assert_eq!(call.rest("a/../b").unwrap(), "/a%2F..%2Fb/cancel");
        assert_eq!((call.rest(".."), call.rest(".")), (None, None));
    }
}
