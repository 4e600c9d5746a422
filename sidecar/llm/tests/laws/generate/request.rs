//! Requests.

use fkm_llm::Format;
use fkm_llm::ir::{
    Effort, Extra, FunctionTool, JsonSchema, Message, Opaque, Request, ResponseFormat, Sampling,
    Tool, ToolChoice, ToolResult,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

use super::{OPENAI, extra, id, input, object, origin, outputs, plain_text, text, word};

fn message(home: Format) -> BoxedStrategy<Message> {
    let result = (id(), vec(input(home), 0..3), any::<bool>(), extra(home)).prop_map(
        move |(call_id, parts, is_error, extra)| ToolResult {
            call_id,
            parts,
            is_error: is_error && home != OPENAI,
            extra,
        },
    );
    prop_oneof![
        1 => (vec(input(home), 0..3), extra(home))
            .prop_map(|(parts, extra)| Message::System { parts, extra }),
        3 => (vec(input(home), 0..3), extra(home))
            .prop_map(|(parts, extra)| Message::User { parts, extra }),
        3 => (outputs(home, true), extra(home))
            .prop_map(|(parts, extra)| Message::Assistant { parts, extra }),
        2 => vec(result, 0..3)
            .prop_map(|results| Message::Tool { results, extra: Extra::default() }),
    ]
    .boxed()
}

fn tool(home: Format) -> BoxedStrategy<Tool> {
    let function = (
        word(),
        of(text()),
        of(object()),
        of(any::<bool>()),
        extra(home),
    )
        .prop_map(|(name, description, parameters, strict, extra)| {
            Tool::Function(FunctionTool {
                name,
                description,
                parameters,
                strict,
                extra,
            })
        });
    let other = r#"{"type":"web_search_20250305","name":"web_search"}"#;
    prop_oneof![
        5 => function,
        1 => origin(home).prop_map(move |origin| Tool::Opaque(Opaque::new(origin, other))),
    ]
    .boxed()
}

fn tool_choice(home: Format) -> BoxedStrategy<ToolChoice> {
    let other = r#"{"type":"allowed_tools","x":[1]}"#;
    prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        word().prop_map(ToolChoice::Function),
        origin(home).prop_map(move |origin| ToolChoice::Opaque(Opaque::new(origin, other))),
    ]
    .boxed()
}

fn response_format(home: Format) -> BoxedStrategy<ResponseFormat> {
    let named = home == OPENAI;
    let schema = (word(), of(text()), object(), any::<bool>()).prop_map(
        move |(name, description, schema, strict)| {
            ResponseFormat::JsonSchema(JsonSchema {
                name: named.then_some(name),
                description: description.filter(|_| named),
                schema: Some(schema),
                strict: if named {
                    strict.then_some(strict)
                } else {
                    Some(true)
                },
            })
        },
    );
    prop_oneof![4 => schema, 1 => Just(ResponseFormat::JsonObject)].boxed()
}

fn number() -> BoxedStrategy<serde_json::Number> {
    prop_oneof![
        Just(serde_json::Number::from(1)),
        Just(serde_json::Number::from_f64(0.7).unwrap()),
        Just(serde_json::Number::from_f64(1.0).unwrap()),
    ]
    .boxed()
}

fn sampling(home: Format) -> BoxedStrategy<Sampling> {
    let openai = home == OPENAI;
    (
        of(number()),
        of(number()),
        of(any::<u64>()),
        of(number()),
        of(number()),
    )
        .prop_map(move |(temperature, top_p, top_k, penalty, seed)| Sampling {
            temperature,
            top_p,
            top_k: top_k.filter(|_| !openai),
            frequency_penalty: penalty.clone().filter(|_| openai),
            presence_penalty: penalty.filter(|_| openai),
            seed: seed.filter(|_| openai),
        })
        .boxed()
}

/// A request that is sent to `home`. The limit of output is there: a format that demands one would fill it in.
pub(crate) fn request(home: Format) -> BoxedStrategy<Request> {
    let openai = home == OPENAI;
    let conversation = (vec(plain_text(), 0..3), vec(message(home), 0..6));
    let tools = (
        vec(tool(home), 0..3),
        of(tool_choice(home)),
        of(any::<bool>()),
    );
    let limits = (
        any::<u32>(),
        vec("[a-z ]{0,3}", 0..3),
        of(1..3_u32),
        any::<bool>(),
    );
    let rest = (
        of(response_format(home)),
        of(proptest::sample::select(Effort::ALL.to_vec())),
        of(word()),
        extra(home),
        extra(home),
    );
    (word(), conversation, tools, sampling(home), limits, rest)
        .prop_map(
            move |(model, conversation, tools, sampling, limits, rest)| Request {
                model,
                system: conversation.0,
                messages: conversation.1,
                tools: tools.0,
                tool_choice: tools.1,
                parallel_tool_calls: tools.2,
                sampling,
                max_output_tokens: Some(limits.0.into()),
                stop: limits.1,
                response_format: rest.0,
                choices: limits.2.filter(|_| openai),
                stream: limits.3,
                // Follows the target: always asked for in a stream.
                include_usage: limits.3,
                effort: rest.1.filter(|_| openai),
                user: rest.2,
                stream_options: if openai && limits.3 {
                    rest.3
                } else {
                    Extra::default()
                },
                extra: rest.4,
            },
        )
        .boxed()
}
