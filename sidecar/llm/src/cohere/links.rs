//! Images at an address.

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

/// `{"type": "image_url", "image_url": {"url": "…"}}`.
fn link(text: &str, part: &[Member], path: &Path<'_>) -> Option<Link> {
    if !is_of_type(text, part, "image_url") {
        return None;
    }
    let inner = members(text, &find(text, part, "image_url")?.value);
    let url = find(text, &inner, "url")?;
    Link::at(text, Medium::Image, &url.value, &path.member("image_url"))
}
