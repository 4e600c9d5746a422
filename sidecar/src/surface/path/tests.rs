//! What each path stands for.

use http::HeaderValue;

use super::*;

fn with(header: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if !header.is_empty() {
        headers.insert(header, HeaderValue::from_static("x"));
    }
    headers
}

/// Whose client it is, the format, and what the path says of model and stream.
fn conversation(path: &str) -> String {
    let call = call(path, &HeaderMap::new());
    match call.asked {
        Some(Asked::Answer(found)) => {
            let model = found.model.as_deref().unwrap_or("-");
            let stream = found
                .stream
                .map_or("-", |stream| if stream { "stream" } else { "whole" });
            format!("{:?} {} {model} {stream}", call.family, found.format)
        }
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn a_bare_path_and_the_one_under_its_prefix_are_the_same() {
    let table = [
        ("/openai", "/v1/chat/completions", "OpenAi openai.chat - -"),
        (
            "/openai",
            "/v1/completions",
            "OpenAi openai.completions - -",
        ),
        ("/openai", "/v1/responses", "OpenAi openai.responses - -"),
        (
            "/anthropic",
            "/v1/messages",
            "Anthropic anthropic.messages - -",
        ),
        ("/cohere", "/v2/chat", "Cohere cohere.chat - -"),
        (
            "/gemini",
            "/v1beta/models/m:generateContent",
            "Gemini gemini.generate_content m whole",
        ),
        (
            "/gemini",
            "/v1/models/a%2Fm%3A1:streamGenerateContent",
            "Gemini gemini.generate_content a/m:1 stream",
        ),
        (
            "/gemini",
            "/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent",
            "Gemini gemini.generate_content m whole",
        ),
        (
            "/bedrock",
            "/model/a%2Fm%3A1/converse",
            "Bedrock bedrock.converse a/m:1 whole",
        ),
        (
            "/bedrock",
            "/model/m/converse-stream",
            "Bedrock bedrock.converse m stream",
        ),
    ];
    for (prefix, path, expected) in table {
        assert_eq!(conversation(path), expected, "{path}");
        assert_eq!(conversation(&format!("{prefix}{path}")), expected, "{path}");
    }
}

#[test]
fn vectors_and_ranks_have_paths_of_their_own() {
    let table = [
        ("/openai/v1/embeddings", "OpenAi openai.embeddings - -"),
        (
            "/openai/deployments/m/embeddings",
            "OpenAi openai.embeddings m -",
        ),
        ("/v1beta/models/m:embedContent", "Gemini gemini.embed m -"),
        (
            "/gemini/v1beta/models/m:batchEmbedContents",
            "Gemini gemini.embed m -",
        ),
        ("/v2/embed", "Cohere cohere.embed - -"),
        ("/cohere/v2/rerank", "Cohere cohere.rerank - -"),
        ("/v1/rerank", "Cohere cohere.rerank - -"),
    ];
    for (path, expected) in table {
        assert_eq!(conversation(path), expected, "{path}");
    }
}

#[test]
fn azures_deployment_is_the_model() {
    let found = conversation("/openai/deployments/my-gpt/chat/completions");
    assert_eq!(found, "OpenAi openai.chat my-gpt -");
}

#[test]
fn lists_are_told_apart_by_prefix_then_by_header() {
    let table = [
        ("/v1/models", "", Family::OpenAi),
        ("/v1/models", "anthropic-version", Family::Anthropic),
        ("/v1/models", "x-goog-api-key", Family::Gemini),
        ("/v1beta/models", "", Family::Gemini),
        ("/openai/v1/models", "anthropic-version", Family::OpenAi),
        ("/anthropic/v1/models", "", Family::Anthropic),
        ("/cohere/v1/models", "", Family::Cohere),
    ];
    for (path, header, family) in table {
        let found = call(path, &with(header));
        assert_eq!(
            (found.family, found.asked),
            (family, Some(Asked::Models)),
            "{path} {header}"
        );
    }
    let found = call("/v1/models/maker/m", &with("")).asked;
    assert_eq!(found, Some(Asked::Model("maker/m".into())));
}

#[test]
fn what_is_unknown_is_told_in_the_words_of_its_family() {
    let table = [
        ("/v1/nothing", "", Family::OpenAi),
        ("/v1/nothing", "anthropic-version", Family::Anthropic),
        ("/anthropic/v1/nothing", "", Family::Anthropic),
        ("/gemini/v1beta/models/m:nothing", "", Family::Gemini),
        ("/v1beta/models/:generateContent", "", Family::Gemini),
        ("/", "", Family::OpenAi),
        ("", "", Family::OpenAi),
        ("/openai", "", Family::OpenAi),
    ];
    for (path, header, family) in table {
        let found = call(path, &with(header));
        assert_eq!(
            (found.family, found.asked, found.route),
            (family, None, ""),
            "{path}"
        );
    }
}

#[test]
fn families_with_others_formats_stand_below_their_prefix_alone() {
    let table = [
        ("/mistral/v1/chat/completions", "Mistral openai.chat - -"),
        ("/mistral/v1/embeddings", "Mistral openai.embeddings - -"),
        ("/voyage/v1/embeddings", "Voyage openai.embeddings - -"),
        ("/voyage/v1/rerank", "Voyage voyage.rerank - -"),
        ("/v1/rerank", "Cohere cohere.rerank - -"),
    ];
    for (path, expected) in table {
        assert_eq!(conversation(path), expected, "{path}");
    }
    for path in ["/mistral/v1/responses", "/voyage/v1/chat/completions"] {
        assert_eq!(call(path, &HeaderMap::new()).asked, None, "{path}");
    }
}

#[test]
fn what_is_passed_on_has_paths_of_its_own() {
    for (format, (route, azure)) in RelayFormat::ALL
        .into_iter()
        .zip(OPENAI_ROUTES.into_iter().zip(AZURE_ROUTES))
    {
        let path = format!("/v1{}", format.usual_path());
        assert_eq!(route, path);
        let expected = format!("OpenAi {format} - -");
        assert_eq!(conversation(&path), expected);
        assert_eq!(conversation(&format!("/openai{path}")), expected);
        assert_eq!(
            azure,
            format!("/deployments/{{model}}{}", format.usual_path())
        );
        let path = format!("/openai/deployments/d%2F1{}", format.usual_path());
        assert_eq!(conversation(&path), format!("OpenAi {format} d/1 -"));
    }
}
