//! Ids of what a provider keeps (answers, files, batches): where they stand in answers and in requests.
//!
//! Whoever has several providers must know later which of them keeps what an id names. A *mark* at the end of the id says so:
//! [`marked`] puts it on the ids of an answer, [`named`] finds the ids of a request that carry one.
//!
//! *Guarantees*: nothing but the mark is put in or taken out; what is no JSON stays as it is; a text that looks like an id is
//! none, for only members that hold ids are looked at, and none of what users and models say in JSON of their own (metadata,
//! schemas, what tools are given and give).
//!
//! *Caveats*: ids of items, containers, vector stores and conversations are not looked at.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem::Finder;

use crate::scan::{Member, items, members, members_so_far};

/// Which members of an answer hold ids of what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Of the answer itself, and of each object in its `data`.
    members: &'static [&'static str],
    /// Whether files are named inside, by `file_id`.
    files: bool,
}

/// An id in a request that carries a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The id with its mark, without the quotes.
    pub id: Range<usize>,
    /// The member that holds it, for example `previous_response_id`.
    pub field: &'static str,
    /// Whether the request needs what it names; a citation in what was said before does not.
    pub is_needed: bool,
}

/// Members of requests that hold ids of what is kept.
const FIELDS: [&str; 6] = [
    "previous_response_id",
    "file_id",
    "file_ids",
    "input_file_id",
    "output_file_id",
    "error_file_id",
];

const FILE_ID: &str = "file_id";

/// Members whose values are JSON of users and models, whatever is in them: notes, schemas, what tools are given and give.
const OWN_WORDS: [&str; 8] = [
    "args",
    "inputSchema",
    "input_schema",
    "json",
    "metadata",
    "parameters",
    "response",
    "schema",
];

// === impl Ids ===

impl Ids {
    /// Of an answer of `openai.responses`.
    pub const RESPONSE: Self = Self {
        members: &["id", "previous_response_id"],
        files: true,
    };
    /// Of a list of the items of one.
    pub const ITEMS: Self = Self {
        members: &[],
        files: true,
    };
    /// Of files, one or a list.
    pub const FILE: Self = Self {
        members: &["id", "first_id", "last_id"],
        files: false,
    };
    /// Of batches, one or a list.
    pub const BATCH: Self = Self {
        members: &[
            "id",
            "first_id",
            "last_id",
            "input_file_id",
            "output_file_id",
            "error_file_id",
        ],
        files: false,
    };
}

/// The answer with `mark` at the end of each id; as it is where it holds none. An answer may be cut short: what stands
/// before the cut is marked.
pub fn marked(body: &Bytes, ids: Ids, mark: &str) -> Bytes {
    let text = match simdutf8::basic::from_utf8(body) {
        Ok(text) => text,
        Err(_) => valid_start(body),
    };
    insert(body, ids.places(text), mark).map_or_else(|| body.clone(), Bytes::from)
}

/// The beginning that is UTF-8.
fn valid_start(body: &[u8]) -> &str {
    let valid = std::str::from_utf8(body).map_or_else(|error| error.valid_up_to(), str::len);
    std::str::from_utf8(&body[..valid]).unwrap_or_default()
}

/// The data of an event of `openai.responses`, marked; `None` where it names nothing.
pub(crate) fn marked_event(data: &[u8], mark: &str) -> Option<Vec<u8>> {
    let text = simdutf8::basic::from_utf8(data).ok()?;
    let mut places = Vec::new();
    for member in members(text, &start(text)) {
        match &*member.name(text) {
            "response" => places.extend(Ids::RESPONSE.of(text, &member.value)),
            _ => cited(text, &member.value, &mut places),
        }
    }
    insert(data, places, mark)
}

/// The bytes with `mark` at each of these places; `None` where there is none.
fn insert(bytes: &[u8], mut places: Vec<usize>, mark: &str) -> Option<Vec<u8>> {
    if places.is_empty() {
        return None;
    }
    places.sort_unstable();
    places.dedup();
    let mut out = Vec::with_capacity(bytes.len() + places.len() * mark.len());
    let mut at = 0;
    for place in places {
        out.extend_from_slice(&bytes[at..place]);
        out.extend_from_slice(mark.as_bytes());
        at = place;
    }
    out.extend_from_slice(&bytes[at..]);
    Some(out)
}

impl Ids {
    /// Where marks go in an answer.
    fn places(self, text: &str) -> Vec<usize> {
        self.of(text, &start(text))
    }

    /// The same for the object at `place`.
    fn of(self, text: &str, place: &Range<usize>) -> Vec<usize> {
        let mut places = Vec::new();
        for member in members_so_far(text, place) {
            let name = member.name(text);
            if self.members.contains(&&*name) {
                places.extend(end(text, &member.value));
            } else if name == "data" && !self.members.is_empty() {
                for item in items(text, &member.value) {
                    let inner = members(text, &item).into_iter();
                    let ids = inner.filter(|one| self.members.contains(&&*one.name(text)));
                    places.extend(ids.filter_map(|one| end(text, &one.value)));
                }
            } else if self.files && !is_own_words(text, &member) {
                cited(text, &member.value, &mut places);
            }
        }
        places
    }
}

/// Where the text begins that is one value.
fn start(text: &str) -> Range<usize> {
    let space = text.len() - text.trim_ascii_start().len();
    space..text.len()
}

/// Where the id at `value` ends; `None` where none stands there.
fn end(text: &str, value: &Range<usize>) -> Option<usize> {
    let literal = &text[value.clone()];
    let is_id = literal.len() > 2 && literal.starts_with('"') && literal.ends_with('"');
    is_id.then(|| value.end - 1)
}

/// The ids of files inside of a value, at any depth.
fn cited(text: &str, value: &Range<usize>, places: &mut Vec<usize>) {
    each_object(text, value, &Finder::new("\"file_id\""), |found| {
        let ids = found.iter().filter(|one| one.name(text) == FILE_ID);
        places.extend(ids.filter_map(|one| end(text, &one.value)));
    });
}

/// Whether a member holds JSON of users or models. `input` is such an object in a call of a tool; elsewhere it is a list.
fn is_own_words(text: &str, member: &Member) -> bool {
    let name = member.name(text);
    let given = || name == "input" && member.text(text).starts_with('{');
    OWN_WORDS.contains(&&*name) || given()
}

/// Shows the members of each object at `place` and inside of it that holds `needle`, the outer ones first; not of what users
/// and models say in JSON of their own.
fn each_object(
    text: &str,
    place: &Range<usize>,
    needle: &Finder<'_>,
    mut show: impl FnMut(&[Member]),
) {
    let holds = |place: &Range<usize>| needle.find(&text.as_bytes()[place.clone()]).is_some();
    let mut open = vec![place.clone()];
    while let Some(place) = open.pop() {
        if !holds(&place) {
            continue;
        }
        match text.as_bytes().get(place.start) {
            Some(b'{') => {
                let mut found = members(text, &place);
                show(&found);
                found.retain(|one| !is_own_words(text, one));
                open.extend(found.into_iter().map(|one| one.value));
            }
            Some(b'[') => open.extend(items(text, &place)),
            _ => {}
        }
    }
}

/// The ids in a request that end with a mark, of which `beginning` is the constant beginning; `is_mark` judges the rest of
/// the id from there on. In no particular order.
pub fn named(body: &[u8], beginning: &str, is_mark: impl Fn(&str) -> bool) -> Vec<Named> {
    let mut found = Vec::new();
    let needle = Finder::new(beginning);
    if needle.find(body).is_none() {
        return found;
    }
    let Ok(text) = simdutf8::basic::from_utf8(body) else {
        return found;
    };
    let id = |value: &Range<usize>| {
        let id = value.start + 1..end(text, value)?;
        let at = text[id.clone()].rfind(beginning)?;
        (at > 0 && is_mark(&text[id.clone()][at..])).then_some(id)
    };
    each_object(text, &start(text), &needle, |found_members| {
        let kind = found_members.iter().find(|one| one.name(text) == "type");
        let kind = kind.and_then(|one| one.string(text));
        // In annotations of what a model said.
        let is_needed = !matches!(
            kind.as_deref(),
            Some("file_citation" | "container_file_citation" | "file_path")
        );
        for member in found_members {
            let name = member.name(text);
            let Some(field) = FIELDS.into_iter().find(|field| *field == name) else {
                continue;
            };
            let alone = std::iter::once(member.value.clone());
            let values = alone.chain(items(text, &member.value));
            found.extend(values.filter_map(|value| {
                id(&value).map(|id| Named {
                    id,
                    field,
                    is_needed,
                })
            }));
        }
    });
    found
}

#[cfg(test)]
mod tests;
