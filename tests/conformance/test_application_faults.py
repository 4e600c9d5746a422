"""What applications meet of faults: errors by status, time-outs of their own; and streams that they give up.

Whatever stands between an application and its SDK, the status that the client was told comes through, and the provider is let go.
"""

import re
import time

import pytest

from applications import APPLICATIONS as PYTHON_APPLICATIONS
from applications.node import NODE_APPLICATIONS, Node, NodeApplication
from faulty import Faulty
from gateway import CLIENT_KEY, UPSTREAM_KEY
from processes import Process
from snapshots import ANTHROPIC, OPENAI, Upstream

APPLICATIONS = PYTHON_APPLICATIONS + NODE_APPLICATIONS
MODELS = ("openai-faulty", "anthropic-faulty")
# what the provider says -> what the client is told (see test_faults.py)
STATUSES = {400: 400, 401: 502, 429: 429, 500: 502}
SOON_SECONDS = 6
IMPATIENT_SECONDS = 0.7
PIECES = [f"piece {number} " for number in range(200)]
# how SDKs and frameworks say that they waited too long
TOO_LONG = re.compile("time.?out|timed out|abort", re.IGNORECASE)


@pytest.fixture(scope="module")
def faulty(folder, faulty_binary):
    process = Process("upstream-of-applications", [faulty_binary], folder)
    yield Faulty(process.wait_for(r"^\{.*\}$", 10).group())
    process.stop()


@pytest.fixture(scope="module")
def gateway(serve, faulty):
    return serve(
        {
            "openai-faulty": [Upstream(OPENAI, faulty.base_url, "gpt-faulty")],
            "anthropic-faulty": [Upstream(ANTHROPIC, faulty.root, "claude-faulty")],
        }
    )


@pytest.fixture(scope="module")
def make(gateway, node_launcher, node_packages, tmp_path_factory):
    """A function from a kind of application, and how long it waits, to one."""
    NodeApplication.node = Node(node_launcher, node_packages, tmp_path_factory.mktemp("node"))

    def make(kind, seconds=30):
        patient = type(kind.__name__, (kind,), {"seconds": seconds})
        return patient(f"http://{gateway.llm}{kind.prefix}", CLIENT_KEY)

    yield make
    NodeApplication.node.stop()


def matrix(ability: str):
    kinds = [kind for kind in APPLICATIONS if getattr(kind, ability) is not None]

    def mark(test):
        test = pytest.mark.parametrize("model", MODELS)(test)
        return pytest.mark.parametrize("kind", kinds, ids=[kind.name for kind in kinds])(test)

    return mark


@pytest.mark.parametrize("status", STATUSES)
@matrix("extract")
def test_status(kind, model, status, make, faulty):
    faulty.does({"echoKey": {"status": status}} if status == 401 else {"status": {"status": status}})
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of each its own
        application = make(kind)
        (application.hello or application.extract)(model)
    assert STATUSES[status] in statuses(caught.value), repr(caught.value)
    assert not [one for one in chain(caught.value) if UPSTREAM_KEY in f"{one} {one!r}"]
    assert len(faulty.requests()) == 1, "asked once"


@matrix("extract")
def test_impatient(kind, model, make, faulty):
    faulty.does("hang")
    application, started = make(kind, IMPATIENT_SECONDS), time.monotonic()
    with pytest.raises(Exception) as caught:  # noqa: PT011
        (application.hello or application.extract)(model)
    assert any(TOO_LONG.search(f"{type(one).__name__} {one}") for one in chain(caught.value)), repr(caught.value)
    assert time.monotonic() - started < SOON_SECONDS
    assert faulty.is_cancelled()


@matrix("abandon")
def test_cancel(kind, model, make, faulty):
    faulty.does({"streamed": {"pieces": PIECES, "delayMillis": 20}})
    application = make(kind)
    assert application.abandon(model) is not None
    del application
    assert faulty.is_cancelled()


def chain(error: BaseException | None) -> list[BaseException]:
    """It, what it was made of, and so on; some keep these in a list."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        for attempt in getattr(error, "failed_attempts", None) or []:
            found += chain(attempt.exception)
        error = error.__cause__ or error.__context__
    return found


def statuses(error: BaseException) -> set[int]:
    """Every status that an exception and its causes tell of."""
    found = set()
    for one in chain(error):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            found.add(response["ResponseMetadata"]["HTTPStatusCode"])
        found |= {getattr(one, name, None) for name in ("status_code", "status", "code")}
    return {status for status in found if isinstance(status, int)}
