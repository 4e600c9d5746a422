"""One form for the answers of both formats, read independently of the product: text, tool calls, finish, tokens."""

import dataclasses
import json

FINISH = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",  # Together
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool",
    "tool_use": "tool",
    "content_filter": "filter",
    "refusal": "filter",
}


@dataclasses.dataclass
class Answer:
    """What an application gets out of an answer, whatever its format."""

    text: str
    calls: list[tuple[str, object]]
    finish: str
    # cached ones included; None where a stream carried no usage
    input_tokens: int | None
    output_tokens: int | None

    def __post_init__(self):
        # a forced call ends with `stop` at OpenAI and with `tool_use` at Anthropic
        if self.calls and self.finish == "stop":
            self.finish = "tool"


def of_openai(answer: dict) -> Answer:
    """Of a whole chat completion with one choice."""
    [choice] = answer["choices"]
    message = choice["message"]
    calls = [
        (call["function"]["name"], arguments(call["function"].get("arguments") or ""))
        for call in message.get("tool_calls") or []
    ]
    usage = answer.get("usage") or {}
    finish = FINISH.get(choice["finish_reason"], choice["finish_reason"])
    # a refusal is what the model says instead of content; only OpenAI keeps the two apart, and ends it with "stop"
    if message.get("refusal") and finish == "stop":
        finish = "filter"
    return Answer(
        text_of(message.get("content")) or message.get("refusal") or "",
        calls,
        finish,
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
    )


def of_openai_stream(chunks: list[dict]) -> Answer:
    """Of the chunks of a chat completion with one choice."""
    text, calls, finish, usage, refused = "", {}, None, {}, False
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            text += text_of(delta.get("content")) or delta.get("refusal") or ""
            refused = refused or bool(delta.get("refusal"))
            finish = choice.get("finish_reason") or finish
            for part in delta.get("tool_calls") or []:
                call = calls.setdefault(part.get("index", 0), {"name": "", "arguments": ""})
                function = part.get("function") or {}
                call["name"] += function.get("name") or ""
                call["arguments"] += function.get("arguments") or ""
    if refused and finish == "stop":
        finish = "content_filter"
    listed = [(call["name"], arguments(call["arguments"])) for _, call in sorted(calls.items())]
    return Answer(text, listed, FINISH.get(finish, finish), usage.get("prompt_tokens"), usage.get("completion_tokens"))


def of_anthropic(message: dict) -> Answer:
    """Of a whole message."""
    blocks = message["content"]
    text = "".join(block.get("text") or "" for block in blocks if block["type"] == "text")
    # what the provider runs itself (server_tool_use) is no call of the client's
    calls = [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    finish = FINISH.get(message["stop_reason"], message["stop_reason"])
    return Answer(text, calls, finish, *anthropic_tokens(message["usage"]))


def of_anthropic_stream(events: list[dict]) -> Answer:
    """Of the events of a message."""
    message: dict = {"content": [], "stop_reason": None, "usage": {}}
    partial: dict[int, str] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                message["usage"] = dict(event["message"]["usage"])
            case "content_block_start":
                message["content"].append(dict(event["content_block"]))
            case "content_block_delta":
                block, delta = message["content"][event["index"]], event["delta"]
                if delta["type"] == "text_delta":
                    block["text"] = (block.get("text") or "") + delta["text"]
                elif delta["type"] == "input_json_delta":
                    partial[event["index"]] = partial.get(event["index"], "") + delta["partial_json"]
            case "content_block_stop":
                if event["index"] in partial:
                    message["content"][event["index"]]["input"] = arguments(partial[event["index"]])
            case "message_delta":
                message["stop_reason"] = event["delta"].get("stop_reason") or message["stop_reason"]
                message["usage"].update({name: count for name, count in event["usage"].items() if count is not None})
    return of_anthropic(message)


def anthropic_tokens(usage: dict) -> tuple[int | None, int | None]:
    if "input_tokens" not in usage:
        return None, usage.get("output_tokens")
    cached = ("cache_read_input_tokens", "cache_creation_input_tokens")
    return usage["input_tokens"] + sum(usage.get(name) or 0 for name in cached), usage["output_tokens"]


def arguments(text: str) -> object:
    """Tool arguments as a value; {} for the empty text of a call without any."""
    return json.loads(text) if text.strip() else {}


def text_of(content: str | list | None) -> str:
    """The text of a content that is a string, a list of parts, or nothing."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content if part.get("type") == "text")
    return content or ""
