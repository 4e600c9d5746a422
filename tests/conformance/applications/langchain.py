"""`langchain-openai` (chat completions and responses) and `langchain-anthropic`."""

import contextlib

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from applications.application import (
    EXTRACT,
    HELLO,
    MAX_TOKENS,
    TEXTS,
    TOOL,
    TOOL_DESCRIPTION,
    TOOL_RESULT,
    WEATHER,
    Application,
    Called,
    Person,
    Said,
    one,
)


@tool(TOOL, description=TOOL_DESCRIPTION)
def get_weather(city: str, days: int) -> str:
    assert (city, days) == ("Paris", 3)
    return TOOL_RESULT


class LangChainOpenAi(Application):
    name, prefix = "langchain-openai", "/v1"
    options: dict = {}

    def model(self, name: str):
        return ChatOpenAI(
            model=name, base_url=self.url, api_key=self.key, max_retries=0, timeout=self.seconds, **self.options
        )

    def hello(self, model):
        answer = self.model(model).invoke(HELLO)
        return Said(answer.text, answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"])

    def stream(self, model):
        return [chunk.text for chunk in self.model(model).stream(HELLO) if chunk.text]

    def embed(self, model):
        # its own count of tokens would ask for tables on the Internet
        options = {"check_embedding_ctx_length": False, "max_retries": 0}
        return OpenAIEmbeddings(model=model, base_url=self.url, api_key=self.key, **options).embed_documents(TEXTS)

    def abandon(self, model):
        with contextlib.closing(self.model(model).stream(HELLO)) as chunks:
            return next(chunks)

    def turn(self, model, messages, stream):
        bound = self.model(model).bind_tools([get_weather])
        if not stream:
            return bound.invoke(messages)
        whole = None
        for chunk in bound.stream(messages):
            whole = chunk if whole is None else whole + chunk
        return whole

    def weather(self, model, stream):
        messages = [HumanMessage(WEATHER)]
        messages.append(self.turn(model, messages, stream))
        call = one(messages[-1].tool_calls)
        messages.append(get_weather.invoke(call))
        assert isinstance(messages[-1], ToolMessage)
        return Called(call["name"], call["args"], self.turn(model, messages, stream).text)

    def extract(self, model):
        return self.model(model).with_structured_output(Person).invoke(EXTRACT)


class LangChainResponses(LangChainOpenAi):
    name, embed = "langchain-openai-responses", None
    options = {"use_responses_api": True}


class LangChainAnthropic(LangChainOpenAi):
    name, prefix, embed = "langchain-anthropic", "", None

    def model(self, name):
        return ChatAnthropic(
            model=name, base_url=self.url, api_key=self.key, max_retries=0, timeout=self.seconds, max_tokens=MAX_TOKENS
        )
