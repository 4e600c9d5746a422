//! Parts at an address: `image_url`, and `document_url` of Mistral's.

use fkm_dialect::Medium;

use crate::json::Path;
use crate::links::{Link, find, is_of_type, objects};
use crate::scan::{Member, RequestScan, members};

pub(super) fn links(text: &str, scan: &RequestScan) -> Vec<Link> {
    let mut found = Vec::new();
    let messages = Path::Root.member("messages");
    for (index, message) in objects(text, find(text, &scan.members, "messages")) {
        let message_path = messages.item(index);
        let path = message_path.member("content");
        for (index, part) in objects(text, find(text, &message, "content")) {
            found.extend(link(text, &part, &path.item(index)));
        }
    }
    found
}

fn link(text: &str, part: &[Member], path: &Path<'_>) -> Option<Link> {
    let kinds = [
        ("image_url", Medium::Image),
        ("document_url", Medium::Document),
    ];
    let mut kinds = kinds.into_iter();
    let (name, medium) = kinds.find(|(name, _)| is_of_type(text, part, name))?;
    let held = find(text, part, name)?;
    // `"image_url": "…"`, or `"image_url": {"url": "…"}`.
    let inner = members(text, &held.value);
    let url = find(text, &inner, "url").unwrap_or(held);
    Link::at(text, medium, &url.value, &path.member(name))
}
