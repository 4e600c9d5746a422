"""Mistral's chat completions and embeddings by `mistralai`."""

from mistralai.client import Mistral
from mistralai.client.errors import MistralError

from answers import Answer, Choice, arguments, finish_of
from sdks.openai_chat import FORMAT, QUESTION
from sdks.transport import Reply, Slot

slot = Slot()
client = Mistral(api_key="key", server_url="http://127.0.0.1", client=slot.httpx2())


def read(reply: Reply) -> Answer:
    with slot.holding(reply, MistralError):
        if not reply.stream:
            return of_completion(client.chat.complete(**QUESTION))
        return of_chunks([event.data for event in client.chat.stream(**QUESTION)])


def of_completion(completion) -> Answer:
    choices = [
        Choice(text_of(choice.message.content), calls_of(choice.message), finish_of(FORMAT, choice.finish_reason))
        for choice in completion.choices
    ]
    return Answer(choices, completion.usage.prompt_tokens, completion.usage.completion_tokens)


def of_chunks(chunks: list) -> Answer:
    """One choice; its calls come whole."""
    text, calls, word, usage = "", [], None, None
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            assert choice.index == 0
            text += text_of(choice.delta.content)
            calls += calls_of(choice.delta)
            word = choice.finish_reason or word
    tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)
    return Answer([Choice(text, calls, finish_of(FORMAT, word))], *tokens)


def text_of(content) -> str:
    if isinstance(content, list):
        return "".join(part.text for part in content if part.type == "text")
    return content or ""


def calls_of(message) -> list[tuple[str, object]]:
    return [(call.function.name, arguments(call.function.arguments)) for call in message.tool_calls or []]


def read_embeddings(reply: Reply) -> Answer:
    with slot.holding(reply, MistralError):
        answered = client.embeddings.create(model="m", inputs="?")
    data = sorted(answered.data, key=lambda one: one.index)
    return Answer([], answered.usage.prompt_tokens, vectors=[one.embedding for one in data])
