"""The models of a pod, as the SDKs list them, and one of them by name."""

import anthropic
import cohere
import groq
import openai
import pytest
from google import genai
from google.genai import types
from mistralai.client import Mistral
from mistralai.client.errors import SDKError

from gateway import CLIENT_KEY
from snapshots import ANTHROPIC, OPENAI, Upstream

NAMES = {"first-model", "second/model"}


@pytest.fixture(scope="module")
def root(serve, direct):
    """Of a sidecar whose providers nobody asks."""
    if direct:
        pytest.skip("needs the sidecar")
    nowhere = "http://127.0.0.1:9"
    formats = dict(zip(sorted(NAMES), (OPENAI, ANTHROPIC), strict=True))
    running = serve({name: [Upstream(format, nowhere, "m")] for name, format in formats.items()})
    return f"http://{running.llm}"


@pytest.mark.parametrize("prefix", ["/v1", "/openai/v1"])
def test_openai(root, prefix):
    models = openai.OpenAI(base_url=f"{root}{prefix}", api_key=CLIENT_KEY).models
    assert {model.id for model in models.list()} == NAMES
    for name in NAMES:
        assert models.retrieve(name).id == name
    with pytest.raises(openai.NotFoundError):
        models.retrieve("nobody")


def test_groq(root):
    models = groq.Groq(base_url=root, api_key=CLIENT_KEY).models
    assert {model.id for model in models.list().data} == NAMES


@pytest.mark.parametrize("prefix", ["", "/anthropic"])
def test_anthropic(root, prefix):
    models = anthropic.Anthropic(base_url=f"{root}{prefix}", api_key=CLIENT_KEY).models
    listed = list(models.list())
    assert {model.id for model in listed} == NAMES
    assert {model.type for model in listed} == {"model"}
    for name in NAMES:
        assert models.retrieve(name).id == name
    with pytest.raises(anthropic.NotFoundError):
        models.retrieve("nobody")


def test_google(root):
    client = genai.Client(api_key=CLIENT_KEY, http_options=types.HttpOptions(base_url=f"{root}/gemini"))
    assert {model.name for model in client.models.list()} == {f"models/{name}" for name in NAMES}
    for name in NAMES:
        assert client.models.get(model=f"models/{name}").name == f"models/{name}"
    with pytest.raises(genai.errors.ClientError) as caught:
        client.models.get(model="models/nobody")
    assert caught.value.code == 404


def test_mistral(root):
    models = Mistral(api_key=CLIENT_KEY, server_url=f"{root}/mistral").models
    listed = models.list().data
    assert {model.id for model in listed} == NAMES
    assert {model.type for model in listed} == {"base"}
    assert all(model.capabilities.completion_chat for model in listed)
    for name in NAMES:
        assert models.retrieve(model_id=name).id == name
    with pytest.raises(SDKError) as caught:
        models.retrieve(model_id="nobody")
    assert caught.value.status_code == 404


def test_cohere(root):
    models = cohere.ClientV2(api_key=CLIENT_KEY, base_url=f"{root}/cohere").models
    assert {model.name for model in models.list().models} == NAMES
    assert models.get("first-model").name == "first-model"
    with pytest.raises(cohere.NotFoundError):
        models.get("nobody")
