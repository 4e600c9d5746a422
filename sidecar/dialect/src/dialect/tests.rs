//! Records that are plain, that contradict themselves, and that say what their format does not obey.

use super::*;

#[test]
fn a_plain_record_is_short_and_has_no_problem() {
    let plain = Dialect::new(Format::OpenAiChat, "/chat/completions", Auth::Bearer);
    let json = serde_json::to_string(&plain).unwrap();
    assert_eq!(
        json,
        r#"{"format":"openai.chat","path":"/chat/completions","auth":"Bearer"}"#
    );
    assert_eq!(serde_json::from_str::<Dialect>(&json).unwrap(), plain);
    assert_eq!(plain.problems(), []);
}

#[test]
fn a_record_that_contradicts_itself_says_where() {
    let mut wrong = Dialect::new(Format::OpenAiChat, "chat", Auth::Bearer);
    wrong.stream_path = Some("stream".to_owned());
    wrong.drop = ["model", "seed", "user"].map(str::to_owned).into();
    wrong.calls_need_thoughts = true;
    wrong.drop_in_messages = ["role".to_owned()].into();
    wrong.rename = [
        ("seed", "random_seed"),
        ("messages", "turns"),
        ("a", "c"),
        ("b", "c"),
        ("d", "b"),
        ("e", "user"),
    ]
    .map(|(from, to)| (from.to_owned(), to.to_owned()))
    .into();
    let problems = wrong.problems();
    let fields: Vec<&str> = problems.iter().map(|(field, _)| *field).collect();
    assert_eq!(
        fields,
        [
            "path",
            "streamPath",
            "drop",
            "rename",
            "rename",
            "rename",
            "rename",
            "rename",
            "rename",
            "callsNeedThoughts",
            "dropInMessages"
        ]
    );
}

#[test]
fn who_fetches_what_is_said_by_format_and_record() {
    let fetched = |format, urls| {
        let mut record = Dialect::new(format, "/x", Auth::Bearer);
        record.media_urls = urls;
        [Medium::Image, Medium::Document].map(|medium| record.takes_url_of(medium))
    };
    for format in Format::ALL {
        let any = match format {
            Format::OpenAiResponses | Format::AnthropicMessages | Format::GeminiGenerateContent => {
                [true, true]
            }
            Format::OpenAiChat | Format::CohereChat => [true, false],
            Format::BedrockConverse | Format::OpenAiCompletions => [false, false],
        };
        assert_eq!(fetched(format, MediaUrls::Any), any, "{format}");
        let images = [any[0], false];
        assert_eq!(fetched(format, MediaUrls::Images), images, "{format}");
        assert_eq!(fetched(format, MediaUrls::Never), [false; 2], "{format}");
    }
    let mut mistral = Dialect::new(Format::OpenAiChat, "/x", Auth::Bearer);
    mistral.documents = Documents::DocumentUrl;
    assert!(mistral.takes_url_of(Medium::Document));
}

#[test]
fn what_the_format_does_not_obey_is_a_problem() {
    let everything = serde_json::json!({
        "format": Format::OpenAiChat, "path": "/x", "auth": "Bearer", "maxTokensField": "max_tokens",
        "streamUsage": false, "streamEnd": "Mark", "dropInMessages": ["name"], "thoughts": "reasoning_content",
        "callsNeedThoughts": true, "developerRole": false, "nullContent": false,
        "toolCallIds": "NineAlphanumerics", "requiredChoice": "any", "strictTools": false,
        "maxTemperature": 1, "cacheMarks": "CacheControl", "documents": "document_url", "sound": "base64",
        "mediaUrls": "images",
    });
    let mut record: Dialect = serde_json::from_value(everything).unwrap();
    assert_eq!(record.problems(), []);
    for format in Format::ALL {
        record.format = format;
        let expected = match format {
            Format::OpenAiChat => 0,
            Format::OpenAiCompletions => 14,
            Format::BedrockConverse | Format::CohereChat => 16,
            _ => 15,
        };
        assert_eq!(record.problems().len(), expected, "{format}");
        let mut without_ids = Dialect::new(format, "/x", Auth::Bearer);
        without_ids.tool_call_ids = ToolCallIds::Never;
        let obeyed = without_ids.problems().is_empty();
        assert_eq!(obeyed, format == Format::GeminiGenerateContent, "{format}");
    }
}
