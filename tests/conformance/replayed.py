"""Recorded conversations, one interaction a case, and their server.

The recordings are not part of this repository (see `recordings` of tests/formats, which reads them): `tools/replay.py`
beside them serves them. Each interaction gets a key of its own, so that a case neither shifts nor repeats another one's
answers.
"""

import functools
import json
import pathlib
import sys
import urllib.request

import recordings
from processes import Process, free_port
from recordings import MISSING, SHARED
from snapshots import (
    ANTHROPIC,
    BEDROCK,
    COHERE,
    COHERE_EMBED,
    COMPLETIONS,
    EMBEDDINGS,
    GEMINI,
    GEMINI_EMBED,
    IMAGES,
    OPENAI,
    RERANK,
    RESPONSES,
    Upstream,
)

__all__ = ["MISSING", "Recording", "event", "journal", "load", "pictures", "serve", "vectors"]

# formats of conversations -> the tail of a path that the SDK appends to the base URL that it is given
TAILS = {
    OPENAI: "/chat/completions",
    RESPONSES: "/responses",
    COMPLETIONS: "/completions",
    ANTHROPIC: "/v1/messages",
    GEMINI: None,
    COHERE: "/v2/chat",
    BEDROCK: None,
}
# likewise those of what makes vectors or ranks documents
VECTOR_TAILS = {EMBEDDINGS: "/embeddings", GEMINI_EMBED: None, COHERE_EMBED: "/v2/embed", RERANK: "/rerank"}
PICTURE_TAILS = {IMAGES: "/images/generations"}
LAST_EVENTS = ("response.completed", "response.incomplete", "response.failed")


class Recording(recordings.Recording):
    """One request and its answer."""

    @property
    def prefix(self) -> str:
        """What stands in the path between the host and what the SDK appends."""
        tail = {**TAILS, **VECTOR_TAILS, **PICTURE_TAILS}[self.format]
        return self.path.removesuffix(tail) if tail else ""

    @property
    def asks_stream(self) -> bool:
        """Whether a stream was asked for, whatever was answered."""
        return self.is_stream or self.path.endswith(("/converse-stream", ":streamGenerateContent"))

    @property
    def is_empty(self) -> bool:
        """A whole answer that is none: recorded without its body."""
        return not self.is_stream and not self.body.strip()

    @functools.cached_property
    def frames(self) -> list[str]:
        """A stream of text as replay.py cuts it."""
        body = self.line["body"]
        separator = "\r\n\r\n" if "\r\n\r\n" in body else "\n\n"
        parts = body.split(separator)
        return [part + separator for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])

    @functools.cached_property
    def finish(self) -> int | None:
        """The frame with which the answer is whole: where the last choice has got its first finish reason."""
        first: dict[int, int] = {}
        for index, frame in enumerate(self.frames):
            for choice in finished(event(frame)):
                first.setdefault(choice, index)
        return max(first.values(), default=None)

    def upstream(self, root: str, mode: str = "") -> Upstream:
        """Where the recording is served; `mode` as replay.py reads it, for example `chunk=1`."""
        base = f"{root}/m/{mode}/c/{self.key}" if mode else f"{root}/c/{self.key}"
        return Upstream(self.format, base + self.prefix, self.model, self.provider)


def finished(data: dict) -> list[int]:
    """The choices that an event of a stream finishes."""
    if data.get("type") == "message_delta":
        return [0] if data["delta"].get("stop_reason") else []
    if data.get("type") in (*LAST_EVENTS, "message-end"):
        return [0]
    choices = [choice for choice in data.get("choices") or [] if choice.get("finish_reason")]
    candidates = [candidate for candidate in data.get("candidates") or [] if candidate.get("finishReason")]
    return [choice.get("index", 0) for choice in choices + candidates]


def event(frame: str) -> dict:
    """The JSON of one SSE frame; {} where it has none."""
    data = "".join(line[5:].strip() for line in frame.splitlines() if line.startswith("data:"))
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def load() -> tuple[Recording, ...]:
    """Every conversation, in the order of the files; () where the recordings are missing. Those without their request are
    left out."""
    return of_formats(tuple(TAILS))


def vectors() -> tuple[Recording, ...]:
    """Likewise, of what makes vectors or ranks documents."""
    return of_formats(tuple(VECTOR_TAILS))


@functools.cache
def pictures() -> tuple[Recording, ...]:
    """Likewise, of what draws pictures: no format that tests/formats reads."""
    found = []
    for file in sorted((SHARED / "fixtures").glob("*.jsonl")):
        for index, text in enumerate(file.read_text("utf-8").splitlines()):
            line = json.loads(text)
            if line["path"].endswith(PICTURE_TAILS[IMAGES]):
                line["headers"].setdefault("content-type", "application/json")
                found.append(Recording(f"{file.stem}-{index}", file.stem, IMAGES, line))
    return tuple(found)


@functools.cache
def of_formats(formats: tuple[str, ...]) -> tuple[Recording, ...]:
    found = []
    for one in recordings.load():
        if one.format in formats and one.request:
            # some recorders lost the header; no provider leaves it out
            one.line["headers"].setdefault("content-type", content_type(one))
            found.append(Recording(one.key, one.provider, one.format, one.line))
    return tuple(found)


def content_type(one: recordings.Recording) -> str:
    if not one.is_stream:
        return "application/json"
    return "application/vnd.amazon.eventstream" if one.format == BEDROCK else "text/event-stream"


def serve(folder: pathlib.Path, environment: dict[str, str] | None = None) -> tuple[Process, str]:
    """Starts replay.py over a copy in which every interaction has its own key; the process and its address."""
    copy = folder / "recordings"
    copy.mkdir()
    with (copy / "all.jsonl").open("w", encoding="utf-8") as out:
        for recording in load() + vectors() + pictures():
            out.write(json.dumps({**recording.line, "key": recording.key}) + "\n")
    port = free_port()
    command = [sys.executable, str(SHARED / "tools" / "replay.py"), "--port", str(port), str(copy)]
    process = Process("replay", command, folder, environment)
    process.wait_for(r"cassettes on", 20)
    return process, f"http://127.0.0.1:{port}"


def journal(root: str, case: Recording) -> list[dict]:
    """What was asked of a recording."""
    with urllib.request.urlopen(f"{root}/__journal/{case.key}") as answer:
        return json.load(answer)
