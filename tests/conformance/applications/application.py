"""What every small application can do, whatever SDK or framework it is written with, and what it asks."""

import abc
import dataclasses
import json
from collections.abc import Callable

import pydantic

HELLO = "hello"
WEATHER = "What is the weather in Paris?"
EXTRACT = "extract"
# what vectors are made of
TEXTS = ["one", "two"]
SECONDS = 30
MAX_TOKENS = 99

TOOL = "get_weather"
TOOL_DESCRIPTION = "The weather"
TOOL_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
TOOL_RESULT = "22 degrees"


class Person(pydantic.BaseModel):
    name: str
    age: int


@dataclasses.dataclass
class Said:
    """An answer, as far as the SDK or the framework shows it."""

    text: str
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclasses.dataclass
class Called:
    """What a model wanted called, and what it said after it got the result."""

    name: str
    arguments: dict
    text: str


class Application(abc.ABC):
    """Written as the documentation of its SDK shows it; repeats nothing."""

    # of test cases
    name: str
    # of the surface that its SDK calls, below the sidecar's root
    prefix: str
    # how long it waits for anything
    seconds: float = SECONDS

    # the vectors of TEXTS by the model of this name; None where the SDK makes none
    embed: Callable[[str], list[list[float]]] | None = None

    def __init__(self, url: str, key: str):
        self.url, self.key = url, key

    @abc.abstractmethod
    def hello(self, model: str) -> Said:
        """Asks HELLO."""

    @abc.abstractmethod
    def stream(self, model: str) -> list[str]:
        """Asks HELLO; the pieces of the text as they came."""

    @abc.abstractmethod
    def abandon(self, model: str) -> object:
        """Asks HELLO for a stream, and gives up after its first piece."""

    @abc.abstractmethod
    def weather(self, model: str, stream: bool) -> Called:
        """Asks WEATHER with a tool, runs it, and asks again with its result."""

    @abc.abstractmethod
    def extract(self, model: str) -> Person:
        """Asks EXTRACT for a `Person`."""


def one(calls: list):
    [call] = calls
    return call


def person(text: str) -> Person:
    return Person.model_validate(json.loads(text))
