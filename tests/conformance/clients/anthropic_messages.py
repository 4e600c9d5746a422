"""`anthropic`: messages."""

import anthropic
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent

from answers import Answer
from clients.sdk import Sdk
from sdks import anthropic_messages
from snapshots import ANTHROPIC


class AnthropicMessages(Sdk):
    name, format, prefix = "anthropic", ANTHROPIC, ""
    errors = (anthropic.APIError,)
    is_raw = True

    def make(self, url, key, seconds):
        return anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=seconds)

    def ask(self, client, model, body, stream):
        body = {**body, "model": model}
        if not stream:
            return [client.post("/v1/messages", body=body, cast_to=Message)]
        event, stream_class = RawMessageStreamEvent, anthropic.Stream[RawMessageStreamEvent]
        return client.post("/v1/messages", body=body, cast_to=event, stream=True, stream_cls=stream_class)

    def question(self, text, stream):
        body = {"max_tokens": 4096, "messages": [{"role": "user", "content": text}]}
        return {**body, "stream": True} if stream else body

    def read(self, objects, stream) -> Answer:
        return anthropic_messages.of_message(gathered(objects) if stream else objects[0])


def gathered(events: list) -> Message:
    """As the SDK's own helper puts a stream together, which asserts the order of events."""
    message, partial = None, {}
    for event in events:
        message = accumulate_event(event=event, current_snapshot=message, json_bufs=partial)
    return message
