"""Builds snapshot payloads, as the control plane would: one pool and one rule for each model name of a test."""

import dataclasses
import json

OPENAI = "openai.chat"
RESPONSES = "openai.responses"
COMPLETIONS = "openai.completions"
ANTHROPIC = "anthropic.messages"
GEMINI = "gemini.generate_content"
COHERE = "cohere.chat"
BEDROCK = "bedrock.converse"

# how a provider of the format is reached: path below what its SDK is given as base URL, header of the key
DIALECTS = {
    OPENAI: {"format": OPENAI, "path": "/chat/completions", "auth": "Bearer"},
    RESPONSES: {"format": RESPONSES, "path": "/responses", "auth": "Bearer"},
    COMPLETIONS: {"format": COMPLETIONS, "path": "/completions", "auth": "Bearer"},
    ANTHROPIC: {"format": ANTHROPIC, "path": "/v1/messages", "auth": "XApiKey"},
    GEMINI: {
        "format": GEMINI,
        "path": "/v1beta/models/{model}:generateContent",
        "streamPath": "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        "auth": "XGoogApiKey",
    },
    COHERE: {"format": COHERE, "path": "/v2/chat", "auth": "Bearer"},
    BEDROCK: {
        "format": BEDROCK,
        "path": "/model/{model}/converse",
        "streamPath": "/model/{model}/converse-stream",
        "auth": "Bearer",
    },
}
# what tells a provider whose clients have a form of their own, as in its preset
OWN = {
    ("mistral", OPENAI): {
        "thoughts": "content",
        "rename": {"seed": "random_seed"},
        "documents": "document_url",
        "sound": "base64",
        "drop": ["stream_options"],
    }
}
EMBEDDINGS = "openai.embeddings"
GEMINI_EMBED = "gemini.embed"
COHERE_EMBED = "cohere.embed"
RERANK = "cohere.rerank"
# likewise for what makes vectors and what ranks documents: the member of a provider, and its record. Keys are bearer tokens
VECTORS = {
    EMBEDDINGS: ("embeddings", {"format": EMBEDDINGS, "path": "/embeddings"}),
    GEMINI_EMBED: ("embeddings", {"format": GEMINI_EMBED, "path": "/v1beta/models/{model}:predict"}),
    COHERE_EMBED: ("embeddings", {"format": COHERE_EMBED, "path": "/v2/embed"}),
    RERANK: ("ranks", {"format": RERANK, "path": "/rerank", "returnsDocuments": False}),
}
# what is passed on as it is, where OpenAI takes it
IMAGES = "openai.images"
RELAYED = (
    IMAGES,
    "openai.image_edits",
    "openai.image_variations",
    "openai.speech",
    "openai.transcriptions",
    "openai.translations",
    "openai.moderations",
)
# what is kept behind ids, and where it is asked for
KEPT = {"openai.responses": "/responses", "openai.files": "/files", "openai.batches": "/batches"}
# the header by which a key is shown
KEY_HEADERS = {"Bearer": "authorization", "XApiKey": "x-api-key", "XGoogApiKey": "x-goog-api-key"}

NAMESPACE = "conformance"
SECRET_VARIABLE = "FKM_CONFORMANCE_KEY"


@dataclasses.dataclass(frozen=True)
class Upstream:
    """What answers for a model name. `base_url` is what an SDK of that format is given. `keeps`: what it has behind ids."""

    format: str
    base_url: str
    model: str
    provider: str = ""
    # most tokens that it gives, as far as that is known
    most: int | None = None
    keeps: tuple[str, ...] = ()


def payload(routes: dict[str, list[Upstream]], policy: dict | None = None) -> str:
    """The snapshot in which each name is answered by its upstreams, the first first; `policy` is that of every rule."""
    everybody = [upstream for upstreams in routes.values() for upstream in upstreams]
    formats = {f"format.{upstream.format}" for upstream in everybody}
    keeps = {f"keeps.{kept}" for upstream in everybody for kept in upstream.keeps}
    snapshot = {
        "requires": sorted(formats | keeps),
        "pools": {f"{NAMESPACE}/{name}": pool(name, upstreams) for name, upstreams in sorted(routes.items())},
        "rules": [rule(name, policy) for name in sorted(routes)],
    }
    return json.dumps(snapshot, separators=(",", ":"))


def pool(name: str, upstreams: list[Upstream]) -> dict:
    return {"providers": [provider(name, index, upstream) for index, upstream in enumerate(upstreams)]}


def provider(name: str, index: int, upstream: Upstream) -> dict:
    return {
        "name": f"upstream-{index}",
        "system": "conformance",
        **({"priority": index} if index else {}),
        "connection": {
            "http": {
                "baseUrl": upstream.base_url,
                **spoken(upstream),
                **({"keeps": [{"kept": one, "path": KEPT[one]} for one in upstream.keeps]} if upstream.keeps else {}),
                "locality": "Local",
                "credentials": [{"name": "main", "secret": f"{NAMESPACE}/keys/main"}],
            }
        },
        "models": {name: {"upstreamName": upstream.model, **({"maxOutputTokens": upstream.most} if upstream.most else {})}},
    }


def spoken(upstream: Upstream) -> dict:
    """The member of its connection that says how it speaks."""
    if upstream.format in RELAYED:
        return {"relays": [{"format": upstream.format}]}
    member, record = VECTORS.get(upstream.format) or ("dialect", DIALECTS[upstream.format])
    return {member: {**record, **OWN.get((upstream.provider, upstream.format), {})}}


def rule(name: str, policy: dict | None) -> dict:
    return {
        "route": f"{NAMESPACE}/suite",
        "name": name,
        "matches": [{"models": [name]}],
        "backends": [{"name": "only", "pool": f"{NAMESPACE}/{name}", "model": name}],
        **({"policy": policy} if policy else {}),
    }
