"""Messages by `anthropic`; streams are put together by the SDK's own helper, which asserts the order of events."""

import anthropic

from answers import Answer, Choice, finish_of, total
from sdks.transport import Reply, Slot

FORMAT = "anthropic.messages"
QUESTION = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "?"}]}
slot = Slot()
client = anthropic.Anthropic(api_key="key", base_url="http://127.0.0.1", max_retries=0, http_client=slot.httpx2())


def read(reply: Reply) -> Answer:
    with slot.holding(reply, anthropic.APIError):
        if not reply.stream:
            return of_message(client.messages.create(**QUESTION))
        with client.messages.stream(**QUESTION) as stream:
            return of_message(stream.get_final_message())


def of_message(message) -> Answer:
    text = "".join(block.text for block in message.content if block.type == "text")
    # what the provider runs itself (server_tool_use) is no call of the client's
    calls = [(block.name, block.input) for block in message.content if block.type == "tool_use"]
    usage = message.usage
    read = total(usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens)
    return Answer([Choice(text, calls, finish_of(FORMAT, message.stop_reason))], read, usage.output_tokens)
