"""`anthropic`: messages."""

import anthropic

from applications.application import (
    EXTRACT,
    HELLO,
    MAX_TOKENS,
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
)

TOOLS = [{"name": TOOL, "description": TOOL_DESCRIPTION, "input_schema": TOOL_SCHEMA}]


class Anthropic(Application):
    name, prefix = "anthropic", ""

    def __init__(self, url, key):
        super().__init__(url, key)
        self.client = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=self.seconds)

    def asked(self, model: str, text: str) -> dict:
        return {"model": model, "max_tokens": MAX_TOKENS, "messages": [{"role": "user", "content": text}]}

    def hello(self, model):
        answer = self.client.messages.create(**self.asked(model, HELLO))
        assert (answer.stop_reason, answer.role) == ("end_turn", "assistant")
        return Said(one(answer.content).text, answer.usage.input_tokens, answer.usage.output_tokens)

    def stream(self, model):
        with self.client.messages.stream(**self.asked(model, HELLO)) as events:
            pieces = list(events.text_stream)
            assert events.get_final_message().stop_reason == "end_turn"
        return pieces

    def abandon(self, model):
        with self.client.messages.stream(**self.asked(model, HELLO)) as events:
            return next(iter(events))

    def turn(self, asked, stream):
        if not stream:
            return self.client.messages.create(**asked)
        with self.client.messages.stream(**asked) as events:
            return events.get_final_message()

    def weather(self, model, stream):
        asked = {**self.asked(model, WEATHER), "tools": TOOLS}
        first = self.turn(asked, stream)
        use = one([block for block in first.content if block.type == "tool_use"])
        result = {"type": "tool_result", "tool_use_id": use.id, "content": TOOL_RESULT}
        # as the documentation has it: the answer's own blocks
        asked["messages"] += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        last = self.turn(asked, stream)
        return Called(use.name, use.input, "".join(block.text for block in last.content if block.type == "text"))

    def extract(self, model):
        return self.client.messages.parse(**self.asked(model, EXTRACT), output_format=Person).parsed_output
