"""Recorded requests of one format, written for every other: valid by the types of the provider's own SDK or by OpenAI's
schemas, and still asking the same (`questions.py`). What the other format cannot say is refused and counted by its reason, under a ceiling for each pair."""

import json

import questions
from cases import assert_settled, family_of, not_of, settle, tally
from validators import TARGETS


def test_request(own_exchange, wire):
    failures = []
    for target, validate in TARGETS.items():
        to, _, preset = target.partition("@")
        if to in wire.formats and to in family_of(own_exchange.format):
            failures.append(encode(wire, own_exchange, to, target, preset or None, validate))
    assert_settled(failures)


def encode(wire, case, to, target, preset, validate) -> str | None:
    body = json.dumps(case.request).encode()
    format, stream = case.format, case.is_stream
    result = wire.run(
        "encode_request", body, from_=format, to=to, model=case.model, stream=stream, dialect=preset
    )
    error = result.get("error")
    if error is not None and error["kind"] == "refused":
        tally.refused("request", format, target, error["reason"])
        return None
    if error is not None:
        problems = [f"{error['kind']}: {error['message']}"]
    else:
        problems = validate(json.loads(result["body"]))
    if problems and to == format:
        # what the application itself sent, and goes on as it came, is no fault of ours
        problems = not_of(problems, validate(case.request))
    if error is None and format in questions.READERS:
        asked, asks = case.request, json.loads(result["body"])
        problems += questions.differences(questions.READERS[format](asked), questions.READERS[to](asks))
    return settle("request", format, case.key, problems, target)
