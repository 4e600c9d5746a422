"""`openai`: chat completions (also as Azure's client), responses, completions; `groq`, which has the same shape."""

import json

import groq
import openai

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

FUNCTION = {"name": TOOL, "description": TOOL_DESCRIPTION, "parameters": TOOL_SCHEMA}
TOOLS = [{"type": "function", "function": FUNCTION}]


def user(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


class OpenAi(Application):
    name, prefix = "openai", "/v1"

    def __init__(self, url, key):
        super().__init__(url, key)
        self.client = self.make()

    def make(self):
        return openai.OpenAI(base_url=self.url, api_key=self.key, max_retries=0, timeout=self.seconds)

    def hello(self, model):
        answer = self.client.chat.completions.create(model=model, messages=user(HELLO))
        choice, usage = one(answer.choices), answer.usage
        assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
        return Said(choice.message.content, usage.prompt_tokens, usage.completion_tokens)

    def stream(self, model):
        chunks = list(self.client.chat.completions.create(model=model, messages=user(HELLO), stream=True))
        assert [choice.finish_reason for choice in chunks[-1].choices] == ["stop"]
        return [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]

    def embed(self, model):
        answer = self.client.embeddings.create(model=model, input=TEXTS)
        return [one.embedding for one in answer.data]

    def abandon(self, model):
        with self.client.chat.completions.create(model=model, messages=user(HELLO), stream=True) as chunks:
            return next(iter(chunks))

    def turn(self, model, messages, stream):
        """The message of an answer, as data."""
        asked = {"model": model, "messages": messages, "tools": TOOLS}
        if not stream:
            message = self.client.chat.completions.create(**asked).choices[0].message
        else:
            with self.client.chat.completions.stream(**asked) as events:
                message = events.get_final_completion().choices[0].message
        return message.model_dump(include={"role", "content", "tool_calls"}, exclude_none=True)

    def weather(self, model, stream):
        messages = user(WEATHER)
        first = self.turn(model, messages, stream)
        call = one(first["tool_calls"])
        # of the SDK's helpers for streams
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
        messages += [first, {"role": "tool", "tool_call_id": call["id"], "content": TOOL_RESULT}]
        last = self.turn(model, messages, stream)
        return Called(call["function"]["name"], json.loads(call["function"]["arguments"]), last["content"])

    def extract(self, model):
        answer = self.client.chat.completions.parse(model=model, messages=user(EXTRACT), response_format=Person)
        return answer.choices[0].message.parsed


class Azure(OpenAi):
    name, prefix = "azure", ""

    def make(self):
        return openai.AzureOpenAI(
            azure_endpoint=self.url, api_key=self.key, api_version="2024-10-21", max_retries=0, timeout=self.seconds
        )


class Groq(OpenAi):
    name, prefix, embed = "groq", "", None

    def make(self):
        return groq.Groq(base_url=self.url, api_key=self.key, max_retries=0, timeout=self.seconds)

    def turn(self, model, messages, stream):
        asked = {"model": model, "messages": messages, "tools": TOOLS}
        if not stream:
            message = self.client.chat.completions.create(**asked).choices[0].message
            return message.model_dump(include={"role", "content", "tool_calls"}, exclude_none=True)
        message, calls = {"role": "assistant", "content": ""}, {}
        for chunk in self.client.chat.completions.create(**asked, stream=True):
            delta = chunk.choices[0].delta
            message["content"] += delta.content or ""
            for piece in delta.tool_calls or []:
                call = calls.setdefault(
                    piece.index, {"id": piece.id, "type": "function", "function": {"arguments": ""}}
                )
                call["function"].setdefault("name", piece.function.name)
                call["function"]["arguments"] += piece.function.arguments or ""
        return {**message, "tool_calls": list(calls.values())} if calls else message

    def extract(self, model):
        schema = {"name": "Person", "schema": Person.model_json_schema()}
        form = {"type": "json_schema", "json_schema": schema}
        answer = self.client.chat.completions.create(model=model, messages=user(EXTRACT), response_format=form)
        return person(answer.choices[0].message.content)


class Responses(OpenAi):
    name, prefix, embed = "openai-responses", "/openai/v1", None

    def hello(self, model):
        answer = self.client.responses.create(model=model, input=HELLO)
        assert answer.status == "completed"
        return Said(answer.output_text, answer.usage.input_tokens, answer.usage.output_tokens)

    def stream(self, model):
        with self.client.responses.stream(model=model, input=HELLO) as events:
            pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
            assert events.get_final_response().output_text == "".join(pieces)
        return pieces

    def abandon(self, model):
        with self.client.responses.create(model=model, input=HELLO, stream=True) as events:
            return next(iter(events))

    def response(self, model, items, stream):
        function = {"type": "function", "strict": False, **FUNCTION}
        asked = {"model": model, "input": items, "tools": [function]}
        if not stream:
            return self.client.responses.create(**asked)
        with self.client.responses.stream(**asked) as events:
            *_, last = events
            if last.type == "response.incomplete":
                # of which the SDK makes no final response
                return last.response
            return events.get_final_response()

    def weather(self, model, stream):
        items = user(WEATHER)
        first = self.response(model, items, stream)
        call = one([item for item in first.output if item.type == "function_call"])
        items += [item.model_dump(exclude={"parsed_arguments"}, exclude_none=True) for item in first.output]
        items.append({"type": "function_call_output", "call_id": call.call_id, "output": TOOL_RESULT})
        return Called(call.name, json.loads(call.arguments), self.response(model, items, stream).output_text)

    def extract(self, model):
        return self.client.responses.parse(model=model, input=EXTRACT, text_format=Person).output_parsed
