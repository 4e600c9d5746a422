"""Pass-through of recorded traffic: the SDK sees through the sidecar what it sees of the provider itself.

Streams come a second and a third time in pieces of 1 and of 7 bytes: the same result.
"""

import json
import urllib.request

import pytest

from gateway import CLIENTS, CLIENT_KEY, UPSTREAM_KEY
from outcome import Outcome, call
from recordings import Recording, load
from snapshots import ANTHROPIC, OPENAI

RE_CUT = ("chunk=1", "chunk=7")

BROKEN = [recording for recording in load() if recording.is_broken]
ANSWERS = [
    recording for recording in load() if not (recording.is_stream or recording.is_broken) and recording.status < 400
]
STREAMS = [recording for recording in load() if recording.is_stream]
ERRORS = [recording for recording in load() if recording.status >= 400]

# what the recordings held when this was written; fewer means that the suite lost cases
FLOORS = {"answers": (ANSWERS, 623), "streams": (STREAMS, 129), "errors": (ERRORS, 15), "broken": (BROKEN, 3)}

# may be added by us to what the client asked, see the design of pass-through
MAY_BE_ADDED = ("$.stream_options", "$.stream_options.include_usage")


def names(cases: list[Recording]) -> list[str]:
    return [case.key for case in cases]


@pytest.fixture(scope="module")
def answers(serve, replay):
    return serve({case.key: [case.upstream(replay)] for case in ANSWERS})


@pytest.fixture(scope="module")
def failures(serve, replay):
    return serve({case.key: [case.upstream(replay)] for case in ERRORS + BROKEN})


@pytest.fixture(scope="module", params=["chunk=event", *RE_CUT])
def streams(request, serve, replay):
    return serve({case.key: [case.upstream(replay, request.param)] for case in STREAMS})


def through(gateway, case: Recording) -> Outcome:
    client = CLIENTS[case.format](gateway.base_url(case.format, case.key), gateway.key())
    return call(case.format, client, {**case.request, "model": gateway.model(case.key)})


@pytest.mark.parametrize("kind", FLOORS)
def test_enough_cases(kind):
    cases, floor = FLOORS[kind]
    if not load():
        pytest.skip("no recordings")
    assert len(cases) >= floor


@pytest.mark.parametrize("case", ANSWERS, ids=names(ANSWERS))
def test_answer(case, answers, directly, replay):
    expected, got = directly(case), through(answers, case)
    assert expected.error is None, f"the recording itself does not parse: {expected.raised}"
    assert (got.raised, got.pieces) == (None, expected.pieces)
    check_request(case, replay, answers)


@pytest.mark.parametrize("case", STREAMS, ids=names(STREAMS))
def test_stream(case, streams, directly, replay):
    expected, got = directly(case), through(streams, case)
    assert got.pieces == expected.pieces
    if streams.is_sidecar and case.finish is None and expected.error is None:
        assert got.error is not None, "a stream without a finish reason is no whole answer"
    else:
        assert got.raises_like(expected), (got.raised, expected.raised)
    check_request(case, replay, streams)


@pytest.mark.parametrize("case", ERRORS, ids=names(ERRORS))
def test_error(case, failures, directly):
    expected, got = directly(case), through(failures, case)
    assert expected.error is not None
    if case.status in (400, 422):
        assert got.raises_like(expected), (got.raised, expected.raised)
    else:
        # our key or our pool is at fault, not the client: another status than the provider's may be right
        assert got.raised["status"] >= 400


@pytest.mark.parametrize("case", BROKEN, ids=names(BROKEN))
def test_empty_answer(case, failures, direct):
    if direct:
        pytest.skip("needs the sidecar")
    got = through(failures, case).raised
    assert got and got["status"] >= 500, "200 without a body is a failed attempt"


def check_request(case: Recording, replay: str, gateway) -> None:
    """The provider was asked what the recording asked, with our key and with nothing of the client's."""
    with urllib.request.urlopen(f"{replay}/__journal/{case.key}") as answer:
        last = json.load(answer)[-1]
    unwanted = [
        difference for difference in last["diff"] if not (difference[0] in MAY_BE_ADDED and difference[1] == "extra")
    ]
    assert not unwanted
    if gateway.is_sidecar:
        header, value = {OPENAI: ("authorization", f"Bearer {UPSTREAM_KEY}"), ANTHROPIC: ("x-api-key", UPSTREAM_KEY)}[
            case.format
        ]
        keys = {name: shown for name, shown in last["headers"].items() if name in ("authorization", "x-api-key")}
        assert keys == {header: value}
        assert not [name for name in last["headers"] if name.startswith("x-stainless") or name == "cookie"]
        assert CLIENT_KEY not in str(last)
