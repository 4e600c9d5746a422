"""A plain curl line of OpenAI's documentation works when nothing but its host is changed."""

import json
import subprocess

import pytest

from aimock import HELLO, check_headers, journal
from gateway import CLIENT_KEY
from snapshots import OPENAI, Upstream

BODY = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def gateway(serve, mock, direct):
    if direct:
        pytest.skip("needs the sidecar")
    return serve({"gpt-5": [Upstream(OPENAI, f"{mock}/v1", "gpt-5")]})


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_curl(gateway, mock, stream):
    before = len(journal(mock))
    body = json.dumps({**BODY, "stream": True} if stream else BODY)
    command = ["curl", "--silent", "--show-error", "--fail", f"http://{gateway.llm}/openai/v1/chat/completions"]
    command += ["-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {CLIENT_KEY}", "-d", body]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    if stream:
        lines = [line.removeprefix("data: ") for line in shown.splitlines() if line]
        assert lines[-1] == "[DONE]"
        choices = [choice for line in lines[:-1] for choice in json.loads(line)["choices"]]
        text = "".join(choice["delta"].get("content") or "" for choice in choices)
    else:
        text = json.loads(shown)["choices"][0]["message"]["content"]
    assert text == HELLO
    [entry] = journal(mock)[before:]
    assert entry["body"]["messages"] == BODY["messages"]
    assert entry["body"]["model"] == "gpt-5"
    # the bearer token of the client is gone, ours is there: aimock takes no other
    check_headers(entry, "authorization")
