"""What every SDK tells its application of faults: errors by status, time-outs; and streams that the application gives up."""

import time

import pytest

from clients import SDKS, call
from clients.sdk import closing
from faulty import Faulty
from gateway import CLIENT_KEY, UPSTREAM_KEY
from processes import Process
from snapshots import ANTHROPIC, COMPLETIONS, OPENAI, Upstream

# what the provider says -> what the client is told. The provider's refusal of our key or of our model is not the client's
# fault; another candidate might have answered
STATUSES = {400: 400, 401: 502, 403: 502, 404: 502, 413: 413, 422: 422, 429: 429, 500: 502, 503: 503, 529: 503}
# what the SDK raises where the client is told so
OPENAI_RAISES = {
    400: "BadRequestError",
    413: "APIStatusError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    502: "InternalServerError",
    503: "InternalServerError",
    504: "InternalServerError",
}
ANTHROPIC_RAISES = {
    **OPENAI_RAISES,
    413: "ContentTooLargeError",
    # its API has a status of its own for it: 529
    503: "OverloadedError",
    504: "GatewayTimeoutError",
}
COHERE_RAISES = {
    **OPENAI_RAISES,
    413: "ApiError",
    429: "TooManyRequestsError",
    502: "ApiError",
    503: "ServiceUnavailableError",
    504: "GatewayTimeoutError",
}
BEDROCK_RAISES = {
    **dict.fromkeys((400, 413, 422), "ValidationException"),
    429: "ThrottlingException",
    502: "InternalServerException",
    503: "ServiceUnavailableException",
    504: "ModelTimeoutException",
}
GOOGLE_RAISES = {**dict.fromkeys((400, 413, 422, 429), "ClientError"), **dict.fromkeys((502, 503, 504), "ServerError")}
MISTRAL_RAISES = {**dict.fromkeys((400, 413, 429, 502, 503, 504), "SDKError"), 422: "HTTPValidationError"}
RAISES = {
    **dict.fromkeys(("openai", "openai-responses", "azure", "groq"), OPENAI_RAISES),
    "anthropic": ANTHROPIC_RAISES,
    "boto3": BEDROCK_RAISES,
    "cohere": COHERE_RAISES,
    **dict.fromkeys(("google-genai", "google-vertex"), GOOGLE_RAISES),
    "mistral": MISTRAL_RAISES,
}
OWN_STATUSES = {("anthropic", 503): 529}
RETRY_AFTER = "7"
MODELS = ("openai-faulty", "anthropic-faulty")
# far below what the route's own limits allow
IMPATIENT_SECONDS = 0.5
SOON_SECONDS = 5
PIECES = [f"piece {number} " for number in range(200)]
CHATTING = [sdk for sdk in SDKS if sdk.format != COMPLETIONS]


def sdk_cases(test):
    return pytest.mark.parametrize("sdk", CHATTING, ids=[sdk.name for sdk in CHATTING])(test)


@pytest.fixture(scope="module")
def faulty(folder, faulty_binary):
    process = Process("upstream", [faulty_binary], folder)
    yield Faulty(process.wait_for(r"^\{.*\}$", 10).group())
    process.stop()


@pytest.fixture(scope="module")
def routes(faulty):
    return {
        "openai-faulty": [Upstream(OPENAI, faulty.base_url, "gpt-faulty")],
        "anthropic-faulty": [Upstream(ANTHROPIC, faulty.root, "claude-faulty")],
    }


@pytest.fixture(scope="module")
def gateway(serve, routes):
    return serve(routes)


@pytest.fixture(scope="module")
def strict_gateway(serve, routes):
    return serve(routes, {"timeouts": {"attempt": 500}})


def ask(gateway, sdk, model: str, stream: bool = False, seconds: float = 60):
    client = sdk.client(gateway.url(sdk, model), CLIENT_KEY, seconds)
    return call(sdk, client, model, sdk.question("hello", stream), stream)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("model", MODELS)
@sdk_cases
def test_error(sdk, model, status, stream, gateway, faulty):
    headers = [["retry-after", RETRY_AFTER]] if status == 429 else []
    step = {"echoKey": {"status": status}} if status == 401 else {"status": {"status": status, "headers": headers}}
    faulty.does(step)
    outcome = ask(gateway, sdk, model, stream)
    assert outcome.error is not None and not outcome.objects
    check_raised(sdk, outcome, STATUSES[status])
    shown = headers_of(outcome.error)
    assert shown["x-fkm-request-id"]
    assert shown.get("retry-after") == (RETRY_AFTER if status == 429 else None)
    # neither the key that was refused, nor that of whoever asked
    assert UPSTREAM_KEY not in str(outcome.error) and CLIENT_KEY not in str(outcome.error)
    if status in (400, 422):
        assert f"The upstream was told to answer {status}." in str(outcome.error)
    assert len(faulty.requests()) == 1, "asked once"


@pytest.mark.parametrize("model", MODELS)
@sdk_cases
def test_cancel(sdk, model, gateway, faulty):
    faulty.does({"streamed": {"pieces": PIECES, "delayMillis": 20}})
    client = sdk.make(gateway.url(sdk, model), CLIENT_KEY, 60)
    with closing(sdk.ask(client, model, sdk.question("hello", True), True)) as answer:
        first = next(iter(answer))
        assert first is not None
    del answer, client
    assert faulty.is_cancelled()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@sdk_cases
def test_impatient_client(sdk, stream, gateway, faulty):
    faulty.does("hang")
    started = time.monotonic()
    outcome = ask(gateway, sdk, "openai-faulty", stream, IMPATIENT_SECONDS)
    assert "Timeout" in outcome.raised["class"]
    assert time.monotonic() - started < SOON_SECONDS
    assert faulty.is_cancelled()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@sdk_cases
def test_impatient_route(sdk, stream, strict_gateway, faulty):
    faulty.does("hang")
    outcome = ask(strict_gateway, sdk, "anthropic-faulty", stream)
    check_raised(sdk, outcome, 504)
    assert faulty.is_cancelled()


def check_raised(sdk, outcome, status: int) -> None:
    shown = OWN_STATUSES.get((sdk.name, status), status)
    assert (outcome.raised["class"], outcome.raised["status"]) == (RAISES[sdk.name][status], shown)


def headers_of(error: Exception) -> dict:
    """Those of the answer, wherever the SDK keeps them."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return response["ResponseMetadata"]["HTTPHeaders"]
    return next(one.headers for one in (error, response) if hasattr(one, "headers"))
