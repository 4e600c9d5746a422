"""Recorded answers of one format, read by the other format's SDK: same text, tool calls, finish reason and tokens.

Left out, and counted: what the other format has no place for (several choices, audio, the legacy function_call), and
answers that are not finished (pause_turn).
"""

import json

import pytest

import answers
from gateway import CLIENTS
from outcome import Outcome, call
from recordings import Recording, event, load
from snapshots import ANTHROPIC, OPENAI

OTHER = {OPENAI: ANTHROPIC, ANTHROPIC: OPENAI}
READERS = {
    (OPENAI, False): lambda pieces: answers.of_openai(pieces[0]),
    (OPENAI, True): answers.of_openai_stream,
    (ANTHROPIC, False): lambda pieces: answers.of_anthropic(pieces[0]),
    (ANTHROPIC, True): answers.of_anthropic_stream,
}
QUESTION = [{"role": "user", "content": "?"}]
ENDS = ("abort", "clean")


def is_expressible(case: Recording) -> bool:
    if case.is_broken or case.status >= 400 or (case.is_stream and case.finish is None):
        return False
    values = [event(frame) for frame in case.frames] if case.is_stream else [json.loads(case.line["body"])]
    for value in values:
        if value.get("stop_reason") == "pause_turn" or (value.get("delta") or {}).get("stop_reason") == "pause_turn":
            return False
        for choice in value.get("choices") or []:
            content = choice.get("message") or choice.get("delta") or {}
            if choice.get("index") or content.get("audio") or content.get("function_call"):
                return False
    return True


CASES = [case for case in load() if is_expressible(case)]
CUT = [case for case in CASES if case.is_stream]
FLOORS = {"all": (CASES, 727), "streams": (CUT, 120)}
CUT_NAMES = [f"{case.key}-{end}" for case in CUT for end in ENDS]


@pytest.fixture(scope="module")
def gateway(serve, replay, direct):
    if direct:
        pytest.skip("needs the sidecar")
    return serve({case.key: [case.upstream(replay)] for case in CASES})


@pytest.fixture(scope="module")
def cut_gateway(serve, replay, direct):
    if direct:
        pytest.skip("needs the sidecar")
    routes = {}
    for case in CUT:
        for end in ENDS:
            # in the middle of the content
            routes[f"{case.key}-{end}"] = [case.upstream(replay, f"cut={(case.finish + 1) // 2},end={end}")]
    return serve(routes)


def read(case: Recording, format: str, outcome: Outcome) -> answers.Answer:
    return READERS[format, case.is_stream](outcome.pieces)


def ask(gateway, format: str, name: str, stream: bool):
    body = {"model": name, "messages": QUESTION}
    if format == ANTHROPIC:
        body["max_tokens"] = 4096
    if stream:
        body["stream"] = True
        if format == OPENAI:
            body["stream_options"] = {"include_usage": True}
    return call(format, CLIENTS[format](gateway.base_url(format, name)), body)


@pytest.mark.parametrize("kind", FLOORS)
def test_enough_cases(kind):
    cases, floor = FLOORS[kind]
    if not load():
        pytest.skip("no recordings")
    assert len(cases) >= floor


@pytest.mark.parametrize("case", CASES, ids=[case.key for case in CASES])
def test_reading_it_natively(case, directly):
    """The extractor itself understands every recording."""
    answer = read(case, case.format, directly(case))
    assert answer.finish in ("stop", "length", "tool", "filter")


@pytest.mark.parametrize("case", CASES, ids=[case.key for case in CASES])
def test_translated(case, gateway, directly):
    want, format = read(case, case.format, directly(case)), OTHER[case.format]
    outcome = ask(gateway, format, case.key, case.is_stream)
    if directly(case).error is not None:
        assert outcome.error is not None
        return
    assert outcome.raised is None
    got = read(case, format, outcome)
    if want.input_tokens is None:
        got.input_tokens = got.output_tokens = want.output_tokens = None
    assert got == want


@pytest.mark.parametrize("name", CUT_NAMES)
def test_cut(name, cut_gateway):
    case = next(case for case in CUT if case.key == name.rsplit("-", 1)[0])
    outcome = ask(cut_gateway, OTHER[case.format], name, True)
    assert outcome.error is not None, f"{len(outcome.pieces)} pieces that look like a whole answer"
