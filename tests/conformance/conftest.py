"""Starts what the suite talks to: the sidecar (FKM_SIDECAR), the model server, aimock, and the recordings' server.

`--direct` leaves the sidecar out, which proves the harness. Everything listens on free loopback ports and is ended
here.
"""

import contextlib
import dataclasses
import functools
import itertools
import json
import os
import pathlib
import subprocess
import sys
from collections import Counter

import pytest

import gateway
import replayed
import sdk_matrix
import snapshots
from clients import Outcome, Sdk, call
from processes import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETUP = ROOT / "tests" / "setup"
QUICKSTART = ROOT / "deploy" / "quickstart"

counts: Counter[str] = Counter()


def pytest_addoption(parser):
    parser.addoption("--direct", action="store_true", help="call the upstreams without a sidecar, to prove the suite")
    parser.addoption("--matrix", action="store_true", help="close with a table of what passed, by SDK and ability")


def pytest_configure(config):
    for variable, binary in (("FKM_SIDECAR", "fkm-sidecar"), ("FKM", "fkm"), ("FKM_UPSTREAM", "fkm-upstream")):
        if not config.getoption("--direct") and not os.access(os.environ.get(variable, ""), os.X_OK):
            raise pytest.UsageError(f"set {variable} to the {binary} binary, or give --direct")
    # the SDKs must reach loopback whatever proxy the machine has
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


def pytest_runtest_logreport(report):
    """Counts passed cases by test, for the closing table."""
    if report.when == "call" and report.passed:
        counts[report.nodeid.split("[")[0]] += 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.passed:
        sdk_matrix.note(item)
    return report


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("--matrix"):
        for line in sdk_matrix.table():
            terminalreporter.write_line(line)
    if not replayed.load():
        terminalreporter.write_line(f"SKIPPED ALOUD: {replayed.MISSING}")
    for name, number in sorted(counts.items()):
        terminalreporter.write_line(f"{number:6} {name}")
    stats = terminalreporter.stats
    numbers = {
        "passed": len(stats.get("passed", [])),
        "failed": len(stats.get("failed", [])) + len(stats.get("error", [])),
        "skipped": len(stats.get("skipped", [])),
    }
    terminalreporter.write_line("conformance: " + ", ".join(f"{number} {word}" for word, number in numbers.items()))


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> pathlib.Path:
    return tmp_path_factory.mktemp("conformance")


@pytest.fixture(scope="session")
def direct(request) -> bool:
    return request.config.getoption("--direct")


@pytest.fixture(scope="module")
def serve(request, folder, direct):
    """A function from routes (and a policy) to a running gateway, ended with the module."""
    with contextlib.ExitStack() as running:
        numbers = itertools.count()

        def start(routes, policy=None):
            if direct:
                return gateway.Direct(routes)
            name = f"sidecar-{request.module.__name__}-{next(numbers)}"
            one = gateway.Sidecar(os.environ["FKM_SIDECAR"], folder, name, snapshots.payload(routes, policy))
            running.callback(one.stop)
            return one

        yield start


@pytest.fixture(scope="session")
def model_server(folder):
    """The root URL of the quickstart's language model; OpenAI format below /v1, Anthropic format at the root."""
    process, url = serve_model(folder, "model")
    yield url
    process.stop()


@pytest.fixture(scope="session")
def short_model_server(folder):
    """Likewise, for applications that do not say how much it may say, and at which temperature: little, and always the same."""
    process, url = serve_model(folder, "short-model", "--predict", "40", "--temperature", "0")
    yield url
    process.stop()


def serve_model(folder: pathlib.Path, name: str, *options: str) -> tuple[Process, str]:
    venv = setup("venv.sh", "--no-deps", "quickstart", str(QUICKSTART / "requirements.txt"))
    command = [f"{venv}/bin/python", str(QUICKSTART / "model_server.py"), "--threads", "1", *options]
    process = Process(name, command, folder)
    return process, json.loads(process.wait_for(r"^\{.*\}$", 60).group())["url"]


@pytest.fixture(scope="session")
def node_packages() -> str:
    """The folder that has the packages of package.json in its `node_modules`."""
    return setup("npm.sh", "conformance", str(pathlib.Path(__file__).parent))


@pytest.fixture(scope="session")
def node_launcher() -> pathlib.Path:
    return SETUP / "node.sh"


@pytest.fixture(scope="session")
def mock(folder, node_packages, node_launcher):
    """The root URL of aimock, which takes no other key than ours and keeps a journal of what it was sent."""
    script = f"{node_packages}/node_modules/@copilotkit/aimock/dist/cli.js"
    fixtures = str(pathlib.Path(__file__).parent / "mock.json")
    command = [
        str(node_launcher),
        "node",
        script,
        "-p",
        "0",
        "-h",
        "127.0.0.1",
        "-f",
        fixtures,
        "--journal-max",
        "0",
    ]
    process = Process("mock", command, folder, {"AIMOCK_API_KEYS": gateway.UPSTREAM_KEY})
    yield process.wait_for(r"listening on (http://127\.0\.0\.1:\d+)", 30).group(1)
    process.stop()


@pytest.fixture(scope="session")
def faulty_binary(direct) -> str:
    if direct:
        pytest.skip("needs the sidecar")
    return os.environ["FKM_UPSTREAM"]


@pytest.fixture(scope="session")
def replay(folder):
    """The root URL of the recordings' server."""
    if not replayed.load():
        pytest.skip(replayed.MISSING)
    process, url = replayed.serve(folder)
    yield url
    process.stop()


@pytest.fixture(scope="session")
def directly(replay):
    """A function from a recording and an SDK to what the SDK makes of it without us."""

    @functools.cache
    def ask(case: replayed.Recording, sdk: Sdk) -> Direct:
        upstream = case.upstream(replay)
        client = sdk.client(sdk.direct_url(upstream.base_url), gateway.CLIENT_KEY)
        body = case.request
        try:
            outcome = call(sdk, client, upstream.model, body, case.asks_stream)
        except Exception:  # noqa: BLE001 - whatever an SDK says of a request that it has no words for
            if sdk.is_raw:
                raise
            body = sdk.question("?", case.asks_stream)
            outcome = call(sdk, client, upstream.model, body, case.asks_stream)
        return Direct(outcome, body, replayed.journal(replay, case)[-1]["body"])

    return ask


@dataclasses.dataclass
class Direct:
    """What came of a request without a sidecar."""

    outcome: Outcome
    # the recorded one, or the simplest where the SDK cannot say that
    body: dict
    # what the SDK sent
    sent: dict


def setup(script: str, *arguments: str) -> str:
    done = subprocess.run([str(SETUP / script), *arguments], stdout=subprocess.PIPE, text=True, timeout=600)
    if done.returncode:
        sys.exit(f"{script} failed; see above")
    return done.stdout.strip()
