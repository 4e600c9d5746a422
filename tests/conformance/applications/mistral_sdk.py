"""`mistralai`: chat completions."""

import json

from mistralai.client import Mistral as Client

from applications.application import (
    EXTRACT,
    HELLO,
    TEXTS,
    TOOL_RESULT,
    WEATHER,
    Application,
    Called,
    Person,
    Said,
    one,
)
from applications.openai_sdk import TOOLS, user


class Mistral(Application):
    name, prefix = "mistral", "/mistral"

    def __init__(self, url, key):
        super().__init__(url, key)
        self.client = Client(api_key=key, server_url=url, timeout_ms=int(self.seconds * 1000))
        self.chat = self.client.chat

    def hello(self, model):
        answer = self.chat.complete(model=model, messages=user(HELLO))
        assert one(answer.choices).finish_reason == "stop"
        return Said(answer.choices[0].message.content, answer.usage.prompt_tokens, answer.usage.completion_tokens)

    def stream(self, model):
        with self.chat.stream(model=model, messages=user(HELLO)) as events:
            chunks = [event.data for event in events]
        assert chunks[-1].choices[0].finish_reason == "stop"
        return [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]

    def embed(self, model):
        answer = self.client.embeddings.create(model=model, inputs=TEXTS)
        return [one.embedding for one in answer.data]

    def abandon(self, model):
        with self.chat.stream(model=model, messages=user(HELLO)) as events:
            return next(iter(events))

    def weather(self, model, stream):
        messages = user(WEATHER)
        first = self.turn(model, messages, stream)
        call = one(first["tool_calls"])
        name = call.function.name
        messages += [
            {"role": "assistant", **first},
            {"role": "tool", "tool_call_id": call.id, "name": name, "content": TOOL_RESULT},
        ]
        last = self.turn(model, messages, stream)
        return Called(name, json.loads(call.function.arguments), last["content"])

    def turn(self, model, messages, stream):
        """What the model says, and the calls that it makes: in a stream each whole in one piece, as the SDK wants them."""
        if not stream:
            message = self.chat.complete(model=model, messages=messages, tools=TOOLS).choices[0].message
            return {"content": message.content or "", "tool_calls": message.tool_calls or []}
        with self.chat.stream(model=model, messages=messages, tools=TOOLS) as events:
            deltas = [choice.delta for event in events for choice in event.data.choices]
        calls = [call for delta in deltas for call in delta.tool_calls or []]
        return {"content": "".join(delta.content or "" for delta in deltas), "tool_calls": calls}

    def extract(self, model):
        answer = self.chat.parse(Person, model=model, messages=user(EXTRACT))
        return answer.choices[0].message.parsed
