"""`pydantic-ai` over the models of OpenAI's two formats.

Its model of Anthropic's does not work with the pinned `anthropic`, whose type of a message it makes instances of.
"""

import asyncio

import openai
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ToolCallPart
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from applications.application import (
    EXTRACT,
    HELLO,
    TOOL_RESULT,
    WEATHER,
    Application,
    Called,
    Person,
    Said,
    one,
)


def get_weather(city: str, days: int) -> str:
    """The weather"""
    assert (city, days) == ("Paris", 3)
    return TOOL_RESULT


class PydanticChat(Application):
    name, prefix = "pydantic-ai", "/v1"
    kind: type = OpenAIChatModel

    def agent(self, model: str, **options) -> Agent:
        # each runs in a loop of its own, and so does its client
        client = openai.AsyncOpenAI(base_url=self.url, api_key=self.key, max_retries=0, timeout=self.seconds)
        return Agent(self.kind(model, provider=OpenAIProvider(openai_client=client)), **options)

    def hello(self, model):
        result = self.agent(model).run_sync(HELLO)
        return Said(result.output, result.usage.input_tokens, result.usage.output_tokens)

    def stream(self, model):
        result = self.agent(model).run_stream_sync(HELLO)
        return list(result.stream_text(delta=True, debounce_by=None))

    def abandon(self, model):
        async def first():
            async with self.agent(model).run_stream(HELLO) as result:
                async for piece in result.stream_text(delta=True, debounce_by=None):
                    return piece

        return asyncio.run(first())

    def weather(self, model, stream):
        # with a handler of events, every turn is streamed
        result = self.agent(model, tools=[get_weather]).run_sync(
            WEATHER, event_stream_handler=drain if stream else None
        )
        return called(result.all_messages(), result.output)

    def extract(self, model):
        return self.agent(model, output_type=Person).run_sync(EXTRACT).output


class PydanticResponses(PydanticChat):
    name = "pydantic-ai-responses"
    kind = OpenAIResponsesModel


async def drain(_, events) -> None:
    async for _ in events:
        pass


def called(messages: list[ModelMessage], text: str) -> Called:
    call = one([part for message in messages for part in message.parts if isinstance(part, ToolCallPart)])
    return Called(call.tool_name, call.args_as_dict(), text)
