//! The parts of a client's request that stand at an address: their places in its bytes, and how what is there is written in
//! their stead, in the same format.
//!
//! *Guarantees*: only `http` and `https` addresses of parts that the format knows are links: no text, no argument of a call,
//! no address of a provider's own store.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fkm_dialect::Medium;

use crate::json::Path;
use crate::scan::{Member, RequestScan, items, members};

/// A part that stands at an address.
#[derive(Clone, Debug)]
pub struct Link {
    /// What it is, as far as the part says.
    pub medium: Medium,
    /// Its address, `http` or `https`.
    pub url: String,
    /// Where, in the words of the client's format: `messages[0].content[1].image_url`.
    pub path: String,
    /// The media type that the part tells, in formats that do.
    pub media_type: Option<String>,
    /// What is replaced.
    pub(crate) span: Range<usize>,
    pub(crate) write: Write,
}

/// What was found at an address.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// For example `image/png`.
    pub media_type: &'a str,
    /// The bytes. Those of type `text/plain` must be UTF-8.
    pub bytes: &'a [u8],
}

/// Writes what takes the place of an address.
pub(crate) type Write = fn(&mut Vec<u8>, &Content<'_>);

// === impl Link ===

impl Link {
    /// The link whose address is the string at `value`; `None` when it is no address that can be followed.
    pub(crate) fn at(
        text: &str,
        medium: Medium,
        value: &Range<usize>,
        path: &Path<'_>,
    ) -> Option<Self> {
        let literal = Member {
            key: value.clone(),
            value: value.clone(),
        };
        let url = literal.string(text)?;
        is_http(&url).then(|| Self {
            medium,
            url: url.clone().into_owned(),
            path: path.to_string(),
            media_type: None,
            span: value.clone(),
            write: write_data_url,
        })
    }

    /// With something else than a `data:` address in its stead.
    pub(crate) fn replaced(mut self, span: Range<usize>, write: Write) -> Self {
        self.span = span;
        self.write = write;
        self
    }
}

/// Whether it is an address that can be followed.
pub(crate) fn is_http(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        ["http", "https"]
            .iter()
            .any(|one| scheme.eq_ignore_ascii_case(one))
    })
}

/// The member of this name.
pub(crate) fn find<'a>(text: &str, members: &'a [Member], name: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.name(text) == name)
}

/// Whether a part is of this type.
pub(crate) fn is_of_type(text: &str, part: &[Member], kind: &str) -> bool {
    let found = find(text, part, "type").and_then(|member| member.string(text));
    found.as_deref() == Some(kind)
}

/// Shows the objects in the array `name` of an object at `path`, each with its own path; none where there is none.
pub(crate) fn each_object(
    text: &str,
    object: &[Member],
    name: &str,
    path: &Path<'_>,
    mut show: impl FnMut(&[Member], &Path<'_>),
) {
    let Some(array) = find(text, object, name) else {
        return;
    };
    let path = path.member(name);
    for (index, place) in items(text, &array.value).iter().enumerate() {
        show(&members(text, place), &path.item(index));
    }
}

/// Shows the parts of a request whose turns are `messages`, and whose parts are their `content`.
pub(crate) fn each_part(
    text: &str,
    scan: &RequestScan,
    mut show: impl FnMut(&[Member], &Path<'_>),
) {
    each_object(
        text,
        &scan.members,
        "messages",
        &Path::Root,
        |message, path| {
            each_object(text, message, "content", path, &mut show);
        },
    );
}

/// Writes base64, with nothing around it.
pub(crate) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    let length = base64::encoded_len(bytes.len(), true).expect("what fits into memory thrice");
    out.resize(start + length, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]);
    debug_assert_eq!(written, Ok(length), "as long as it was said to be");
}

/// Writes `"data:TYPE;base64,DATA"`.
pub(crate) fn write_data_url(out: &mut Vec<u8>, content: &Content<'_>) {
    out.extend_from_slice(b"\"data:");
    out.extend_from_slice(content.media_type.as_bytes());
    out.extend_from_slice(b";base64,");
    write_base64(out, content.bytes);
    out.push(b'"');
}

/// Writes a member whose value is a string without anything to escape.
pub(crate) fn write_member(out: &mut Vec<u8>, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    value(out);
    out.push(b'"');
}
