"""Responses by `openai`. Of a stream, the pieces put together must say what its last event says."""

import openai

from answers import UNFINISHED, Answer, Choice, arguments, finish_of
from sdks.openai_client import client, slot
from sdks.transport import Reply

FORMAT = "openai.responses"
LAST = ("response.completed", "response.incomplete", "response.failed")
PIECES = ("response.output_text.delta", "response.refusal.delta")
# an answer that is made in the background, or is none
NO_ANSWER = ("queued", "in_progress", "cancelled", "failed")


def read(reply: Reply) -> Answer:
    with slot.holding(reply, openai.APIError):
        if not reply.stream:
            return of_response(client.responses.create(model="m", input="?"))
        return of_events(list(client.responses.create(model="m", input="?", stream=True)))


def of_events(events: list) -> Answer:
    last = [event.response for event in events if event.type in LAST]
    if not last:
        return Answer([Choice("", [], UNFINISHED)])
    [response] = last
    answer = of_response(response)
    pieces = "".join(event.delta for event in events if event.type in PIECES)
    if response.status not in NO_ANSWER and any(event.type.endswith(".delta") for event in events):
        assert pieces == answer.choices[0].text, "the pieces are not the whole"
    return answer


def read_by_helper(reply: Reply) -> Answer:
    """A stream put together by the SDK's own helper, which asserts the order of events; it knows complete answers only."""
    with slot.holding(reply, openai.APIError), client.responses.stream(model="m", input="?") as stream:
        return of_response(stream.get_final_response())


def of_response(response) -> Answer:
    text, refusal, calls = "", "", []
    for item in response.output:
        match item.type:
            case "message":
                text += "".join(part.text for part in item.content if part.type == "output_text")
                refusal += "".join(part.refusal for part in item.content if part.type == "refusal")
            case "function_call":
                calls.append((item.name, arguments(item.arguments)))
            case "custom_tool_call":
                calls.append((item.name, item.input))
    details = response.incomplete_details
    if response.status in NO_ANSWER:
        return Answer([Choice("", [], UNFINISHED)])
    word = details.reason if details is not None and details.reason else response.status
    usage = response.usage
    tokens = (usage.input_tokens, usage.output_tokens) if usage is not None else (None, None)
    # text before and after a call is one text for every client that asks for `output_text`
    return Answer([Choice(text + refusal, calls, finish_of(FORMAT, word), bool(refusal) and not text)], *tokens)
