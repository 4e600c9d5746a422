//! `meta` of embeddings and reranking: the interface's version, and what is paid for.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::embedding::Members;
use crate::ir::{Billed, RawJson, Usage};
use crate::json::{Object, ObjectWriter, Path};

/// Before the names of unknown members of `meta`, among those of the answer.
const OF_META: &str = "meta.";

/// Before those of its `billed_units`.
const OF_UNITS: &str = "meta.billed_units.";

/// What an answer was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) usage: Option<Usage>,
    pub(super) search_units: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokensIn {
    input_tokens: Option<f64>,
}

/// Takes `meta`; what is unknown of it goes to `extra`.
pub(super) fn take(object: &mut Object<'_, '_>, extra: &mut Members) -> Meta {
    let Some(raw) = object.raw("meta") else {
        return Meta::default();
    };
    let Ok(mut meta) = Object::from_raw(raw, &Path::Root) else {
        extra.insert("meta".to_owned(), raw.into());
        return Meta::default();
    };
    let (mut billed, mut search_units) = (None, None);
    if let Some(mut units) = meta.raw("billed_units").and_then(object_of) {
        billed = number(&mut units, "input_tokens");
        search_units = number(&mut units, "search_units");
        keep(units, OF_UNITS, extra);
    }
    let tokens: Option<TokensIn> = meta
        .peek("tokens")
        .and_then(|raw| serde_json::from_str(raw.get()).ok());
    let counted = tokens.and_then(|tokens| tokens.input_tokens);
    keep(meta, OF_META, extra);
    let counted = counted.map(|counted| super::types::count(Some(counted)));
    let usage = counted.or(billed).map(|input_tokens| Usage {
        input_tokens,
        billed: billed.map(|input_tokens| Billed {
            input_tokens,
            output_tokens: 0,
        }),
        ..Usage::default()
    });
    Meta {
        usage,
        search_units,
    }
}

fn object_of(raw: &RawValue) -> Option<Object<'_, 'static>> {
    Object::from_raw(raw, &Path::Root).ok()
}

fn number(object: &mut Object<'_, '_>, name: &str) -> Option<u64> {
    let number: f64 = serde_json::from_str(object.peek(name)?.get()).ok()?;
    object.raw(name);
    Some(super::types::count(Some(number)))
}

fn keep(object: Object<'_, '_>, prefix: &str, extra: &mut Members) {
    for (name, value) in object.into_members() {
        extra.insert(format!("{prefix}{name}"), value);
    }
}

/// Writes `meta`, when there is anything to say; unknown members at home only (`extra` is empty elsewhere).
pub(super) fn write(object: &mut ObjectWriter<'_>, meta: Meta, extra: &Members) {
    let unknown = |prefix: &'static str| {
        let of = extra.range(prefix.to_owned()..);
        of.map_while(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
    };
    let billed = meta.usage.map(|usage| {
        let billed = usage.billed.map(|billed| billed.input_tokens);
        billed.unwrap_or(usage.input_tokens)
    });
    let nothing = billed.is_none() && meta.search_units.is_none();
    if nothing && unknown(OF_META).next().is_none() {
        return;
    }
    let mut out = ObjectWriter::new(object.key("meta"));
    for (name, value) in unknown(OF_META) {
        if !name.starts_with("billed_units.") {
            out.value(name, value);
        }
    }
    let others: Vec<(&str, &RawJson)> = unknown(OF_UNITS).collect();
    if !nothing || !others.is_empty() {
        let mut units = ObjectWriter::new(out.key("billed_units"));
        units.optional("input_tokens", billed.as_ref());
        units.optional("search_units", meta.search_units.as_ref());
        for (name, value) in others {
            units.value(name, value);
        }
        units.end();
    }
    out.end();
}

/// Whether an unknown member of an answer is one of `meta`.
pub(super) fn is_of_meta(name: &str) -> bool {
    name.starts_with(OF_META)
}
