"""What an answer cost, by others: `genai-prices` reads the usage out of it and prices it."""

import datetime
import json
import urllib.parse
import warnings
from decimal import Decimal

import genai_prices
from botocore.eventstream import EventStreamBuffer
from genai_prices.data_snapshot import get_snapshot

from recordings import Recording

# The day of the catalogue's prices (operator/catalog/generate.py), at an hour at which no reduced prices hold anywhere.
NOW = datetime.datetime(2026, 11, 24, 2, tzinfo=datetime.timezone.utc)

# provider of the recordings -> the package's name for it
PROVIDERS = {
    "bedrock": "aws",
    "bedrock-mantle": "aws",
    "gemini": "google",
    "vertex": "google",
    "voyage": "voyageai",
}
# (provider, format) -> whose reading of usage, and which of them; by format where the provider has none of its own
EXTRACTORS = {
    ("groq", "openai.chat"): ("groq", "default"),
    ("mistral", "openai.chat"): ("mistral", "default"),
    ("openrouter", "openai.chat"): ("openrouter", "chat"),
    "openai.chat": ("openai", "chat"),
    "openai.completions": ("openai", "chat"),
    "openai.embeddings": ("openai", "embeddings"),
    "openai.responses": ("openai", "responses"),
    "anthropic.messages": ("anthropic", "default"),
    "gemini.generate_content": ("google", "default"),
    "bedrock.converse": ("aws", "default"),
    "cohere.chat": ("cohere", "default"),
    "cohere.embed": ("cohere", "embeddings"),
}


class Unknown(Exception):
    """The package does not know the model, or cannot read answers of its kind."""


def model_of(case: Recording) -> str:
    """The model that was asked, as the provider calls it."""
    before, in_path, after = case.path.partition("/model/")
    return urllib.parse.unquote(after.split("/")[0]) if in_path else case.model


def judged(case: Recording, model: str) -> Decimal | None:
    """USD; None where the answer says nothing of usage. Raises `Unknown`."""
    whose, flavor = EXTRACTORS.get((case.provider, case.format)) or EXTRACTORS.get(case.format) or (None, None)
    if whose is None:
        raise Unknown(f"no reading of {case.format}")
    answer = with_usage(case)
    if not any(answer.get(name) for name in ("usage", "usageMetadata", "meta")):
        return None
    provider = get_snapshot().find_provider(None, whose, None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, usage = provider.extract_usage(answer, api_flavor=flavor)
    except ValueError as raised:
        raise Unknown(f"no usage: {raised}") from raised
    try:
        priced = genai_prices.calc_price(
            usage, model, provider_id=PROVIDERS.get(case.provider, case.provider), genai_request_timestamp=NOW
        )
    except LookupError as raised:
        raise Unknown(f"no price: {raised}") from raised
    return priced.total_price


# === the part of an answer in which the usage stands


def with_usage(case: Recording) -> dict:
    """The answer; of a stream, the event with the last word on usage, in the shape of a whole answer."""
    if not case.is_stream:
        return json.loads(case.body)
    if case.format == "bedrock.converse":
        return bedrock_stream(case.body)
    events = list(events_of(case.body))
    if case.format == "anthropic.messages":
        return anthropic_stream(events)
    if case.format == "openai.responses":
        return next((one["response"] for one in reversed(events) if one.get("response", {}).get("usage")), {})
    if case.format == "cohere.chat":
        return next((one["delta"] for one in reversed(events) if one.get("delta", {}).get("usage")), {})
    name = "usageMetadata" if case.format.startswith("gemini") else "usage"
    return next((one for one in reversed(events) if one.get(name)), None) or of_groq(events)


def of_groq(events: list[dict]) -> dict:
    """Its usage stands in a member of its own, in the last chunk."""
    return next(({"usage": one["x_groq"]["usage"]} for one in reversed(events) if one.get("x_groq", {}).get("usage")), {})


def events_of(body: bytes):
    for line in body.decode().splitlines():
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data.startswith("{"):
            yield json.loads(data)


def anthropic_stream(events: list[dict]) -> dict:
    """Counts are cumulative: later ones take the place of earlier ones."""
    usage = {}
    for event in events:
        said = event.get("usage") or event.get("message", {}).get("usage") or {}
        usage |= {name: value for name, value in said.items() if value is not None}
    return {"usage": usage}


def bedrock_stream(body: bytes) -> dict:
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    for event in buffer:
        if event.headers.get(":event-type") == "metadata":
            return json.loads(event.payload)
    return {}
