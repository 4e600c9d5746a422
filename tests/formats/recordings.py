"""Recorded provider traffic, one interaction a case. It is no part of this repository: it stands in `shared` beside it."""

import base64
import dataclasses
import functools
import json
import pathlib

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
MISSING = f"{SHARED} is not there: recorded traffic cannot be read"

# the end of an address, without its query -> its format; the first that fits
PATHS = {
    "/chat/completions": "openai.chat",
    "/completions": "openai.completions",
    "/responses": "openai.responses",
    "/embeddings": "openai.embeddings",
    "/v1/messages": "anthropic.messages",
    ":generateContent": "gemini.generate_content",
    ":streamGenerateContent": "gemini.generate_content",
    ":embedContent": "gemini.embed",
    ":batchEmbedContents": "gemini.embed",
    ":predict": "gemini.embed",
    "/converse": "bedrock.converse",
    "/converse-stream": "bedrock.converse",
    "/v2/chat": "cohere.chat",
    "/v2/embed": "cohere.embed",
    "/v2/rerank": "cohere.rerank",
    "api.voyageai.com/v1/rerank": "voyage.rerank",
    "/v1/rerank": "cohere.rerank",
}
# interfaces that are no format of ours: the end of a path -> why
OUTSIDE = {
    "/invoke": "Bedrock's old interface, a format of each model's own",
    "/invoke-with-response-stream": "Bedrock's old interface, a format of each model's own",
    "/count-tokens": "counts, generates nothing",
    "/count_tokens": "counts, generates nothing",
    ":countTokens": "counts, generates nothing",
    "/v1/chat": "Cohere's old interface",
    "/images/generations": "images",
    "/models": "a list of models",
    "/messages": "OpenAI's threads, not Anthropic's messages",
}


@dataclasses.dataclass(frozen=True)
class Recording:
    """One request and its answer."""

    # of the suite: the provider and the line of its file, from 0
    key: str
    provider: str
    format: str
    line: dict = dataclasses.field(repr=False, compare=False)
    # known to be no whole answer
    is_broken: bool = False

    @functools.cached_property
    def request(self) -> dict:
        """{} where it was recorded in part."""
        request = self.line["req"]
        return request if isinstance(request, dict) else {}

    @property
    def path(self) -> str:
        return self.line["path"]

    @property
    def status(self) -> int:
        return self.line["status"]

    @functools.cached_property
    def body(self) -> bytes:
        if "body_b64" in self.line:
            return base64.b64decode(self.line["body_b64"])
        return self.line["body"].encode()

    @functools.cached_property
    def is_stream(self) -> bool:
        """By what was answered: some recorders lost the header."""
        if "body_b64" in self.line:
            return True
        return self.body.lstrip().startswith((b"data:", b"event:", b":", b"["))

    @property
    def is_error(self) -> bool:
        return self.status >= 400

    @property
    def model(self) -> str:
        """As asked for, in the body or in the path."""
        asked = self.request.get("model")
        return asked or self.path.rsplit("/", 1)[1].split(":")[0] if ":" in self.path else asked or "model"


@functools.cache
def load() -> tuple[Recording, ...]:
    """Every interaction in a format of ours, in the order of the files; () where the recordings are missing."""
    if not SHARED.is_dir():
        return ()
    files = sorted((SHARED / "fixtures").glob("*.jsonl"))
    return tuple(recording for file in files for recording in of_file(file))


def of_file(file: pathlib.Path):
    for index, text in enumerate(file.read_text("utf-8").splitlines()):
        line = json.loads(text)
        format = format_of(line)
        if format is not None:
            yield Recording(f"{file.stem}-{index}", file.stem, format, line)


def format_of(line: dict) -> str | None:
    """The format of an interaction; None for what is outside. A path that nobody has thought of is an error."""
    path = line["path"]
    if line["method"] == "POST" and "/threads/" not in path:
        for end, format in PATHS.items():
            if (line["host"] + path).endswith(end):
                return format
    assert any(path.endswith(end) for end in OUTSIDE), f"{line['method']} {path} is in neither table of {__name__}"
    return None
