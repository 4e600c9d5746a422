"""Recorded answers of one format, read by the SDKs of all others: same text, tool calls, finish reason and tokens.

What is expected is what the official SDK of the recording's own format makes of it, in the process (tests/formats). All
pairs of chat completions and messages are asked, and a sample of every other pair that tells apart what recordings tell.
"""

import dataclasses
import functools

import pytest

import answers
import sdks
from cases import OTHERS, differences, exceptions
from clients import OF_FORMAT, SDKS, Outcome, Sdk, call
from gateway import CLIENT_KEY
from replayed import Recording, load
from snapshots import ANTHROPIC, BEDROCK, COMPLETIONS, OPENAI

# of each pair of formats: recordings of a kind
SAMPLE = 3
ENDS = ("abort", "clean")
MAIN = (OPENAI, ANTHROPIC)
# of a stream: they have no words to ask for it
NO_USAGE = ("groq",)


@functools.cache
def expected(case: Recording) -> answers.Answer | None:
    """What the recording's own SDK makes of it; None where that is no whole answer."""
    try:
        reply = sdks.Reply(case.body, case.is_stream, case.status, case.line["headers"])
        answer = sdks.read(case.format, reply, case.provider)
    except Exception:  # noqa: BLE001 - tests/formats tells which and why
        return None
    return None if any(choice.finish in ("pause", answers.UNFINISHED) for choice in answer.choices) else answer


def is_expressible(case: Recording) -> bool:
    """One whole answer, and no fault, in a format that every other can say."""
    if case.is_error or case.is_empty or case.format == COMPLETIONS or ("sdk", case.key, "") in exceptions():
        return False
    want = expected(case)
    return want is not None and len(want.choices) == 1


def kind(case: Recording) -> tuple:
    """What tells recordings apart for a sample."""
    want = expected(case)
    [choice] = want.choices
    words = ("reasoning", "thinking", "cache", "citation", "audio", "redacted")
    said = tuple(word for word in words if word.encode() in case.body)
    return case.provider, case.is_stream, choice.finish, bool(choice.text), min(len(choice.calls), 2), said


def sample(cases: list[Recording]) -> list[Recording]:
    """The first few of each kind."""
    seen: dict[tuple, int] = {}
    found = []
    for case in cases:
        seen[kind(case)] = seen.get(kind(case), 0) + 1
        if seen[kind(case)] <= SAMPLE:
            found.append(case)
    return found


WHOLE = [case for case in load() if is_expressible(case)]
SAMPLED = set(sample(WHOLE))


def is_asked(sdk: Sdk, case: Recording) -> bool:
    if sdk.format == case.format or reencoding_is_excepted(case, sdk.format):
        return False
    return case in SAMPLED or sdk in MAIN_SDKS and case.format in MAIN


def reencoding_is_excepted(case: Recording, to: str) -> bool:
    return any(("reencode", case.key, name) in exceptions() for name in (to, OTHERS))


MAIN_SDKS = tuple(OF_FORMAT[format] for format in MAIN)
PAIRS = [(sdk, case) for sdk in SDKS if sdk.format != COMPLETIONS for case in WHOLE if is_asked(sdk, case)]
CUT = [
    (sdk, case, end)
    for sdk, case in PAIRS
    for end in ENDS
    if case.is_stream and case.format != BEDROCK and case.finish is not None
]
FLOORS = {"all": (PAIRS, 2900), "streams": (CUT, 1500)}


@pytest.fixture(scope="module")
def gateway(serve, replay, direct):
    if direct:
        pytest.skip("needs the sidecar")
    return serve({case.key: [case.upstream(replay)] for _, case in PAIRS})


@pytest.fixture(scope="module")
def cut_gateway(serve, replay, direct):
    if direct:
        pytest.skip("needs the sidecar")
    # in the middle of the content
    return serve(
        {
            f"{case.key}-{end}": [case.upstream(replay, f"cut={(case.finish + 1) // 2},end={end}")]
            for _, case, end in CUT
        }
    )


def ask(gateway, sdk: Sdk, name: str, stream: bool) -> Outcome:
    return call(sdk, sdk.client(gateway.url(sdk, name), CLIENT_KEY), name, sdk.question("?", stream), stream)


def ids(found: list[tuple]) -> list[str]:
    return ["-".join([sdk.name, case.key, *rest]) for sdk, case, *rest in found]


@pytest.mark.parametrize("kind", FLOORS)
def test_enough_cases(kind):
    found, floor = FLOORS[kind]
    if not load():
        pytest.skip("no recordings")
    assert len(found) >= floor


@pytest.mark.parametrize(("sdk", "case"), PAIRS, ids=ids(PAIRS))
def test_translated(sdk, case, gateway):
    want = expected(case)
    outcome = ask(gateway, sdk, case.key, case.is_stream)
    assert outcome.raised is None
    got = sdk.read(outcome.objects, case.is_stream)
    if case.is_stream and sdk.name in NO_USAGE:
        want = dataclasses.replace(want, input_tokens=None, output_tokens=None)
    assert not differences(want, got, sdk.format)


@pytest.mark.parametrize(("sdk", "case", "end"), CUT, ids=ids(CUT))
def test_cut(sdk, case, end, cut_gateway):
    outcome = ask(cut_gateway, sdk, f"{case.key}-{end}", True)
    assert outcome.error is not None, f"{len(outcome.objects)} pieces that look like a whole answer"
