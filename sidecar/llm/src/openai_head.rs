//! What OpenAI and its family say of a whole answer, the same in chats and completions: in the answer, or in its chunks.

use fkm_dialect::Format;

use crate::error::DecodeError;
use crate::ir::Start;
use crate::json::Object;

/// Unix seconds; 0 and what is no whole number say nothing.
pub(crate) fn created(object: &mut Object<'_, '_>) -> Option<u64> {
    let created: u64 = serde_json::from_str(object.raw("created")?.get()).ok()?;
    (created != 0).then_some(created)
}

/// Adds what a chunk says, which is all that is left of it. `origin` is its format.
pub(crate) fn add(
    head: &mut Start,
    mut chunk: Object<'_, '_>,
    origin: Format,
) -> Result<(), DecodeError> {
    let present = |text: &String| !text.is_empty();
    let id = chunk.string("id")?.filter(present);
    head.id = id.or_else(|| head.id.take());
    let model = chunk.string("model")?.filter(present);
    head.model = model.or_else(|| head.model.take());
    head.created = created(&mut chunk).or(head.created);
    // Random padding against who listens to the line.
    chunk.raw("obfuscation");
    chunk.raw("object");
    chunk.rest_into(&mut head.extra, origin, "");
    Ok(())
}
