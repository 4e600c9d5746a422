"""The official SDKs against a real language model: same text and same usage through the sidecar as directly.

The model is the quickstart's, at temperature 0 and without prompt cache, so that the same question has the same answer.
Each test runs against the model server's OpenAI format and against its Anthropic format: one of the two is translated.
"""

import asyncio
import functools
import time

import anthropic
import openai
import pydantic
import pytest

from gateway import CALL_SECONDS, CLIENT_KEY, anthropic_client, openai_client
from snapshots import ANTHROPIC, OPENAI, Upstream

SHORT = "What is 2 + 2?"
QUESTIONS = ("What is Kubernetes?", "Name three colours.", 'Repeat: "ünïcödé 😀 \\n"', SHORT)
TOKENS = 24
SYSTEM = "Answer briefly."


class Person(pydantic.BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module")
def routes(model_server):
    return {
        "openai-model": [Upstream(OPENAI, f"{model_server}/v1", "smollm2-135m")],
        "anthropic-model": [Upstream(ANTHROPIC, model_server, "smollm2-135m")],
    }


@pytest.fixture(scope="module")
def gateway(serve, routes):
    return serve(routes)


@pytest.fixture(scope="module")
def reference(model_server):
    """A function from a question to (text, finish reason, input tokens, output tokens), asked of the model directly."""

    @functools.cache
    def ask(question: str):
        answer = openai_client(f"{model_server}/v1").chat.completions.create(
            model="smollm2-135m", messages=openai_messages(question), temperature=0, max_tokens=TOKENS
        )
        return of_completion(answer)

    return ask


@pytest.fixture(params=["openai-model", "anthropic-model"])
def openai_model(request, direct):
    if direct and request.param != "openai-model":
        pytest.skip("needs the sidecar")
    return request.param


@pytest.fixture(params=["anthropic-model", "openai-model"])
def anthropic_model(request, direct):
    if direct and request.param != "anthropic-model":
        pytest.skip("needs the sidecar")
    return request.param


def openai_messages(question: str) -> list[dict]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]


def openai_arguments(gateway, name: str, question: str) -> dict:
    return {"model": gateway.model(name), "messages": openai_messages(question), "temperature": 0, "max_tokens": TOKENS}


def anthropic_arguments(gateway, name: str, question: str) -> dict:
    messages = [{"role": "user", "content": question}]
    # the SDK's types have no temperature any more
    return {
        "model": gateway.model(name),
        "system": SYSTEM,
        "messages": messages,
        "max_tokens": TOKENS,
        "extra_body": {"temperature": 0},
    }


def of_completion(answer) -> tuple:
    choice = answer.choices[0]
    return choice.message.content, choice.finish_reason, answer.usage.prompt_tokens, answer.usage.completion_tokens


def of_message(answer) -> tuple:
    text = "".join(block.text for block in answer.content)
    finish = {"end_turn": "stop", "max_tokens": "length"}[answer.stop_reason]
    return text, finish, answer.usage.input_tokens, answer.usage.output_tokens


# === openai ===


@pytest.mark.parametrize("question", QUESTIONS)
def test_openai_sync(gateway, reference, openai_model, question):
    client = openai_client(gateway.base_url(OPENAI, openai_model))
    answer = client.chat.completions.create(**openai_arguments(gateway, openai_model, question))
    assert of_completion(answer) == reference(question)
    assert answer.choices[0].message.role == "assistant"
    assert answer.object == "chat.completion"


def test_openai_async_and_concurrent(gateway, reference, openai_model):
    async def ask_all():
        base_url = gateway.base_url(OPENAI, openai_model)
        async with openai.AsyncOpenAI(
            base_url=base_url, api_key=CLIENT_KEY, max_retries=0, timeout=CALL_SECONDS
        ) as client:
            calls = [client.chat.completions.create(**openai_arguments(gateway, openai_model, q)) for q in QUESTIONS]
            return await asyncio.gather(*calls)

    answers = asyncio.run(ask_all())
    # two requests in one batch may differ in the last bits, and so in the text; the prompt's length may not
    assert [of_completion(answer)[2] for answer in answers] == [reference(question)[2] for question in QUESTIONS]
    assert all(of_completion(answer)[0] for answer in answers)


@pytest.mark.parametrize("question", QUESTIONS)
def test_openai_stream(gateway, reference, openai_model, question):
    client = openai_client(gateway.base_url(OPENAI, openai_model))
    arguments = openai_arguments(gateway, openai_model, question)
    chunks = list(client.chat.completions.create(**arguments, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    finish = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    usage = [chunk.usage for chunk in chunks if chunk.usage]
    assert (text, finish[0], usage[0].prompt_tokens, usage[0].completion_tokens) == reference(question)
    assert len(finish) == len(usage) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len(chunks) > 4, "in pieces, not at once"


def test_openai_stream_without_usage_has_none(gateway, openai_model):
    client = openai_client(gateway.base_url(OPENAI, openai_model))
    chunks = list(client.chat.completions.create(**openai_arguments(gateway, openai_model, QUESTIONS[0]), stream=True))
    assert all(chunk.choices and not chunk.usage for chunk in chunks)


def test_openai_stream_helper(gateway, reference, openai_model):
    client = openai_client(gateway.base_url(OPENAI, openai_model))
    # the helper refuses an answer that was cut by max_tokens; this one is short
    arguments = openai_arguments(gateway, openai_model, SHORT)
    with client.chat.completions.stream(**arguments, stream_options={"include_usage": True}) as stream:
        for _ in stream:
            pass
        assert of_completion(stream.get_final_completion()) == reference(SHORT)


def test_openai_async_stream(gateway, reference, openai_model):
    async def ask():
        base_url = gateway.base_url(OPENAI, openai_model)
        async with openai.AsyncOpenAI(
            base_url=base_url, api_key=CLIENT_KEY, max_retries=0, timeout=CALL_SECONDS
        ) as client:
            arguments = openai_arguments(gateway, openai_model, QUESTIONS[0])
            stream = await client.chat.completions.create(**arguments, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(ask()) == reference(QUESTIONS[0])[0]


def test_openai_parse(gateway):
    client = openai_client(gateway.base_url(OPENAI, "openai-model"))
    answer = client.chat.completions.parse(
        model=gateway.model("openai-model"),
        messages=[{"role": "user", "content": "Ada is 36 years old. Extract."}],
        response_format=Person,
        temperature=0,
        max_tokens=60,
    )
    assert answer.choices[0].message.parsed == Person(name="Ada", age=36)


def test_openai_first_piece_comes_early(gateway, openai_model):
    """A stream is passed on as it comes, not gathered."""
    client = openai_client(gateway.base_url(OPENAI, openai_model))
    arguments = {**openai_arguments(gateway, openai_model, QUESTIONS[0]), "max_tokens": 120}
    started = time.monotonic()
    arrivals = [time.monotonic() - started for chunk in client.chat.completions.create(**arguments, stream=True)]
    assert arrivals[1] < 0.7 * arrivals[-1], arrivals


# === anthropic ===


@pytest.mark.parametrize("question", QUESTIONS)
def test_anthropic_sync(gateway, reference, anthropic_model, question):
    client = anthropic_client(gateway.base_url(ANTHROPIC, anthropic_model))
    answer = client.messages.create(**anthropic_arguments(gateway, anthropic_model, question))
    assert of_message(answer) == reference(question)
    assert (answer.type, answer.role) == ("message", "assistant")


def test_anthropic_async(gateway, reference, anthropic_model):
    async def ask():
        base_url = gateway.base_url(ANTHROPIC, anthropic_model)
        options = {"api_key": CLIENT_KEY, "max_retries": 0, "timeout": CALL_SECONDS}
        async with anthropic.AsyncAnthropic(base_url=base_url, **options) as client:
            return await client.messages.create(**anthropic_arguments(gateway, anthropic_model, QUESTIONS[0]))

    assert of_message(asyncio.run(ask())) == reference(QUESTIONS[0])


@pytest.mark.parametrize("question", QUESTIONS)
def test_anthropic_stream(gateway, reference, anthropic_model, question):
    client = anthropic_client(gateway.base_url(ANTHROPIC, anthropic_model))
    with client.messages.stream(**anthropic_arguments(gateway, anthropic_model, question)) as stream:
        text = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(text) == reference(question)[0]
    assert of_message(final) == reference(question)
    assert len(text) > 4, "in pieces, not at once"


def test_anthropic_raw_stream(gateway, anthropic_model):
    client = anthropic_client(gateway.base_url(ANTHROPIC, anthropic_model))
    arguments = anthropic_arguments(gateway, anthropic_model, QUESTIONS[0])
    types = [event.type for event in client.messages.create(**arguments, stream=True)]
    assert types[:2] == ["message_start", "content_block_start"]
    assert set(types[2:-3]) == {"content_block_delta"}
    assert types[-3:] == ["content_block_stop", "message_delta", "message_stop"]


# === both ===


def test_models_are_listed(gateway, direct):
    if direct:
        pytest.skip("needs the sidecar")
    listed = {model.id for model in openai_client(gateway.base_url(OPENAI, "openai-model")).models.list()}
    assert listed == {"openai-model", "anthropic-model"}


def test_prefixes_serve_the_same(gateway, reference, direct):
    """One port for every SDK: the format's own prefix works like the bare path."""
    if direct:
        pytest.skip("needs the sidecar")
    arguments = openai_arguments(gateway, "openai-model", QUESTIONS[0])
    answer = openai_client(f"http://{gateway.llm}/openai/v1").chat.completions.create(**arguments)
    assert of_completion(answer) == reference(QUESTIONS[0])
    arguments = anthropic_arguments(gateway, "openai-model", QUESTIONS[0])
    message = anthropic_client(f"http://{gateway.llm}/anthropic").messages.create(**arguments)
    assert of_message(message) == reference(QUESTIONS[0])


def test_answer_says_who_answered(gateway, direct):
    if direct:
        pytest.skip("needs the sidecar")
    client = openai_client(gateway.base_url(OPENAI, "openai-model"))
    arguments = {**openai_arguments(gateway, "openai-model", QUESTIONS[0]), "max_tokens": 1}
    headers = client.chat.completions.with_raw_response.create(**arguments).headers
    assert headers["x-fkm-provider"].endswith("upstream-0")
    assert headers["x-fkm-model"] == "smollm2-135m" or headers["x-fkm-model"] == "openai-model"
    assert headers["x-fkm-attempts"] == "1"
    assert headers["x-fkm-request-id"]
