"""Recorded answers: what we decode is what the provider's official SDK makes of the same bytes, and what the official SDK
of any other format makes of our translation is the same again.

Text, tool calls (not those that the provider runs itself), finish reason and token sums; streams whole and in pieces of
1 and of 7 bytes. Finish reasons: the tables of `answers.py`.
"""

import cases
import sdks
from answers import UNFINISHED, Answer
from cases import assert_settled, differences, not_of, settle
from recordings import Recording
from schemas import problems_of_answer
from wire import Failure, Wire

CUTS = (0, 1, 7)
# of an answer that the helpers of SDKs take for complete
WHOLE = ("stop", "tool_calls")
MEANINGS = ("stop", "length", "tool_calls", "content_filter", "pause")


def by_sdk(case: Recording) -> Answer | None:
    """None where the SDK raises, or where the answer has no finish reason: no whole answer."""
    reply = sdks.Reply(case.body, case.is_stream, case.status, case.line["headers"])
    try:
        answer = sdks.read(case.format, reply, case.provider)
    except sdks.SdkError:
        return None
    if any(choice.finish == UNFINISHED for choice in answer.choices):
        return None
    return answer


def test_sdk(answer):
    """The provider's own SDK reads every recording, and the tables know its finish reasons."""
    problems = []
    try:
        read = by_sdk(answer)
        if (read is None) != answer.is_broken:
            problems.append("no whole answer" if read is None else "a whole answer")
        elif read is None:
            pass
        elif not read.choices and not read.vectors and not read.ranks:
            problems.append("nothing in it")
        else:
            problems += [f"finish {choice.finish!r}" for choice in read.choices if choice.finish not in MEANINGS]
    except Exception as raised:  # noqa: BLE001 - whatever an SDK stumbles over
        problems.append(f"{type(raised).__name__}: {raised}")
    assert_settled([settle("sdk", answer.format, answer.key, problems)])


def expected(case: Recording) -> Answer | None:
    """Of the SDK; where even that stumbles, nothing is expected but an error."""
    try:
        return by_sdk(case)
    except Exception:  # noqa: BLE001 - counted by test_sdk
        return None


def test_decode(own_answer, wire):
    want, problems = expected(own_answer), []
    for cut in CUTS if own_answer.is_stream else CUTS[:1]:
        try:
            got = wire.decode(own_answer, cut)
        except Failure as failure:
            if want is not None:
                problems.append(f"in pieces of {cut}: {failure}")
        else:
            found = ["an answer, where the SDK has none"] if want is None else differences(want, got)
            problems += [f"in pieces of {cut}: {one}" for one in found]
    assert_settled([settle("decode", own_answer.format, own_answer.key, problems)])


def test_reencode(own_answer, wire):
    want = expected(own_answer)
    if want is None and not own_answer.is_stream:
        return
    family = [format for format in cases.family_of(own_answer.format) if format in wire.formats]
    assert_settled([reencode(wire, own_answer, want, to) for to in family])


def reencode(wire: Wire, case: Recording, want: Answer | None, to: str) -> str | None:
    """For a client of format `to`."""
    if case.is_stream and want is not None and len(want.choices) > 1 and to != "openai.chat":
        # such a client cannot have asked for it
        cases.tally.refused("reencode", case.format, to, "several choices in a stream")
        return None
    if case.is_stream:
        result = translated(wire, case, want, to)
    else:
        result = wire.run("reencode", case.body, from_=case.format, to=to)
    problems = result.get("problems", [])
    if not problems and "error" in result and result["error"]["kind"] == "refused":
        cases.tally.refused("reencode", case.format, to, result["error"]["reason"])
        return None
    if not problems:
        problems = check(case, want, to, result)
    if not problems and to == "openai.embeddings":
        # what its SDK asks for where the application says nothing
        problems = check(case, want, to, wire.run("reencode", case.body, from_=case.format, to=to, base64=True))
    return settle("reencode", case.format, case.key, problems, to)


def translated(wire: Wire, case: Recording, want: Answer | None, to: str) -> dict:
    """The stream for the other client; the same however the provider's bytes are cut."""
    choices = len(want.choices) if want is not None else 1
    asked = {"from_": case.format, "to": to, "choices": choices, "dialect": wire.dialect(case.provider, case.format)}
    whole, *cut = (wire.run("translate_stream", case.body, cut=size, **asked) for size in CUTS)
    if any(one != whole for one in cut):
        return {"problems": ["another cut of the bytes makes another stream"]}
    return whole


def check(case: Recording, want: Answer | None, to: str, result: dict) -> list[str]:
    """What the official SDK of the client makes of it."""
    if "error" in result and want is not None:
        return [f"{result['error']['kind']}: {result['error']['message']}"]
    reply = sdks.Reply(result["body"], case.is_stream)
    try:
        got = sdks.read(to, reply)
        if case.is_stream and to in sdks.HELPERS and all(choice.finish in WHOLE for choice in got.choices):
            helped = differences(got, sdks.HELPERS[to](reply))
            if helped:
                return [f"the SDK's helper for streams reads it otherwise: {one}" for one in helped]
    except sdks.SdkError as raised:
        return [] if want is None else [f"the client's SDK raises {raised}"]
    except Exception as raised:  # noqa: BLE001 - an SDK stumbles over what we wrote
        return [f"the client's SDK stumbles: {type(raised).__name__}: {raised}"]
    if want is None:
        return ["an answer, where the provider gave none"]
    problems = problems_of_answer(to, result["body"], case.is_stream)
    if problems and to == case.format:
        # what the provider itself wrote, and goes back as it came, is no fault of ours
        problems = not_of(problems, problems_of_answer(to, case.body, case.is_stream))
    return differences(want, got, to) + problems
