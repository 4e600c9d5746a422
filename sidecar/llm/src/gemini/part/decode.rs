//! Reads parts. A kind that is not known is kept as it is.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::gemini::part::{BESIDE, MEMBERS};
use crate::gemini::types::{SIGNATURE, camel, take_state};
use crate::gemini::{FORMAT, media};
use crate::ir::{InputPart, Opaque, OutputPart, Reasoning, Text, ToolCall};
use crate::json::{Object, Path};

const CALL_MEMBERS: [&str; 3] = ["id", "name", "args"];

/// Gives ids to calls that came without: deterministic, by position, so that a result finds its call.
#[derive(Debug, Default)]
pub(in crate::gemini) struct Mint {
    scope: String,
    next: usize,
}

// === impl Mint ===

impl Mint {
    /// For the calls of one conversation (`scope` empty) or of one candidate of one answer.
    pub(in crate::gemini) fn new(scope: String) -> Self {
        Self { scope, next: 0 }
    }

    /// For the calls of a candidate. The answer's id keeps the ids of one conversation apart.
    pub(in crate::gemini) fn of_answer(id: Option<&str>, choice: u32) -> Self {
        let id = id.unwrap_or_default();
        Self::new(match (id, choice) {
            ("", 0) => String::new(),
            (id, 0) => format!("{id}_"),
            (id, choice) => format!("{id}_{choice}_"),
        })
    }

    pub(in crate::gemini) fn id(&mut self) -> String {
        let id = format!("call_{}{}", self.scope, self.next);
        self.next += 1;
        id
    }
}

/// A part that a user or a tool says. `functionResponse` is not one of them.
pub(in crate::gemini) fn decode_input(
    raw: &RawValue,
    path: &Path<'_>,
) -> Result<InputPart, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    camel(&mut object, &MEMBERS);
    let known = if object.peek("text").is_some() {
        Some(InputPart::Text(Text {
            text: object.string("text")?.unwrap_or_default(),
            extra: object.rest(FORMAT),
            ..Text::default()
        }))
    } else if object.peek("inlineData").is_some() || object.peek("fileData").is_some() {
        media::decode(object)?
    } else {
        None
    };
    Ok(known.unwrap_or_else(|| InputPart::Opaque(Opaque::new(FORMAT, raw.get()))))
}

/// A part that a model says; a text with a signature makes two.
pub(in crate::gemini) fn decode_output(
    raw: &RawValue,
    path: &Path<'_>,
    mint: &mut Mint,
    out: &mut Vec<OutputPart>,
) -> Result<(), DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    camel(&mut object, &MEMBERS);
    let said = object.peek("text").is_some() || object.has_only(&["thought", SIGNATURE]);
    if object.is_empty() {
        return Ok(());
    }
    if object.peek("functionCall").is_some() {
        out.push(decode_call(raw, object, mint)?);
        return Ok(());
    }
    let held = object
        .peek("inlineData")
        .or_else(|| object.peek("fileData"));
    if held.is_some() && object.peek("thought").is_none() {
        out.extend(decode_drawn(raw, object)?);
        return Ok(());
    }
    if !said {
        // What Google ran itself, and what it drew, is never a call for the client.
        out.push(OutputPart::Opaque(Opaque::new(FORMAT, raw.get())));
        return Ok(());
    }
    let text = object.string("text")?.unwrap_or_default();
    let thought: Option<bool> = object.take("thought", "true or false")?;
    let state = take_state(&mut object)?;
    let extra = object.rest(FORMAT);
    if thought == Some(true) {
        let text = Some(text);
        out.push(OutputPart::Reasoning(Reasoning { text, state, extra }));
        return Ok(());
    }
    match state {
        Some(state) if text.is_empty() => {
            out.push(OutputPart::Reasoning(Reasoning {
                text: None,
                state: Some(state),
                extra,
            }));
            return Ok(());
        }
        Some(state) => out.push(OutputPart::Reasoning(Reasoning {
            state: Some(state),
            ..Reasoning::default()
        })),
        None => {}
    }
    out.push(OutputPart::Text(Text {
        text,
        extra,
        ..Text::default()
    }));
    Ok(())
}

/// An image that the model drew, after its signature; other media are kept as they are.
fn decode_drawn(
    raw: &RawValue,
    mut object: Object<'_, '_>,
) -> Result<Vec<OutputPart>, DecodeError> {
    let signature = take_state(&mut object)?.map(|state| {
        OutputPart::Reasoning(Reasoning {
            state: Some(state),
            ..Reasoning::default()
        })
    });
    Ok(match media::decode(object)? {
        Some(InputPart::Image(image)) => {
            let image = OutputPart::Image(image);
            signature.into_iter().chain([image]).collect()
        }
        _ => vec![OutputPart::Opaque(Opaque::new(FORMAT, raw.get()))],
    })
}

fn decode_call(
    raw: &RawValue,
    mut object: Object<'_, '_>,
    mint: &mut Mint,
) -> Result<OutputPart, DecodeError> {
    let path = object.path().member("functionCall");
    let mut call = Object::from_raw(object.required("functionCall")?, &path)?;
    camel(&mut call, &CALL_MEMBERS);
    let Some(name) = call.string("name")?.filter(|name| !name.is_empty()) else {
        return Ok(OutputPart::Opaque(Opaque::new(FORMAT, raw.get())));
    };
    let id = call.string("id")?.filter(|id| !id.is_empty());
    let arguments = call.raw("args").map_or("{}", RawValue::get).to_owned();
    let state = take_state(&mut object)?;
    let mut extra = call.rest(FORMAT);
    object.rest_into(&mut extra, FORMAT, BESIDE);
    Ok(OutputPart::ToolCall(ToolCall {
        id: id.unwrap_or_else(|| mint.id()),
        name,
        arguments,
        state,
        cache: None,
        extra,
    }))
}
