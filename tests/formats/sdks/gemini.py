"""generateContent and embeddings of Gemini and Vertex by `google-genai`."""

from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from answers import Answer, Choice, finish_of, total
from sdks.transport import Reply, Slot

FORMAT = "gemini.generate_content"
slot = Slot()
client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url="http://127.0.0.1", httpx_client=slot.httpx()))
vertex = genai.Client(
    vertexai=True,
    project="p",
    location="l",
    credentials=Credentials("token"),
    http_options=types.HttpOptions(base_url="http://127.0.0.1", httpx_client=slot.httpx()),
)


def read(reply: Reply) -> Answer:
    with slot.holding(reply, errors.APIError):
        if not reply.stream:
            return of_pieces([client.models.generate_content(model="m", contents="?")])
        return of_pieces(list(client.models.generate_content_stream(model="m", contents="?")))


def of_pieces(pieces: list[types.GenerateContentResponse]) -> Answer:
    """Every piece adds parts; the last usage and the last finish reason count."""
    found: dict[int, dict] = {}
    usage = feedback = None
    for piece in pieces:
        usage, feedback = piece.usage_metadata or usage, piece.prompt_feedback or feedback
        for candidate in piece.candidates or []:
            choice = found.setdefault(candidate.index or 0, {"text": "", "calls": [], "finish": None})
            choice["finish"] = candidate.finish_reason or choice["finish"]
            for part in (candidate.content and candidate.content.parts) or []:
                if part.function_call is not None:
                    choice["calls"].append((part.function_call.name, part.function_call.args or {}))
                elif part.text and not part.thought:
                    choice["text"] += part.text
    choices = [
        Choice(one["text"], one["calls"], finish_of(FORMAT, one["finish"] and one["finish"].value))
        for _, one in sorted(found.items())
    ]
    if not choices and feedback is not None and feedback.block_reason:
        choices = [Choice("", [], "content_filter")]
    return Answer(choices, *tokens_of(usage))


def tokens_of(usage) -> tuple[int | None, int | None]:
    """What was thought counts as output, what a tool of Google's fed in as input; the sum must be the total."""
    if usage is None:
        return None, None
    read = total(usage.prompt_token_count, usage.tool_use_prompt_token_count)
    written = total(usage.candidates_token_count, usage.thoughts_token_count) or 0
    if usage.thoughts_token_count and read is not None:
        # some endpoints count thoughts among the candidates' tokens
        if read + (usage.candidates_token_count or 0) == usage.total_token_count:
            written = usage.candidates_token_count or 0
    return read, written


def read_embeddings(reply: Reply) -> Answer:
    with slot.holding(reply, errors.APIError):
        if b'"predictions"' in reply.body[:2000]:
            answered = vertex.models.embed_content(model="text-embedding-005", contents="?")
        elif b'"embedding":' in reply.body[:2000]:
            answered = vertex.models.embed_content(model="gemini-embedding-2", contents="?")
        else:
            answered = client.models.embed_content(model="m", contents="?")
    counted = [one.statistics.token_count for one in answered.embeddings if one.statistics]
    return Answer([], total(*counted), vectors=[one.values for one in answered.embeddings])
