"""The quickstart, as a newcomer runs it: it prints one curl line that works, fails over soon, and ends with Ctrl-C."""

import json
import os
import pathlib
import shlex
import signal
import subprocess

import pytest

from processes import Process, free_port

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "quickstart" / "run.sh"
# half of the requests fail over: this many without a single one, or all with one, is chance of 2 in 2^30
REQUESTS = 30


@pytest.fixture(params=["smollm2", "none"])
def quickstart(request, direct, folder):
    """(process, the curl line as words, whether there is a real model)."""
    if direct:
        pytest.skip("needs fkm")
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("LISTEN", "ADMIN_LISTEN", "PROBE_LISTEN")}
    # real providers belong to who has their keys, not to a test
    keys = {"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": ""}
    name = f"quickstart-{request.param}"
    process = Process(name, [str(SCRIPT)], folder, {"MODEL": request.param, **ports, **keys}, group=True)
    try:
        line = process.wait_for(r"^ *(curl .*)$", 90).group(1)
        yield process, shlex.split(line), request.param != "none"
    finally:
        process.stop()


def test_quickstart(quickstart):
    process, curl, has_model = quickstart
    members = group_of(process.child.pid)
    assert len(members) >= 2
    seen: dict[str, str] = {}
    for _ in range(REQUESTS):
        done = subprocess.run(curl, capture_output=True, text=True, timeout=60, check=True)
        headers = dict(line.lower().split(": ", 1) for line in done.stderr.splitlines() if ": " in line)
        seen[headers["x-fkm-provider"]] = json.loads(done.stdout)["choices"][0]["message"]["content"]
        assert headers["x-fkm-attempts"] == ("1" if headers["x-fkm-provider"].endswith("flaky") else "2")
        if len(seen) == 2:
            break
    assert {name.rpartition("/")[2] for name in seen} == {"flaky", "local-model" if has_model else "steady"}
    assert all(seen.values())

    os.killpg(process.child.pid, signal.SIGINT)  # Ctrl-C goes to the whole foreground group
    assert process.child.wait(20) == 130
    assert not group_of(process.child.pid), "something that it started is still running"


def group_of(group: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
