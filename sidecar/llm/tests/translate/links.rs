//! Parts at an address: where they are found, what is put in their stead, and how that reaches a provider of each format.

use fkm_llm::{
    Capabilities, Content, Dialect, Format, Link, MediaUrls, Medium, inline, links_to_follow, scan,
};
use serde_json::{Value, json};

use crate::{ANTHROPIC, BEDROCK, GEMINI, OPENAI, dialect, encode_as};

const RESPONSES: Format = Format::OpenAiResponses;
const COHERE: Format = Format::CohereChat;

const PNG: Content<'_> = Content {
    media_type: "image/png",
    bytes: b"\x89PNG",
};
const PDF: Content<'_> = Content {
    media_type: "application/pdf",
    bytes: b"%PDF-1",
};
const TEXT: Content<'_> = Content {
    media_type: "text/plain",
    bytes: b"say \"hi\"\n",
};
const PNG64: &str = "iVBORw==";
const PDF64: &str = "JVBERi0x";
const TEXT64: &str = "c2F5ICJoaSIK";

/// A request of a client with these parts.
fn asking(client: Format, parts: &Value) -> Value {
    match client {
        GEMINI => json!({"contents": [{"role": "user", "parts": parts}]}),
        RESPONSES => json!({"model": "m", "input": [{"role": "user", "content": parts}]}),
        _ => {
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": parts}]})
        }
    }
}

/// The first part of the user's turn.
fn first_part(format: Format, body: &Value) -> Value {
    let pointer = match format {
        GEMINI => "/contents/0/parts/0",
        RESPONSES => "/input/0/content/0",
        _ => "/messages/0/content/0",
    };
    body.pointer(pointer).unwrap().clone()
}

fn never(format: Format) -> Dialect {
    Dialect {
        media_urls: MediaUrls::Never,
        ..dialect(format)
    }
}

fn found(client: Format, body: &str, dialect: &Dialect) -> Vec<Link> {
    let scanned = scan(body.as_bytes()).unwrap();
    links_to_follow(fkm_llm::format(client), body.as_bytes(), &scanned, dialect)
}

fn inlined(body: &str, links: &[Link], content: Content<'_>) -> Value {
    let out = inline(body.as_bytes(), links.iter().map(|link| (link, content)));
    serde_json::from_slice(&out).unwrap()
}

/// An image, or a document, at this address; where it is said to be; and how the part looks with its content.
#[expect(
    clippy::too_many_lines,
    reason = "a table: each format's parts, side by side"
)]
fn parts(client: Format) -> Vec<(Value, &'static str, Content<'static>, Value)> {
    let data =
        |content: Content<'_>, data: &str| format!("data:{};base64,{data}", content.media_type);
    match client {
        OPENAI => vec![
            (
                json!({"type": "image_url", "image_url": {"url": "https://a.test/x", "detail": "low"}}),
                "messages[0].content[0].image_url",
                PNG,
                json!({"type": "image_url", "image_url": {"url": data(PNG, PNG64), "detail": "low"}}),
            ),
            (
                json!({"type": "image_url", "image_url": "HTTPS://a.test/x"}),
                "messages[0].content[0].image_url",
                PNG,
                json!({"type": "image_url", "image_url": data(PNG, PNG64)}),
            ),
            (
                json!({"type": "document_url", "document_url": "https://a.test/x"}),
                "messages[0].content[0].document_url",
                PDF,
                json!({"type": "document_url", "document_url": data(PDF, PDF64)}),
            ),
        ],
        COHERE => vec![(
            json!({"type": "image_url", "image_url": {"url": "https://a.test/x"}}),
            "messages[0].content[0].image_url",
            PNG,
            json!({"type": "image_url", "image_url": {"url": data(PNG, PNG64)}}),
        )],
        RESPONSES => vec![
            (
                json!({"type": "input_image", "image_url": "https://a.test/x"}),
                "input[0].content[0].image_url",
                PNG,
                json!({"type": "input_image", "image_url": data(PNG, PNG64)}),
            ),
            (
                json!({"type": "input_file", "file_url": "https://a.test/x"}),
                "input[0].content[0].file_url",
                PDF,
                json!({"type": "input_file", "filename": "document.pdf", "file_data": data(PDF, PDF64)}),
            ),
            (
                json!({"type": "input_file", "filename": "n", "file_url": "https://a.test/x"}),
                "input[0].content[0].file_url",
                TEXT,
                json!({"type": "input_file", "filename": "n", "file_data": data(TEXT, TEXT64)}),
            ),
        ],
        ANTHROPIC => vec![
            (
                json!({"type": "image", "source": {"type": "url", "url": "https://a.test/x"}}),
                "messages[0].content[0].source.url",
                PNG,
                json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG64}}),
            ),
            (
                json!({"type": "document", "source": {"type": "url", "url": "https://a.test/x"}, "title": "t"}),
                "messages[0].content[0].source.url",
                TEXT,
                json!({
                    "type": "document", "title": "t",
                    "source": {"type": "text", "media_type": "text/plain", "data": "say \"hi\"\n"},
                }),
            ),
        ],
        GEMINI => vec![
            (
                json!({"fileData": {"fileUri": "https://a.test/x.png"}}),
                "contents[0].parts[0].fileData.fileUri",
                PNG,
                json!({"inlineData": {"mimeType": "image/png", "data": PNG64}}),
            ),
            (
                json!({"file_data": {"file_uri": "https://a.test/x", "mime_type": "application/pdf"}}),
                "contents[0].parts[0].fileData.fileUri",
                PDF,
                json!({"inlineData": {"mimeType": "application/pdf", "data": PDF64}}),
            ),
        ],
        Format::BedrockConverse | Format::OpenAiCompletions => Vec::new(),
    }
}

#[test]
fn every_part_at_an_address_is_found_and_replaced() {
    let mut seen = 0;
    for client in Format::ALL {
        for (part, path, content, expected) in parts(client) {
            let body = asking(client, &json!([part])).to_string();
            let links = found(client, &body, &never(BEDROCK));
            assert_eq!(links.len(), 1, "{client}: {part}");
            assert_eq!(links[0].path, path, "{client}: {part}");
            let medium = match content.media_type {
                "image/png" => Medium::Image,
                _ => Medium::Document,
            };
            assert_eq!(links[0].medium, medium, "{client}: {part}");
            assert!(links[0].url.contains("://a.test/x"), "{client}: {part}");
            let replaced = inlined(&body, &links, content);
            assert_eq!(first_part(client, &replaced), expected, "{client}: {part}");
            seen += 1;
        }
    }
    assert_eq!(seen, 11);
}

/// As content of their own, or as content behind a `data:` address: each provider gets it in its own form.
#[test]
fn what_was_put_in_reaches_a_provider_of_every_format() {
    for client in [OPENAI, COHERE, RESPONSES, ANTHROPIC, GEMINI] {
        let (part, ..) = parts(client).remove(0);
        let body = asking(client, &json!([part])).to_string();
        let links = found(client, &body, &never(BEDROCK));
        let with_content = inlined(&body, &links, PNG).to_string();
        let request = fkm_llm::format(client)
            .decode_request(with_content.as_bytes())
            .unwrap();
        for provider in [OPENAI, COHERE, RESPONSES, ANTHROPIC, GEMINI, BEDROCK] {
            let encoded = encode_as(provider, &Capabilities::default(), &request).unwrap();
            let body: Value = serde_json::from_slice(&encoded.body).unwrap();
            let data = format!("data:image/png;base64,{PNG64}");
            let part = first_part(provider, &body);
            let (pointer, expected) = match provider {
                OPENAI | COHERE => ("/image_url/url", data.as_str()),
                RESPONSES => ("/image_url", data.as_str()),
                ANTHROPIC => ("/source/data", PNG64),
                GEMINI => ("/inlineData/data", PNG64),
                _ => ("/image/source/bytes", PNG64),
            };
            assert_eq!(
                part.pointer(pointer),
                Some(&json!(expected)),
                "{client} {provider}: {part}"
            );
        }
    }
}

#[test]
fn a_link_is_followed_where_the_provider_does_not() {
    let image = json!({"type": "image_url", "image_url": {"url": "https://a.test/x"}});
    let body = asking(OPENAI, &json!([image])).to_string();
    for (provider, any, none) in [
        (OPENAI, 0, 1),
        (RESPONSES, 0, 1),
        (ANTHROPIC, 0, 1),
        (COHERE, 0, 1),
        // It must know the type, which this address does not show.
        (GEMINI, 1, 1),
        (BEDROCK, 1, 1),
    ] {
        assert_eq!(
            found(OPENAI, &body, &dialect(provider)).len(),
            any,
            "{provider}"
        );
        assert_eq!(
            found(OPENAI, &body, &never(provider)).len(),
            none,
            "{provider}"
        );
    }
    let told = asking(
        OPENAI,
        &json!([{"type": "image_url", "image_url": {"url": "https://a.test/x.png"}}]),
    );
    assert!(found(OPENAI, &told.to_string(), &dialect(GEMINI)).is_empty());
    let images = Dialect {
        media_urls: MediaUrls::Images,
        ..dialect(ANTHROPIC)
    };
    let both = [
        json!({"type": "image", "source": {"type": "url", "url": "https://a.test/x"}}),
        json!({"type": "document", "source": {"type": "url", "url": "https://a.test/y"}}),
    ];
    let links = found(
        ANTHROPIC,
        &asking(ANTHROPIC, &json!(both)).to_string(),
        &images,
    );
    let urls: Vec<&str> = links.iter().map(|link| link.url.as_str()).collect();
    assert_eq!(urls, ["https://a.test/y"]);
}

#[test]
fn what_only_looks_like_a_link_is_none() {
    let image = json!({"type": "image", "source": {"type": "url", "url": "https://a.test/x"}});
    let cases = [
        (
            OPENAI,
            json!([{"type": "text", "text": "https://a.test/x"}]),
        ),
        (
            OPENAI,
            json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]),
        ),
        (
            OPENAI,
            json!([{"type": "image_url", "image_url": {"url": "ftp://a.test"}}]),
        ),
        (
            OPENAI,
            json!([{"type": "text", "text": "x", "image_url": {"url": "https://a.test/x"}}]),
        ),
        (OPENAI, json!("https://a.test/x")),
        (
            OPENAI,
            json!([{"type": "image_url", "image_url": {"url": {"url": "https://a.test"}}}]),
        ),
        (
            ANTHROPIC,
            json!([{"type": "tool_use", "id": "i", "name": "n", "input": {"content": [image]}}]),
        ),
        (
            ANTHROPIC,
            json!([{"type": "image", "source": {"type": "url", "url": "https://a.test/x", "new": 1}}]),
        ),
        (
            GEMINI,
            json!([{"fileData": {"fileUri": "gs://a/x.png", "mimeType": "image/png"}}]),
        ),
        (
            GEMINI,
            json!([{"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/a.png"}}]),
        ),
        (
            GEMINI,
            json!([{"fileData": {"fileUri": "https://a.test/x.mp4"}}]),
        ),
        (
            GEMINI,
            json!([{"functionCall": {"name": "f", "args": {"fileData": {"fileUri": "https://a.test/x.png"}}}}]),
        ),
    ];
    for (client, parts) in cases {
        let links = found(client, &asking(client, &parts).to_string(), &never(BEDROCK));
        assert!(links.is_empty(), "{client}: {parts}: {links:?}");
    }
}

#[test]
fn results_of_tools_are_looked_into_and_other_bytes_stay() {
    let image = json!({"type": "image", "source": {"type": "url", "url": "https://a.test/x"}});
    let result = json!({"type": "tool_result", "tool_use_id": "i", "content": [{"type": "text", "text": ""}, image]});
    let body = asking(ANTHROPIC, &json!([result])).to_string();
    let links = found(ANTHROPIC, &body, &never(ANTHROPIC));
    assert_eq!(
        links[0].path,
        "messages[0].content[0].content[1].source.url"
    );

    let output = json!([{"type": "input_image", "image_url": "https://a.test/x"}]);
    let item = json!({"type": "function_call_output", "call_id": "c", "output": output});
    let body = json!({"model": "m", "input": [item]}).to_string();
    let links = found(RESPONSES, &body, &never(RESPONSES));
    assert_eq!(links[0].path, "input[0].output[0].image_url");

    let part = json!({"fileData": {"fileUri": "https://a.test/x.png"}});
    let result = json!({"functionResponse": {"name": "f", "response": {}, "parts": [part]}});
    let body = asking(GEMINI, &json!([result])).to_string();
    let links = found(GEMINI, &body, &never(GEMINI));
    assert_eq!(
        links[0].path,
        "contents[0].parts[0].functionResponse.parts[0].fileData.fileUri"
    );

    let odd = r#" {"model" : "m", "messages":[ {"role":"user","content":[{"type":"image_url","image_url":{"url":"https:\/\/a.test\/x"}} ,{"type":"image_url","image_url":{"url":"https://b.test"}}]}],"x":1e999 }"#;
    let links = found(OPENAI, odd, &never(OPENAI));
    assert_eq!(links[0].url, "https://a.test/x");
    // In whatever order they are given.
    let given = [(&links[1], PDF), (&links[0], PNG)];
    let out = String::from_utf8(inline(odd.as_bytes(), given)).unwrap();
    let expected = odd
        .replace(r"https:\/\/a.test\/x", "data:image/png;base64,iVBORw==")
        .replace("https://b.test", "data:application/pdf;base64,JVBERi0x");
    assert_eq!(out, expected);
}

/// Whoever encodes without following links is told, not served with an address that the provider would refuse.
#[test]
fn an_address_that_the_provider_does_not_fetch_is_not_sent() {
    for client in [OPENAI, RESPONSES, ANTHROPIC, COHERE, GEMINI] {
        let (part, ..) = parts(client).remove(0);
        let body = asking(client, &json!([part])).to_string();
        let request = fkm_llm::format(client)
            .decode_request(body.as_bytes())
            .unwrap();
        for provider in [OPENAI, RESPONSES, ANTHROPIC, COHERE, GEMINI] {
            let dialect = never(provider);
            let capabilities = Capabilities::default();
            let target = fkm_llm::Target {
                model: "m",
                dialect: &dialect,
                capabilities: &capabilities,
                max_output_tokens: None,
                stream: false,
            };
            let error = fkm_llm::encode_request(&request, &target).unwrap_err();
            assert!(
                error.to_string().contains("send the content itself"),
                "{client} {provider}: {error}"
            );
        }
    }
}
