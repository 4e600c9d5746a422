"""What every SDK can do here, and what came of one call: its objects, or its exception."""

import abc
import contextlib
import dataclasses
import functools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from answers import Answer

CALL_SECONDS = 60


class Sdk(abc.ABC):
    """One official SDK. A body is a request as its format has it on the wire, without what the path says."""

    # of test cases
    name: str
    format: str
    # of its surface below the sidecar's root, as the SDK is given it
    prefix: str
    # what of its exceptions means that the server gave no answer
    errors: tuple[type[Exception], ...]
    # whether it takes bodies as they are; else those that it cannot say raise in it before anything is sent
    is_raw = False

    @abc.abstractmethod
    def make(self, url: str, key: str, seconds: float) -> Any:
        """A client that repeats nothing."""

    @abc.abstractmethod
    def ask(self, client: Any, model: str, body: dict, stream: bool) -> Iterable[Any]:
        """The SDK's objects: one for a whole answer, one for each piece of a stream."""

    @abc.abstractmethod
    def question(self, text: str, stream: bool) -> dict:
        """The body that says just that."""

    @abc.abstractmethod
    def read(self, objects: list, stream: bool) -> Answer:
        """What an application gets out of them."""

    def direct_url(self, base_url: str) -> str:
        """What the SDK is given to reach an upstream of this base URL, which other SDKs of the format are given."""
        return base_url

    def plain(self, piece: Any) -> dict:
        """As data that can be compared."""
        return piece.model_dump(mode="json", exclude_unset=True, warnings=False)

    def status(self, error: Exception) -> int | None:
        """The status that the exception tells of."""
        return getattr(error, "status_code", None)

    def said(self, error: Exception) -> dict:
        """What the exception shows of the server's message, type and code."""
        body = getattr(error, "body", None)
        if isinstance(body, str):
            try:
                body = json.loads(body)
            except ValueError:
                return {"message": body}
        said = body.get("error", body) if isinstance(body, dict) else {}
        said = said if isinstance(said, dict) else {"message": said}
        return {name: str(said[name]) for name in ("message", "type", "code") if said.get(name) is not None}

    @functools.lru_cache(maxsize=8)
    def client(self, url: str, key: str, seconds: float = CALL_SECONDS) -> Any:
        """As `make`; the same for the same server, for some take long to make."""
        return self.make(url, key, seconds)


@dataclasses.dataclass
class Outcome:
    """`objects` holds one answer, or every piece of a stream until its end or `error`."""

    sdk: Sdk
    objects: list
    error: Exception | None = None

    @functools.cached_property
    def pieces(self) -> list[dict]:
        return [self.sdk.plain(one) for one in self.objects]

    @property
    def raised(self) -> dict | None:
        """The error as an application sees it: class, status, and what the provider said of message, type and code."""
        if self.error is None:
            return None
        shown = {"class": type(self.error).__name__, "status": self.sdk.status(self.error)}
        return {**shown, **self.sdk.said(self.error)}

    def raises_like(self, other: "Outcome") -> bool:
        """Whether it raised what `other` raised; of a field that `other` left out, it may say something."""
        if self.error is None or other.error is None:
            return self.error is other.error
        mine, theirs = (set(one.raised.items()) - {("class", one.raised["class"])} for one in (self, other))
        return isinstance(self.error, type(other.error)) and theirs <= mine


def call(sdk: Sdk, client: Any, model: str, body: dict, stream: bool) -> Outcome:
    """Sends `body` and reads everything that comes back, by the SDK's own decoders."""
    objects: list = []
    try:
        with closing(sdk.ask(client, model, body, stream)) as answer:
            for one in answer:
                objects.append(one)
    except sdk.errors as error:
        # what the frames hold would be collected at any time, even inside the client's own lock
        return Outcome(sdk, objects, error.with_traceback(None))
    return Outcome(sdk, objects)


@contextlib.contextmanager
def closing(answer: Iterable[Any]) -> Iterator[Iterable[Any]]:
    """Closes a stream, which lets its connection go."""
    try:
        yield answer
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
