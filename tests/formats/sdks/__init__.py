"""Official SDKs over a transport in the process: what each makes of given bytes.

A reader is a function `(body, stream, headers) -> Answer`; it raises `SdkError` where the SDK raises for the answer.
"""

from collections.abc import Callable

from answers import Answer
from sdks import (
    anthropic_messages,
    bedrock_converse,
    cohere_v2,
    gemini,
    mistral_chat,
    openai_chat,
    openai_other,
    openai_responses,
    voyage,
)
from sdks.transport import Reply, SdkError

__all__ = ["HELPERS", "READERS", "Reply", "SdkError", "read"]

# format -> what its official SDK makes of a reply
READERS: dict[str, Callable[[Reply], Answer]] = {
    "openai.chat": openai_chat.read,
    "openai.completions": openai_other.read_completion,
    "openai.embeddings": openai_other.read_embeddings,
    "openai.responses": openai_responses.read,
    "anthropic.messages": anthropic_messages.read,
    "gemini.generate_content": gemini.read,
    "gemini.embed": gemini.read_embeddings,
    "bedrock.converse": bedrock_converse.read,
    "cohere.chat": cohere_v2.read,
    "cohere.embed": cohere_v2.read_embeddings,
    "cohere.rerank": cohere_v2.read_ranks,
    "voyage.rerank": voyage.read_ranks,
}
# format -> what the SDK's own helper for streams makes of one that is complete; the others' readers use theirs
HELPERS: dict[str, Callable[[Reply], Answer]] = {
    "openai.chat": openai_chat.read_by_helper,
    "openai.responses": openai_responses.read_by_helper,
}
# who has an SDK of his own for a format that is not his
OF_PROVIDERS = {
    ("mistral", "openai.chat"): mistral_chat.read,
    ("mistral", "openai.embeddings"): mistral_chat.read_embeddings,
    ("voyage", "openai.embeddings"): voyage.read_embeddings,
}


def read(format: str, reply: Reply, provider: str | None = None) -> Answer:
    """What the official SDK of the provider (or, without one, of the format) makes of a reply."""
    return OF_PROVIDERS.get((provider, format), READERS[format])(reply)
