"""Whether a request is one that a provider's own types accept: a function from the body to its problems, by format.

Unknown members count as problems, also where the SDK would let them pass.
"""

import functools
import inspect
import re
from collections.abc import Callable, Mapping

import anthropic
import botocore.session
import cohere.v2.client
import pydantic
import voyageai
from botocore.validate import ParamValidator
from google.genai import types
from mistralai.client import models as mistral

import schemas

# what the SDKs take from elsewhere than the body
BEDROCK_MODEL = {"modelId": "m"}


def openai(format: str, body: dict) -> list[str]:
    if not schemas.ARE_THERE:
        return []
    name = schemas.REQUESTS[format]
    unknown = set(body) - schemas.members(name)
    return schemas.problems(name, body) + [f"unknown member {key}" for key in sorted(unknown)]


# older models still take them; the SDK's types no longer know them
OLDER = ("temperature", "top_p", "top_k")


@functools.cache
def anthropic_adapter(beta: bool, stream: bool) -> pydantic.TypeAdapter:
    """Of the general interface or of the one with beta features."""
    kinds = anthropic.types.beta.message_create_params if beta else anthropic.types.message_create_params
    kind = kinds.MessageCreateParamsStreaming if stream else kinds.MessageCreateParamsNonStreaming
    # pydantic takes no config for a TypedDict itself, but hands it down from a union
    return pydantic.TypeAdapter(kind | None, config=pydantic.ConfigDict(extra="forbid"))


def messages(body: dict) -> list[str]:
    known = {name: value for name, value in body.items() if name not in OLDER}
    adapters = [anthropic_adapter(beta, body.get("stream", False)) for beta in (False, True)]
    found = [of_pydantic(lambda one=one: materialise(one.validate_python(known))) for one in adapters]
    return found[0] if all(found) else []


def materialise(value: object) -> None:
    """The SDK's types hold iterables, which are only validated when they are iterated over."""
    if isinstance(value, Mapping):
        for member in value.values():
            materialise(member)
    elif not isinstance(value, str | bytes | pydantic.BaseModel) and hasattr(value, "__iter__"):
        for item in value:
            materialise(item)


def generate_content(body: dict) -> list[str]:
    """google-genai keeps in one flat `config` what the wire spreads over several members."""
    rest = dict(body)
    contents = rest.pop("contents", [])
    config = {**rest.pop("generationConfig", {}), **rest}
    found = of_pydantic(lambda: types.GenerateContentConfig.model_validate(config))
    for content in contents:
        found += of_pydantic(lambda content=content: types.Content.model_validate(content))
    return found if contents else [*found, "no contents"]


def gemini_embed(body: dict) -> list[str]:
    found = []
    for request in body.get("requests", [body]):
        found += of_pydantic(lambda: types.Content.model_validate(request.get("content")))
    return found


@functools.cache
def converse_shape():
    model = botocore.session.Session().get_service_model("bedrock-runtime")
    return model.operation_model("Converse").input_shape


def converse(body: dict) -> list[str]:
    report = ParamValidator().validate({**BEDROCK_MODEL, **body}, converse_shape())
    found = report.generate_report().splitlines() if report.has_errors() else []
    return found + list(limits(converse_shape(), body, "$"))


def limits(shape, value: object, path: str):
    """Patterns and upper limits, which botocore knows and does not check."""
    kind, meta = shape.type_name, shape.metadata
    if kind == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        for name, member in value.items():
            if name in shape.members:
                yield from limits(shape.members[name], member, f"{path}.{name}")
    elif kind == "list" and isinstance(value, list):
        if len(value) > meta.get("max", len(value)):
            yield f"{path}: {len(value)} items, at most {meta['max']}"
        for index, item in enumerate(value):
            yield from limits(shape.member, item, f"{path}[{index}]")
    elif kind == "string" and isinstance(value, str):
        if len(value) > meta.get("max", len(value)):
            yield f"{path}: {len(value)} characters, at most {meta['max']}"
        if "pattern" in meta and not re.fullmatch(meta["pattern"], value):
            yield f"{path}: {value[:80]!r} does not match {meta['pattern']}"


@functools.cache
def cohere_adapters(name: str) -> dict[str, pydantic.TypeAdapter]:
    """By the parameters of the SDK's method."""
    hints = inspect.get_annotations(getattr(cohere.v2.client.V2Client, name), eval_str=True)
    # what concerns the SDK alone
    del hints["return"], hints["request_options"]
    return {parameter: pydantic.TypeAdapter(hint) for parameter, hint in hints.items()}


def cohere_v2(name: str, body: dict) -> list[str]:
    adapters, found = cohere_adapters(name), []
    for member, value in body.items():
        if member in adapters:
            found += of_model(adapters[member], value, member)
        elif member != "stream":
            found.append(f"unknown member {member}")
    return found


@functools.cache
def voyage_model() -> type[pydantic.BaseModel]:
    """The arguments of the SDK's method, which are the members of its body."""
    arguments = list(inspect.signature(voyageai.Client.rerank).parameters.values())[1:]
    fields = {one.name: (one.annotation, ... if one.default is one.empty else one.default) for one in arguments}
    return pydantic.create_model("Rerank", __config__={"extra": "forbid", "strict": True}, **fields)


def voyage_rerank(body: dict) -> list[str]:
    return of_pydantic(lambda: voyage_model().model_validate(body))


@functools.cache
def mistral_adapter(name: str) -> pydantic.TypeAdapter:
    return pydantic.TypeAdapter(getattr(mistral, name))


def mistral_chat(body: dict) -> list[str]:
    return of_model(mistral_adapter("ChatCompletionRequest"), body, "$")


def mistral_embed(body: dict) -> list[str]:
    return of_model(mistral_adapter("EmbeddingRequest"), body, "$")


def of_pydantic(validate: Callable[[], object]) -> list[str]:
    """At most three."""
    try:
        validate()
    except pydantic.ValidationError as error:
        return [
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"[:200] for one in error.errors(include_url=False)[:3]
        ]
    return []


def of_model(adapter: pydantic.TypeAdapter, body: object, path: str) -> list[str]:
    """By types that let unknown members pass."""
    models = []
    return of_pydantic(lambda: models.append(adapter.validate_python(body))) or list(unknown(models[0], body, path))


def unknown(model: object, raw: object, path: str):
    """The members of `raw` that the model has no field for."""
    if isinstance(model, pydantic.BaseModel) and isinstance(raw, dict):
        fields = {}
        for name, field in type(model).model_fields.items():
            fields[name] = fields[field.alias or name] = name
        for key, value in raw.items():
            if key in fields:
                yield from unknown(getattr(model, fields[key]), value, f"{path}.{key}")
            else:
                yield f"unknown member {path}.{key}"
    elif isinstance(model, list) and isinstance(raw, list):
        for index, (item, value) in enumerate(zip(model, raw)):
            yield from unknown(item, value, f"{path}[{index}]")


# target -> the problems of a request; a target is a format, or a format and the preset whose dialect it is written in
TARGETS: dict[str, Callable[[dict], list[str]]] = {
    **{format: functools.partial(openai, format) for format in schemas.REQUESTS},
    "anthropic.messages": messages,
    "gemini.generate_content": generate_content,
    "gemini.embed": gemini_embed,
    "bedrock.converse": converse,
    "cohere.chat": functools.partial(cohere_v2, "chat"),
    "cohere.embed": functools.partial(cohere_v2, "embed"),
    "cohere.rerank": functools.partial(cohere_v2, "rerank"),
    "voyage.rerank": voyage_rerank,
    "openai.chat@mistral": mistral_chat,
    "openai.embeddings@mistral": mistral_embed,
}
