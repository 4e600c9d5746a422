//! Documents and sound in the words of a provider that has its own, by edits around what they hold: content is not copied.

use std::ops::Range;

use fkm_dialect::{Dialect, Documents, Sound};

use crate::patches::Patches;
use crate::scan::{Member, items, members};

/// Changes the parts of a content; those of a shape that is not the format's own stay as they are.
pub(super) fn fit(text: &str, content: &Range<usize>, dialect: &Dialect, patches: &mut Patches) {
    for part in items(text, content) {
        let part = members(text, &part);
        let Some(kind) = find(text, &part, "type") else {
            continue;
        };
        match kind.string(text).as_deref() {
            Some("file") if dialect.documents == Documents::DocumentUrl => {
                if let Some(file) = find(text, &part, "file") {
                    fit_file(text, kind, file, patches);
                }
            }
            Some("input_audio") if dialect.sound == Sound::Base64 => {
                if let Some(sound) = find(text, &part, "input_audio") {
                    fit_sound(text, sound, patches);
                }
            }
            _ => {}
        }
    }
}

/// `"type": "file", "file": {"file_data": "data:…", "filename": "…"}` becomes `"type": "document_url", "document_url":
/// "data:…", "document_name": "…"`; of a file that the provider keeps, the id stands beside the type.
fn fit_file(text: &str, kind: &Member, file: &Member, patches: &mut Patches) {
    let inner = members(text, &file.value);
    let string = |name| find(text, &inner, name).filter(|one| one.string(text).is_some());
    let (data, id, name) = (string("file_data"), string("file_id"), string("filename"));
    match (data, id) {
        // Base64 without its type is no address.
        (Some(data), None) if data.string(text).is_some_and(|url| url.contains(':')) => {
            patches.quote(&kind.value, "document_url");
            patches.replace(file.key.start..data.value.start, "\"document_url\":");
            let end = data.value.end..file.value.end;
            match name {
                Some(name) => {
                    patches.rewrite(end, format!(",\"document_name\":{}", name.text(text)));
                }
                None => patches.replace(end, ""),
            }
        }
        (None, Some(id)) => {
            patches.replace(file.key.start..id.value.start, "\"file_id\":");
            patches.replace(id.value.end..file.value.end, "");
            if name.is_some() {
                patches.note("file.filename");
            }
        }
        _ => {}
    }
}

/// `{"data": "…", "format": "wav"}` becomes `"…"`.
fn fit_sound(text: &str, sound: &Member, patches: &mut Patches) {
    let inner = members(text, &sound.value);
    if let Some(data) = find(text, &inner, "data").filter(|one| one.string(text).is_some()) {
        patches.replace(sound.value.start..data.value.start, "");
        patches.replace(data.value.end..sound.value.end, "");
    }
}

fn find<'a>(text: &str, members: &'a [Member], name: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.name(text) == name)
}
