"""Legacy completions and embeddings by `openai`."""

import openai

from answers import Answer, Choice, finish_of, total
from sdks.openai_client import client, slot
from sdks.transport import Reply


def read_completion(reply: Reply) -> Answer:
    with slot.holding(reply, openai.APIError):
        asked = {"model": "m", "prompt": "?", "stream": reply.stream}
        answered = client.completions.create(**asked)
        return of_completions(list(answered) if reply.stream else [answered])


def of_completions(pieces: list) -> Answer:
    """Of a whole answer, or of the pieces of a stream."""
    texts: dict[int, list] = {}
    usage = None
    for piece in pieces:
        usage = piece.usage or usage
        for choice in piece.choices:
            text = texts.setdefault(choice.index, ["", None])
            text[0] += choice.text or ""
            text[1] = choice.finish_reason or text[1]
    choices = [Choice(text, [], finish_of("openai.completions", word)) for _, (text, word) in sorted(texts.items())]
    return Answer(choices, usage and usage.prompt_tokens, usage and usage.completion_tokens)


def read_embeddings(reply: Reply) -> Answer:
    """Base64 vectors become lists of numbers in the SDK."""
    with slot.holding(reply, openai.APIError):
        answered = client.embeddings.create(model="m", input="?")
    data = sorted(answered.data, key=lambda one: one.index)
    usage = answered.usage
    tokens = None if usage is None else total(getattr(usage, "prompt_tokens", None) or usage.total_tokens)
    return Answer([], tokens, vectors=[list(one.embedding) for one in data])
