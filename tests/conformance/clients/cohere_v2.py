"""`cohere`: chat of its second version."""

import contextlib

import cohere
import httpx
from cohere.core import ApiError

from answers import Answer
from clients.sdk import Sdk
from sdks import cohere_v2
from sdks.transport import SdkError
from snapshots import COHERE


class Cohere(Sdk):
    name, format, prefix = "cohere", COHERE, "/cohere"
    # the SDK raises for nothing inside a stream: an event tells of it, and the reader raises
    errors = (ApiError, httpx.HTTPError, SdkError)

    def make(self, url, key, seconds):
        return cohere.ClientV2(api_key=key, base_url=url, timeout=seconds)

    def ask(self, client, model, body, stream):
        asked = {**{name: value for name, value in body.items() if name != "stream"}, "model": model}
        asked["request_options"] = cohere_v2.ONCE
        if not stream:
            return [client.chat(**asked)]
        return checked(client.chat_stream(**asked))

    def question(self, text, stream):
        return {"messages": [{"role": "user", "content": text}]}

    def read(self, objects, stream) -> Answer:
        return cohere_v2.of_events(objects) if stream else cohere_v2.of_answer(objects[0])

    def said(self, error):
        body = getattr(error, "body", None)
        return {"message": str(body.get("message"))} if isinstance(body, dict) else {}


def checked(events):
    """Raises for the last event of a stream, if that tells of a fault."""
    with contextlib.closing(events):
        for event in events:
            yield event
            if event.type == "message-end":
                cohere_v2.of_events([event])
