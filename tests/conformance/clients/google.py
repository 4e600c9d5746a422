"""`google-genai`: generateContent, as a client of AI Studio and of Vertex AI."""

import httpx2
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from answers import Answer
from clients.sdk import Sdk
from sdks import gemini
from snapshots import GEMINI

# members of a body that have a place of their own in the SDK's config
CONFIG = ("tools", "toolConfig", "systemInstruction", "safetySettings", "cachedContent", "labels")


class GenAi(Sdk):
    name, format, prefix = "google-genai", GEMINI, "/gemini"
    errors = (errors.APIError, httpx2.HTTPError)

    def make(self, url, key, seconds):
        return genai.Client(api_key=key, http_options=options(url, seconds))

    def ask(self, client, model, body, stream):
        config = dict(body.get("generationConfig") or {})
        config |= {name: body[name] for name in CONFIG if name in body}
        asked = {"model": model, "contents": body["contents"], "config": config}
        if not stream:
            return [client.models.generate_content(**asked)]
        return client.models.generate_content_stream(**asked)

    def question(self, text, stream):
        return {"contents": [{"role": "user", "parts": [{"text": text}]}]}

    def read(self, objects, stream) -> Answer:
        return gemini.of_pieces(objects)

    def plain(self, piece):
        return piece.model_dump(mode="json", exclude_none=True, exclude={"sdk_http_response"})

    def status(self, error):
        return getattr(error, "code", None)

    def said(self, error):
        if not isinstance(error, errors.APIError):
            return {}
        return {"message": error.message, "code": error.status}


class GenAiVertex(GenAi):
    name = "google-vertex"

    def make(self, url, key, seconds):
        # the token is the client's own key, as far as we are concerned
        return genai.Client(
            vertexai=True,
            project="p",
            location="l",
            credentials=Credentials(key),
            http_options=options(url, seconds),
        )


def options(url: str, seconds: float) -> types.HttpOptions:
    return types.HttpOptions(base_url=url, timeout=int(seconds * 1000))
