"""`boto3`: Converse, with credentials that are nobody's."""

import contextlib
import json

import boto3
from botocore.config import Config

from applications.application import (
    EXTRACT,
    HELLO,
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

SPEC = {"name": TOOL, "description": TOOL_DESCRIPTION, "inputSchema": {"json": TOOL_SCHEMA}}


class Bedrock(Application):
    name, prefix = "boto3", "/bedrock"

    def __init__(self, url, key):
        super().__init__(url, key)
        session = boto3.session.Session(key, f"secret-of-{key}", region_name="us-east-1")
        once = Config(retries={"total_max_attempts": 1}, read_timeout=self.seconds)
        self.client = session.client("bedrock-runtime", endpoint_url=url, config=once)

    def asked(self, model: str, text: str) -> dict:
        return {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}]}

    def hello(self, model):
        answer = self.client.converse(**self.asked(model, HELLO))
        assert answer["stopReason"] == "end_turn"
        usage = answer["usage"]
        return Said(one(answer["output"]["message"]["content"])["text"], usage["inputTokens"], usage["outputTokens"])

    def stream(self, model):
        events = list(self.client.converse_stream(**self.asked(model, HELLO))["stream"])
        assert {"messageStop": {"stopReason": "end_turn"}} in events
        return [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]

    def abandon(self, model):
        with contextlib.closing(self.client.converse_stream(**self.asked(model, HELLO))["stream"]) as events:
            return next(iter(events))

    def turn(self, asked, stream):
        """The blocks of an answer."""
        if not stream:
            return self.client.converse(**asked)["output"]["message"]["content"]
        blocks: dict[int, dict] = {}
        for event in self.client.converse_stream(**asked)["stream"]:
            if "contentBlockStart" in event:
                started = event["contentBlockStart"]
                blocks[started["contentBlockIndex"]] = {"toolUse": {**started["start"]["toolUse"], "input": ""}}
            elif "contentBlockDelta" in event:
                piece = event["contentBlockDelta"]
                block = blocks.setdefault(piece["contentBlockIndex"], {"text": ""})
                if "toolUse" in piece["delta"]:
                    block["toolUse"]["input"] += piece["delta"]["toolUse"]["input"]
                else:
                    block["text"] += piece["delta"]["text"]
        for block in blocks.values():
            if "toolUse" in block:
                block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
        return list(blocks.values())

    def weather(self, model, stream):
        asked = {**self.asked(model, WEATHER), "toolConfig": {"tools": [{"toolSpec": SPEC}]}}
        first = self.turn(asked, stream)
        use = one([block["toolUse"] for block in first if "toolUse" in block])
        result = {"toolUseId": use["toolUseId"], "content": [{"text": TOOL_RESULT}]}
        asked["messages"] += [
            {"role": "assistant", "content": first},
            {"role": "user", "content": [{"toolResult": result}]},
        ]
        last = self.turn(asked, stream)
        return Called(use["name"], use["input"], "".join(block.get("text", "") for block in last))

    def extract(self, model):
        schema = {"name": "Person", "schema": json.dumps(Person.model_json_schema())}
        form = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
        answer = self.client.converse(**self.asked(model, EXTRACT), outputConfig=form)
        return person(one(answer["output"]["message"]["content"])["text"])
