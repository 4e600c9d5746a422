"""Recorded answers: what we say that one cost is what others say, to a billionth of a dollar.

Of every answer whose model has a price in the catalogue. `costs.json` holds what is to be said of single recordings: what
others add that is no token (`beside`), the amounts of another calculation (`usd`) where the first has no price for the
model or another one than the catalogue follows, and what nobody can say (`unknown`).
"""

import functools
import json
import pathlib
from decimal import Decimal

import pytest

import costs
import recordings
from cases import ANSWERS, assert_settled, settle, tally
from wire import Failure

NANO = Decimal("1e-9")
# What all of them cost together is above nothing, and no rounding: it is a few dollars.
LEAST = Decimal("0.5")
total: dict[str, Decimal] = {}


@functools.cache
def remarks() -> dict[str, dict]:
    """key of the recording -> its remark."""
    listed = json.loads((pathlib.Path(__file__).parent / "costs.json").read_text("utf-8"))
    return {key: {**one, "amount": amount} for one in listed for key, amount in one["keys"].items()}


def expected(case, model: str) -> Decimal | None:
    """USD; None where nobody can say it. Raises `costs.Unknown`."""
    remark = remarks().get(case.key)
    if remark and remark["is"] == "unknown":
        return None
    if remark and remark["is"] == "usd":
        return Decimal(remark["amount"])
    judged = costs.judged(case, model)
    return judged - Decimal(remark["amount"]) if remark and judged is not None else judged


def test_cost(answer, wire):
    case, model = answer, costs.model_of(answer)
    if case.format not in wire.formats:
        return
    try:
        ours = wire.cost(case, model)
    except Failure:
        # no whole answer; what that means is another test's matter
        tally.add("cost", case.format, "no answer")
        return
    if not ours["priced"]:
        tally.add("cost", case.format, "unpriced")
        return
    try:
        want = expected(case, model)
    except costs.Unknown as unknown:
        assert_settled([settle("cost", case.format, case.key, [f"{case.provider} {model}: {unknown}"])])
        return
    if want is None or ours["nano_usd"] is None:
        # never a silent zero: unknown to both, or to none
        problems = [] if (want is None) == (ours["nano_usd"] is None) else [f"{ours}, not {want} USD"]
        assert_settled([settle("cost", case.format, case.key, problems)])
        return
    got = ours["nano_usd"] * NANO
    total[case.key] = got
    problems = [f"{got} USD of {ours['usage']}, not {want}"] if abs(got - want) > NANO else []
    assert_settled([settle("cost", case.format, case.key, problems)])


def test_remarks_are_of_recordings():
    if not recordings.load():
        pytest.skip(recordings.MISSING)
    assert not set(remarks()) - {case.key for case in ANSWERS}


def test_sum_is_above_zero(request):
    if not recordings.load():
        pytest.skip(recordings.MISSING)
    if request.config.option.keyword:
        pytest.skip("a part of the suite costs a part")
    print(f"{len(total)} answers cost {sum(total.values())} USD")
    assert sum(total.values()) > LEAST
