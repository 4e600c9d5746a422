"""`llama-index` with its client for all that speaks as OpenAI does."""

import contextlib
import gc

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

from applications.application import (
    EXTRACT,
    HELLO,
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


def get_weather(city: str, days: int) -> str:
    assert (city, days) == ("Paris", 3)
    return TOOL_RESULT


class LlamaIndex(Application):
    name, prefix = "llama-index", "/v1"

    def llm(self, model: str) -> OpenAILike:
        return OpenAILike(
            model=model,
            api_base=self.url,
            api_key=self.key,
            max_retries=0,
            timeout=self.seconds,
            is_chat_model=True,
            is_function_calling_model=True,
            should_use_structured_outputs=True,
        )

    def hello(self, model):
        answer = self.llm(model).chat([ChatMessage(role="user", content=HELLO)])
        usage = answer.raw.usage
        return Said(answer.message.content, usage.prompt_tokens, usage.completion_tokens)

    def stream(self, model):
        answers = self.llm(model).stream_chat([ChatMessage(role="user", content=HELLO)])
        return [answer.delta for answer in answers if answer.delta]

    def abandon(self, model):
        with contextlib.closing(self.llm(model).stream_chat([ChatMessage(role="user", content=HELLO)])) as answers:
            first = next(answers)
        # it closes nothing itself: the SDK's stream ends when nobody holds it
        gc.collect()
        return first

    def turn(self, model, tool, history, stream):
        if not stream:
            return self.llm(model).chat_with_tools([tool], chat_history=history)
        return list(self.llm(model).stream_chat_with_tools([tool], chat_history=history))[-1]

    def weather(self, model, stream):
        tool = FunctionTool.from_defaults(get_weather, name=TOOL, description=TOOL_DESCRIPTION)
        history = [ChatMessage(role="user", content=WEATHER)]
        first = self.turn(model, tool, history, stream)
        call = one(self.llm(model).get_tool_calls_from_response(first))
        result = str(tool(**call.tool_kwargs))
        history += [
            first.message,
            ChatMessage(role="tool", content=result, additional_kwargs={"tool_call_id": call.tool_id}),
        ]
        return Called(call.tool_name, call.tool_kwargs, self.turn(model, tool, history, stream).message.content)

    def extract(self, model):
        return self.llm(model).as_structured_llm(Person).chat([ChatMessage(role="user", content=EXTRACT)]).raw
