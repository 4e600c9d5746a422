"""`mistralai`: chat completions."""

import httpx2
from mistralai.client import Mistral
from mistralai.client.errors import MistralError

from answers import Answer
from clients.sdk import Sdk
from sdks import mistral_chat
from snapshots import OPENAI


class MistralChat(Sdk):
    name, format, prefix = "mistral", OPENAI, "/mistral"
    # a connection that ends in the middle comes through as the library's own
    errors = (MistralError, httpx2.HTTPError)

    def make(self, url, key, seconds):
        return Mistral(api_key=key, server_url=url, timeout_ms=int(seconds * 1000))

    def direct_url(self, base_url):
        return base_url.removesuffix("/v1")

    def ask(self, client, model, body, stream):
        asked = {**{name: value for name, value in body.items() if name != "stream"}, "model": model}
        if not stream:
            return [client.chat.complete(**asked)]
        return chunks(client, asked)

    def question(self, text, stream):
        return {"messages": [{"role": "user", "content": text}]}

    def read(self, objects, stream) -> Answer:
        return mistral_chat.of_chunks(objects) if stream else mistral_chat.of_completion(objects[0])


def chunks(client, asked: dict):
    with client.chat.stream(**asked) as events:
        for event in events:
            yield event.data
