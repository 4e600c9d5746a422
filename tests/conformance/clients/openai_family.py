"""`openai` with its three operations and as Azure's client, and `groq`, which is made by the same generator."""

import groq
import openai
from groq.types.chat import ChatCompletion as GroqCompletion
from groq.types.chat import ChatCompletionChunk as GroqChunk
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent

from answers import Answer
from clients.sdk import Sdk
from sdks import openai_chat, openai_other, openai_responses
from snapshots import COMPLETIONS, OPENAI, RESPONSES


class Posting(Sdk):
    """SDKs that post any body, and make their objects of the answer."""

    is_raw = True
    path: str
    whole: type
    piece: type
    stream_class: type = openai.Stream
    errors = (openai.APIError,)

    def ask(self, client, model, body, stream):
        body = {**body, "model": model}
        if not stream:
            return [client.post(self.path, body=body, cast_to=self.whole)]
        stream_class = self.stream_class[self.piece]
        return client.post(self.path, body=body, cast_to=self.piece, stream=True, stream_cls=stream_class)


class OpenAiChat(Posting):
    name, format, prefix, path = "openai", OPENAI, "/v1", "/chat/completions"
    whole, piece = ChatCompletion, ChatCompletionChunk

    def make(self, url, key, seconds):
        return openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=seconds)

    def question(self, text, stream):
        body = {"messages": [{"role": "user", "content": text}]}
        return {**body, "stream": True, "stream_options": {"include_usage": True}} if stream else body

    def read(self, objects, stream) -> Answer:
        return openai_chat.of_chunks(objects) if stream else openai_chat.of_completion(objects[0])


class OpenAiResponses(OpenAiChat):
    name, format, path = "openai-responses", RESPONSES, "/responses"
    prefix = "/openai/v1"
    whole, piece = Response, ResponseStreamEvent

    def question(self, text, stream):
        return {"input": text, **({"stream": True} if stream else {})}

    def read(self, objects, stream) -> Answer:
        return openai_responses.of_events(objects) if stream else openai_responses.of_response(objects[0])


class OpenAiCompletions(OpenAiChat):
    name, format, path = "openai-completions", COMPLETIONS, "/completions"
    whole = piece = Completion

    def question(self, text, stream):
        body = {"prompt": text}
        return {**body, "stream": True, "stream_options": {"include_usage": True}} if stream else body

    def read(self, objects, stream) -> Answer:
        return openai_other.of_completions(objects)


class Azure(OpenAiChat):
    """The model is a deployment, which stands in the path."""

    name, prefix = "azure", ""

    def make(self, url, key, seconds):
        return openai.AzureOpenAI(
            azure_endpoint=url, api_key=key, api_version="2024-10-21", max_retries=0, timeout=seconds
        )

    def direct_url(self, base_url):
        return base_url.partition("/openai")[0]


class Groq(OpenAiChat):
    name, prefix, path = "groq", "", "/openai/v1/chat/completions"
    whole, piece, stream_class = GroqCompletion, GroqChunk, groq.Stream
    errors = (groq.APIError,)

    def make(self, url, key, seconds):
        return groq.Groq(base_url=url, api_key=key, max_retries=0, timeout=seconds)

    def question(self, text, stream):
        # it has no stream_options, and reads usage where Groq puts it
        return {"messages": [{"role": "user", "content": text}], **({"stream": True} if stream else {})}

    def direct_url(self, base_url):
        return base_url.removesuffix("/openai/v1").removesuffix("/v1")

    def read(self, objects, stream) -> Answer:
        # its objects have the shape of OpenAI's, without some of their members
        alike = ChatCompletionChunk if stream else ChatCompletion
        return super().read([alike.construct(**one.model_dump(exclude_unset=True)) for one in objects], stream)
