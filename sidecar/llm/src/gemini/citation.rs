//! Sources of a candidate: `groundingMetadata` (chunks that Google's own tools found) and `citationMetadata` (recitations).
//!
//! Both are members of the candidate, and stay among its unknown members as they are; the sources that they name are told
//! with the candidate's last text, too, so that clients of other formats see them.

use serde_json::value::RawValue;

use crate::gemini::FORMAT;
use crate::ir::{Citation, Extra, Opaque};
use crate::json::{Object, ObjectWriter, Path, array, write_array};

pub(super) const GROUNDING: &str = "groundingMetadata";
pub(super) const RECITATION: &str = "citationMetadata";

/// The sources that the unknown members of a candidate name.
pub(super) fn of_candidate(extra: &Extra) -> Vec<Citation> {
    let grounding = extra.get(FORMAT, GROUNDING);
    let recitation = extra.get(FORMAT, RECITATION);
    let chunks = grounding.and_then(|raw| list(raw.raw(), &["groundingChunks"]));
    let cited = recitation.and_then(|raw| list(raw.raw(), &["citations", "citationSources"]));
    let chunks = chunks.unwrap_or_default().into_iter().filter_map(chunk);
    let cited = cited.unwrap_or_default().into_iter().filter_map(source);
    chunks.chain(cited).collect()
}

/// The first list of these names.
fn list<'a>(raw: &'a RawValue, names: &[&str]) -> Option<Vec<&'a RawValue>> {
    let mut object = Object::from_raw(raw, &Path::Root).ok()?;
    let list = names.iter().find_map(|name| object.raw(name))?;
    array(list, &Path::Root).ok()
}

/// `{"web": {"uri": …, "title": …}}`, or the same with another kind of source.
fn chunk(raw: &RawValue) -> Option<Citation> {
    let object = Object::from_raw(raw, &Path::Root).ok()?;
    let inner = object
        .members()
        .find(|(_, value)| value.get().starts_with('{'))?;
    let (url, title) = address(inner.1)?;
    Some(Citation {
        url,
        title,
        raw: Opaque::new(FORMAT, raw.get()),
    })
}

fn source(raw: &RawValue) -> Option<Citation> {
    let (url, title) = address(raw)?;
    Some(Citation {
        url,
        title,
        raw: Opaque::new(FORMAT, raw.get()),
    })
}

fn address(raw: &RawValue) -> Option<(Option<String>, Option<String>)> {
    let mut object = Object::from_raw(raw, &Path::Root).ok()?;
    let url = object.string("uri").ok()?;
    Some((url, object.string("title").ok().flatten()))
}

/// Whether the unknown members of a candidate name its sources already.
pub(super) fn are_told(extra: &Extra) -> bool {
    extra.get(FORMAT, GROUNDING).is_some() || extra.get(FORMAT, RECITATION).is_some()
}

/// Writes sources of other formats, those with an address, as chunks from the web.
pub(super) fn write(candidate: &mut ObjectWriter<'_>, citations: &[&Citation]) {
    let told = |citation: &&&Citation| citation.raw.origin == FORMAT || citation.url.is_some();
    let mut told = citations.iter().filter(told).peekable();
    if told.peek().is_none() {
        return;
    }
    let mut grounding = ObjectWriter::new(candidate.key(GROUNDING));
    write_array(grounding.key("groundingChunks"), told, |out, citation| {
        if citation.raw.origin == FORMAT {
            out.extend_from_slice(&citation.raw.bytes);
            return;
        }
        let mut chunk = ObjectWriter::new(out);
        let mut web = ObjectWriter::new(chunk.key("web"));
        web.optional("uri", citation.url.as_ref());
        web.optional("title", citation.title.as_ref());
        web.end();
        chunk.end();
    });
    grounding.end();
}
