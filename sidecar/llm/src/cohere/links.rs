//! Images at an address.

use fkm_dialect::Medium;

use crate::json::Path;
use crate::links::{Link, each_part, find, is_of_type};
use crate::scan::{Member, RequestScan, members};

pub(super) fn links(text: &str, scan: &RequestScan) -> Vec<Link> {
    let mut found = Vec::new();
    each_part(text, scan, |part, path| {
        found.extend(link(text, part, path));
    });
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
