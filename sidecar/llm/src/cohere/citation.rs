//! Sources. They stand beside the content of a message, each with the text that it belongs to.

use serde_json::value::RawValue;

use crate::cohere::FORMAT;
use crate::error::DecodeError;
use crate::ir::{Citation, Opaque, OutputPart};
use crate::json::{Object, ObjectWriter, Path, array};

/// A source of a text. Its address and title are those of the first document, or result of a tool, that has an address.
pub(super) fn citation(raw: &RawValue) -> Citation {
    let (url, title) = address(raw).unwrap_or_default();
    Citation {
        url,
        title,
        raw: Opaque::new(FORMAT, raw.get()),
    }
}

fn address(raw: &RawValue) -> Option<(Option<String>, Option<String>)> {
    let mut object = Object::from_raw(raw, &Path::Root).ok()?;
    let sources = array(object.raw("sources")?, &Path::Root).ok()?;
    sources.into_iter().find_map(|source| {
        let mut source = Object::from_raw(source, &Path::Root).ok()?;
        let data = source
            .raw("document")
            .or_else(|| source.raw("tool_output"))?;
        let mut data = Object::from_raw(data, &Path::Root).ok()?;
        let url = data.string("url").ok()??;
        Some((Some(url), data.string("title").ok().flatten()))
    })
}

/// Whether a source belongs to the plan before the tools.
pub(super) fn is_of_plan(raw: &Opaque) -> bool {
    raw.origin == FORMAT && place(&raw.bytes).0
}

/// Whether it belongs to the plan; else the number of its part of the content, where it says so.
fn place(raw: &[u8]) -> (bool, Option<usize>) {
    let Ok(mut object) = Object::parse(raw, &Path::Root) else {
        return (false, None);
    };
    let plan = object.kind() == "PLAN";
    let index = object.take("content_index", "a whole number");
    (plan, index.ok().flatten())
}

/// The part that a source belongs to. `texts` says of each part of the content, and of the plan after them when
/// `planned`, whether it is text.
pub(super) fn part_of(raw: &[u8], texts: &[bool], planned: bool) -> Option<usize> {
    let (of_plan, index) = place(raw);
    if of_plan && planned {
        return texts.len().checked_sub(1);
    }
    let content = &texts[..texts.len().saturating_sub(usize::from(planned))];
    let named = index.filter(|index| content.get(*index) == Some(&true));
    named.or_else(|| texts.iter().position(|text| *text))
}

/// Takes the sources of a message to the texts among `parts`: those of the content, then the plan when `planned`. Where
/// there is no text they stay where they are.
pub(super) fn attach(
    parts: &mut [OutputPart],
    planned: bool,
    message: &mut Object<'_, '_>,
) -> Result<(), DecodeError> {
    let texts: Vec<bool> = parts
        .iter()
        .map(|part| matches!(part, OutputPart::Text(_)))
        .collect();
    let Some(raw) = message.peek("citations").filter(|raw| raw.get() != "null") else {
        return Ok(());
    };
    let path = message.path().member("citations");
    let sources = array(raw, &path)?;
    if !sources.is_empty() && !texts.contains(&true) {
        return Ok(());
    }
    message.raw("citations");
    for raw in sources {
        let at = part_of(raw.get().as_bytes(), &texts, planned);
        if let Some(OutputPart::Text(text)) = at.and_then(|at| parts.get_mut(at)) {
            text.citations.push(citation(raw));
        }
    }
    Ok(())
}

/// Writes a source of another format's provider as a document with an address; false when it has none. `part` is the
/// number of its part of the content, `length` that of the text, in characters.
pub(super) fn write_foreign(
    out: &mut Vec<u8>,
    citation: &Citation,
    part: usize,
    length: usize,
) -> bool {
    let Some(url) = &citation.url else {
        return false;
    };
    let mut object = ObjectWriter::new(out);
    object.value("start", &0);
    object.value("end", &length);
    object.value("text", "");
    let sources = object.key("sources");
    sources.push(b'[');
    let mut source = ObjectWriter::new(sources);
    source.value("type", "document");
    source.value("id", url);
    let mut document = ObjectWriter::new(source.key("document"));
    document.value("url", url);
    document.value("title", citation.title.as_deref().unwrap_or(url));
    document.end();
    source.end();
    sources.push(b']');
    object.value("content_index", &part);
    object.value("type", "TEXT_CONTENT");
    object.end();
    true
}
