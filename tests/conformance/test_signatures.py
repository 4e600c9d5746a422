"""Requests to Bedrock are signed as AWS's own SDK signs them: botocore makes each signature again, from the request as it
arrived. Models stand in the path, where `:` and `/` are escaped once in what is sent and twice in what is signed.
"""

import json
import os

import pytest

import gateway
import replayed
import snapshots
from snapshots import BEDROCK, NAMESPACE

# the same word is key id, key and session: what matters is that the server of the recordings knows it
KEY = gateway.UPSTREAM_KEY
SECRET = f"{NAMESPACE}/keys/main"
KEYS = {"accessKeyId": SECRET, "secretAccessKey": SECRET}
MODELS = {
    "colon": "anthropic.claude-sonnet-4-20250514-v1:0",
    "slash": "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
    "odd": "a model+of (ours)~/é",
}
BODIES = {
    "plain": "Hello",
    "long": "All work and no play. " * 20_000,
    "unicode": 'Ünïcödé, "quotes", a 😀 and a\nsecond line.',
}


@pytest.fixture(scope="module")
def judge(folder, direct):
    """The recordings' server with the keys that it checks signatures with."""
    if direct:
        pytest.skip("SDKs that talk to the provider themselves sign for themselves")
    if not replayed.load():
        pytest.skip(replayed.MISSING)
    place = folder / "signatures"
    place.mkdir()
    process, url = replayed.serve(place, {"REPLAY_SIGV4": f"{KEY}:{KEY}"})
    yield url
    process.stop()


@pytest.fixture(scope="module", params=["keys", "session"])
def sidecar(request, folder, judge):
    whole, stream = recorded(False), recorded(True)
    routes = {
        f"{model}-{kind}": [snapshots.Upstream(BEDROCK, case.upstream(judge).base_url, name)]
        for model, name in MODELS.items()
        for kind, case in (("whole", whole), ("stream", stream))
    }
    snapshot = json.loads(snapshots.payload(routes))
    snapshot["requires"].append("signIn.aws")
    keys = {**KEYS, "sessionToken": SECRET} if request.param == "session" else KEYS
    aws = {"region": "us-east-1", "service": "bedrock", "source": {"static": keys}}
    for pool in snapshot["pools"].values():
        pool["providers"][0]["connection"]["http"]["credentials"] = [{"name": "main", "signIn": {"aws": aws}}]
    name = f"sidecar-signatures-{request.param}"
    one = gateway.Sidecar(os.environ["FKM_SIDECAR"], folder, name, json.dumps(snapshot))
    yield one
    one.stop()


def recorded(is_stream: bool) -> replayed.Recording:
    """An answer of Bedrock's."""
    cases = (case for case in replayed.load() if case.format == BEDROCK and not case.is_error)
    return next(case for case in cases if case.is_stream == is_stream and not case.is_empty)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("kind", ["whole", "stream"])
@pytest.mark.parametrize("model", MODELS)
def test_signature(sidecar, judge, model, kind, body):
    client = gateway.openai_client(f"http://{sidecar.llm}/v1")
    answer = client.chat.completions.create(
        model=f"{model}-{kind}",
        messages=[{"role": "user", "content": BODIES[body]}],
        stream=kind == "stream",
    )
    if kind == "stream":
        assert list(answer)
    received = replayed.journal(judge, recorded(kind == "stream"))[-1]
    assert received["headers"]["authorization"].startswith("AWS4-HMAC-SHA256 ")
    assert received["sigv4_ok"] is True, received["sigv4_ok"]
