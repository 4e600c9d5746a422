"""What the SDKs of a test talk to: a sidecar with a snapshot of the test's routes, or, with --direct, the upstreams."""

import pathlib
import re
import urllib.request
from collections import Counter

import anthropic
import openai

from processes import Process
from snapshots import ANTHROPIC, NAMESPACE, OPENAI, SECRET_VARIABLE, Upstream

UPSTREAM_KEY = "sk-upstream-0123456789"
CLIENT_KEY = "sk-client-9876543210"
START_SECONDS = 20
CALL_SECONDS = 60


def openai_client(base_url: str, key: str = CLIENT_KEY, **options) -> openai.OpenAI:
    return openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=CALL_SECONDS, **options)


def anthropic_client(base_url: str, key: str = CLIENT_KEY, **options) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0, timeout=CALL_SECONDS, **options)


class Direct:
    """No sidecar: proves that the suite asks of a sidecar nothing that the upstreams themselves do not give."""

    is_sidecar = False

    def __init__(self, routes: dict[str, list[Upstream]]):
        self.routes = routes

    def base_url(self, format: str, name: str) -> str:
        upstream = self.routes[name][0]
        assert upstream.format == format, "an upstream translates nothing"
        return upstream.base_url

    def url(self, sdk, name: str) -> str:
        upstream = self.routes[name][0]
        assert upstream.format == sdk.format, "an upstream translates nothing"
        return sdk.direct_url(upstream.base_url)

    def model(self, name: str) -> str:
        return self.routes[name][0].model

    def key(self) -> str:
        return UPSTREAM_KEY


class Sidecar:
    """A sidecar of its own, on free ports."""

    is_sidecar = True

    def __init__(
        self,
        binary: str,
        folder: pathlib.Path,
        name: str,
        snapshot_text: str,
        environment: dict[str, str] | None = None,
    ):
        snapshot = folder / f"{name}.json"
        snapshot.write_text(snapshot_text)
        command = [binary, "--snapshot", str(snapshot)]
        command += ["--secret", f"{NAMESPACE}/keys/main=env:{SECRET_VARIABLE}"]
        for flag in ("--listen", "--admin-listen", "--probe-listen"):
            command += [flag, "127.0.0.1:0"]
        self.process = Process(name, command, folder, {SECRET_VARIABLE: UPSTREAM_KEY, **(environment or {})})
        line = self.process.wait_for(r'^.*"message":"listening".*$', START_SECONDS).group()
        self.llm, self.admin, self.probe = (address(line, field) for field in ("llm", "admin", "probe"))

    def outcomes(self) -> Counter[str]:
        """How many exchanges ended in each way, as its metrics say."""
        with urllib.request.urlopen(f"http://{self.probe}/metrics", timeout=START_SECONDS) as page:
            lines = page.read().decode().splitlines()
        found: Counter[str] = Counter()
        for line in lines:
            if line.startswith("fkm_requests_total{"):
                found[re.search(r'outcome="([^"]+)"', line).group(1)] += int(float(line.split()[-1]))
        return found

    def url(self, sdk, name: str) -> str:
        """The base URL of an [`Sdk`] of `clients`."""
        return f"http://{self.llm}{sdk.prefix}"

    def base_url(self, format: str, name: str) -> str:
        return {OPENAI: f"http://{self.llm}/v1", ANTHROPIC: f"http://{self.llm}"}[format]

    def model(self, name: str) -> str:
        return name

    def key(self) -> str:
        return CLIENT_KEY

    def stop(self) -> None:
        code = self.process.stop()
        assert code == 0, f"the sidecar ended with code {code}:\n{self.process.tail()}"
        log = self.process.stdout.read_text("utf-8", "replace") + self.process.stderr.read_text("utf-8", "replace")
        assert "panicked" not in log, f"the sidecar panicked, see {self.process.stderr}"
        assert UPSTREAM_KEY not in log, f"a key is in {self.process.stderr}"


def address(line: str, field: str) -> str:
    """The address in `"field":"127.0.0.1:PORT"`, or the first of a list of them."""
    found = re.search(rf'"{field}":\W*(127\.0\.0\.1:\d+)', line)
    assert found, f"no {field} address in {line}"
    return found.group(1)
