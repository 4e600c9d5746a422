"""OpenAI's own schemas (../shared/specs/openai.json): what we write for its clients and for its API.

Without that folder nothing is held against them, and the summary says so; its SDK judges all the same.
"""

import functools
import json

import jsonschema
import referencing
from referencing.jsonschema import DRAFT202012

from recordings import SHARED

ROOT = "urn:openai"
ARE_THERE = SHARED.exists()
MISSING = f"{SHARED} is not there: nothing is held against OpenAI's schemas"
ANSWERS = {
    "openai.chat": "CreateChatCompletionResponse",
    "openai.completions": "CreateCompletionResponse",
    "openai.responses": "Response",
    "openai.embeddings": "CreateEmbeddingResponse",
}
PIECES = {
    "openai.chat": "CreateChatCompletionStreamResponse",
    "openai.completions": "CreateCompletionResponse",
    "openai.responses": "ResponseStreamEvent",
}
REQUESTS = {
    "openai.chat": "CreateChatCompletionRequest",
    "openai.completions": "CreateCompletionRequest",
    "openai.responses": "CreateResponse",
    "openai.embeddings": "CreateEmbeddingRequest",
}


@functools.cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$ref": f"{ROOT}#/components/schemas/{name}"}, registry=registry())


@functools.cache
def registry() -> referencing.Registry:
    document = by_type(json.loads((SHARED / "specs" / "openai.json").read_text("utf-8")))
    return referencing.Registry().with_resource(ROOT, DRAFT202012.create_resource(document))


def problems(name: str, value: object) -> list[str]:
    """At most three, each with its place."""
    if not ARE_THERE:
        return []
    found = []
    for error in validator(name).iter_errors(value):
        best = jsonschema.exceptions.best_match([error])
        found.append(f"{name}: {best.json_path}: {best.message[:200]}")
        if len(found) == 3:
            break
    return found


def problems_of_answer(format: str, body: bytes, stream: bool) -> list[str]:
    """Of an answer or of every event of a stream; none for a format that is not OpenAI's."""
    if format not in ANSWERS:
        return []
    if not stream:
        answer = json.loads(body)
        if format == "openai.embeddings":
            # the schema knows lists only, and the API gives what it is asked for
            for one in answer["data"]:
                if isinstance(one["embedding"], str):
                    one["embedding"] = [0.0]
        return problems(ANSWERS[format], answer)
    found = []
    for frame in body.decode().split("\n\n"):
        data = "".join(line[5:].strip() for line in frame.splitlines() if line.startswith("data:"))
        if data and data != "[DONE]":
            found += problems(PIECES[format], json.loads(data))
        if found:
            break
    return found


def by_type(schema: object) -> object:
    """Where a member says which alternative is meant, it is no fault that others fit too: a user's message with parts is
    valid as `EasyInputMessage` and as `InputMessage`, whatever is in it."""
    if isinstance(schema, list):
        return [by_type(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = "discriminator" in schema and "oneOf" in schema
    return {"anyOf" if told and name == "oneOf" else name: by_type(one) for name, one in schema.items()}


@functools.cache
def members(name: str) -> frozenset[str]:
    """Every member that an object of this schema may have."""
    resolver = registry().resolver(ROOT)
    return frozenset(members_of({"$ref": f"#/components/schemas/{name}"}, resolver))


def members_of(schema: dict, resolver):
    if "$ref" in schema:
        schema = resolver.lookup(schema["$ref"]).contents
    yield from schema.get("properties", ())
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from members_of(part, resolver)
