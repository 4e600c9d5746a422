//! Every name that leaves the process in telemetry: semantic conventions v1.41 and our own prefixes.
//!
//! The `GenAI` conventions are still in development and have been renamed before; a rename is an edit of this file.
//! Use a constant as a field name with braces: `info_span!("attempt", { names::GEN_AI_PROVIDER_NAME } = "openai")`.

// === Ours ===

/// Prefix of our own metrics: `registry.sub_registry_with_prefix(METRIC_PREFIX)` gives `fkm_…`.
pub const METRIC_PREFIX: &str = "fkm";
/// Prefix of our own span and log attributes, with its dot.
pub const ATTRIBUTE_PREFIX: &str = "fkm.";

// === GenAI: attributes ===

/// Our own name for one exchange, as in the header `x-fkm-request-id`.
pub const FKM_REQUEST_ID: &str = "fkm.request_id";

/// `chat`, `text_completion`, `embeddings`, … ([`operation`]).
pub const GEN_AI_OPERATION_NAME: &str = "gen_ai.operation.name";
/// The provider as the conventions know it: `openai`, `anthropic`, `aws.bedrock`, …; others by their own name.
pub const GEN_AI_PROVIDER_NAME: &str = "gen_ai.provider.name";
/// The model that was asked for.
pub const GEN_AI_REQUEST_MODEL: &str = "gen_ai.request.model";
/// Whether a stream was asked for.
pub const GEN_AI_REQUEST_STREAM: &str = "gen_ai.request.stream";
/// The limit on output tokens that was asked for.
pub const GEN_AI_REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// The number of choices that were asked for.
pub const GEN_AI_REQUEST_CHOICE_COUNT: &str = "gen_ai.request.choice.count";
/// The provider's identifier of the answer.
pub const GEN_AI_RESPONSE_ID: &str = "gen_ai.response.id";
/// The model that answered.
pub const GEN_AI_RESPONSE_MODEL: &str = "gen_ai.response.model";
/// Why each choice ended.
pub const GEN_AI_RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Seconds until the first piece of a streamed answer.
pub const GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";
/// Input tokens, cached ones included.
pub const GEN_AI_USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Output tokens, reasoning included.
pub const GEN_AI_USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// Input tokens that were read from the provider's cache.
pub const GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// Input tokens that were written to the provider's cache.
pub const GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: &str =
    "gen_ai.usage.cache_creation.input_tokens";
/// Output tokens that were spent on reasoning.
pub const GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";
/// `input` or `output` ([`token_type`]), on [`GEN_AI_CLIENT_TOKEN_USAGE`].
pub const GEN_AI_TOKEN_TYPE: &str = "gen_ai.token.type";

/// Values of [`GEN_AI_OPERATION_NAME`].
pub mod operation {
    /// Every chat-like format.
    pub const CHAT: &str = "chat";
}

/// Values of [`GEN_AI_TOKEN_TYPE`].
pub mod token_type {
    /// Tokens that the model read.
    pub const INPUT: &str = "input";
    /// Tokens that the model wrote.
    pub const OUTPUT: &str = "output";
}

// === GenAI: metrics ===
// Prometheus spells a name with underscores and adds the unit; `prometheus_name` does the first.

/// Histogram, seconds: one attempt, from sending to the end of its answer.
pub const GEN_AI_CLIENT_OPERATION_DURATION: &str = "gen_ai.client.operation.duration";
/// Histogram, tokens: one answer's usage, by [`GEN_AI_TOKEN_TYPE`].
pub const GEN_AI_CLIENT_TOKEN_USAGE: &str = "gen_ai.client.token.usage";
/// Histogram, seconds: one stream's wait for its first piece.
pub const GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK: &str =
    "gen_ai.client.operation.time_to_first_chunk";
/// Histogram, seconds: the mean distance of one stream's pieces.
pub const GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK: &str =
    "gen_ai.client.operation.time_per_output_chunk";

// === General ===

/// The closed reason of a failure; absent on success.
pub const ERROR_TYPE: &str = "error.type";
/// The host that was dialled: behind the proxy, the provider's.
pub const SERVER_ADDRESS: &str = "server.address";
/// The port that was dialled.
pub const SERVER_PORT: &str = "server.port";
/// The method of a request.
pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
/// The status of an answer.
pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
/// How many attempts came before this one.
pub const HTTP_REQUEST_RESEND_COUNT: &str = "http.request.resend_count";
/// The route template of a request, never its raw path.
pub const HTTP_ROUTE: &str = "http.route";
/// The path of a request.
pub const URL_PATH: &str = "url.path";

// === Resource ===

/// The program's name.
pub const SERVICE_NAME: &str = "service.name";
/// The program's version.
pub const SERVICE_VERSION: &str = "service.version";
/// Which one of many.
pub const SERVICE_INSTANCE_ID: &str = "service.instance.id";
/// The pod's name.
pub const K8S_POD_NAME: &str = "k8s.pod.name";
/// The pod's namespace.
pub const K8S_NAMESPACE_NAME: &str = "k8s.namespace.name";

// === tracing-opentelemetry ===

/// The field that gives a span its exported name, where that is known only at run time (`chat gpt-4o`).
pub const OTEL_NAME: &str = "otel.name";
/// The field that gives a span its kind: `server`, `client`.
pub const OTEL_KIND: &str = "otel.kind";
/// The field that gives a span its status: `ok`, `error`.
pub const OTEL_STATUS_CODE: &str = "otel.status_code";

/// The Prometheus spelling of a dotted name, without unit suffix: `gen_ai.token.type` is `gen_ai_token_type`.
pub fn prometheus_name(name: &str) -> String {
    name.replace('.', "_")
}
