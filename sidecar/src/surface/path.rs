//! The paths of every surface.

use std::sync::Arc;

use fkm_llm::{EmbeddingFormat, Format, RelayFormat, RerankFormat};
use fkm_snapshot::AnyFormat;
use http::HeaderMap;

use super::{Asked, Call, Family, Question, kept};
use crate::segment::name;

/// For an error: what there is.
pub(super) const LISTED: &str = "POST /v1/chat/completions, /v1/responses, /v1/completions, /v1/embeddings, \
     /v1/images/generations, /v1/images/edits, /v1/images/variations, /v1/audio/speech, /v1/audio/transcriptions, \
     /v1/audio/translations, /v1/moderations, /v1/messages, /v1beta/models/MODEL:generateContent, /v2/chat, /v2/embed, \
     /v2/rerank and /model/MODEL/converse, GET /v1/models; what is kept at /v1/responses/ID, /v1/files and /v1/batches; all of \
     them also under /openai, /anthropic, /gemini, /cohere, /bedrock, /mistral or /voyage";

/// What a path stands for. A prefix decides; then what only one family has; then the client's headers.
pub(super) fn call(path: &str, headers: &HeaderMap) -> Call {
    let (named, rest) = prefix(path);
    let first = named.unwrap_or_else(|| by_headers(rest, headers));
    let others = ORDER.into_iter().filter(|_| named.is_none());
    let mut families = std::iter::once(first).chain(others);
    match families.find_map(|family| Some((family, find(family, rest)?))) {
        Some((family, (asked, route))) => Call {
            family,
            asked: Some(asked),
            route,
        },
        None => Call {
            family: first,
            asked: None,
            route: "",
        },
    }
}

/// Bare paths are looked up in this order. Families whose paths are all others' too have none.
const ORDER: [Family; 5] = [
    Family::OpenAi,
    Family::Anthropic,
    Family::Gemini,
    Family::Cohere,
    Family::Bedrock,
];

/// The family that a prefix names, and the rest of the path.
fn prefix(path: &str) -> (Option<Family>, &str) {
    let Some((first, _)) = path[1.min(path.len())..].split_once('/') else {
        return (None, path);
    };
    let family = match first {
        "openai" => Family::OpenAi,
        "anthropic" => Family::Anthropic,
        "gemini" => Family::Gemini,
        "cohere" => Family::Cohere,
        "bedrock" => Family::Bedrock,
        "mistral" => Family::Mistral,
        "voyage" => Family::Voyage,
        _ => return (None, path),
    };
    (Some(family), &path[1 + first.len()..])
}

/// The family of a client that calls a bare path, by the headers that its SDK always sends.
fn by_headers(path: &str, headers: &HeaderMap) -> Family {
    if headers.contains_key("anthropic-version") {
        Family::Anthropic
    } else if headers.contains_key("x-goog-api-key") || is_geminis(path) {
        Family::Gemini
    } else {
        Family::OpenAi
    }
}

/// Whether nobody else's path looks so: OpenAI's names of models may hold colons, but end with no method.
fn is_geminis(path: &str) -> bool {
    path.starts_with("/v1beta/")
        || matches!(gemini(path), Some((Asked::Answer(_) | Asked::Count(_), _)))
}

fn find(family: Family, path: &str) -> Found {
    let found = match family {
        Family::OpenAi => openai(path),
        Family::Anthropic => anthropic(path),
        Family::Gemini => gemini(path),
        Family::Cohere => cohere(path),
        Family::Bedrock => bedrock(path),
        Family::Mistral => mistral(path),
        Family::Voyage => voyage(path),
    };
    found.or_else(|| {
        let call = kept::find(family, path)?;
        let route = call.row.path;
        Some((Asked::Kept(call), route))
    })
}

type Found = Option<(Asked, &'static str)>;

fn openai(path: &str) -> Found {
    if let Some(deployment) = path.strip_prefix("/deployments/") {
        return azure(deployment);
    }
    if path == "/responses" {
        return Some((chat(Format::OpenAiResponses), "/responses"));
    }
    let found = match path {
        "/v1/chat/completions" => (chat(Format::OpenAiChat), "/v1/chat/completions"),
        "/v1/completions" => (chat(Format::OpenAiCompletions), "/v1/completions"),
        "/v1/responses" => (chat(Format::OpenAiResponses), "/v1/responses"),
        "/v1/responses/input_tokens" => (
            counts(chat(Format::OpenAiResponses)),
            "/v1/responses/input_tokens",
        ),
        "/v1/embeddings" => (
            asks(AnyFormat::Embeddings(EmbeddingFormat::OpenAiEmbeddings)),
            "/v1/embeddings",
        ),
        _ => match relayed(path, "/v1", OPENAI_ROUTES) {
            Some((format, route)) => (asks(AnyFormat::Relayed(format)), route),
            None => return models(path),
        },
    };
    Some(found)
}

/// What is passed on as it is: where it stands at OpenAI's paths, and at Azure's.
const OPENAI_ROUTES: [&str; RelayFormat::ALL.len()] = [
    "/v1/images/edits",
    "/v1/images/variations",
    "/v1/images/generations",
    "/v1/moderations",
    "/v1/audio/speech",
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
];
const AZURE_ROUTES: [&str; RelayFormat::ALL.len()] = [
    "/deployments/{model}/images/edits",
    "/deployments/{model}/images/variations",
    "/deployments/{model}/images/generations",
    "/deployments/{model}/moderations",
    "/deployments/{model}/audio/speech",
    "/deployments/{model}/audio/transcriptions",
    "/deployments/{model}/audio/translations",
];

/// The format whose path stands below `prefix`, and its route among these, which are in the order of the formats.
fn relayed(
    path: &str,
    prefix: &str,
    routes: [&'static str; RelayFormat::ALL.len()],
) -> Option<(RelayFormat, &'static str)> {
    let rest = path.strip_prefix(prefix)?;
    let mut all = RelayFormat::ALL.into_iter().zip(routes);
    all.find(|(format, _)| format.usual_path() == rest)
}

/// Azure's paths name a deployment, which stands for the model.
fn azure(deployed: &str) -> Found {
    let (deployment, rest) = deployed.split_once('/')?;
    let (format, route) = match rest {
        "chat/completions" => (
            AnyFormat::Chat(Format::OpenAiChat),
            "/deployments/{model}/chat/completions",
        ),
        "completions" => (
            AnyFormat::Chat(Format::OpenAiCompletions),
            "/deployments/{model}/completions",
        ),
        "embeddings" => (
            AnyFormat::Embeddings(EmbeddingFormat::OpenAiEmbeddings),
            "/deployments/{model}/embeddings",
        ),
        _ => {
            let path = deployed.strip_prefix(deployment)?;
            let (format, route) = relayed(path, "", AZURE_ROUTES)?;
            (AnyFormat::Relayed(format), route)
        }
    };
    Some((of_path(format, name(deployment)?, None), route))
}

fn anthropic(path: &str) -> Found {
    match path {
        "/v1/messages" => Some((chat(Format::AnthropicMessages), "/v1/messages")),
        "/v1/messages/count_tokens" => {
            let count = counts(chat(Format::AnthropicMessages));
            Some((count, "/v1/messages/count_tokens"))
        }
        _ => models(path),
    }
}

/// Google AI Studio's paths and Vertex' (`…/publishers/google/models/…`), of any version.
fn gemini(path: &str) -> Found {
    let (version, rest) = path.strip_prefix('/')?.split_once('/')?;
    if !matches!(version, "v1" | "v1beta" | "v1beta1" | "v1alpha") {
        return None;
    }
    let rest = match rest
        .strip_prefix("projects/")
        .or_else(|| rest.strip_prefix("publishers/"))
    {
        Some(of_vertex) => of_vertex.split_once("/models/")?.1,
        None if rest == "models" => return Some((Asked::Models, "/v1beta/models")),
        None => rest.strip_prefix("models/")?,
    };
    let Some((model, method)) = rest.rsplit_once(':') else {
        return Some((Asked::Model(name(rest)?), "/v1beta/models/{model}"));
    };
    let chat = AnyFormat::Chat(Format::GeminiGenerateContent);
    let embed = AnyFormat::Embeddings(EmbeddingFormat::GeminiEmbed);
    let (format, stream, route) = match method {
        "generateContent" => (chat, Some(false), "/v1beta/models/{model}:generateContent"),
        "streamGenerateContent" => {
            let route = "/v1beta/models/{model}:streamGenerateContent";
            (chat, Some(true), route)
        }
        "countTokens" => {
            let count = counts(of_path(chat, name(model)?, Some(false)));
            return Some((count, "/v1beta/models/{model}:countTokens"));
        }
        "embedContent" => (embed, None, "/v1beta/models/{model}:embedContent"),
        "batchEmbedContents" => (embed, None, "/v1beta/models/{model}:batchEmbedContents"),
        "predict" => (embed, None, "/v1beta/models/{model}:predict"),
        _ => return None,
    };
    Some((of_path(format, name(model)?, stream), route))
}

fn cohere(path: &str) -> Found {
    let embed = || asks(AnyFormat::Embeddings(EmbeddingFormat::CohereEmbed));
    let rerank = || asks(AnyFormat::Rerank(RerankFormat::CohereRerank));
    match path {
        "/v2/chat" => Some((chat(Format::CohereChat), "/v2/chat")),
        "/v2/embed" => Some((embed(), "/v2/embed")),
        "/v2/rerank" => Some((rerank(), "/v2/rerank")),
        "/v1/rerank" => Some((rerank(), "/v1/rerank")),
        _ => models(path),
    }
}

fn bedrock(path: &str) -> Found {
    let (model, method) = path.strip_prefix("/model/")?.rsplit_once('/')?;
    let (stream, route) = match method {
        "converse" => (false, "/model/{model}/converse"),
        "converse-stream" => (true, "/model/{model}/converse-stream"),
        _ => return None,
    };
    let format = AnyFormat::Chat(Format::BedrockConverse);
    Some((of_path(format, name(model)?, Some(stream)), route))
}

fn mistral(path: &str) -> Found {
    match path {
        "/v1/chat/completions" | "/v1/embeddings" => openai(path),
        _ => models(path),
    }
}

fn voyage(path: &str) -> Found {
    let rerank = || asks(AnyFormat::Rerank(RerankFormat::VoyageRerank));
    match path {
        "/v1/embeddings" => openai(path),
        "/v1/rerank" => Some((rerank(), "/v1/rerank")),
        _ => models(path),
    }
}

fn models(path: &str) -> Found {
    match path.strip_prefix("/v1/models")? {
        "" => Some((Asked::Models, "/v1/models")),
        rest => Some((
            Asked::Model(name(rest.strip_prefix('/')?)?),
            "/v1/models/{model}",
        )),
    }
}

fn asks(format: AnyFormat) -> Asked {
    let (model, stream) = (None, None);
    Asked::Answer(Question {
        format,
        model,
        stream,
    })
}

/// The same, counted instead of answered.
fn counts(asked: Asked) -> Asked {
    match asked {
        Asked::Answer(question) => Asked::Count(question),
        other => other,
    }
}

fn chat(format: Format) -> Asked {
    asks(AnyFormat::Chat(format))
}

fn of_path(format: AnyFormat, model: Arc<str>, stream: Option<bool>) -> Asked {
    let model = Some(model);
    Asked::Answer(Question {
        format,
        model,
        stream,
    })
}

#[cfg(test)]
mod tests;
