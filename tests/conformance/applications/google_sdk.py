"""`google-genai`, as a client of AI Studio and of Vertex AI."""

import contextlib

from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from applications.application import (
    EXTRACT,
    HELLO,
    TEXTS,
    TOOL,
    TOOL_DESCRIPTION,
    TOOL_RESULT,
    TOOL_SCHEMA,
    WEATHER,
    Application,
    Called,
    Person,
    Said,
    one,
)

FUNCTION = {"name": TOOL, "description": TOOL_DESCRIPTION, "parameters_json_schema": TOOL_SCHEMA}


class Google(Application):
    name, prefix = "google-genai", "/gemini"

    def __init__(self, url, key):
        super().__init__(url, key)
        # the client closes its connections when nobody holds it
        self.client = self.make(types.HttpOptions(base_url=url, timeout=int(self.seconds * 1000)))
        self.models = self.client.models

    def make(self, options):
        return genai.Client(api_key=self.key, http_options=options)

    def hello(self, model):
        answer = self.models.generate_content(model=model, contents=HELLO)
        assert answer.candidates[0].finish_reason == types.FinishReason.STOP
        usage = answer.usage_metadata
        return Said(answer.text, usage.prompt_token_count, usage.candidates_token_count)

    def stream(self, model):
        pieces = list(self.models.generate_content_stream(model=model, contents=HELLO))
        assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP
        return [piece.text for piece in pieces if piece.text]

    def embed(self, model):
        return [one.values for one in self.models.embed_content(model=model, contents=TEXTS).embeddings]

    def abandon(self, model):
        with contextlib.closing(self.models.generate_content_stream(model=model, contents=HELLO)) as pieces:
            return next(iter(pieces))

    def turn(self, model, contents, stream):
        """The parts of an answer."""
        config = {"tools": [{"function_declarations": [FUNCTION]}]}
        asked = {"model": model, "contents": contents, "config": config}
        answers = self.models.generate_content_stream(**asked) if stream else [self.models.generate_content(**asked)]
        return [part for answer in answers for part in answer.candidates[0].content.parts or []]

    def weather(self, model, stream):
        contents = [types.Content(role="user", parts=[types.Part(text=WEATHER)])]
        first = self.turn(model, contents, stream)
        call = one([part.function_call for part in first if part.function_call])
        result = types.FunctionResponse(id=call.id, name=call.name, response={"result": TOOL_RESULT})
        contents += [
            types.Content(role="model", parts=first),
            types.Content(role="user", parts=[types.Part(function_response=result)]),
        ]
        last = self.turn(model, contents, stream)
        return Called(call.name, call.args, "".join(part.text or "" for part in last))

    def extract(self, model):
        config = {"response_mime_type": "application/json", "response_schema": Person}
        return self.models.generate_content(model=model, contents=EXTRACT, config=config).parsed


class Vertex(Google):
    name, embed = "google-vertex", None

    def make(self, options):
        # the token is the client's own key, as far as we are concerned
        credentials = Credentials(self.key)
        return genai.Client(vertexai=True, project="p", location="l", credentials=credentials, http_options=options)
