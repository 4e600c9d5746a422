"""Applications of every SDK and framework, each on its own surface, with a provider of every format behind.

The provider is aimock, written by others: it takes no other key than ours, and its journal says what it was asked.
"""

import dataclasses
import json

import pytest

from aimock import HELLO, check_headers, journal, upstreams
from applications import APPLICATIONS as PYTHON_APPLICATIONS
from applications.application import TOOL, TOOL_RESULT, Person
from applications.node import NODE_APPLICATIONS, Node, NodeApplication
from gateway import CLIENT_KEY
from sdk_matrix import pins_failure
from snapshots import DIALECTS, EMBEDDINGS, KEY_HEADERS, Upstream
from test_application_faults import chain, statuses

APPLICATIONS = PYTHON_APPLICATIONS + NODE_APPLICATIONS
MODELS = ("openai-mock", "responses-mock", "anthropic-mock", "gemini-mock", "cohere-mock", "bedrock-mock")
EMBEDDER = "embedder"
# what a model of aimock answers -> its name
ERRORS = {429: "too-many", 400: "refuse-me"}

# what an application cannot read of a stream, and how it says so: (name, model; None is every model, ability) -> words
FAILS = {
    # aimock begins Bedrock's texts with an event that botocore refuses
    ("boto3", "bedrock-mock", "stream"): "ContentBlockStart must have one",
    ("boto3", "bedrock-mock", "weather"): "ContentBlockStart must have one",
    # the AI SDK refers to what was said by its id, which only a provider that keeps answers can look up (the sidecar refuses it),
    # and ends with what it has; the mock of Cohere says something before it calls when it streams
    ("ai-openai", "cohere-mock", "weather"): "I will use",
}


def fails(name: str, model: str, ability: str) -> str | None:
    """The words of the failure of a stream; None where it succeeds."""
    return FAILS.get((name, model, ability)) or FAILS.get((name, None, ability))


@pytest.fixture(scope="module")
def gateway(serve, mock, direct):
    if direct:
        pytest.skip("needs the sidecar")
    errors = {
        f"{name}-{status}": [dataclasses.replace(upstream, model=model)]
        for name, [upstream] in upstreams(mock).items()
        for status, model in ERRORS.items()
    }
    embedder = Upstream(EMBEDDINGS, f"{mock}/v1", "text-embedding-3-small")
    return serve({**upstreams(mock), **errors, EMBEDDER: [embedder]})


@pytest.fixture(scope="module")
def applications(gateway, node_launcher, node_packages, folder):
    """By name; each is made once, as an application makes its client."""
    NodeApplication.node = Node(node_launcher, node_packages, folder)
    yield {kind.name: kind(f"http://{gateway.llm}{kind.prefix}", CLIENT_KEY) for kind in APPLICATIONS}
    NodeApplication.node.stop()


@pytest.fixture
def sent(mock):
    before = len(journal(mock))
    return lambda: journal(mock)[before:]


def able(ability: str) -> list[str]:
    return [kind.name for kind in APPLICATIONS if getattr(kind, ability) is not None]


def matrix(ability: str):
    def mark(test):
        test = pytest.mark.parametrize("model", MODELS)(test)
        return pytest.mark.parametrize("name", able(ability))(test)

    return mark


@matrix("hello")
def test_answer(name, model, applications, mock, sent):
    said = applications[name].hello(model)
    assert said.text == HELLO
    assert (said.input_tokens, said.output_tokens) == (12, 11)
    check_sent(sent(), mock, model)


@matrix("stream")
def test_stream(request, name, model, applications, mock, sent):
    why = fails(name, model, "stream")
    if why is not None:
        pins_failure(request.node)
        with pytest.raises(Exception, match=why):
            applications[name].stream(model)
        return
    pieces = applications[name].stream(model)
    assert "".join(pieces) == HELLO
    assert len(pieces) > 1, "in pieces, not at once"
    check_sent(sent(), mock, model)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@matrix("weather")
def test_tool_loop(request, name, model, streamed, applications, mock, sent):
    why = fails(name, model, "weather") if streamed else None
    if why is None:
        tool_loop(name, model, streamed, applications, mock, sent)
        return
    pins_failure(request.node)
    with pytest.raises(Exception, match=why):
        tool_loop(name, model, streamed, applications, mock, sent)


def tool_loop(name, model, streamed, applications, mock, sent):
    called = applications[name].weather(model, streamed)
    assert (called.name, called.arguments) == (TOOL, {"city": "Paris", "days": 3})
    assert called.text == "It is 22 degrees in Paris."
    first, second = check_sent(sent(), mock, model, 2)
    assert [tool["function"]["name"] for tool in first["tools"]] == [TOOL]
    if model != "gemini-mock":
        # there, aimock does not note a JSON schema
        assert set(first["tools"][0]["function"]["parameters"]["properties"]) == {"city", "days"}
    roles = [message["role"] for message in second["messages"] if message["role"] != "system"]
    assert roles == ["user", "assistant", "tool"]
    result = next(message for message in second["messages"] if message["role"] == "tool")
    assert TOOL_RESULT in json.dumps(result["content"])


@matrix("extract")
def test_structured_output(name, model, applications, mock, sent):
    # some give a class of their own that is made of it
    extracted = applications[name].extract(model)
    assert isinstance(extracted, Person)
    assert extracted.model_dump() == {"name": "Ada", "age": 36}
    check_sent(sent(), mock, model)


@pytest.mark.parametrize("name", able("embed"))
def test_embeddings(name, applications, sent):
    first, second = applications[name].embed(EMBEDDER)
    assert len(first) == len(second) > 100 and first != second
    assert all(isinstance(number, (int, float)) for number in first)
    [entry] = sent()
    assert entry["path"] == "/v1/embeddings"
    check_headers(entry, "authorization")
    assert entry["body"]["model"] == "text-embedding-3-small"


@pytest.mark.parametrize("status", ERRORS)
@matrix("extract")
def test_error(name, model, status, applications, sent):
    """The status comes through, and so do the words of who refused."""
    application = applications[name]
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of each its own
        (application.hello or application.extract)(f"{model}-{status}")
    assert status in statuses(caught.value), repr(caught.value)
    # aimock tells errors of Bedrock in another's shape
    if status == 400 and model != "bedrock-mock":
        assert any("No such parameter" in str(one) for one in chain(caught.value)), repr(caught.value)
    assert len(sent()) == 1, "asked once"


def check_sent(entries: list[dict], mock: str, model: str, times: int = 1) -> list[dict]:
    """The provider was asked so often, at its own path, with our key and nothing of the client's; the bodies."""
    [upstream] = upstreams(mock)[model]
    dialect = DIALECTS[upstream.format]
    base = upstream.base_url.removeprefix(mock)
    paths = {
        base + dialect[name].replace("{model}", upstream.model) for name in ("path", "streamPath") if name in dialect
    }
    assert len(entries) == times, [entry["path"] for entry in entries]
    for entry in entries:
        assert entry["path"] in paths
        check_headers(entry, KEY_HEADERS[dialect["auth"]])
    return [entry["body"] for entry in entries]
