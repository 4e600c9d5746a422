//! Requests.

use std::collections::BTreeMap;

use fkm_llm::Format;
use fkm_llm::ir::{
    Effort, Extra, FunctionTool, InputPart, JsonSchema, Message, Opaque, OutputPart, Request,
    ResponseFormat, Sampling, Text, Tool, ToolChoice, ToolResult,
};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

use super::{
    Home, cache_of_call, extra, home, id, input, object, origin, outputs, plain_text, text,
    tool_name, word,
};

fn message(home: &Home) -> BoxedStrategy<Message> {
    let errors = home.tool_errors;
    let said = (vec(input(home), 0..3), any::<bool>());
    let result = (id(), said, cache_of_call(home), extra(home.format)).prop_map(
        move |(call_id, (parts, is_error), cache, extra)| ToolResult {
            call_id,
            parts,
            is_error: is_error && errors,
            cache,
            extra,
        },
    );
    prop_oneof![
        1 => (vec(input(home), 0..3), extra(home.format))
            .prop_map(|(parts, extra)| Message::System { parts, extra }),
        3 => (vec(input(home), 0..3), extra(home.format))
            .prop_map(|(parts, extra)| Message::User { parts, extra }),
        3 => (outputs(home, true), extra(home.format))
            .prop_map(|(parts, extra)| Message::Assistant { parts, extra }),
        2 => vec(result, 0..3)
            .prop_map(|results| Message::Tool { results, extra: Extra::default() }),
    ]
    .boxed()
}

fn tool(home: &Home) -> BoxedStrategy<Tool> {
    let said = home.said_strict;
    let strict = home.strict_tools;
    let function = (
        tool_name(),
        of(text()),
        of(object()),
        of(any::<bool>()).prop_map(move |held| held.filter(|_| strict)),
        (cache_of_call(home), extra(home.format)),
    )
        .prop_map(
            move |(name, description, parameters, strict, (cache, extra))| {
                Tool::Function(FunctionTool {
                    name,
                    description,
                    parameters,
                    strict: strict.or_else(|| said.then_some(false)),
                    cache,
                    extra,
                })
            },
        );
    let other = r#"{"type":"web_search_20250305","name":"web_search"}"#;
    prop_oneof![
        5 => function,
        1 => origin(home.format).prop_map(move |origin| Tool::Opaque(Opaque::new(origin, other))),
    ]
    .boxed()
}

fn tool_choice(home: &Home) -> BoxedStrategy<ToolChoice> {
    let other = r#"{"type":"allowed_tools","x":[1]}"#;
    let default = if home.no_auto_choice {
        ToolChoice::Required
    } else {
        ToolChoice::Auto
    };
    prop_oneof![
        Just(default),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        tool_name().prop_map(ToolChoice::Function),
        origin(home.format).prop_map(move |origin| ToolChoice::Opaque(Opaque::new(origin, other))),
    ]
    .boxed()
}

fn response_format(home: &Home) -> BoxedStrategy<ResponseFormat> {
    let named = home.named_schema;
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

fn stop(home: &Home) -> BoxedStrategy<Vec<String>> {
    let texts = if home.stop { 0..3 } else { 0..1 };
    prop_oneof![2 => Just(vec![]), 1 => vec("[a-z ]{0,3}", texts)].boxed()
}

fn number() -> BoxedStrategy<serde_json::Number> {
    prop_oneof![
        Just(serde_json::Number::from(1)),
        Just(serde_json::Number::from_f64(0.7).unwrap()),
        Just(serde_json::Number::from_f64(1.0).unwrap()),
    ]
    .boxed()
}

fn sampling(home: &Home) -> BoxedStrategy<Sampling> {
    let can = *home;
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
            top_k: top_k.filter(|_| can.top_k),
            frequency_penalty: penalty.clone().filter(|_| can.penalties),
            presence_penalty: penalty.filter(|_| can.penalties),
            seed: seed.filter(|_| can.seed),
        })
        .boxed()
}

/// An effort or a budget, as the format has it.
fn thinking(home: &Home) -> BoxedStrategy<(Option<Effort>, Option<u64>)> {
    let none = Just((None, None)).boxed();
    let effort = proptest::sample::select(Effort::ALL.to_vec()).prop_map(|e| (Some(e), None));
    let budget = (1024..20_000_u64).prop_map(|tokens| (None, Some(tokens)));
    match (home.effort, home.thinking_budget) {
        (false, false) => none,
        (true, false) => prop_oneof![none, effort].boxed(),
        (false, true) => prop_oneof![none, budget].boxed(),
        (true, true) => prop_oneof![none, effort, budget].boxed(),
    }
}

/// The results answer calls that came before them; without any they are none.
fn with_calls(mut messages: Vec<Message>) -> Vec<Message> {
    let mut calls = Vec::new();
    for message in &mut messages {
        match message {
            Message::Assistant { parts, .. } => {
                calls.extend(parts.iter().filter_map(|part| match part {
                    OutputPart::ToolCall(call) => Some(call.id.clone()),
                    _ => None,
                }));
            }
            Message::Tool { results, .. } => {
                results.truncate(calls.len());
                for (result, id) in results.iter_mut().zip(&calls) {
                    result.call_id.clone_from(id);
                }
            }
            Message::System { .. } | Message::User { .. } => {}
        }
    }
    messages
}

/// The one turn of a format that has no conversation, with what only this format knows.
fn prompt(home: Format) -> BoxedStrategy<Request> {
    let prompts = vec![
        r#"{"type":"prompt","prompt":["a", "b"]}"#,
        r#"{"type":"prompt","prompt":[1,2]}"#,
    ];
    let kept = move |text: &str| InputPart::Opaque(Opaque::new(home, text));
    let prompt = prop_oneof![
        4 => plain_text().prop_map(InputPart::Text),
        1 => proptest::sample::select(prompts).prop_map(kept),
    ];
    let suffix = of(Just(r#"{"type":"suffix","suffix":"\u0041"}"#).prop_map(kept));
    (prompt, suffix)
        .prop_map(|(prompt, suffix)| Request {
            messages: vec![Message::User {
                parts: std::iter::once(prompt).chain(suffix).collect(),
                extra: Extra::default(),
            }],
            ..Request::default()
        })
        .boxed()
}

/// A request that is sent to `home`: where there is no conversation, mostly without one.
pub(crate) fn request(format: Format) -> BoxedStrategy<Request> {
    if !home(format).text_only {
        return conversation(format);
    }
    let only = (conversation(format), prompt(format)).prop_map(|(said, prompt)| Request {
        model: said.model,
        sampling: said.sampling,
        max_output_tokens: said.max_output_tokens,
        stop: said.stop,
        choices: said.choices,
        stream: said.stream,
        include_usage: said.include_usage,
        user: said.user,
        stream_options: said.stream_options,
        extra: said.extra,
        ..prompt
    });
    prop_oneof![4 => only, 1 => conversation(format)].boxed()
}

/// A request that is sent to `home`. The limit of output is there: a format that demands one would fill it in.
fn conversation(format: Format) -> BoxedStrategy<Request> {
    let can = home(format);
    let home = &can;
    let conversation = (vec(plain_text(), 0..3), vec(message(home), 0..6));
    let tools = (
        vec(tool(home), 0..3),
        of(tool_choice(home)),
        of(any::<bool>()),
    );
    let limits = (any::<u32>(), stop(home), of(1..3_u32), any::<bool>());
    let rest = (
        of(response_format(home)),
        thinking(home),
        of(word()),
        (extra(format), extra(format)),
        btree_map(word(), text(), 0..3),
    );
    (word(), conversation, tools, sampling(home), limits, rest)
        .prop_map(
            move |(model, conversation, tools, sampling, limits, rest)| {
                let request = Request {
                    model: if can.in_path { String::new() } else { model },
                    system: conversation.0,
                    messages: match can.named_results {
                        true => with_calls(conversation.1),
                        false => conversation.1,
                    },
                    tools: tools.0,
                    tool_choice: tools.1,
                    parallel_tool_calls: tools.2.filter(|_| can.strict_tools),
                    sampling,
                    max_output_tokens: Some(limits.0.into()),
                    stop: limits.1,
                    response_format: rest.0,
                    choices: limits.2.filter(|_| can.choices > 1),
                    stream: limits.3 && !can.in_path,
                    // Follows the target: always asked for in a stream.
                    include_usage: limits.3 && !can.in_path,
                    effort: rest.1.0,
                    thinking_budget: rest.1.1,
                    user: rest.2.filter(|_| !can.no_user),
                    metadata: if can.metadata {
                        rest.4
                    } else {
                        BTreeMap::new()
                    },
                    stream_options: if can.stream_options && limits.3 && !can.in_path {
                        rest.3.0
                    } else {
                        Extra::default()
                    },
                    extra: rest.3.1,
                };
                if can.takes_turns {
                    in_turns(request)
                } else {
                    request
                }
            },
        )
        .boxed()
}

/// The request with what the format asks of a conversation.
fn in_turns(mut request: Request) -> Request {
    let side = |message: &Message| match message {
        Message::System { .. } => 0,
        Message::User { .. } | Message::Tool { .. } => 1,
        Message::Assistant { .. } => 2,
    };
    let mut messages: Vec<Message> = Vec::new();
    for mut message in std::mem::take(&mut request.messages) {
        if let Message::User { parts, .. } = &mut message
            && parts.is_empty()
        {
            parts.push(InputPart::Text(Text::plain("hi")));
        }
        let results = matches!(messages.last(), Some(Message::Tool { .. }));
        let follows = results && matches!(message, Message::User { .. });
        if follows
            || messages
                .last()
                .is_none_or(|last| side(last) != side(&message))
        {
            messages.push(message);
        }
    }
    request.messages = messages;
    request.user = None;
    request.stop.retain(|text| !text.trim().is_empty());
    for value in request.metadata.values_mut() {
        value.retain(|c| c.is_ascii_alphanumeric());
    }
    if let Some(ResponseFormat::JsonSchema(schema)) = &mut request.response_format {
        schema.strict = Some(true);
    }
    if request.tools.is_empty() {
        request.tools.push(Tool::Function(FunctionTool {
            name: "f".to_owned(),
            ..FunctionTool::default()
        }));
    }
    request
}
