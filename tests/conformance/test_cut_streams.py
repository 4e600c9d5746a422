"""Recorded streams that end too early, by a dropped connection and by a clean close: the SDK raises, always.

What came before the cut is shown as it was. A cut behind the last finish reason leaves a whole answer, with or without
an error behind it. Without a sidecar a clean close goes unnoticed, so there is nothing to prove with --direct.
"""

import anthropic
import openai
import pytest

from clients import OF_FORMAT, call
from gateway import CLIENT_KEY
from replayed import Recording, load
from snapshots import ANTHROPIC, OPENAI

FORMATS = (OPENAI, ANTHROPIC)
STREAMS = [case for case in load() if case.format in FORMATS and case.is_stream and case.finish is not None]
ENDS = ("abort", "clean")
FLOOR = 1400


def cuts(case: Recording) -> list[int]:
    """A spread of frames, and those around the finish reason."""
    total = len(case.frames)
    wanted = {0, 1, total // 2, case.finish, case.finish + 1, total - 1}
    return sorted(cut for cut in wanted if cut < total)


CASES = [(case, cut, end) for case in STREAMS for cut in cuts(case) for end in ENDS]
NAMES = [f"{case.key}-cut{cut}-{end}" for case, cut, end in CASES]


@pytest.fixture(scope="module")
def gateway(serve, replay, direct):
    if direct:
        pytest.skip("needs the sidecar")
    return serve(
        {
            name: [case.upstream(replay, f"cut={cut},end={end}")]
            for name, (case, cut, end) in zip(NAMES, CASES, strict=True)
        }
    )


def test_enough_cases():
    if not load():
        pytest.skip("no recordings")
    assert len(CASES) >= FLOOR


@pytest.mark.parametrize(
    ("name", "case", "cut"), [(name, *case[:2]) for name, case in zip(NAMES, CASES, strict=True)], ids=NAMES
)
def test_cut(name, case, cut, gateway, directly):
    sdk = OF_FORMAT[case.format]
    got = call(sdk, sdk.client(gateway.url(sdk, name), CLIENT_KEY), name, case.request, True)
    assert got.pieces == directly(case, sdk).outcome.pieces[: len(got.pieces)]
    if cut <= case.finish:
        assert got.error is not None, f"{len(got.pieces)} pieces that look like a whole answer"
    if got.error is not None:
        assert isinstance(got.error, openai.APIError | anthropic.APIError)
        assert not isinstance(got.error, openai.APIConnectionError | anthropic.APIConnectionError), "not a clear error"
        assert str(got.error)
