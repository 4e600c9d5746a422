"""The official SDKs as clients of a running server: each sends a recorded or a simple question, and its objects are read.

A new SDK, or another operation of one (embeddings, rankings), is one more [`Sdk`] here.
"""

from clients.anthropic_messages import AnthropicMessages
from clients.bedrock import Bedrock
from clients.cohere_v2 import Cohere
from clients.google import GenAi, GenAiVertex
from clients.mistral import MistralChat
from clients.openai_family import Azure, Groq, OpenAiChat, OpenAiCompletions, OpenAiResponses
from clients.sdk import Outcome, Sdk, call

__all__ = ["OF_FORMAT", "OF_PROVIDER", "SDKS", "Outcome", "Sdk", "call"]

SDKS: tuple[Sdk, ...] = (
    OpenAiChat(),
    OpenAiResponses(),
    OpenAiCompletions(),
    Azure(),
    Groq(),
    MistralChat(),
    AnthropicMessages(),
    GenAi(),
    GenAiVertex(),
    Cohere(),
    Bedrock(),
)
BY_NAME = {sdk.name: sdk for sdk in SDKS}
# the SDK of a format, and of those who have one of their own
OF_FORMAT = {sdk.format: sdk for sdk in reversed(SDKS)}
OF_PROVIDER = {
    "azure": BY_NAME["azure"],
    "groq": BY_NAME["groq"],
    "mistral": BY_NAME["mistral"],
    "vertex": BY_NAME["google-vertex"],
}
