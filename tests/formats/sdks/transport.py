"""A reply that every SDK is given instead of a network."""

import contextlib
import dataclasses
from collections.abc import Iterator

import httpx
import httpx2

STREAM_TYPES = {"bedrock.converse": "application/vnd.amazon.eventstream", "ollama.chat": "application/x-ndjson"}
# they describe the body as it was on the recorded wire, before it was decoded
TRANSFER = ("content-length", "content-encoding", "transfer-encoding", "connection")


@dataclasses.dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    body: bytes
    stream: bool = False
    status: int = 200
    headers: dict = dataclasses.field(default_factory=dict)

    def all_headers(self, stream_type: str = "text/event-stream") -> dict:
        kept = {name.lower(): value for name, value in self.headers.items() if name.lower() not in TRANSFER}
        is_stream = self.stream and self.status < 400
        return {**kept, "content-type": stream_type if is_stream else "application/json"}


class SdkError(Exception):
    """The SDK raised for this reply: its own exception, with what it knows of the error."""

    def __init__(self, raised: Exception, status: int | None):
        super().__init__(f"{type(raised).__name__}: {raised}")
        self.raised, self.status = raised, status


class Slot:
    """Holds the reply that the next request gets, whatever it asks; a client is made once and used for all."""

    def __init__(self):
        self.reply: Reply | None = None

    @contextlib.contextmanager
    def holding(self, reply: Reply, *errors: type[Exception]) -> Iterator[None]:
        """`errors`: what of the SDK's exceptions means that the reply is no answer."""
        self.reply = reply
        try:
            yield
        except errors as raised:
            status = next(filter(None, (getattr(raised, name, None) for name in ("status_code", "http_status", "code"))), None)
            raise SdkError(raised, status if isinstance(status, int) else None) from raised

    def httpx(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(lambda _: self.respond(httpx)))

    def httpx2(self) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(lambda _: self.respond(httpx2)))

    def respond(self, library):
        return library.Response(self.reply.status, headers=self.reply.all_headers(), content=self.reply.body)
