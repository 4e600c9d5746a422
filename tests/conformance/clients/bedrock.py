"""`boto3`: Converse. Credentials are never the provider's: what the SDK signs is not looked at."""

import base64
import functools

import boto3
from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import ClientError, EventStreamError, HTTPClientError, IncompleteReadError

from answers import Answer
from clients.sdk import Sdk
from sdks import bedrock_converse
from snapshots import BEDROCK

# on the wire these are base64; the SDK takes and gives bytes
BYTES = ("bytes", "redactedContent")


class Bedrock(Sdk):
    name, format, prefix = "boto3", BEDROCK, "/bedrock"
    errors = (ClientError, EventStreamError, HTTPClientError, IncompleteReadError, ParserError)

    def make(self, url, key, seconds):
        once = Config(retries={"total_max_attempts": 1}, read_timeout=seconds, connect_timeout=seconds)
        return session(key).client("bedrock-runtime", endpoint_url=url, config=once)

    def ask(self, client, model, body, stream):
        asked = {**with_bytes(body), "modelId": model}
        if not stream:
            return [client.converse(**asked)]
        return client.converse_stream(**asked)["stream"]

    def question(self, text, stream):
        return {"messages": [{"role": "user", "content": [{"text": text}]}]}

    def read(self, objects, stream) -> Answer:
        return bedrock_converse.of_events(objects) if stream else bedrock_converse.of_answer(objects[0])

    def plain(self, piece):
        return {name: value for name, value in piece.items() if name != "ResponseMetadata"}

    def status(self, error):
        return response_of(error).get("ResponseMetadata", {}).get("HTTPStatusCode")

    def said(self, error):
        said = response_of(error).get("Error", {})
        shown = {name.lower(): str(said[name]) for name in ("Message", "Code") if name in said}
        # where the header with the error's name was not recorded, the SDK takes the status
        return {name: value for name, value in shown.items() if not value.isdigit()}


@functools.cache
def session(key: str) -> boto3.session.Session:
    """Reads what services there are once."""
    return boto3.session.Session(key, "dummy-secret", region_name="us-east-1")


def response_of(error) -> dict:
    """{} where there was none."""
    return getattr(error, "response", None) or {}


def with_bytes(value, name: str = ""):
    """The body as the SDK takes it."""
    if isinstance(value, dict):
        return {name: with_bytes(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [with_bytes(one) for one in value]
    return base64.b64decode(value) if name in BYTES and isinstance(value, str) else value
