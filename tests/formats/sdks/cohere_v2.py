"""Chat, embed and rerank of Cohere's second version by `cohere`."""

import cohere
from cohere.core import ApiError

from answers import Answer, Choice, arguments, finish_of, total
from sdks.transport import Reply, SdkError, Slot

FORMAT = "cohere.chat"
FAULTS = ("ERROR", "TIMEOUT")
ONCE = {"max_retries": 0}
QUESTION = {"model": "m", "messages": [{"role": "user", "content": "?"}], "request_options": ONCE}
slot = Slot()
client = cohere.ClientV2(api_key="key", base_url="http://127.0.0.1", httpx_client=slot.httpx())


def read(reply: Reply) -> Answer:
    with slot.holding(reply, ApiError):
        if not reply.stream:
            return of_answer(client.chat(**QUESTION))
        return of_events(list(client.chat_stream(**QUESTION)))


def of_answer(answered) -> Answer:
    message = answered.message
    text = "".join(part.text for part in message.content or [] if part.type == "text")
    # what it says before it calls
    text += message.tool_plan or ""
    calls = [(call.function.name, arguments(call.function.arguments)) for call in message.tool_calls or []]
    return Answer([Choice(text, calls, finish_of(FORMAT, answered.finish_reason))], *tokens_of(answered.usage))


def of_events(events: list) -> Answer:
    text, calls, word, usage = "", {}, None, None
    for event in events:
        match event.type:
            case "content-delta":
                content = event.delta.message.content
                text += (content and content.text) or ""
            case "tool-plan-delta":
                text += event.delta.message.tool_plan or ""
            case "tool-call-start":
                function = event.delta.message.tool_calls.function
                calls[event.index] = [function.name, function.arguments or ""]
            case "tool-call-delta":
                calls[event.index][1] += event.delta.message.tool_calls.function.arguments or ""
            case "message-end":
                word, usage = event.delta.finish_reason, event.delta.usage
                # the SDK raises for nothing inside a stream: this event is how it tells
                if word in FAULTS:
                    raise SdkError(RuntimeError(event.delta.error), None)
    made = [(name, arguments(text)) for _, (name, text) in sorted(calls.items())]
    return Answer([Choice(text, made, finish_of(FORMAT, word))], *tokens_of(usage))


def tokens_of(usage) -> tuple[int | None, int | None]:
    if usage is None or usage.tokens is None:
        return None, None
    return total(usage.tokens.input_tokens), total(usage.tokens.output_tokens)


def read_embeddings(reply: Reply) -> Answer:
    with slot.holding(reply, ApiError):
        answered = client.embed(
            model="m", texts=["?"], input_type="search_query", embedding_types=["float"], request_options=ONCE
        )
    billed = answered.meta and answered.meta.billed_units
    return Answer([], billed and total(billed.input_tokens), vectors=answered.embeddings.float_)


def read_ranks(reply: Reply) -> Answer:
    with slot.holding(reply, ApiError):
        answered = client.rerank(model="m", query="?", documents=["?"], request_options=ONCE)
    counted = answered.meta and answered.meta.tokens
    ranks = [(one.index, one.relevance_score) for one in answered.results]
    return Answer([], counted and total(counted.input_tokens), ranks=ranks)
