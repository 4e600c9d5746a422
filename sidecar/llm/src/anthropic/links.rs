//! Images and documents whose source is an address, in messages and in the results of tools.

use fkm_dialect::Medium;

use crate::json::{Path, write_json};
use crate::links::{
    Content, Link, each_object, each_part, find, is_of_type, write_base64, write_member,
};
use crate::scan::{Member, RequestScan, members};

pub(super) fn links(text: &str, scan: &RequestScan) -> Vec<Link> {
    let mut found = Vec::new();
    each_part(text, scan, |block, path| {
        if !is_of_type(text, block, "tool_result") {
            return found.extend(link(text, block, path));
        }
        each_object(text, block, "content", path, |block, path| {
            found.extend(link(text, block, path));
        });
    });
    found
}

/// `{"type": "image", "source": {"type": "url", "url": "…"}}`, the same of a `document`.
fn link(text: &str, block: &[Member], path: &Path<'_>) -> Option<Link> {
    let kinds = [("image", Medium::Image), ("document", Medium::Document)];
    let mut kinds = kinds.into_iter();
    let (_, medium) = kinds.find(|(name, _)| is_of_type(text, block, name))?;
    let source = find(text, block, "source")?;
    let inner = members(text, &source.value);
    if !is_of_type(text, &inner, "url") || inner.len() != 2 {
        return None;
    }
    let url = find(text, &inner, "url")?;
    let source_path = path.member("source");
    let link = Link::at(text, medium, &url.value, &source_path.member("url"))?;
    Some(link.replaced(source.value.clone(), write_source))
}

fn write_source(out: &mut Vec<u8>, content: &Content<'_>) {
    let media_type = content.media_type.as_bytes();
    let plain = match content.media_type {
        "text/plain" => std::str::from_utf8(content.bytes).ok(),
        _ => None,
    };
    out.push(b'{');
    let kind: &[u8] = if plain.is_some() { b"text" } else { b"base64" };
    write_member(out, "type", |out| out.extend_from_slice(kind));
    out.push(b',');
    write_member(out, "media_type", |out| out.extend_from_slice(media_type));
    out.push(b',');
    match plain {
        Some(text) => {
            out.extend_from_slice(b"\"data\":");
            write_json(out, text);
        }
        None => write_member(out, "data", |out| write_base64(out, content.bytes)),
    }
    out.push(b'}');
}
