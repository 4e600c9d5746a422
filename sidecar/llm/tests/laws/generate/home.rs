//! What each format can say, as far as the generated values depend on it. A format without a record fails the laws.

use fkm_llm::Format;

/// How the state of a thought looks at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Any text.
    Text,
    /// A JSON object of type `reasoning.text` or `reasoning.encrypted`.
    Entry,
    /// A whole item of type `reasoning`, the text of the thought in it.
    Item,
}

/// What the format `format` can say. Everything else is said by every format, or refused or dropped by it.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent ability"
)]
pub(crate) struct Home {
    pub(crate) format: Format,
    /// One text in and one out: no conversation.
    pub(crate) text_only: bool,
    /// The most choices of one answer.
    pub(crate) choices: u32,
    /// `detail` of an image.
    pub(crate) image_detail: bool,
    /// Sources of texts in requests.
    pub(crate) cited_requests: bool,
    pub(crate) state: State,
    /// Unknown members of a thought.
    pub(crate) thinking_extra: bool,
    /// State of a tool call.
    pub(crate) call_state: bool,
    /// `is_error` of a tool's result.
    pub(crate) tool_errors: bool,
    /// Marks of the prompt cache on parts of requests.
    pub(crate) cache: bool,
    /// Such a mark with a time, and on tools, calls and results.
    pub(crate) cache_everywhere: bool,
    pub(crate) audio: bool,
    pub(crate) files: bool,
    /// Files at an address, and files of plain text.
    pub(crate) linked_files: bool,
    /// Name and description of a schema; without them a schema is always strict.
    pub(crate) named_schema: bool,
    /// `strict` of a function is always said.
    pub(crate) said_strict: bool,
    /// Texts that end the answer.
    pub(crate) stop: bool,
    pub(crate) top_k: bool,
    pub(crate) penalties: bool,
    pub(crate) seed: bool,
    pub(crate) effort: bool,
    pub(crate) thinking_budget: bool,
    pub(crate) metadata: bool,
    /// `stream_options` with unknown members.
    pub(crate) stream_options: bool,
    /// The time of an answer.
    pub(crate) created: bool,
    /// A member of an answer's end, by which unknown ones are kept, if any.
    pub(crate) stop_member: Option<&'static str>,
    /// Unknown members of a choice and of its message.
    pub(crate) choice_extra: bool,
    /// Counts of sound.
    pub(crate) audio_usage: bool,
    /// Counts of what was written to the cache for an hour.
    pub(crate) cache_1h_usage: bool,
    /// The path, not the body, says the model and whether the answer is streamed.
    pub(crate) in_path: bool,
    /// Images only as bytes.
    pub(crate) images_here: bool,
    /// Every document has a name.
    pub(crate) named_files: bool,
    /// The sides take turns, each says something, and whoever tells of calls names the tools; no user is named, texts are plain,
    /// and a schema is always strict.
    pub(crate) takes_turns: bool,
    /// An answer has neither id nor model.
    pub(crate) nameless: bool,
    /// No count of reasoning.
    pub(crate) plain_usage: bool,
    /// Streams are frames of `application/vnd.amazon.eventstream`, the last of them no mark but the usage.
    pub(crate) binary: bool,
    /// No count of what was written to the cache.
    pub(crate) no_cache_writes: bool,
    /// Counts of what is paid for.
    pub(crate) billed_usage: bool,
    /// No word for the choice of tools that is made anyway.
    pub(crate) no_auto_choice: bool,
    /// No place for the end user.
    pub(crate) no_user: bool,
    /// Whether functions are held to their schema, and whether several may be called at once.
    pub(crate) strict_tools: bool,
    /// A result says of which tool it is: without its call it cannot be sent.
    pub(crate) named_results: bool,
}

/// Says as little as any format.
const PLAIN: Home = Home {
    format: Format::OpenAiChat,
    text_only: false,
    choices: 1,
    image_detail: false,
    cited_requests: false,
    state: State::Text,
    thinking_extra: false,
    call_state: false,
    tool_errors: false,
    cache: false,
    cache_everywhere: false,
    audio: false,
    files: false,
    linked_files: false,
    named_schema: false,
    said_strict: false,
    stop: true,
    top_k: false,
    penalties: false,
    seed: false,
    effort: false,
    thinking_budget: false,
    metadata: false,
    stream_options: false,
    created: false,
    stop_member: None,
    choice_extra: false,
    audio_usage: false,
    cache_1h_usage: false,
    in_path: false,
    images_here: false,
    named_files: false,
    takes_turns: false,
    nameless: false,
    plain_usage: false,
    binary: false,
    no_cache_writes: false,
    billed_usage: false,
    no_auto_choice: false,
    no_user: false,
    strict_tools: true,
    named_results: false,
};

const COHERE: Home = Home {
    format: Format::CohereChat,
    image_detail: true,
    cited_requests: true,
    thinking_extra: true,
    top_k: true,
    penalties: true,
    seed: true,
    thinking_budget: true,
    stop_member: Some("logprobs"),
    plain_usage: true,
    no_cache_writes: true,
    billed_usage: true,
    no_auto_choice: true,
    no_user: true,
    ..PLAIN
};

const RESPONSES: Home = Home {
    format: Format::OpenAiResponses,
    image_detail: true,
    cited_requests: true,
    state: State::Item,
    cache: true,
    files: true,
    linked_files: true,
    named_schema: true,
    said_strict: true,
    stop: false,
    effort: true,
    metadata: true,
    stream_options: true,
    created: true,
    ..PLAIN
};

const GEMINI: Home = Home {
    format: Format::GeminiGenerateContent,
    choices: 2,
    thinking_extra: true,
    call_state: true,
    tool_errors: true,
    audio: true,
    files: true,
    top_k: true,
    penalties: true,
    seed: true,
    effort: true,
    thinking_budget: true,
    choice_extra: true,
    audio_usage: true,
    no_cache_writes: true,
    in_path: true,
    no_user: true,
    strict_tools: false,
    named_results: true,
    ..PLAIN
};

/// The record of a format.
pub(crate) fn home(format: Format) -> Home {
    match format {
        Format::OpenAiChat => Home {
            choices: 2,
            image_detail: true,
            state: State::Entry,
            cache: true,
            audio: true,
            files: true,
            named_schema: true,
            penalties: true,
            seed: true,
            effort: true,
            metadata: true,
            stream_options: true,
            created: true,
            choice_extra: true,
            audio_usage: true,
            ..PLAIN
        },
        Format::OpenAiCompletions => Home {
            format,
            text_only: true,
            choices: 2,
            penalties: true,
            seed: true,
            stream_options: true,
            created: true,
            stop_member: Some("stop_reason"),
            audio_usage: true,
            ..PLAIN
        },
        Format::OpenAiResponses => RESPONSES,
        Format::AnthropicMessages => Home {
            format,
            cited_requests: true,
            thinking_extra: true,
            tool_errors: true,
            cache: true,
            cache_everywhere: true,
            files: true,
            linked_files: true,
            top_k: true,
            effort: true,
            thinking_budget: true,
            stop_member: Some("stop_details"),
            cache_1h_usage: true,
            ..PLAIN
        },
        Format::CohereChat => COHERE,
        Format::BedrockConverse => Home {
            format,
            cited_requests: true,
            thinking_extra: true,
            tool_errors: true,
            cache: true,
            cache_everywhere: true,
            audio: true,
            files: true,
            named_schema: true,
            top_k: true,
            effort: true,
            thinking_budget: true,
            metadata: true,
            stop_member: Some("additionalModelResponseFields"),
            cache_1h_usage: true,
            in_path: true,
            images_here: true,
            named_files: true,
            takes_turns: true,
            nameless: true,
            plain_usage: true,
            binary: true,
            ..PLAIN
        },
        Format::GeminiGenerateContent => GEMINI,
    }
}
