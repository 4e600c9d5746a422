"""What an SDK made of one call: the parsed answer, the parsed pieces of a stream, or the exception, as plain data."""

import dataclasses
from typing import Any

import anthropic
import openai
from anthropic.types import Message, RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from snapshots import ANTHROPIC, OPENAI


@dataclasses.dataclass
class Outcome:
    """`pieces` holds one answer, or every event of a stream until its end or `error`."""

    pieces: list[dict]
    error: Exception | None = None

    @property
    def raised(self) -> dict | None:
        """The error as an application sees it: class, status, and what the provider said of message, type and code."""
        if self.error is None:
            return None
        body = getattr(self.error, "body", None)
        said = body.get("error", body) if isinstance(body, dict) else {}
        shown = {name: str(said[name]) for name in ("message", "type", "code") if said.get(name) is not None}
        return {"class": type(self.error).__name__, "status": getattr(self.error, "status_code", None), **shown}

    def raises_like(self, other: "Outcome") -> bool:
        """Whether it raised what `other` raised; of a field that `other` left out, it may say something."""
        mine, theirs = self.raised, other.raised
        if mine is None or theirs is None:
            return mine is theirs
        return theirs.items() <= mine.items()


def call(format: str, client: openai.OpenAI | anthropic.Anthropic, body: dict) -> Outcome:
    """Sends `body` as it is and reads everything that comes back, by the SDK's own decoders."""
    pieces: list[dict] = []
    try:
        answer = {OPENAI: post_openai, ANTHROPIC: post_anthropic}[format](client, body)
        for piece in answer if body.get("stream") else [answer]:
            pieces.append(plain(piece))
    except (openai.APIError, anthropic.APIError) as error:
        return Outcome(pieces, error)
    return Outcome(pieces)


def post_openai(client: openai.OpenAI, body: dict) -> Any:
    if body.get("stream"):
        stream = openai.Stream[ChatCompletionChunk]
        return client.post("/chat/completions", body=body, cast_to=ChatCompletionChunk, stream=True, stream_cls=stream)
    return client.post("/chat/completions", body=body, cast_to=ChatCompletion)


def post_anthropic(client: anthropic.Anthropic, body: dict) -> Any:
    if body.get("stream"):
        stream = anthropic.Stream[RawMessageStreamEvent]
        return client.post("/v1/messages", body=body, cast_to=Message, stream=True, stream_cls=stream)
    return client.post("/v1/messages", body=body, cast_to=Message)


def plain(piece: Any) -> dict:
    return piece.model_dump(mode="json", exclude_unset=True, warnings=False)
