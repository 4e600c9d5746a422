"""Chat completions by `openai`."""

import openai
from openai.lib.streaming.chat import ChatCompletionStreamState

from answers import Answer, Choice, arguments, finish_of
from sdks.openai_client import client, slot
from sdks.transport import Reply

FORMAT = "openai.chat"
QUESTION = {"model": "m", "messages": [{"role": "user", "content": "?"}]}


def read(reply: Reply) -> Answer:
    with slot.holding(reply, openai.APIError):
        if not reply.stream:
            return of_completion(client.chat.completions.create(**QUESTION))
        return of_chunks(list(client.chat.completions.create(**QUESTION, stream=True)))


def read_by_helper(reply: Reply) -> Answer:
    """A stream put together by the SDK's own helper, which wants more of the chunks than `read` does."""
    with slot.holding(reply, openai.APIError):
        state = ChatCompletionStreamState()
        for chunk in client.chat.completions.create(**QUESTION, stream=True):
            state.handle_chunk(chunk)
    return of_completion(state.get_final_completion())


def of_completion(completion) -> Answer:
    choices = [
        Choice(
            text_of(choice.message),
            calls_of(choice.message),
            finish_of(FORMAT, choice.finish_reason),
            choice.message is not None and is_refusal(choice.message.content, choice.message.refusal),
        )
        for choice in sorted(completion.choices, key=lambda choice: choice.index)
    ]
    return Answer(choices, *tokens_of(completion.usage))


def of_chunks(chunks: list) -> Answer:
    """Text and calls by index, as every client puts them together."""
    parts: dict[int, dict] = {}
    usage = None
    for chunk in chunks:
        usage = chunk.usage or (chunk.model_extra or {}).get("x_groq", {}).get("usage") or usage
        for choice in chunk.choices or []:
            part = parts.setdefault(choice.index, {"text": "", "refusal": "", "calls": {}, "finish": None})
            part["finish"] = choice.finish_reason or part["finish"]
            if choice.delta is not None:
                add_delta(part, choice.delta)
    choices = [
        Choice(
            part["text"] or part["refusal"],
            [(call["name"], arguments(call["arguments"])) for _, call in sorted(part["calls"].items())],
            finish_of(FORMAT, part["finish"]),
            is_refusal(part["text"], part["refusal"]),
        )
        for _, part in sorted(parts.items())
    ]
    return Answer(choices, *tokens_of(usage))


def add_delta(part: dict, delta) -> None:
    part["text"] += parts_text(delta.content)
    part["refusal"] += delta.refusal or ""
    if delta.function_call is not None:
        # as it was before tools: one, without a number
        call = part["calls"].setdefault(0, {"name": "", "arguments": ""})
        call["name"] += delta.function_call.name or ""
        call["arguments"] += delta.function_call.arguments or ""
    for piece in delta.tool_calls or []:
        call = part["calls"].setdefault(piece.index, {"name": "", "arguments": ""})
        if piece.function is not None:
            call["name"] += piece.function.name or ""
            call["arguments"] += piece.function.arguments or ""


def text_of(message) -> str:
    # Azure leaves the message out when it filters; a refusal is what the model says instead of content
    return "" if message is None else parts_text(message.content) or message.refusal or ""


def is_refusal(content: object, refusal: str | None) -> bool:
    return bool(refusal) and not content


def parts_text(content) -> str:
    """Some speak the format with a list of parts for a content."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content if part.get("type") == "text")
    return content or ""


def calls_of(message) -> list[tuple[str, object]]:
    calls = []
    for call in (message and message.tool_calls) or []:
        if call.type == "custom":
            calls.append((call.custom.name, call.custom.input))
        else:
            calls.append((call.function.name, arguments(call.function.arguments)))
    # some send an empty one
    legacy = message and message.function_call
    return [*calls, (legacy.name, arguments(legacy.arguments))] if legacy and legacy.name else calls


def tokens_of(usage) -> tuple[int | None, int | None]:
    if usage is None:
        return None, None
    if isinstance(usage, dict):
        return usage.get("prompt_tokens"), usage.get("completion_tokens")
    return usage.prompt_tokens, usage.completion_tokens
