"""What is compared with what: formats by operation, the exceptions, and the tally that is printed and held to floors."""

import collections
import dataclasses
import functools
import json
import pathlib

import pytest

from answers import Answer, re_encoded_finish
import written
from recordings import load

HERE = pathlib.Path(__file__).parent

# formats whose answers can be said in each other
CHAT = (
    "openai.chat",
    "openai.responses",
    "anthropic.messages",
    "gemini.generate_content",
    "bedrock.converse",
    "cohere.chat",
)
EMBED = ("openai.embeddings", "gemini.embed", "cohere.embed")
RERANK = ("cohere.rerank", "voyage.rerank")
FAMILIES = (CHAT, EMBED, RERANK, ("openai.completions",))
ALL = tuple(format for family in FAMILIES for format in family)


def family_of(format: str) -> tuple[str, ...]:
    return next(family for family in FAMILIES if format in family)


# === tally


@dataclasses.dataclass
class Tally:
    """How often each check came out how: (check, from, to or "", outcome) -> times."""

    counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    # (check, from, to, reason) -> times
    refusals: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def add(self, check: str, format: str, outcome: str, to: str = "") -> None:
        self.counts[check, format, to, outcome] += 1

    def refused(self, check: str, format: str, to: str, reason: str) -> None:
        self.add(check, format, "refused", to)
        self.refusals[check, format, to, reason] += 1


tally = Tally()


# === exceptions


# stands for every format but the recording's own
OTHERS = "others"


@functools.cache
def exceptions() -> dict[tuple[str, str, str], str]:
    """(check, key of the recording, to) -> why it is as it is. `to` is a format, "" for a check without one, or OTHERS."""
    listed = json.loads((HERE / "exceptions.json").read_text("utf-8"))
    found = {}
    for one in listed:
        for key in one["keys"]:
            for to in one.get("to", [""]):
                found[one["check"], key, to] = one["why"]
    return found


def settle(check: str, format: str, key: str, problems: list[str], to: str = "") -> str | None:
    """Counts how a check came out. A problem that is not listed is handed back, and so is one that is listed and gone."""
    why = exceptions().get((check, key, to))
    if why is None and to not in ("", format):
        why = exceptions().get((check, key, OTHERS))
    if problems and why is None:
        return f"{check} {format} {to}: " + "; ".join(problems)
    if why is not None and not problems:
        return f"{check} {format} {to}: listed as an exception ({why}), but does not occur"
    tally.add(check, format, "exception" if problems else "passed", to)
    return None


def not_of(problems: list[str], own: list[str]) -> list[str]:
    """The problems at a place (all before the last colon-space, see `schemas.py`) that has none of its own."""
    places = {problem.split(": ")[:2].__repr__() for problem in own}
    return [problem for problem in problems if problem.split(": ")[:2].__repr__() not in places]


def assert_settled(failures: list[str | None]) -> None:
    found = [failure for failure in failures if failure is not None]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


# === comparison


# its client is not told any
TOKENLESS = "gemini.embed"


def differences(want: Answer, got: Answer, to: str | None = None) -> list[str]:
    """Where `got` says something else than `want`; `to`: the format of the client that reads it."""
    found = []
    if len(want.choices) != len(got.choices):
        return [f"{len(got.choices)} choices, not {len(want.choices)}"]
    for index, (one, other) in enumerate(zip(want.choices, got.choices)):
        finish = one.finish if to is None else re_encoded_finish("refusal" if one.refusal else one.finish, to)
        for name, left, right in (
            ("text", one.text, other.text),
            ("calls", one.calls, other.calls),
            ("finish", finish, other.finish),
        ):
            if left != right:
                found.append(f"choice {index}: {name} {short(right)}, not {short(left)}")
    for name in ("input_tokens", "output_tokens"):
        left, right = getattr(want, name), getattr(got, name)
        # a format may have to say a number where the provider said none
        if left is not None and left != right and to != TOKENLESS:
            found.append(f"{name} {right}, not {left}")
    if not same_vectors(want.vectors, got.vectors):
        found.append("other vectors")
    if want.ranks != got.ranks:
        found.append(f"ranks {short(got.ranks)}, not {short(want.ranks)}")
    return found


def same_vectors(want: list[list[float]], got: list[list[float]]) -> bool:
    """Equal as 32-bit numbers, which is what base64 carries."""
    if [len(one) for one in want] != [len(one) for one in got]:
        return False
    pairs = ((x, y) for one, other in zip(want, got) for x, y in zip(one, other))
    return all(abs(x - y) <= 1e-6 * max(abs(x), abs(y)) for x, y in pairs)


def short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:200]}…{text[-90:]}"


# === cases


def of_kind(error: bool) -> list:
    return [recording for recording in load() if recording.is_error == error]


ANSWERS = of_kind(error=False)
# those with their whole requests
EXCHANGES = [recording for recording in ANSWERS if recording.request]
# what is checked like an answer, and has no request
WRITTEN = written.load()
ERRORS = of_kind(error=True)


def keys(recordings: list) -> list[str]:
    return [recording.key for recording in recordings]
