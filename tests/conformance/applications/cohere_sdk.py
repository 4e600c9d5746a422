"""`cohere`: the second version."""

import contextlib
import json

import cohere

from applications.application import (
    EXTRACT,
    HELLO,
    TEXTS,
    TOOL,
    TOOL_DESCRIPTION,
    TOOL_RESULT,
    TOOL_SCHEMA,
    WEATHER,
    Application,
    Called,
    Person,
    Said,
    one,
    person,
)

TOOLS = [{"type": "function", "function": {"name": TOOL, "description": TOOL_DESCRIPTION, "parameters": TOOL_SCHEMA}}]
ONCE = {"max_retries": 0}


class Cohere(Application):
    name, prefix = "cohere", "/cohere"

    def __init__(self, url, key):
        super().__init__(url, key)
        self.client = cohere.ClientV2(api_key=key, base_url=url, timeout=self.seconds)

    def asked(self, model: str, text: str) -> dict:
        return {"model": model, "messages": [{"role": "user", "content": text}], "request_options": ONCE}

    def hello(self, model):
        answer = self.client.chat(**self.asked(model, HELLO))
        assert (answer.finish_reason, answer.message.role) == ("COMPLETE", "assistant")
        tokens = answer.usage.tokens
        return Said(one(answer.message.content).text, tokens.input_tokens, tokens.output_tokens)

    def stream(self, model):
        events = list(self.client.chat_stream(**self.asked(model, HELLO)))
        assert (events[-1].type, events[-1].delta.finish_reason) == ("message-end", "COMPLETE")
        return [event.delta.message.content.text for event in events if event.type == "content-delta"]

    def embed(self, model):
        asked = {"input_type": "search_query", "embedding_types": ["float"], "request_options": ONCE}
        return self.client.embed(model=model, texts=TEXTS, **asked).embeddings.float_

    def abandon(self, model):
        with contextlib.closing(self.client.chat_stream(**self.asked(model, HELLO))) as events:
            return next(iter(events))

    def turn(self, asked, stream):
        """The text and the calls of an answer."""
        if not stream:
            message = self.client.chat(**asked).message
            calls = [call.model_dump(exclude_none=True) for call in message.tool_calls or []]
            return "".join(part.text for part in message.content or []), calls
        text, calls = "", {}
        for event in self.client.chat_stream(**asked):
            if event.type == "content-delta":
                text += event.delta.message.content.text
            elif event.type == "tool-call-start":
                calls[event.index] = event.delta.message.tool_calls.model_dump(exclude_none=True)
            elif event.type == "tool-call-delta":
                calls[event.index]["function"]["arguments"] += event.delta.message.tool_calls.function.arguments
        return text, list(calls.values())

    def weather(self, model, stream):
        asked = {**self.asked(model, WEATHER), "tools": TOOLS}
        _, calls = self.turn(asked, stream)
        call = one(calls)
        asked["messages"] += [
            {"role": "assistant", "tool_calls": calls},
            {"role": "tool", "tool_call_id": call["id"], "content": TOOL_RESULT},
        ]
        text, _ = self.turn(asked, stream)
        return Called(call["function"]["name"], json.loads(call["function"]["arguments"]), text)

    def extract(self, model):
        form = {"type": "json_object", "json_schema": Person.model_json_schema()}
        answer = self.client.chat(**self.asked(model, EXTRACT), response_format=form)
        return person(one(answer.message.content).text)
