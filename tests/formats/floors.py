"""Floors and ceilings of the counts: fewer passes, or more exceptions and refusals, mean that something went missing."""

import json

import cases

FILE = cases.HERE / "floors.json"


def current() -> dict[str, dict[str, int]]:
    """`CHECK FORMAT [-> FORMAT]` -> outcome -> times."""
    found: dict[str, dict[str, int]] = {}
    for (check, format, to, outcome), times in sorted(cases.tally.counts.items()):
        name = f"{check} {format}" + (f" -> {to}" if to else "")
        found.setdefault(name, {})[outcome] = times
    return found


def write() -> None:
    FILE.write_text(json.dumps(current(), indent=1, sort_keys=True) + "\n", "utf-8")


def broken() -> list[str]:
    """What is below its floor or above its ceiling."""
    expected, counted, found = json.loads(FILE.read_text("utf-8")), current(), []
    for name, outcomes in expected.items():
        got = counted.get(name, {})
        if got.get("passed", 0) < outcomes.get("passed", 0):
            found.append(f"{name}: {got.get('passed', 0)} passed, the floor is {outcomes['passed']}")
        for outcome in ("refused", "exception"):
            if got.get(outcome, 0) > outcomes.get(outcome, 0):
                found.append(f"{name}: {got[outcome]} {outcome}, the ceiling is {outcomes.get(outcome, 0)}")
    return found
