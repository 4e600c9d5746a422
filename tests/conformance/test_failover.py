"""Failover with recorded traffic: the first provider fails before any content, the SDK gets the second one's answer.

The cross-check of the product's own fault matrix: these faults are made by the recordings' server.
"""

import itertools

import pytest

from clients import OF_FORMAT, call
from gateway import CALL_SECONDS, CLIENT_KEY
from processes import free_port
from replayed import Recording, load
from snapshots import ANTHROPIC, OPENAI, Upstream

# short enough for a test, far above what an answer from loopback takes
POLICY = {"timeouts": {"attempt": 3000, "firstContent": 3000, "betweenEvents": 3000}}
FORMATS = (OPENAI, ANTHROPIC)
ANSWER_FAULTS = (
    "refused",
    "status=429",
    "status=500",
    "status=503",
    "status=529",
    "hang=1",
    "cut=0",
    "cut=20",
    "status=401",
)
# before the first content: an OpenAI stream opens with the role, an Anthropic one with two frames
STREAM_FAULTS = (*ANSWER_FAULTS[:6], "cut=0,end=abort", "cut=0,end=clean", "cut=1,end=abort", "cut=1,end=clean")


def first(provider: str, stream: bool) -> list[Recording]:
    """The first recording whose stream opens without content (whole answers: the first), if there are recordings."""
    found = (
        case
        for case in load()
        if case.provider == provider and case.format in FORMATS and case.is_stream == stream
        if case.status == 200 and not case.is_empty
        if not stream or (case.finish and ('"content":""' in case.frames[0] or "message_start" in case.frames[0]))
    )
    return list(itertools.islice(found, 1))


CASES = [
    (f"{case.key}-{fault.replace('=', '').replace(',', '-')}", case, fault)
    for provider in ("openai", "anthropic")
    for stream, faults in ((False, ANSWER_FAULTS), (True, STREAM_FAULTS))
    for case in first(provider, stream)
    for fault in faults
]
NAMES = [name for name, _, _ in CASES]
FLOOR = 38


@pytest.fixture(scope="module")
def gateway(serve, replay, direct):
    if direct:
        pytest.skip("needs the sidecar")
    return serve({name: [faulty(case, fault, replay), case.upstream(replay)] for name, case, fault in CASES}, POLICY)


def faulty(case: Recording, fault: str, replay: str) -> Upstream:
    root = f"http://127.0.0.1:{free_port()}" if fault == "refused" else replay
    return case.upstream(root, "" if fault == "refused" else fault)


def test_enough_cases():
    if not load():
        pytest.skip("no recordings")
    assert len(CASES) >= FLOOR


@pytest.mark.parametrize(("name", "case"), [case[:2] for case in CASES], ids=NAMES)
def test_second_provider_answers(name, case, gateway, directly):
    sdk, seen = OF_FORMAT[case.format], []
    with sdk.make(gateway.url(sdk, name), CLIENT_KEY, CALL_SECONDS) as client:
        client._client.event_hooks = {"response": [lambda response: seen.append(response.headers)]}
        got = call(sdk, client, name, case.request, case.is_stream)
    assert (got.raised, got.pieces) == (None, directly(case, sdk).outcome.pieces)
    assert seen[0]["x-fkm-attempts"] == "2"
    assert seen[0]["x-fkm-provider"].endswith("upstream-1")
