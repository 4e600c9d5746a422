//! Surgical edits of a request body that is passed through, or that was encoded for a provider with deviations.
//!
//! *Guarantees*: the segments, put together, are the body but for the edited spans; unedited bytes are slices of the body,
//! not copies. What the dialect has left out is reported. A dialect without deviations costs nothing.
//!
//! *Caveats*: when a client sends both `max_tokens` and `max_completion_tokens`, neither is renamed: one would appear
//! twice. The provider says what it thinks of that.

use bytes::Bytes;
use fkm_dialect::{Dialect, MaxTokensField};

use crate::error::EncodeError;
use crate::format::Encoded;
use crate::ir::RawJson;
use crate::patches::Patches;
use crate::registry::format;
use crate::scan::{RequestScan, StreamOptions, scan};

/// What to change.
#[derive(Clone, Copy, Debug)]
pub struct Edits<'a> {
    /// The model name to send: in place of the client's, or beside the rest where the client's path named it.
    pub model: Option<&'a str>,
    /// Ask for the usage of a stream (`stream_options.include_usage`).
    pub include_usage: bool,
    /// What the provider wants otherwise than the format has it.
    pub dialect: &'a Dialect,
}

/// What edits made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// The body, in segments.
    pub segments: Vec<Bytes>,
    /// What the provider refuses and was left out, sorted, each once; fit for the header `x-fkm-dropped`.
    pub dropped: Vec<String>,
}

/// The edited body. `scan` must be of this `body`.
pub fn edit(body: &Bytes, scan: &RequestScan, edits: &Edits<'_>) -> Edited {
    let mut patches = Patches::default();
    max_tokens_patch(scan, edits.dialect.max_tokens_field, &mut patches);
    let removed = if edits.dialect.changes_requests() {
        fit_members(body, scan, edits.dialect, &mut patches)
    } else {
        0
    };
    let has_members = removed < scan.members.len();
    if let Some(name) = edits.model {
        let asks_usage = edits.include_usage && scan.stream_options.is_none();
        model_patch(
            scan,
            name,
            edits.dialect.names_model_in_path(),
            has_members || asks_usage,
            &mut patches,
        );
    }
    if edits.include_usage {
        usage_patch(scan, has_members, &mut patches);
    }
    let (segments, dropped) = patches.apply(body);
    Edited { segments, dropped }
}

/// What was encoded, as the provider wants it.
pub(crate) fn fit(encoded: Encoded, dialect: &Dialect) -> Result<Encoded, EncodeError> {
    if !dialect.changes_requests() {
        return Ok(encoded);
    }
    let Encoded {
        body,
        mut dropped,
        tool_names,
    } = encoded;
    let body = Bytes::from(body);
    let scanned = scan(&body).map_err(|error| EncodeError::Invalid {
        path: "the request".to_owned(),
        reason: error.to_string(),
    })?;
    let edits = Edits {
        model: None,
        include_usage: false,
        dialect,
    };
    let edited = edit(&body, &scanned, &edits);
    dropped.extend(edited.dropped);
    dropped.sort_unstable();
    dropped.dedup();
    Ok(Encoded {
        body: edited.segments.concat(),
        dropped,
        tool_names,
    })
}

/// Leaves out and renames members, then lets the format look inside. Gives how many were left out.
fn fit_members(
    body: &Bytes,
    scan: &RequestScan,
    dialect: &Dialect,
    patches: &mut Patches,
) -> usize {
    let Ok(text) = simdutf8::basic::from_utf8(body) else {
        return 0;
    };
    let names: Vec<_> = scan.members.iter().map(|one| one.name(text)).collect();
    let is_there = |name: &str| names.iter().any(|one| one == name);
    let mut removed = vec![false; names.len()];
    for ((name, member), removed) in names.iter().zip(&scan.members).zip(&mut removed) {
        let renamed = dialect.rename.get(&**name);
        // One that is there under the provider's own name as well would appear twice.
        let twice = renamed.is_some_and(|renamed| is_there(renamed));
        if twice || dialect.drop.contains(&**name) {
            *removed = true;
            patches.note(name);
        } else if let Some(renamed) = renamed {
            patches.quote(&member.key, renamed);
        }
    }
    patches.remove(&scan.members, &removed);
    let kept = scan
        .members
        .iter()
        .zip(&removed)
        .filter(|(_, gone)| !**gone);
    for (member, _) in kept {
        format(dialect.format).fit_member(text, member, dialect, patches);
    }
    removed.iter().filter(|gone| **gone).count()
}

/// The provider's name for the model; inserted where the client's path named it and the provider's does not.
pub(crate) fn model_patch(
    scan: &RequestScan,
    name: &str,
    is_in_path: bool,
    is_followed: bool,
    patches: &mut Patches,
) {
    match &scan.model {
        Some(model) if model.name != name => patches.quote(&model.span, name),
        Some(_) => {}
        None if is_in_path => {}
        None => {
            let name = RawJson::string(name);
            let comma = if is_followed { "," } else { "" };
            patches.insert(scan.start, format!("\"model\":{}{comma}", name.get()));
        }
    }
}

fn usage_patch(scan: &RequestScan, has_members: bool, patches: &mut Patches) {
    match &scan.stream_options {
        None if has_members => {
            let text = "\"stream_options\":{\"include_usage\":true},";
            patches.replace(scan.start..scan.start, text);
        }
        None => {
            let text = "\"stream_options\":{\"include_usage\":true}";
            patches.replace(scan.start..scan.start, text);
        }
        Some(options) if options.include_usage => {}
        Some(StreamOptions {
            include_usage_span: Some(value),
            ..
        }) => patches.replace(value.clone(), "true"),
        Some(options) if options.object == Some(true) => {
            let at = options.span.start + 1;
            patches.replace(at..at, "\"include_usage\":true,");
        }
        Some(StreamOptions { span: all, .. }) => {
            patches.replace(all.clone(), "{\"include_usage\":true}");
        }
    }
}

fn max_tokens_patch(scan: &RequestScan, field: MaxTokensField, patches: &mut Patches) {
    let (old, new, text) = match field {
        MaxTokensField::AsSent => return,
        MaxTokensField::MaxTokens => (
            &scan.max_completion_tokens_key,
            &scan.max_tokens_key,
            "\"max_tokens\"",
        ),
        MaxTokensField::MaxCompletionTokens => (
            &scan.max_tokens_key,
            &scan.max_completion_tokens_key,
            "\"max_completion_tokens\"",
        ),
    };
    if let Some(key) = old.as_ref().filter(|_| new.is_none()) {
        patches.replace(key.clone(), text);
    }
}

#[cfg(test)]
mod tests;
