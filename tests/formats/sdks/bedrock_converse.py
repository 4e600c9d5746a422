"""Converse by `botocore`, which also checks both sums of every frame of an event stream."""

import json

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from answers import Answer, Choice, finish_of, total
from sdks.transport import Reply, SdkError, Slot

FORMAT = "bedrock.converse"
QUESTION = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "?"}]}]}
slot = Slot()


class Raw:
    """A body as urllib3 gives it."""

    def __init__(self, body: bytes):
        self.body = body

    def stream(self, *_, **__):
        yield self.body

    def read(self, *_, **__):
        body, self.body = self.body, b""
        return body

    def close(self):
        pass


def respond(request, **_):
    headers = slot.reply.all_headers("application/vnd.amazon.eventstream")
    return AWSResponse(request.url, slot.reply.status, headers, Raw(slot.reply.body))


def make_client():
    session = botocore.session.Session()
    session.set_credentials("key", "secret")
    # botocore takes a number of attempts, not of repetitions
    config = Config(retries={"total_max_attempts": 1})
    client = session.create_client("bedrock-runtime", "us-east-1", endpoint_url="http://127.0.0.1", config=config)
    client.meta.events.register("before-send.bedrock-runtime", respond)
    return client


client = make_client()


def read(reply: Reply) -> Answer:
    slot.reply = reply
    try:
        if not reply.stream:
            return of_answer(client.converse(**QUESTION))
        return of_events(list(client.converse_stream(**QUESTION)["stream"]))
    except (ClientError, EventStreamError) as raised:
        raise SdkError(raised, raised.response.get("ResponseMetadata", {}).get("HTTPStatusCode")) from raised


def text_of(block: dict) -> str:
    """With sources or without."""
    pieces = block.get("citationsContent", {}).get("content", [block])
    return "".join(piece.get("text", "") for piece in pieces)


def of_answer(answered: dict) -> Answer:
    content = answered["output"]["message"]["content"]
    text = "".join(text_of(block) for block in content)
    # a tool of the server's own says so in its type
    calls = [(block["toolUse"]["name"], block["toolUse"]["input"]) for block in content if is_clients(block.get("toolUse"))]
    return Answer([Choice(text, calls, finish_of(FORMAT, answered["stopReason"]))], *tokens_of(answered["usage"]))


def is_clients(use: dict | None) -> bool:
    return use is not None and use.get("type") != "server_tool_use"


def of_events(events: list[dict]) -> Answer:
    blocks: dict[int, dict] = {}
    word, usage = None, None
    for event in events:
        [(kind, value)] = event.items()
        match kind:
            case "contentBlockStart":
                if is_clients(value["start"].get("toolUse")):
                    blocks[value["contentBlockIndex"]] = {"name": value["start"]["toolUse"]["name"], "input": ""}
            case "contentBlockDelta":
                block = blocks.setdefault(value["contentBlockIndex"], {"text": ""})
                delta = value["delta"]
                if "toolUse" in delta and "input" in block:
                    block["input"] += delta["toolUse"]["input"]
                block["text"] = block.get("text", "") + delta.get("text", "")
            case "messageStop":
                word = value["stopReason"]
            case "metadata":
                usage = value["usage"]
    ordered = [block for _, block in sorted(blocks.items())]
    calls = [(block["name"], json.loads(block["input"] or "{}")) for block in ordered if "name" in block]
    text = "".join(block.get("text", "") for block in ordered)
    return Answer([Choice(text, calls, finish_of(FORMAT, word))], *tokens_of(usage))


def tokens_of(usage: dict | None) -> tuple[int | None, int | None]:
    """Cached reads and writes stand beside the input."""
    if usage is None:
        return None, None
    read = total(usage["inputTokens"], usage.get("cacheReadInputTokens"), usage.get("cacheWriteInputTokens"))
    return read, usage["outputTokens"]
