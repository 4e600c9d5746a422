"""Starts `fkm-wire` (FKM_WIRE) once, closes with counts, and holds them to their floors (floors.json).

A format that does not exist yet has no cases of ours and is named aloud; what its official SDK makes of the recordings is
checked all the same. `--write-floors` writes the floors anew, from a run of the whole suite.
"""

import json
import os
from collections import Counter

import pytest

import cases
import floors
import recordings
import schemas
from wire import Wire

# at import, because the formats that exist decide which cases there are
WIRE = Wire(os.environ["FKM_WIRE"])


def pytest_addoption(parser):
    parser.addoption("--write-floors", action="store_true", help="write floors.json from what this run counts")


def pytest_generate_tests(metafunc):
    """`answer`: every answer, recorded or written; `own_answer`: those in a format that exists; likewise `exchange`, those
    with their requests, and `error`."""
    lists = {"answer": cases.ANSWERS + cases.WRITTEN, "exchange": cases.EXCHANGES, "error": cases.ERRORS}
    for name, all_of_them in lists.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, all_of_them, ids=cases.keys(all_of_them))
        if f"own_{name}" in metafunc.fixturenames:
            own = [one for one in all_of_them if one.format in WIRE.formats]
            metafunc.parametrize(f"own_{name}", own, ids=cases.keys(own))


def pytest_collection_modifyitems(items):
    """The counts are looked at when all is counted."""
    items.sort(key=lambda item: item.path.name == "test_counts.py")


@pytest.fixture(scope="session")
def wire():
    return WIRE


def pytest_unconfigure():
    WIRE.stop()


def pytest_terminal_summary(terminalreporter, config):
    say = terminalreporter.write_line
    if not recordings.load():
        say(f"SKIPPED ALOUD: {recordings.MISSING}")
    if not schemas.ARE_THERE:
        say(f"SKIPPED ALOUD: {schemas.MISSING}")
    if config.getoption("--write-floors"):
        floors.write()
    say_counts(say)
    stats = terminalreporter.stats
    numbers = {
        "passed": len(stats.get("passed", [])),
        "failed": len(stats.get("failed", [])) + len(stats.get("error", [])),
        "skipped": len(stats.get("skipped", [])),
    }
    say("formats: " + ", ".join(f"{number} {word}" for word, number in numbers.items()))


def say_counts(say) -> None:
    """A line for each check and pair of formats, and the reasons of what was refused."""
    rows: dict[tuple, Counter] = {}
    for (check, format, to, outcome), times in cases.tally.counts.items():
        rows.setdefault((check, format, to), Counter())[outcome] += times
    for (check, format, to), outcomes in sorted(rows.items()):
        shown = ", ".join(f"{times} {outcome}" for outcome, times in sorted(outcomes.items()))
        say(f"{check:10} {format:24} {'-> ' + to if to else '':28} {shown}")
    for (check, format, to, reason), times in sorted(cases.tally.refusals.items()):
        say(f"refused {times:5} {check} {format} -> {to}: {reason}")
