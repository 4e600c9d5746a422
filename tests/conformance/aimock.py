"""aimock, a mock of providers written by others: its models, what it says, and what it was sent."""

import json
import urllib.request

from gateway import CLIENT_KEY, UPSTREAM_KEY
from snapshots import ANTHROPIC, BEDROCK, COHERE, GEMINI, KEY_HEADERS, OPENAI, RESPONSES, Upstream

HELLO = 'Hello! Ünïcödé, "quotes", a 😀 and a\nsecond line.'

# what may stand in a request to a provider: nothing that a client sent unasked
HEADERS = {
    "accept",
    "accept-encoding",
    "anthropic-version",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-request-id",  # aimock's own
    *KEY_HEADERS.values(),
}


def upstreams(mock: str) -> dict[str, list[Upstream]]:
    """A model of each format that it speaks."""
    return {
        "openai-mock": [Upstream(OPENAI, f"{mock}/v1", "gpt-4o")],
        "responses-mock": [Upstream(RESPONSES, f"{mock}/v1", "gpt-4o")],
        "anthropic-mock": [Upstream(ANTHROPIC, mock, "claude-mock")],
        "gemini-mock": [Upstream(GEMINI, mock, "gemini-mock-2")],
        "cohere-mock": [Upstream(COHERE, mock, "command-mock")],
        "bedrock-mock": [Upstream(BEDROCK, mock, "nova-mock")],
    }


def journal(mock: str) -> list[dict]:
    request = urllib.request.Request(f"{mock}/__aimock/journal", headers={"x-api-key": UPSTREAM_KEY})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def check_headers(entry: dict, key: str) -> None:
    """Nothing of the client's but what it asked; our key in the header `key`."""
    headers = entry["headers"]
    assert set(headers) <= HEADERS, set(headers) - HEADERS
    assert {name for name in KEY_HEADERS.values() if name in headers} == {key}
    assert headers["content-type"] == "application/json"
    assert "python" not in headers.get("user-agent", "").lower()
    text = json.dumps(entry)
    assert CLIENT_KEY not in text and "leak" not in text
