"""Pictures, sound and judgements by the official SDKs: what they ask arrives with the provider's name of the model, and
they read what the provider answered.
"""

import base64
import json

import groq
import openai
import pytest

from faulty import Faulty
from gateway import CALL_SECONDS, CLIENT_KEY, UPSTREAM_KEY, openai_client
from processes import Process
from replayed import MISSING, journal, pictures
from snapshots import IMAGES, RELAYED, Upstream

TEXT = "One two three."
PICTURE = ("cat.png", b"\x89PNG\r\n\x1a\n--\r\n\0", "image/png")
SOUND = ("hi.wav", b"RIFF\r\n--\r\n\0", "audio/wav")
# what the provider answers -> what the SDK raises. A key that is refused is ours, no matter of the client's. Each is in a
# pool of its own, so that what one of them is refused does not rest another
REFUSED = {400: openai.BadRequestError, 401: openai.InternalServerError, 429: openai.RateLimitError}


def at_provider(name: str) -> str:
    return f"{name}-at-provider"


@pytest.fixture(scope="module")
def process(folder, faulty_binary):
    one = Process("media", [faulty_binary], folder)
    yield one
    one.stop()


@pytest.fixture(scope="module")
def running(process):
    return Faulty(process.wait_for(r"^\{.*\}$", 10).group())


@pytest.fixture(scope="module")
def sidecar(serve, running):
    """Each format is a model's name."""
    formats = {format: format for format in RELAYED} | {f"refused-{status}": IMAGES for status in REFUSED}
    return serve({name: [Upstream(of, running.base_url, at_provider(name))] for name, of in formats.items()})


@pytest.fixture
def upstream(running):
    running.does({"answer": {"text": TEXT}})
    return running


@pytest.fixture
def client(sidecar):
    return openai_client(f"http://{sidecar.llm}/v1")


def asked(upstream: Faulty, path: str) -> str:
    """The body of the one request that came, with our key."""
    [request] = upstream.requests()
    assert (request["method"], request["path"]) == ("POST", f"/v1{path}")
    assert ["authorization", f"Bearer {UPSTREAM_KEY}"] in request["headers"]
    return request["body"]


def assert_json(upstream: Faulty, path: str, **members: object) -> None:
    assert json.loads(asked(upstream, path)) == members


def assert_form(upstream: Faulty, path: str, file: tuple[str, bytes, str], **fields: str) -> None:
    body = asked(upstream, path)
    assert f'filename="{file[0]}"' in body
    assert file[1].decode("utf-8", "replace") in body
    for name, value in fields.items():
        assert body.count(f'name="{name}"\r\n\r\n{value}\r\n') == 1, (name, body)


def drawn(answer) -> str:
    [picture] = answer.data
    return base64.b64decode(picture.b64_json).decode()


def test_image(client, upstream):
    answer = client.images.generate(model=IMAGES, prompt="A cat", size="1024x1024", n=1)
    assert drawn(answer) == TEXT
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    members = {"prompt": "A cat", "size": "1024x1024", "n": 1}
    assert_json(upstream, "/images/generations", model=at_provider(IMAGES), **members)


def test_image_stream(client, upstream):
    events = list(client.images.generate(model=IMAGES, prompt="A cat", stream=True, partial_images=3))
    kinds = [event.type for event in events]
    assert kinds == ["image_generation.partial_image"] * 3 + ["image_generation.completed"]
    assert [event.partial_image_index for event in events[:-1]] == [0, 1, 2]
    assert base64.b64decode(events[-1].b64_json).decode() == TEXT
    assert events[-1].usage.total_tokens == 18
    members = {"prompt": "A cat", "stream": True, "partial_images": 3}
    assert_json(upstream, "/images/generations", model=at_provider(IMAGES), **members)


def test_image_stream_that_is_cut(client, running):
    running.does({"streamed": {"cut": {"afterFrame": 1}, "end": "reset"}})
    events = client.images.generate(model=IMAGES, prompt="A cat", stream=True)
    assert next(events).type == "image_generation.partial_image"
    with pytest.raises(openai.APIError):
        list(events)


def test_image_edit(client, upstream):
    name = "openai.image_edits"
    assert drawn(client.images.edit(model=name, image=PICTURE, mask=PICTURE, prompt="A dog")) == TEXT
    assert_form(upstream, "/images/edits", PICTURE, model=at_provider(name), prompt="A dog")


def test_images_edit(client, upstream):
    name = "openai.image_edits"
    assert drawn(client.images.edit(model=name, image=[PICTURE, PICTURE], prompt="A dog")) == TEXT
    assert_form(upstream, "/images/edits", PICTURE, model=at_provider(name), prompt="A dog")
    assert asked(upstream, "/images/edits").count('name="image[]"') == 2


def test_image_edit_stream(client, upstream):
    name = "openai.image_edits"
    events = list(client.images.edit(model=name, image=PICTURE, prompt="A dog", stream=True))
    assert [event.type for event in events] == ["image_edit.partial_image"] * 3 + ["image_edit.completed"]
    assert_form(upstream, "/images/edits", PICTURE, model=at_provider(name), stream="true")


def test_image_variation(client, upstream):
    name = "openai.image_variations"
    assert drawn(client.images.create_variation(model=name, image=PICTURE, n=1)) == TEXT
    assert_form(upstream, "/images/variations", PICTURE, model=at_provider(name), n="1")


def test_speech(client, upstream):
    name = "openai.speech"
    answer = client.audio.speech.create(model=name, input="Hi", voice="alloy")
    assert answer.read() == TEXT.encode()
    assert answer.response.headers["content-type"] == "audio/mpeg"
    assert_json(upstream, "/audio/speech", model=at_provider(name), input="Hi", voice="alloy")


def test_speech_stream(client, upstream, tmp_path):
    name, speech = "openai.speech", client.audio.speech.with_streaming_response
    with speech.create(model=name, input="Hi", voice="alloy", response_format="mp3") as answer:
        answer.stream_to_file(tmp_path / "hi.mp3")
    assert (tmp_path / "hi.mp3").read_bytes() == TEXT.encode()
    members = {"input": "Hi", "voice": "alloy", "response_format": "mp3"}
    assert_json(upstream, "/audio/speech", model=at_provider(name), **members)


@pytest.mark.parametrize("operation", ["transcriptions", "translations"])
def test_transcript(client, upstream, operation):
    name = f"openai.{operation}"
    answer = getattr(client.audio, operation).create(model=name, file=SOUND, prompt="Names")
    assert answer.text == TEXT
    assert_form(upstream, f"/audio/{operation}", SOUND, model=at_provider(name), prompt="Names")


@pytest.mark.parametrize("operation", ["transcriptions", "translations"])
def test_transcript_as_text(client, upstream, operation):
    name = f"openai.{operation}"
    answer = getattr(client.audio, operation).create(model=name, file=SOUND, response_format="text")
    assert answer == TEXT
    assert_form(upstream, f"/audio/{operation}", SOUND, model=at_provider(name), response_format="text")


def test_transcript_stream(client, upstream):
    name = "openai.transcriptions"
    events = list(client.audio.transcriptions.create(model=name, file=SOUND, stream=True))
    assert [event.type for event in events] == ["transcript.text.delta"] * 3 + ["transcript.text.done"]
    assert "".join(event.delta for event in events[:-1]) == events[-1].text == TEXT
    assert_form(upstream, "/audio/transcriptions", SOUND, model=at_provider(name), stream="true")


def test_transcript_by_groq(sidecar, upstream):
    name = "openai.transcriptions"
    client = groq.Groq(base_url=f"http://{sidecar.llm}", api_key=CLIENT_KEY, max_retries=0, timeout=CALL_SECONDS)
    assert client.audio.transcriptions.create(model=name, file=SOUND, language="en").text == TEXT
    assert_form(upstream, "/audio/transcriptions", SOUND, model=at_provider(name), language="en")


def test_moderation(client, upstream):
    name = "openai.moderations"
    [result] = client.moderations.create(model=name, input=["Hi"]).results
    assert result.flagged is False
    assert_json(upstream, "/moderations", model=at_provider(name), input=["Hi"])


@pytest.mark.parametrize("status", REFUSED)
def test_refusal(client, running, status):
    running.does({"status": {"status": status}})
    with pytest.raises(REFUSED[status]) as raised:
        client.images.generate(model=f"refused-{status}", prompt="A cat")
    assert raised.value.response.headers["x-fkm-attempts"] == "1"
    assert UPSTREAM_KEY not in raised.value.response.text


def test_unknown_model(client, running):
    running.does()
    for name in ("nobody", "openai.speech"):
        with pytest.raises(openai.NotFoundError):
            client.images.generate(model=name, prompt="A cat")
    assert running.requests() == []


@pytest.fixture(scope="module")
def recorded(serve, replay, direct):
    """A client of a sidecar in which each recording is a model."""
    if direct:
        pytest.skip("needs the sidecar")
    running = serve({case.key: [case.upstream(replay)] for case in pictures()})
    return openai_client(f"http://{running.llm}/v1")


def test_enough_recordings():
    if not pictures():
        pytest.skip(MISSING)
    assert len(pictures()) >= 5


@pytest.mark.parametrize("case", pictures(), ids=[case.key for case in pictures()])
def test_recording(case, recorded, replay):
    words = {**case.request, "model": case.key}
    want = json.loads(case.body)
    if case.is_error:
        with pytest.raises(openai.BadRequestError) as raised:
            recorded.images.generate(**words)
        error = raised.value
        assert {"type": error.type, "param": error.param, "code": error.code}.items() <= want["error"].items()
        assert want["error"]["message"] in error.message
    else:
        answer = recorded.images.generate(**words)
        assert answer.to_dict() == want
    assert journal(replay, case)[-1]["body"] == case.request
