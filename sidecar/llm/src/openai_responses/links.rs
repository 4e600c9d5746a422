//! Parts at an address: `image_url` of images, `file_url` of documents; in messages and in what tools gave.

use fkm_dialect::Medium;

use crate::json::Path;
use crate::links::{Content, Link, each_object, find, is_of_type, write_data_url, write_member};
use crate::scan::{Member, RequestScan};

pub(super) fn links(text: &str, scan: &RequestScan) -> Vec<Link> {
    let mut found = Vec::new();
    each_object(text, &scan.members, "input", &Path::Root, |item, path| {
        for name in ["content", "output"] {
            each_object(text, item, name, path, |part, path| {
                found.extend(link(text, part, path));
            });
        }
    });
    found
}

fn link(text: &str, part: &[Member], path: &Path<'_>) -> Option<Link> {
    if is_of_type(text, part, "input_image") {
        let url = find(text, part, "image_url")?;
        return Link::at(text, Medium::Image, &url.value, &path.member("image_url"));
    }
    if !is_of_type(text, part, "input_file") {
        return None;
    }
    let url = find(text, part, "file_url")?;
    let link = Link::at(text, Medium::Document, &url.value, &path.member("file_url"))?;
    let write = match find(text, part, "filename") {
        Some(_) => write_file,
        None => write_named_file,
    };
    Some(link.replaced(url.key.start..url.value.end, write))
}

fn write_file(out: &mut Vec<u8>, content: &Content<'_>) {
    out.extend_from_slice(b"\"file_data\":");
    write_data_url(out, content);
}

/// Content wants a name; an address has none.
fn write_named_file(out: &mut Vec<u8>, content: &Content<'_>) {
    let name: &[u8] = match content.media_type {
        "application/pdf" => b"document.pdf",
        _ => b"document.txt",
    };
    write_member(out, "filename", |out| out.extend_from_slice(name));
    out.push(b',');
    write_file(out, content);
}
