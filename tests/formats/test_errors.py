"""Errors: what we make of a provider's error body, and what a client of each format is told of it.

Beside the recorded ones, which are few, `errors.json` holds bodies as the providers' documentation shows them.
"""

import json

import cases
import sdks
from cases import FAMILIES, HERE, assert_settled, settle
from recordings import Recording

# why another candidate is tried, by status; any other status below 500 is the client's own fault
CLASSES = {
    401: "CredentialRejected",
    402: "CredentialRejected",
    403: "CredentialRejected",
    404: "ModelUnavailable",
    408: "Timeout",
    429: "RateLimited",
    503: "Overloaded",
    504: "Timeout",
    529: "Overloaded",
}
# what a client is told where the fault is not its own; else it sees the provider's status
TOLD = {
    "CredentialRejected": 502,
    "ModelUnavailable": 404,
    "Timeout": 504,
    "RateLimited": 429,
    "Overloaded": 503,
    "ServerError": 502,
}
# a provider's words about our key are no client's business
OUR_KEY = "the provider refused the credential"
WRITTEN = [
    Recording(f"written-{index}", "written", line["format"], line)
    for index, line in enumerate(json.loads((HERE / "errors.json").read_text("utf-8")))
]
cases.ERRORS.extend(WRITTEN)


def class_of(status: int) -> str | None:
    return CLASSES.get(status, "ServerError" if status >= 500 else None)


def test_sdk_raises(error):
    """The provider's own SDK raises with this status."""
    problems = []
    try:
        sdks.read(error.format, reply_of(error), error.provider)
        problems.append("the SDK takes it for an answer")
    except sdks.SdkError as raised:
        if raised.status != error.status:
            problems.append(f"status {raised.status}, not {error.status}")
    assert_settled([settle("sdk-error", error.format, error.key, problems)])


def test_error(own_error, wire):
    asked = {"status": own_error.status, "headers": own_error.line["headers"]}
    got = wire.ask("decode_error", own_error.body, format=own_error.format, **asked)
    status = own_error.line.get("means", own_error.status)
    problems = []
    if (got["status"], got["class"]) != (status, class_of(status)):
        problems.append(f"{got['status']} {got['class']}, not {status} {class_of(status)}")
    # the text may be cut, cleaned and have its keys masked
    said = own_error.body.decode().replace("\\n", " ").replace('\\"', '"')
    if not " ".join(got["message"].split())[:20] in " ".join(said.split()):
        problems.append(f"message {got['message']!r}")
    failures = [settle("error", own_error.format, own_error.key, problems)]
    [family] = [family for family in FAMILIES if own_error.format in family]
    for to in family:
        if to in wire.formats:
            told = wire.ask("reencode_error", own_error.body, from_=own_error.format, to=to, **asked)
            failures.append(settle("error", own_error.format, own_error.key, check(to, got, told), to))
    assert_settled(failures)


def check(to: str, error: dict, told: dict) -> list[str]:
    """The client's SDK raises, with the status that this class of errors has, and shows the message."""
    want = TOLD[error["class"]] if error["class"] is not None else error["status"]
    # Anthropic's own status for what others call 503
    wants = {want, 529} if want == 503 and to == "anthropic.messages" else {want}
    found = []
    if told["status"] not in wants:
        found.append(f"told {told['status']}, not {want}")
    for stream in (False, True) if told["frame"] is not None else (False,):
        try:
            body = told["frame"] if stream else told["body"]
            sdks.read(to, sdks.Reply(body, stream, 200 if stream else told["status"]))
            found.append("the client's SDK does not raise")
        except sdks.SdkError as raised:
            if not stream and raised.status != told["status"]:
                found.append(f"{type(raised.raised).__name__} with status {raised.status}")
            said = OUR_KEY if error["class"] == "CredentialRejected" else error["message"]
            # Voyage's has words of its own for 503, and keeps the body beside them
            shown = f"{raised.raised} {getattr(raised.raised, 'http_body', '')}"
            if said[:20] not in shown:
                found.append(f"{type(raised.raised).__name__} does not say it: {raised}")
        except Exception as raised:  # noqa: BLE001 - an SDK stumbles over what we wrote
            found.append(f"{'frame' if stream else 'body'}: {type(raised).__name__}: {raised}")
    return found


def reply_of(case: Recording) -> sdks.Reply:
    return sdks.Reply(case.body, False, case.status, case.line["headers"])
