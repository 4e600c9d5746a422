"""Pass-through of recorded traffic: the SDK sees through the sidecar what it sees of the provider itself, and the provider
is asked what the SDK asks itself.

Streams come a second and a third time in pieces of 1 and of 7 bytes: the same result.
"""

import json

import pytest

from answers import UNFINISHED
from clients import OF_FORMAT, OF_PROVIDER, Outcome, Sdk, call
from gateway import CLIENT_KEY, UPSTREAM_KEY
from replayed import Recording, journal, load
from sdk_matrix import pins_failure
from snapshots import DIALECTS, KEY_HEADERS

RE_CUT = ("chunk=1", "chunk=7")


def sdks_of(case: Recording) -> list[Sdk]:
    """That of the format, and of the provider if it has its own."""
    found = [OF_PROVIDER[case.provider]] if case.provider in OF_PROVIDER else []
    # the others' models stand in the path
    return found if case.provider in ("azure", "vertex") else [OF_FORMAT[case.format], *found]


# the SDK stumbles over a number for a word; a stream as a JSON array, which it never asks for
UNREADABLE = ("vertex-58", "vertex-59")
# the status says 200, and the body that there is no answer: an error, a finish reason that means a fault
FAULTS = ("azure-30", "vertex-8", "vertex-32")
PAIRS = [(sdk, case) for case in load() if case.key not in UNREADABLE for sdk in sdks_of(case)]
EMPTY = [(sdk, case) for sdk, case in PAIRS if case.is_empty or case.key in FAULTS]
ERRORS = [(sdk, case) for sdk, case in PAIRS if case.is_error]
STREAMS = [(sdk, case) for sdk, case in PAIRS if case.is_stream and not case.is_error]
ANSWERS = [pair for pair in PAIRS if pair not in EMPTY + ERRORS + STREAMS]
# an unknown model may be known to the next candidate, so the client is not told that the fault is its own
UNKNOWN_MODEL = ("bedrock-119", "openai-165", "openai-166")

# what the recordings held when this was written; fewer means that the suite lost cases
FLOORS = {
    "answers": (ANSWERS, 1303),
    "streams": (STREAMS, 252),
    "errors": (ERRORS, 32),
    "without an answer": (EMPTY, 6),
}


def cases(pairs: list[tuple[Sdk, Recording]]):
    return pytest.mark.parametrize(("sdk", "case"), pairs, ids=[f"{sdk.name}-{case.key}" for sdk, case in pairs])


def routes(pairs: list[tuple[Sdk, Recording]], replay: str, mode: str = "") -> dict:
    return {case.key: [case.upstream(replay, mode)] for _, case in pairs}


@pytest.fixture(scope="module")
def answers(serve, replay):
    return serve(routes(ANSWERS, replay))


@pytest.fixture(scope="module")
def failures(serve, replay):
    return serve(routes(ERRORS + EMPTY, replay))


@pytest.fixture(scope="module", params=["chunk=event", *RE_CUT])
def streams(request, serve, replay):
    return serve(routes(STREAMS, replay, request.param))


def through(gateway, sdk: Sdk, case: Recording, body: dict) -> Outcome:
    client = sdk.client(gateway.url(sdk, case.key), gateway.key())
    return call(sdk, client, gateway.model(case.key), body, case.asks_stream)


@pytest.mark.parametrize("kind", FLOORS)
def test_enough_cases(kind):
    found, floor = FLOORS[kind]
    if not load():
        pytest.skip("no recordings")
    assert len(found) >= floor


@cases(ANSWERS)
def test_answer(sdk, case, answers, directly, replay):
    direct = directly(case, sdk)
    got = through(answers, sdk, case, direct.body)
    assert direct.outcome.error is None, f"the recording itself does not parse: {direct.outcome.raised}"
    assert (got.raised, got.pieces) == (None, direct.outcome.pieces)
    check_request(sdk, case, direct, replay, answers)


@cases(STREAMS)
def test_stream(request, sdk, case, streams, directly, replay):
    direct = directly(case, sdk)
    expected, got = direct.outcome, through(streams, sdk, case, direct.body)
    if expected.error is not None or not is_whole(sdk, expected):
        pins_failure(request.node)
    assert got.pieces == expected.pieces
    if streams.is_sidecar and expected.error is None and not is_whole(sdk, expected):
        assert got.error is not None, "a stream without a finish reason is no whole answer"
    else:
        assert got.raises_like(expected), (got.raised, expected.raised)
    check_request(sdk, case, direct, replay, streams)


def is_whole(sdk: Sdk, outcome: Outcome) -> bool:
    return all(choice.finish != UNFINISHED for choice in sdk.read(outcome.objects, True).choices)


@cases(ERRORS)
def test_error(sdk, case, failures, directly):
    direct = directly(case, sdk)
    expected, got = direct.outcome, through(failures, sdk, case, direct.body)
    assert expected.error is not None
    if case.status in (400, 422) and case.key not in UNKNOWN_MODEL:
        assert got.raises_like(expected), (got.raised, expected.raised)
    else:
        # our key or our pool is at fault, not the client: another status than the provider's may be right
        assert got.raised["status"] >= 400


@cases(EMPTY)
def test_empty_answer(sdk, case, failures, direct):
    if direct:
        pytest.skip("needs the sidecar")
    got = through(failures, sdk, case, case.request).raised
    assert got and got["status"] >= (400 if case.key in FAULTS else 500), "200 without an answer is a failed attempt"


def check_request(sdk: Sdk, case: Recording, direct, replay: str, gateway) -> None:
    """The provider was asked what the SDK asked, with our key and with nothing of the client's."""
    last = journal(replay, case)[-1]
    assert without_additions(last["body"], direct.sent) == direct.sent
    if sdk.is_raw:
        assert without_additions(direct.sent, case.request) == {**case.request, "model": case.model}
    if gateway.is_sidecar:
        auth = DIALECTS[case.format]["auth"]
        value = f"Bearer {UPSTREAM_KEY}" if auth == "Bearer" else UPSTREAM_KEY
        shown = {name: last["headers"][name] for name in KEY_HEADERS.values() if name in last["headers"]}
        assert shown == {KEY_HEADERS[auth]: value}
        leaked = ("x-stainless", "cookie", "x-goog-api-client", "x-amz", "amz-", "x-fern", "x-client-name")
        assert not [name for name in last["headers"] if name.startswith(leaked)]
        assert CLIENT_KEY not in json.dumps(last)


def without_additions(body: dict, asked: dict) -> dict:
    """A stream's usage may be asked for by us."""
    options = {**(body.get("stream_options") or {})}
    if "include_usage" not in (asked.get("stream_options") or {}):
        options.pop("include_usage", None)
    kept = {name: value for name, value in body.items() if name != "stream_options"}
    return {**kept, "stream_options": options} if options or "stream_options" in asked else kept
