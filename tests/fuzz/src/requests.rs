//! What clients send.

use bytes::Bytes;
use fkm_llm::ir::Opaque;
use fkm_llm::{
    Capabilities, Dialect, Edits, Format, MaxTokensField, RequiredChoice, Target, Thoughts,
    ToolCallIds, encode_request, format,
};

use crate::target::dialect;

/// A body is found fit for pass-through or not; an edited one is JSON and can be edited again.
pub(crate) fn scan(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    let Ok(found) = fkm_llm::scan(&body) else {
        return;
    };
    let plain = dialect(Format::OpenAiChat);
    for (dialect, most) in [
        (plain.clone(), data.len() + 256),
        (peculiar(plain), 32 * data.len() + 256),
    ] {
        let edits = Edits {
            model: Some("another"),
            include_usage: found.stream,
            dialect: &dialect,
        };
        let edited = fkm_llm::edit(&body, &found, &edits).segments.concat();
        assert!(edited.len() <= most, "an edit is small");
        let again = fkm_llm::scan(&edited).expect("an edited body is a body");
        assert_eq!(again.stream, found.stream);
    }
}

/// A provider that wants everything otherwise.
fn peculiar(mut dialect: Dialect) -> Dialect {
    dialect.drop = ["user", "store"].map(str::to_owned).into();
    dialect.rename = [("seed".to_owned(), "random_seed".to_owned())].into();
    dialect.drop_in_messages = ["name".to_owned()].into();
    dialect.max_tokens_field = MaxTokensField::MaxTokens;
    dialect.thoughts = Thoughts::Reasoning;
    dialect.calls_need_thoughts = true;
    dialect.developer_role = false;
    dialect.null_content = false;
    dialect.tool_call_ids = ToolCallIds::NineAlphanumerics;
    dialect.required_choice = RequiredChoice::Any;
    dialect.strict_tools = false;
    dialect.max_temperature = Some(1.into());
    dialect
}

/// An estimate is never larger than what bytes can be tokens.
pub(crate) fn weigh(data: &[u8]) {
    let most = 4 + 2 * data.len() as u64;
    assert!(fkm_llm::weigh(data) <= most, "more tokens than bytes");
}

/// A mark around a provider's state is read back as it was written.
pub(crate) fn opaque(data: &[u8]) {
    for origin in Format::ALL {
        let state = Opaque::new(origin, data);
        for shown in Format::ALL {
            let text = state.wrap(shown);
            assert_eq!(Opaque::unwrap(&text, shown).as_ref(), Ok(&state));
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Opaque::unwrap(text, Format::OpenAiChat);
    }
}

/// A request that is understood is written for every format or refused, and what is written is understood.
pub(crate) fn request(from: Format, data: &[u8]) {
    let Ok(request) = format(from).decode_request(data) else {
        return;
    };
    for to in Format::ALL {
        let target = Target {
            model: "m",
            dialect: &dialect(to),
            capabilities: &Capabilities::default(),
            max_output_tokens: None,
            stream: request.stream,
        };
        let Ok(encoded) = encode_request(&request, &target) else {
            continue;
        };
        let most = 16 * data.len() + 4096;
        assert!(encoded.body.len() <= most, "{from} to {to}: bounded");
        let again = format(to).decode_request(&encoded.body);
        assert_eq!(again.err(), None, "{from} to {to}: a request");
    }
}
