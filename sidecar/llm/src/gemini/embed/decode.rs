//! Reads a request.

use serde_json::value::RawValue;

use crate::embedding::{EmbeddingInput, EmbeddingRequest, Members, Shape, Task, Truncate};
use crate::error::DecodeError;
use crate::gemini::embed::{FORMAT, TASKS};
use crate::json::{Object, Path, array, string};

/// Where Vertex keeps the settings of a content.
const CONFIG: [&str; 2] = ["embedContentConfig", "embed_content_config"];

/// What a request says beside its inputs. One vector of a request may not be made otherwise than the next.
#[derive(Debug, Default, PartialEq, Eq)]
struct Settings {
    model: Option<String>,
    task: Option<Task>,
    title: Option<String>,
    dimensions: Option<u64>,
    truncate: Option<Truncate>,
    extra: Members,
}

/// Reads a client's request of any method.
pub(super) fn decode(body: &[u8]) -> Result<EmbeddingRequest, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    if object.peek("requests").is_some() {
        return many(object);
    }
    if object.peek("instances").is_some() {
        return predictions(object);
    }
    let input = content(object.required("content")?);
    let settings = settings(object)?;
    Ok(settings.request(vec![input], Shape::One))
}

/// `batchEmbedContents`.
fn many(mut object: Object<'_, '_>) -> Result<EmbeddingRequest, DecodeError> {
    let path = object.path().member("requests");
    let mut inputs = Vec::new();
    let mut common: Option<Settings> = None;
    for (index, raw) in array(object.required("requests")?, &path)?
        .into_iter()
        .enumerate()
    {
        let path = path.item(index);
        let mut one = Object::from_raw(raw, &path)?;
        inputs.push(content(one.required("content")?));
        agree(&mut common, settings(one)?, &path)?;
    }
    let mut settings = some_input(&path, common)?;
    // A client's own model stands in each of them; those of the whole belong to none.
    settings.extra.extend(object.into_members());
    Ok(settings.request(inputs, Shape::Many))
}

/// `predict` of Vertex.
fn predictions(mut object: Object<'_, '_>) -> Result<EmbeddingRequest, DecodeError> {
    let path = object.path().member("instances");
    let mut inputs = Vec::new();
    let mut common: Option<Settings> = None;
    for (index, raw) in array(object.required("instances")?, &path)?
        .into_iter()
        .enumerate()
    {
        let path = path.item(index);
        let mut one = Object::from_raw(raw, &path)?;
        let text = one.required_string("content")?;
        inputs.push(EmbeddingInput::Text(text));
        agree(&mut common, settings(one)?, &path)?;
    }
    let mut all = some_input(&path, common)?;
    let path = object.path().member("parameters");
    if let Some(raw) = object.raw("parameters") {
        let parameters = settings(Object::from_raw(raw, &path)?)?;
        all.dimensions = parameters.dimensions.or(all.dimensions);
        all.truncate = parameters.truncate.or(all.truncate);
        all.extra.extend(parameters.extra);
    }
    all.extra.extend(object.into_members());
    Ok(all.request(inputs, Shape::Predictions))
}

fn agree(
    common: &mut Option<Settings>,
    settings: Settings,
    path: &Path<'_>,
) -> Result<(), DecodeError> {
    match common {
        Some(before) if *before != settings => Err(DecodeError::Invalid {
            path: path.to_string(),
            expected:
                "like the first but for its content; send what differs in a request of its own"
                    .to_owned(),
        }),
        Some(_) => Ok(()),
        None => {
            *common = Some(settings);
            Ok(())
        }
    }
}

fn some_input(path: &Path<'_>, common: Option<Settings>) -> Result<Settings, DecodeError> {
    common.ok_or_else(|| DecodeError::Invalid {
        path: path.to_string(),
        expected: "an array with at least one input".to_owned(),
    })
}

/// A text where it is nothing but one; otherwise left to the provider.
fn content(raw: &RawValue) -> EmbeddingInput {
    match only_text(raw) {
        Some(text) => EmbeddingInput::Text(text),
        None => EmbeddingInput::Opaque(raw.into()),
    }
}

/// The text of `{"parts": [{"text": "…"}]}`, with or without `"role": "user"`.
fn only_text(raw: &RawValue) -> Option<String> {
    let mut object = Object::from_raw(raw, &Path::Root).ok()?;
    let role = object.string("role").ok()?;
    let parts = array(object.raw("parts")?, &Path::Root).ok()?;
    let [part] = parts.as_slice() else {
        return None;
    };
    let mut part = Object::from_raw(part, &Path::Root).ok()?;
    let text = part.string("text").ok()??;
    let plain = role.is_none_or(|role| role == "user") && part.is_empty() && object.is_empty();
    plain.then_some(text)
}

/// Reads what is beside the content; Vertex' settings first, then those that stand free.
fn settings(mut object: Object<'_, '_>) -> Result<Settings, DecodeError> {
    let model = object.string("model")?;
    let model = model.map(|model| match model.rsplit_once('/') {
        Some((_, name)) => name.to_owned(),
        None => model,
    });
    let config = CONFIG.into_iter().find_map(|name| object.raw(name));
    let path = object.path().member(CONFIG[0]);
    let mut settings = match config {
        Some(raw) => free(&mut Object::from_raw(raw, &path)?)?,
        None => Settings::default(),
    };
    let rest = free(&mut object)?;
    settings.model = model;
    settings.task = settings.task.or(rest.task);
    settings.title = settings.title.or(rest.title);
    settings.dimensions = settings.dimensions.or(rest.dimensions);
    settings.truncate = settings.truncate.or(rest.truncate);
    settings.extra.extend(rest.extra);
    Ok(settings)
}

/// Takes every member of an object; those without a meaning here are its `extra`.
fn free(object: &mut Object<'_, '_>) -> Result<Settings, DecodeError> {
    const WHOLE: &str = "a whole number";
    let whole = |object: &mut Object<'_, '_>, name| object.take(name, WHOLE);
    let dimensions = whole(object, "outputDimensionality")?;
    let truncate = |object: &mut Object<'_, '_>, name| object.take(name, "true or false");
    let truncates = truncate(object, "autoTruncate")?;
    Ok(Settings {
        model: None,
        task: task(object, "taskType").or_else(|| task(object, "task_type")),
        title: object.string("title")?,
        dimensions: dimensions.or(whole(object, "output_dimensionality")?),
        truncate: match truncates.or(truncate(object, "auto_truncate")?) {
            Some(true) => Some(Truncate::End),
            Some(false) => Some(Truncate::Never),
            None => None,
        },
        extra: object.take_members(),
    })
}

/// A word that is not known is left to the provider.
fn task(object: &mut Object<'_, '_>, name: &str) -> Option<Task> {
    let word = string(object.peek(name)?)?;
    let (_, task) = TASKS.into_iter().find(|(known, _)| *known == word)?;
    object.raw(name);
    Some(task)
}

// === impl Settings ===

impl Settings {
    fn request(self, inputs: Vec<EmbeddingInput>, shape: Shape) -> EmbeddingRequest {
        EmbeddingRequest {
            dimensions: self.dimensions,
            task: self.task,
            title: self.title,
            truncate: self.truncate,
            shape,
            extra: self.extra,
            ..EmbeddingRequest::new(FORMAT, self.model.unwrap_or_default(), inputs)
        }
    }
}
