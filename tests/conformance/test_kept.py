"""What providers keep behind ids, by OpenAI's SDK: two providers, and whichever made it is asked for it."""

import json

import openai
import pytest

from faulty import Faulty
from gateway import openai_client
from processes import Process
from snapshots import KEPT, RESPONSES, Upstream

MODEL = "kept"
TOO_BUSY = {"status": {"status": 503}}


@pytest.fixture(scope="module")
def upstreams(folder, faulty_binary):
    processes = [Process(f"keeper-{index}", [faulty_binary], folder) for index in range(2)]
    yield [Faulty(process.wait_for(r"^\{.*\}$", 10).group()) for process in processes]
    for process in processes:
        process.stop()


@pytest.fixture(scope="module")
def clients(serve, upstreams):
    """Of two sidecars with one snapshot."""
    routes = {MODEL: [Upstream(RESPONSES, one.base_url, "gpt-kept", keeps=tuple(KEPT)) for one in upstreams]}
    return [openai_client(f"http://{serve(routes).llm}/v1") for _ in range(2)]


@pytest.fixture
def second(upstreams, clients):
    """An answer of the second provider, since the first one failed."""
    upstreams[0].does(TOO_BUSY)
    answer = clients[0].responses.create(model=MODEL, input="Hi")
    upstreams[0].order("reset", {})
    return answer


def test_conversation(second, clients, upstreams):
    answer = second
    for client in (*clients, *clients):
        answer = client.responses.create(model=MODEL, input="And?", previous_response_id=answer.id)
    with clients[1].responses.stream(model=MODEL, input="And?", previous_response_id=answer.id) as events:
        ids = {event.response.id for event in events if hasattr(event, "response")}
        final = events.get_final_response()
    assert ids == {final.id}
    assert second.id.startswith("resp_")
    assert upstreams[0].requests() == []


def test_answer(second, clients, upstreams):
    responses = clients[1].responses
    assert responses.retrieve(second.id).id == second.id
    events = list(responses.retrieve(second.id, stream=True))
    assert events[-1].type == "response.completed"
    assert events[-1].response.id == second.id
    assert [item.type for item in responses.input_items.list(second.id)] == ["message"]
    assert responses.cancel(second.id).status == "cancelled"
    assert responses.input_tokens.count(model=MODEL, input="Hi", previous_response_id=second.id).input_tokens > 0
    responses.delete(second.id)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(second.id)
    assert upstreams[0].requests() == []


def test_background(second, clients, upstreams):
    begun = clients[0].responses.create(model=MODEL, input="Hi", background=True, previous_response_id=second.id)
    assert (begun.status, begun.previous_response_id) == ("queued", second.id)
    assert clients[1].responses.cancel(begun.id).status == "cancelled"
    assert upstreams[0].requests() == []


def test_unknown_owner(clients):
    with pytest.raises(openai.BadRequestError) as raised:
        clients[0].responses.create(model=MODEL, input="Hi", previous_response_id="resp_1_fkm_0123456789abcdef")
    assert (raised.value.code, raised.value.param) == ("state_elsewhere", "previous_response_id")


def test_files_and_batches(clients):
    one, other = clients
    line = {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"model": "gpt-kept", "input": "Hi"}}
    content = json.dumps(line).encode()
    file = one.files.create(file=("in.jsonl", content), purpose="batch")
    assert (file.filename, file.bytes) == ("in.jsonl", len(content))
    assert other.files.retrieve(file.id).id == file.id
    assert other.files.content(file.id).read() == content
    assert file.id in [listed.id for listed in other.files.list()]
    batch = one.batches.create(input_file_id=file.id, endpoint="/v1/responses", completion_window="24h")
    assert batch.input_file_id == file.id
    assert other.batches.retrieve(batch.id).id == batch.id
    assert batch.id in [listed.id for listed in other.batches.list()]
    assert other.batches.cancel(batch.id).status == "cancelling"
    assert other.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        one.files.content(file.id)
