"""The official SDKs against aimock, a mock of providers written by others: tools, structured output, errors, and what
was sent upstream, by its journal. aimock refuses every key but ours, so an answer proves that ours was shown.

Each test runs against aimock's OpenAI and its Anthropic format: one of the two is translated.
"""

import json

import anthropic
import openai
import pydantic
import pytest

from aimock import HELLO, check_headers, journal, upstreams
from gateway import CLIENT_KEY, anthropic_client, openai_client
from snapshots import ANTHROPIC, OPENAI

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
OPENAI_TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "The weather", "parameters": WEATHER}}
]
ANTHROPIC_TOOLS = [{"name": "get_weather", "description": "The weather", "input_schema": WEATHER}]


class Person(pydantic.BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module")
def gateway(serve, mock):
    return serve(upstreams(mock))


@pytest.fixture
def sent(mock):
    """A function to what aimock was sent since the test began."""
    before = len(journal(mock))
    return lambda: journal(mock)[before:]


@pytest.fixture(params=["openai-mock", "anthropic-mock"])
def openai_to(request, gateway, direct):
    """(client, model) for an upstream of either format."""
    if direct and request.param != "openai-mock":
        pytest.skip("needs the sidecar")
    client = openai_client(
        gateway.base_url(OPENAI, request.param), gateway.key(), organization="org-leak", project="proj-leak"
    )
    return client, gateway.model(request.param)


@pytest.fixture(params=["anthropic-mock", "openai-mock"])
def anthropic_to(request, gateway, direct):
    if direct and request.param != "anthropic-mock":
        pytest.skip("needs the sidecar")
    return anthropic_client(gateway.base_url(ANTHROPIC, request.param), gateway.key()), gateway.model(request.param)


def test_mock_refuses_other_keys(mock):
    """What the other tests rest on."""
    with pytest.raises(openai.AuthenticationError):
        openai_client(f"{mock}/v1", CLIENT_KEY).chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hello"}]
        )


# === openai ===


def test_openai_answer(openai_to):
    client, model = openai_to
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hello"}])
    assert answer.choices[0].message.content == HELLO
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (12, 11, 23)


def test_openai_stream(openai_to):
    client, model = openai_to
    messages = [{"role": "user", "content": "hello"}]
    with client.chat.completions.stream(
        model=model, messages=messages, stream_options={"include_usage": True}
    ) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    assert final.choices[0].message.content == HELLO
    assert (final.usage.prompt_tokens, final.usage.completion_tokens) == (12, 11)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_openai_tool_loop(openai_to, streamed, sent):
    client, model = openai_to
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]

    def ask():
        if not streamed:
            return client.chat.completions.create(model=model, messages=messages, tools=OPENAI_TOOLS).choices[0]
        with client.chat.completions.stream(model=model, messages=messages, tools=OPENAI_TOOLS) as stream:
            for _ in stream:
                pass
            return stream.get_final_completion().choices[0]

    first = ask()
    assert first.finish_reason == "tool_calls"
    [call] = first.message.tool_calls
    assert (call.id, call.type, call.function.name) == ("call_weather_1", "function", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Paris", "days": 3}
    messages += [
        {
            "role": "assistant",
            "tool_calls": [call.model_dump(include={"id": True, "type": True, "function": {"name", "arguments"}})],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "22 degrees"},
    ]
    second = ask()
    assert (second.finish_reason, second.message.content) == ("stop", "It is 22 degrees in Paris.")
    body = sent()[-1]["body"]
    [tool] = body["tools"]
    assert (tool["function"]["name"], tool["function"]["parameters"]) == ("get_weather", WEATHER)


def test_openai_parse(gateway):
    client = openai_client(gateway.base_url(OPENAI, "openai-mock"), gateway.key())
    messages = [{"role": "user", "content": "extract"}]
    answer = client.chat.completions.parse(
        model=gateway.model("openai-mock"), messages=messages, response_format=Person
    )
    assert answer.choices[0].message.parsed == Person(name="Ada", age=36)


def test_openai_rate_limit(openai_to):
    client, model = openai_to
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "too many"}])
    assert caught.value.status_code == 429


def test_openai_refusal(openai_to):
    client, model = openai_to
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "refuse me"}])
    assert "No such parameter" in str(caught.value)


# === anthropic ===


def test_anthropic_answer(anthropic_to):
    client, model = anthropic_to
    answer = client.messages.create(model=model, max_tokens=99, messages=[{"role": "user", "content": "hello"}])
    assert [block.text for block in answer.content] == [HELLO]
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (12, 11)


def test_anthropic_stream(anthropic_to):
    client, model = anthropic_to
    with client.messages.stream(model=model, max_tokens=99, messages=[{"role": "user", "content": "hello"}]) as stream:
        assert "".join(stream.text_stream) == HELLO
        final = stream.get_final_message()
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 11)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_anthropic_tool_loop(anthropic_to, streamed, sent):
    client, model = anthropic_to
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]

    def ask():
        arguments = {"model": model, "max_tokens": 99, "messages": messages, "tools": ANTHROPIC_TOOLS}
        if not streamed:
            return client.messages.create(**arguments)
        with client.messages.stream(**arguments) as stream:
            return stream.get_final_message()

    first = ask()
    assert first.stop_reason == "tool_use"
    [use] = [block for block in first.content if block.type == "tool_use"]
    assert (use.id, use.name, use.input) == ("call_weather_1", "get_weather", {"city": "Paris", "days": 3})
    messages += [
        {"role": "assistant", "content": [use.model_dump(include={"type", "id", "name", "input"})]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "22 degrees"}]},
    ]
    second = ask()
    assert second.stop_reason == "end_turn"
    assert "".join(block.text for block in second.content) == "It is 22 degrees in Paris."
    [tool] = sent()[-1]["body"]["tools"]
    assert (tool["function"]["name"], tool["function"]["parameters"]) == ("get_weather", WEATHER)


def test_anthropic_rate_limit(anthropic_to):
    client, model = anthropic_to
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model=model, max_tokens=9, messages=[{"role": "user", "content": "too many"}])
    assert caught.value.status_code == 429


# === what was sent ===


def test_openai_request_upstream(gateway, openai_to, sent, direct):
    if direct:
        pytest.skip("needs the sidecar")
    client, model = openai_to
    leaks = {
        "x-leak": "leak",
        "cookie": "leak=1",
        "x-api-key": "leak",
        "x-forwarded-for": "10.9.9.9",
        "api-key": "leak",
    }
    client.chat.completions.create(
        model=model,
        messages=[{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}],
        max_tokens=7,
        temperature=0.25,
        stop=["END"],
        extra_headers=leaks,
    )
    [entry] = sent()
    native = model == "openai-mock"
    assert entry["path"] == ("/v1/chat/completions" if native else "/v1/messages")
    body = without_marks(entry["body"])
    assert body["model"] == ("gpt-4o" if native else "claude-mock")
    assert body["messages"] == [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}]
    assert (body["max_tokens"], body["temperature"]) == (7, 0.25)
    if native:
        assert set(body) == {"model", "messages", "max_tokens", "temperature", "stop"}
    check_headers(entry, "authorization" if native else "x-api-key")


def test_anthropic_request_upstream(gateway, anthropic_to, sent, direct):
    if direct:
        pytest.skip("needs the sidecar")
    client, model = anthropic_to
    client.messages.create(
        model=model,
        system="be kind",
        messages=[{"role": "user", "content": "hello"}],
        max_tokens=7,
        stop_sequences=["END"],
        extra_headers={"x-leak": "leak", "cookie": "leak=1"},
    )
    [entry] = sent()
    native = model == "anthropic-mock"
    assert entry["path"] == ("/v1/messages" if native else "/v1/chat/completions")
    body = without_marks(entry["body"])
    assert body["model"] == ("claude-mock" if native else "gpt-4o")
    assert body["messages"] == [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}]
    assert 7 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    check_headers(entry, "x-api-key" if native else "authorization")


def without_marks(body: dict) -> dict:
    """aimock notes every request in the OpenAI shape and adds marks of its own."""
    return {name: value for name, value in body.items() if not name.startswith("_")}
