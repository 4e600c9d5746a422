"""Recorded vectors and rankings, read by the SDKs of all who make them: the same numbers and tokens, whoever made them."""

import cohere
import openai
import pytest
import voyageai
from google import genai
from google.genai import types
from mistralai.client import Mistral

import sdks
from answers import Answer, total
from cases import differences
from gateway import CLIENT_KEY
from replayed import Recording, vectors
from snapshots import COHERE_EMBED, EMBEDDINGS, GEMINI_EMBED, RERANK

ONCE = {"max_retries": 0}


def by_openai(root: str, model: str, texts: list[str], prefix: str = "/v1") -> Answer:
    client = openai.OpenAI(base_url=f"{root}{prefix}", api_key=CLIENT_KEY, max_retries=0)
    return of_openai(client.embeddings.create(model=model, input=texts))


def by_azure(root: str, model: str, texts: list[str]) -> Answer:
    client = openai.AzureOpenAI(azure_endpoint=root, api_key=CLIENT_KEY, api_version="2024-10-21", max_retries=0)
    return of_openai(client.embeddings.create(model=model, input=texts))


def of_openai(answered) -> Answer:
    usage = answered.usage
    # Voyage tells the total alone
    tokens = getattr(usage, "prompt_tokens", None) or usage.total_tokens
    return Answer([], tokens, vectors=[list(one.embedding) for one in answered.data])


def by_mistral(root: str, model: str, texts: list[str]) -> Answer:
    answered = Mistral(server_url=f"{root}/mistral", api_key=CLIENT_KEY).embeddings.create(model=model, inputs=texts)
    return Answer([], answered.usage.prompt_tokens, vectors=[one.embedding for one in answered.data])


def by_google(root: str, model: str, texts: list[str]) -> Answer:
    client = genai.Client(api_key=CLIENT_KEY, http_options=types.HttpOptions(base_url=f"{root}/gemini"))
    answered = client.models.embed_content(model=model, contents=texts)
    # its clients are told no tokens
    return Answer([], None, vectors=[one.values for one in answered.embeddings])


def by_cohere(root: str, model: str, texts: list[str]) -> Answer:
    client = cohere.ClientV2(api_key=CLIENT_KEY, base_url=f"{root}/cohere")
    asked = {"input_type": "search_query", "embedding_types": ["float"], "request_options": ONCE}
    answered = client.embed(model=model, texts=texts, **asked)
    billed = answered.meta and answered.meta.billed_units
    return Answer([], billed and total(billed.input_tokens), vectors=answered.embeddings.float_)


def by_voyage(root: str, model: str, texts: list[str]) -> Answer:
    client = voyageai.Client(api_key=CLIENT_KEY, base_url=f"{root}/voyage/v1", max_retries=0)
    answered = client.embed(texts, model=model)
    return Answer([], answered.total_tokens, vectors=answered.embeddings)


CLIENTS = {
    "openai": (EMBEDDINGS, by_openai),
    "azure": (EMBEDDINGS, by_azure),
    "mistral": (EMBEDDINGS, by_mistral),
    "voyage": (EMBEDDINGS, by_voyage),
    "google-genai": (GEMINI_EMBED, by_google),
    "cohere": (COHERE_EMBED, by_cohere),
}


def expected(case: Recording) -> Answer | None:
    """None where the provider's own SDK makes nothing of it."""
    try:
        return sdks.read(case.format, sdks.Reply(case.body, False, case.status, case.line["headers"]), case.provider)
    except Exception:  # noqa: BLE001 - tests/formats tells which and why
        return None


def is_asked(name: str, case: Recording) -> bool:
    return case.format != RERANK


# Vertex has two ways, and a snapshot's record says the one that is recorded more often
WHOLE = [
    case
    for case in vectors()
    if not case.is_error and not case.path.endswith(":embedContent") and expected(case) is not None
]
MADE = [(name, case) for name in CLIENTS for case in WHOLE if is_asked(name, case)]
RANKED = [case for case in WHOLE if case.format == RERANK]
FLOORS = {"vectors": (MADE, 200), "rankings": (RANKED, 3)}


@pytest.fixture(scope="module")
def root(serve, replay, direct):
    if direct:
        pytest.skip("needs the sidecar")
    running = serve({case.key: [case.upstream(replay)] for case in WHOLE})
    return f"http://{running.llm}"


@pytest.mark.parametrize("kind", FLOORS)
def test_enough_cases(kind):
    found, floor = FLOORS[kind]
    if not vectors():
        pytest.skip("no recordings")
    assert len(found) >= floor


@pytest.mark.parametrize(("name", "case"), MADE, ids=[f"{name}-{case.key}" for name, case in MADE])
def test_vectors(name, case, root):
    want, (format, ask) = expected(case), CLIENTS[name]
    got = ask(root, case.key, ["?"] * len(want.vectors))
    assert not differences(want, got, format)


@pytest.mark.parametrize("case", RANKED, ids=[case.key for case in RANKED])
def test_ranks(case, root):
    client = cohere.ClientV2(api_key=CLIENT_KEY, base_url=f"{root}/cohere")
    want = expected(case)
    documents = ["?"] * (1 + max(index for index, _ in want.ranks))
    answered = client.rerank(model=case.key, query="?", documents=documents, request_options=ONCE)
    assert [(one.index, one.relevance_score) for one in answered.results] == want.ranks
    client = voyageai.Client(api_key=CLIENT_KEY, base_url=f"{root}/voyage/v1", max_retries=0)
    answered = client.rerank("?", documents, case.key)
    assert [(one.index, one.relevance_score) for one in answered.results] == want.ranks
