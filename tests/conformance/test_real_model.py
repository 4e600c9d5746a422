"""The applications against a real language model, the quickstart's, in its OpenAI and in its Anthropic format.

The model is small: what it says is not judged, only that it says the same whole and in a stream, that a call is one, and that an
object has the asked form.
"""

import re

import openai
import pytest

from applications import APPLICATIONS as PYTHON_APPLICATIONS
from applications.application import TOOL, Person
from applications.node import NODE_APPLICATIONS, Node, NodeApplication, NodeError
from applications.openai_sdk import OpenAi
from gateway import CLIENT_KEY
from sdk_matrix import pins_failure
from snapshots import ANTHROPIC, OPENAI, Upstream

APPLICATIONS = PYTHON_APPLICATIONS + NODE_APPLICATIONS
# as many as the server gives unless asked otherwise
TOKENS = 40
MODELS = ("openai-model", "anthropic-model")
# what an application says of an answer without a call, where it wanted one, or of one that was cut at the limit
NO_CALL = re.compile(
    r"not enough values to unpack|0 of what is one|'tool_calls'|at least one tool call|reading 'length'"
    r"|length limit was reached"
)
# they ask for an object by a tool: whether it calls one is the model's wit
BY_TOOL = ("pydantic-ai", "pydantic-ai-responses", "instructor", "instructor-anthropic", "langchain-anthropic", "ai-anthropic")


@pytest.fixture(scope="module")
def gateway(serve, short_model_server, direct):
    if direct:
        pytest.skip("needs the sidecar")
    running = serve(
        {
            "openai-model": [Upstream(OPENAI, f"{short_model_server}/v1", "smollm2-135m")],
            "anthropic-model": [Upstream(ANTHROPIC, short_model_server, "smollm2-135m", most=TOKENS)],
        }
    )
    yield running
    # what an application made of an answer without a call was an answer, and no fault; some leave after the finish reason
    ended = running.outcomes()
    assert ended["complete"] > 0 and ended.keys() <= {"complete", "cancelled"}, ended


@pytest.fixture(scope="module")
def applications(gateway, node_launcher, node_packages, tmp_path_factory):
    NodeApplication.node = Node(node_launcher, node_packages, tmp_path_factory.mktemp("node"))
    yield {kind.name: kind(f"http://{gateway.llm}{kind.prefix}", CLIENT_KEY) for kind in APPLICATIONS}
    NodeApplication.node.stop()


def matrix(ability: str):
    names = [kind.name for kind in APPLICATIONS if getattr(kind, ability) is not None]

    def mark(test):
        test = pytest.mark.parametrize("model", MODELS)(test)
        return pytest.mark.parametrize("name", names)(test)

    return mark


@pytest.fixture(scope="module")
def said(short_model_server):
    """What the model answers to everybody, asked without a sidecar."""
    return OpenAi(f"{short_model_server}/v1", CLIENT_KEY).hello("smollm2-135m")


@matrix("hello")
def test_answer(name, model, applications, said):
    assert applications[name].hello(model) == said


@matrix("stream")
def test_stream(name, model, applications, said):
    pieces = applications[name].stream(model)
    assert "".join(pieces) == said.text
    assert len(pieces) > 2, "in pieces, not at once"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@matrix("weather")
def test_tools_offered(request, name, model, streamed, applications):
    """Either it calls the tool that it was offered and speaks again, or it answers at once, as this model mostly does.

    Without a call it shows only that such an answer comes through, and counts for nothing.
    """
    try:
        called = applications[name].weather(model, streamed)
    except (ValueError, KeyError, RuntimeError, NodeError, openai.LengthFinishReasonError) as error:
        assert NO_CALL.search(str(error)), error
        # an answer that can be read, and no loop
        pins_failure(request.node)
    else:
        assert called.name == TOOL and isinstance(called.arguments, dict)


@pytest.mark.parametrize("name", [kind.name for kind in APPLICATIONS if kind.name not in BY_TOOL])
def test_structured_output(name, applications):
    """In its OpenAI format alone the model server keeps to a schema."""
    assert isinstance(applications[name].extract("openai-model"), Person)
