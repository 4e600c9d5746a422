"""One form for the answers of every format: what an application gets out of them.

The official SDKs' objects are brought into it by `sdks/`, ours by `wire.py`; neither knows the other.
"""

import dataclasses
import json

# of an answer that is none
UNFINISHED = "unfinished"

# Finish reasons: the word of the wire -> what it means. A word that is not listed stands for itself.
# "stop" with tool calls means "tool_calls" (a forced call ends with `stop` at several providers).
FINISH = {
    "openai.chat": {
        "stop": "stop",
        "eos": "stop",  # Together
        "": "stop",  # Snowflake, of whole answers
        "length": "length",
        "model_length": "length",  # Mistral
        "tool_calls": "tool_calls",
        "function_call": "tool_calls",  # legacy
        "content_filter": "content_filter",
    },
    "openai.completions": {
        "stop": "stop",
        "eos": "stop",  # Together
        "length": "length",
        "content_filter": "content_filter",
    },
    # status, or the reason of an incomplete answer
    "openai.responses": {
        "completed": "stop",
        "complete": "stop",  # made up by a recorder
        "max_output_tokens": "length",
        "content_filter": "content_filter",
    },
    "anthropic.messages": {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
        "pause_turn": "pause",
    },
    "gemini.generate_content": {
        "STOP": "stop",
        "MAX_TOKENS": "length",
        **dict.fromkeys(
            (
                "SAFETY",
                "RECITATION",
                "LANGUAGE",
                "BLOCKLIST",
                "PROHIBITED_CONTENT",
                "SPII",
                "IMAGE_SAFETY",
                "IMAGE_PROHIBITED_CONTENT",
                "MODEL_ARMOR",
            ),
            "content_filter",
        ),
        # the model gave no answer
        **dict.fromkeys(("UNEXPECTED_TOOL_CALL", "MALFORMED_FUNCTION_CALL"), UNFINISHED),
    },
    "bedrock.converse": {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "guardrail_intervened": "content_filter",
        "content_filtered": "content_filter",
    },
    "cohere.chat": {
        "COMPLETE": "stop",
        "STOP_SEQUENCE": "stop",
        "MAX_TOKENS": "length",
        "TOOL_CALL": "tool_calls",
    },
}

# What an answer that ended for a reason (left) may show to a client of a format that has no word for it.
RE_ENCODED = {
    "pause": {"*": "stop"},
    # a text is one there when its end says so
    "refusal": {
        **dict.fromkeys(("openai.chat", "openai.responses", "cohere.chat"), "stop"),
        "*": "content_filter",
    },
    # Cohere's words for it are errors
    "content_filter": {"cohere.chat": "stop"},
    # a legacy completion knows no calls
    "tool_calls": {"openai.completions": "stop"},
}


@dataclasses.dataclass
class Choice:
    """One of the answers that were asked for."""

    text: str
    calls: list[tuple[str, object]]
    finish: str
    # the text is a refusal in words, where the format says so (OpenAI's ends with "stop")
    refusal: bool = dataclasses.field(default=False, compare=False)

    def __post_init__(self):
        if self.calls and self.finish == "stop":
            self.finish = "tool_calls"


@dataclasses.dataclass
class Answer:
    """What an application gets: choices by index; tokens (None: not told), inputs with what a cache gave or took."""

    choices: list[Choice]
    input_tokens: int | None = None
    output_tokens: int | None = None
    # of embeddings, each rounded as the wire carries it
    vectors: list[list[float]] = dataclasses.field(default_factory=list)
    # of a reranking: (index, score), best first
    ranks: list[tuple[int, float]] = dataclasses.field(default_factory=list)


def finish_of(format: str, word: str | None) -> str:
    """UNFINISHED where there is no word."""
    return UNFINISHED if word is None else FINISH[format].get(word, word)


def re_encoded_finish(finish: str, to: str) -> str:
    """What the client of another format reads where the provider's answer ended for this reason."""
    by_format = RE_ENCODED.get(finish, {})
    return by_format.get(to, by_format.get("*", finish))


def arguments(value: object) -> object:
    """Tool arguments as a value: {} for a call without any, the text itself where the model wrote what is not JSON."""
    if not isinstance(value, str):
        return {} if value is None else value
    if not value.strip():
        return {}
    try:
        return json.loads(value)
    except ValueError:
        return value


def total(*counts: float | None) -> int | None:
    """The sum of the counts that are told; None where none is."""
    told = [count for count in counts if count is not None]
    return int(sum(told)) if told else None
