//! Parts at an address: `fileData`, in contents and in the results of tools. The address or the part tells what it is.

use crate::gemini::media;
use crate::json::Path;
use crate::links::{Content, Link, each_object, find, write_base64, write_member};
use crate::scan::{Member, RequestScan, members};

pub(super) fn links(text: &str, scan: &RequestScan) -> Vec<Link> {
    let mut found = Vec::new();
    each_object(
        text,
        &scan.members,
        "contents",
        &Path::Root,
        |content, path| {
            each_object(text, content, "parts", path, |part, path| {
                found.extend(link(text, part, path));
                let Some(result) = either(text, part, "functionResponse", "function_response")
                else {
                    return;
                };
                let inner = members(text, &result.value);
                let path = path.member("functionResponse");
                each_object(text, &inner, "parts", &path, |part, path| {
                    found.extend(link(text, part, path));
                });
            });
        },
    );
    found
}

/// `{"fileData": {"fileUri": "…", "mimeType": "…"}}`, with nothing else in it that would be lost.
fn link(text: &str, part: &[Member], path: &Path<'_>) -> Option<Link> {
    let data = either(text, part, "fileData", "file_data")?;
    let inner = members(text, &data.value);
    let uri = either(text, &inner, "fileUri", "file_uri")?;
    let told = either(text, &inner, "mimeType", "mime_type");
    let told = told.map(|member| member.string(text).unwrap_or_default());
    if inner.len() > 1 + usize::from(told.is_some()) {
        return None;
    }
    let address = uri.string(text)?;
    if media::is_kept(&address) {
        return None;
    }
    let media_type = told.as_deref().filter(|told| !told.is_empty());
    let medium = media::medium(media_type.or_else(|| media::guess(&address))?)?;
    let data_path = path.member("fileData");
    let mut link = Link::at(text, medium, &uri.value, &data_path.member("fileUri"))?;
    link.media_type = media_type.map(str::to_owned);
    Some(link.replaced(data.key.start..data.value.end, write_inline))
}

fn either<'a>(text: &str, object: &'a [Member], camel: &str, snake: &str) -> Option<&'a Member> {
    find(text, object, camel).or_else(|| find(text, object, snake))
}

fn write_inline(out: &mut Vec<u8>, content: &Content<'_>) {
    let media_type = content.media_type.as_bytes();
    out.extend_from_slice(b"\"inlineData\":{");
    write_member(out, "mimeType", |out| out.extend_from_slice(media_type));
    out.push(b',');
    write_member(out, "data", |out| write_base64(out, content.bytes));
    out.push(b'}');
}
