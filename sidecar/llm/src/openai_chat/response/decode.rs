//! Reads a whole answer.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Choice, OutputPart, Response};
use crate::json::{Object, Path, array, string};
use crate::openai_chat::response::OF_MESSAGE;
use crate::openai_chat::{FORMAT, content, reasoning, tool_call, types};
use crate::openai_error as error;
use crate::{openai_head, openai_usage};

/// Reads a provider's answer, into canonical form.
pub(in crate::openai_chat) fn decode(body: &[u8]) -> Result<Response, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    if object.raw("error").is_some() {
        let reported = error::decode_inside(body);
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    object.raw("object");
    let path = object.path().member("choices");
    let choices = (0..)
        .zip(array(object.required("choices")?, &path)?)
        .map(|(index, raw)| choice(raw, &path.item(index)))
        .collect::<Result<Vec<Choice>, DecodeError>>()?;
    if choices.is_empty() {
        return Err(object.invalid("choices", "an array with at least one choice"));
    }
    let response = Response {
        id: object.string("id")?.filter(|id| !id.is_empty()),
        model: object.string("model")?.filter(|model| !model.is_empty()),
        created: openai_head::created(&mut object),
        choices,
        usage: openai_usage::take(&mut object),
        extra: object.rest(FORMAT),
    };
    Ok(response.canonical())
}

fn choice(raw: &RawValue, path: &Path<'_>) -> Result<Choice, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    let message_path = path.member("message");
    // Azure leaves the message out when its filter withholds all of it.
    let mut message = match object.raw("message") {
        Some(raw) => Object::from_raw(raw, &message_path)?,
        None => Object::empty(&message_path),
    };
    let parts = message_parts(&mut message)?;
    let finish_reason = object.required("finish_reason")?;
    let finish_reason = string(finish_reason).map(|word| types::finish_reason(&word));
    let finish_reason = finish_reason.ok_or_else(|| object.invalid("finish_reason", "a string"))?;
    let index = object.take("index", "a whole number")?.unwrap_or_default();
    let mut extra = object.rest(FORMAT);
    message.rest_into(&mut extra, FORMAT, OF_MESSAGE);
    Ok(Choice {
        index,
        parts,
        finish_reason,
        extra,
    })
}

fn message_parts(message: &mut Object<'_, '_>) -> Result<Vec<OutputPart>, DecodeError> {
    message.raw("role");
    let path = message.path().member("content");
    let mut parts = reasoning::decode(message)?;
    parts.extend(content::decode_output(message.raw("content"), &path)?);
    cite(&mut parts, message)?;
    parts.extend(message.string("refusal")?.map(OutputPart::Refusal));
    parts.extend(
        content::drawn::take(message)
            .into_iter()
            .map(OutputPart::Image),
    );
    parts.extend(tool_call::decode_all(message, tool_call::ONE_CALL)?);
    Ok(parts)
}

/// Sources belong to the text before them; without one they stay where they are.
fn cite(parts: &mut [OutputPart], message: &mut Object<'_, '_>) -> Result<(), DecodeError> {
    let Some(OutputPart::Text(text)) = parts.last_mut() else {
        return Ok(());
    };
    let path = message.path().member("annotations");
    if let Some(raw) = message.raw("annotations") {
        let sources = array(raw, &path)?;
        let sources = sources.into_iter().map(types::citation);
        text.citations.extend(sources);
    }
    Ok(())
}
