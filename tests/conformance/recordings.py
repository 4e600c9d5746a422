"""Recorded provider traffic, one interaction a case, and the recordings' server.

The recordings are not part of this repository: they stand in a folder `shared` beside it, with `tools/replay.py` that
serves them. Each interaction gets a key of its own, so that a case neither shifts nor repeats another one's answers.
"""

import dataclasses
import functools
import json
import pathlib
import socket
import sys
from collections.abc import Iterator

from processes import Process
from snapshots import ANTHROPIC, OPENAI, Upstream

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
MISSING = f"{SHARED} is not there: recorded traffic cannot be replayed"

# whose chat traffic is OpenAI-shaped; the official one first
OPENAI_LIKE = (
    "cerebras",
    "crusoe",
    "deepseek",
    "groq",
    "huggingface",
    "mistral",
    "openrouter",
    "snowflake",
    "together",
    "zai",
)


@dataclasses.dataclass(frozen=True)
class Recording:
    """One request and its answer."""

    key: str
    provider: str
    format: str
    prefix: str
    line: dict = dataclasses.field(repr=False, compare=False)

    @property
    def request(self) -> dict:
        return self.line["req"]

    @property
    def status(self) -> int:
        return self.line["status"]

    @property
    def is_broken(self) -> bool:
        """A whole answer that is none: recorded without its body."""
        return not self.is_stream and not self.line["body"].strip()

    @property
    def is_stream(self) -> bool:
        return "event-stream" in self.line["headers"].get("content-type", "")

    @functools.cached_property
    def frames(self) -> list[str]:
        """The stream as replay.py cuts it."""
        body = self.line["body"]
        separator = "\r\n\r\n" if "\r\n\r\n" in body else "\n\n"
        parts = body.split(separator)
        return [part + separator for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])

    @functools.cached_property
    def finish(self) -> int | None:
        """The frame with which the answer is whole: where the last choice has got its first finish reason."""
        first: dict[int, int] = {}
        for index, frame in enumerate(self.frames):
            data = event(frame)
            for choice in data.get("choices") or []:
                if choice.get("finish_reason"):
                    first.setdefault(choice.get("index", 0), index)
            if data.get("type") == "message_delta" and data["delta"].get("stop_reason"):
                first.setdefault(0, index)
        return max(first.values(), default=None)

    def upstream(self, root: str, mode: str = "") -> Upstream:
        """Where the recording is served; `mode` as replay.py reads it, for example `chunk=1`."""
        base = f"{root}/m/{mode}/c/{self.key}" if mode else f"{root}/c/{self.key}"
        return Upstream(self.format, base + self.prefix, self.request["model"])


def event(frame: str) -> dict:
    """The JSON of one SSE frame; {} where it has none."""
    data = "".join(line[5:].strip() for line in frame.splitlines() if line.startswith("data:"))
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@functools.cache
def load() -> tuple[Recording, ...]:
    """Every chat and messages interaction, in the order of the files; () where the recordings are missing."""
    if not SHARED.is_dir():
        return ()
    return tuple(recording for provider in ("anthropic", "openai", *OPENAI_LIKE) for recording in of_provider(provider))


def of_provider(provider: str) -> Iterator[Recording]:
    format, tail = (ANTHROPIC, "/v1/messages") if provider == "anthropic" else (OPENAI, "/chat/completions")
    for index, text in enumerate((SHARED / "fixtures" / f"{provider}.jsonl").read_text("utf-8").splitlines()):
        line = json.loads(text)
        usable = isinstance(line["req"], dict) and "model" in line["req"] and "body" in line
        if line["method"] == "POST" and line["path"].endswith(tail) and usable:
            prefix = line["path"].removesuffix(tail)
            # some recorders lost the header; no provider leaves it out
            is_stream = line["body"].lstrip().startswith(("data:", "event:"))
            line["headers"].setdefault("content-type", "text/event-stream" if is_stream else "application/json")
            yield Recording(f"{provider}-{index}", provider, format, prefix, line)


def serve(folder: pathlib.Path) -> tuple[Process, str]:
    """Starts replay.py over a copy in which every interaction has its own key; the process and its address."""
    copy = folder / "recordings"
    copy.mkdir()
    with (copy / "all.jsonl").open("w", encoding="utf-8") as out:
        for recording in load():
            out.write(json.dumps({**recording.line, "key": recording.key}) + "\n")
    port = free_port()
    command = [sys.executable, str(SHARED / "tools" / "replay.py"), "--port", str(port), str(copy)]
    process = Process("replay", command, folder)
    process.wait_for(r"cassettes on", 20)
    return process, f"http://127.0.0.1:{port}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
