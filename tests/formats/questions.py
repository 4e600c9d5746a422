"""What a request asks, read from the bare JSON of each format, independently of the product: the functions that the client
offers, the calls that were made and answered, and every text that somebody said."""

import dataclasses
import re
from collections.abc import Iterator

from answers import arguments


# the tool by which a model answers in JSON that has no other way
ANSWER_TOOL = "json_tool_call"


@dataclasses.dataclass
class Question:
    """What must survive in another format."""

    # names of the functions that the client runs
    tools: list[str] = dataclasses.field(default_factory=list)
    # calls in the conversation
    calls: list[tuple[str, object]] = dataclasses.field(default_factory=list)
    # how many of them were answered
    results: int = 0
    # of system, user and assistant, but not of tools
    texts: list[str] = dataclasses.field(default_factory=list)
    # no tool may be called: a format without a word for it leaves them out
    none: bool = False


def differences(want: Question, got: Question) -> list[str]:
    """What the translated request lost. It may say more: a document's text, the name of a result that was moved."""
    found = []
    missing = [name for name in want.tools if name not in got.tools]
    # a format may demand the tools of calls that were made, or answer in JSON by a tool
    more = set(got.tools) - set(want.tools) - {name for name, _ in want.calls} - {ANSWER_TOOL}
    if missing and not want.none or more:
        found.append(f"asks other tools: {got.tools}, not {want.tools}")
    for name in ("calls", "results"):
        left, right = getattr(want, name), getattr(got, name)
        if left != right:
            found.append(f"asks other {name}: {str(right)[:150]}, not {str(left)[:150]}")
    everything = squeezed("".join(got.texts))
    lost = [text for text in want.texts if squeezed(text) not in everything]
    return found + [f"does not say {text[:80]!r}" for text in lost[:2]]


def squeezed(text: str) -> str:
    """Without white space, which formats trim at their edges."""
    return "".join(text.split())


def texts_of(content: object) -> Iterator[str]:
    """Of a string, or of the parts with a text, whatever their type; not of thoughts."""
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else []:
        if isinstance(part, str):
            yield part
        elif isinstance(part.get("text"), str) and not part.get("thought"):
            yield part["text"]


def of_openai_chat(body: dict) -> Question:
    question = Question([tool["function"]["name"] for tool in body.get("tools") or [] if "function" in tool])
    # as it was before tools
    question.tools += [function["name"] for function in body.get("functions") or []]
    question.none = (body.get("tool_choice") or body.get("function_call")) in ("none", "NONE")
    for message in body["messages"]:
        if message["role"] in ("tool", "function"):
            question.results += 1
            continue
        question.texts += texts_of(message.get("content"))
        # Cohere's word for what is said before a call
        question.texts += texts_of(message.get("tool_plan"))
        legacy = message.get("function_call")
        if isinstance(legacy, dict) and legacy.get("name"):
            question.calls.append((legacy["name"], arguments(legacy.get("arguments"))))
        for call in message.get("tool_calls") or []:
            if "function" in call:
                question.calls.append((call["function"]["name"], arguments(call["function"].get("arguments"))))
    return question


def of_openai_responses(body: dict) -> Question:
    question = Question([tool["name"] for tool in body.get("tools") or [] if tool.get("type") == "function"])
    question.none = body.get("tool_choice") == "none"
    question.texts += texts_of(body.get("instructions"))
    items = body.get("input") or []
    for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
        match item.get("type", "message"):
            case "message":
                question.texts += texts_of(item.get("content"))
            case "function_call":
                question.calls.append((item["name"], arguments(item["arguments"])))
            case "function_call_output":
                question.results += 1
    return question


def of_anthropic(body: dict) -> Question:
    # tools that the provider runs have a type
    own = [tool for tool in body.get("tools") or [] if tool.get("type") in (None, "custom")]
    question = Question([tool["name"] for tool in own])
    question.none = (body.get("tool_choice") or {}).get("type") == "none"
    question.texts += texts_of(body.get("system"))
    for message in body["messages"]:
        question.texts += texts_of(message["content"])
        for block in message["content"] if isinstance(message["content"], list) else []:
            if block["type"] == "tool_use":
                question.calls.append((block["name"], block["input"]))
            question.results += block["type"] == "tool_result"
    return question


def of_gemini(body: dict) -> Question:
    body = camel(body)
    question = Question()
    for tool in body.get("tools") or []:
        question.tools += [function["name"] for function in camel(tool).get("functionDeclarations") or []]
    calling = camel(body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    question.none = calling.get("mode") == "NONE"
    for content in [body.get("systemInstruction") or {}, *body["contents"]]:
        parts = [camel(part) for part in content.get("parts") or []]
        question.texts += texts_of(parts)
        for part in parts:
            # the API reads both spellings of JSON for protocol buffers
            call = part.get("functionCall") or part.get("function_call")
            if call:
                question.calls.append((call["name"], call.get("args") or {}))
            question.results += "functionResponse" in part or "function_response" in part
    return question


def camel(value: dict) -> dict:
    """Google takes names of members in both ways."""
    return {re.sub("_(.)", lambda match: match[1].upper(), name): member for name, member in value.items()}


def of_bedrock(body: dict) -> Question:
    tools = (body.get("toolConfig") or {}).get("tools") or []
    question = Question([tool["toolSpec"]["name"] for tool in tools if "toolSpec" in tool])
    question.texts += texts_of(body.get("system"))
    for message in body["messages"]:
        question.texts += texts_of(message["content"])
        for block in message["content"]:
            if "toolUse" in block:
                question.calls.append((block["toolUse"]["name"], block["toolUse"]["input"]))
            question.results += "toolResult" in block
    return question


READERS = {
    "openai.chat": of_openai_chat,
    "openai.responses": of_openai_responses,
    "anthropic.messages": of_anthropic,
    "gemini.generate_content": of_gemini,
    "bedrock.converse": of_bedrock,
    "cohere.chat": of_openai_chat,
}
