"""Answers that nobody recorded, written by hand after the providers' documentation: errors inside a stream, parallel calls
in pieces, calls without arguments, withheld answers, thinking. They are checked like recordings, against the same SDKs.
"""

import json
import struct
import zlib

from recordings import Recording

USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def chunk(delta: dict, finish: str | None = None, **more) -> dict:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def call(index: int, arguments: str, **more) -> dict:
    function = {"arguments": arguments, **({"name": more.pop("name")} if "name" in more else {})}
    return {"tool_calls": [{"index": index, "function": function, **more}]}


OPENAI_CHAT = {
    "parallel-calls": [
        chunk({"role": "assistant", "content": None}),
        chunk(call(0, "", id="a", type="function", name="f")),
        chunk(call(0, '{"x":')),
        chunk(call(0, " 1}")),
        chunk(call(1, "", id="b", type="function", name="g")),
        chunk({}, "tool_calls"),
        {**chunk({}), "choices": [], "usage": USAGE},
        "[DONE]",
    ],
    "refusal": [chunk({"role": "assistant", "refusal": "I "}), chunk({"refusal": "won't."}, "stop"), "[DONE]"],
    "error": [
        chunk({"role": "assistant", "content": "Half"}),
        {"error": {"message": "The server is overloaded.", "type": "server_error", "code": 503, "param": None}},
        "[DONE]",
    ],
    "no-end": [chunk({"role": "assistant", "content": "Half"})],
}


def start(**usage) -> dict:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 1, **usage},
    }
    return {"type": "message_start", "message": message}


def block(index: int, head: dict, *deltas: dict) -> list[dict]:
    return [
        {"type": "content_block_start", "index": index, "content_block": head},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def stop(reason: str) -> list[dict]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5}}, {"type": "message_stop"}]


def input_delta(text: str) -> dict:
    return {"type": "input_json_delta", "partial_json": text}


ANTHROPIC = {
    "thinking-and-calls": [
        start(cache_read_input_tokens=11, cache_creation_input_tokens=13),
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm."},
            {"type": "signature_delta", "signature": "c2ln"},
        ),
        {"type": "ping"},
        *block(1, {"type": "text", "text": ""}, {"type": "text_delta", "text": "On it."}),
        *block(2, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}, *map(input_delta, ('{"x"', ": 1}"))),
        *block(3, {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}}, input_delta("")),
        *stop("tool_use"),
    ],
    "server-tool": [
        start(),
        *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "I look. "}),
        *block(
            1,
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
            input_delta('{"query": "x"}'),
        ),
        *block(2, {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}),
        *block(3, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Nothing."}),
        *stop("end_turn"),
    ],
    "refusal-before-any-block": [start(), *stop("refusal")],
    "overloaded": [
        start(),
        *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Half"})[:2],
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    ],
    "no-end": [start(), *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Half"})],
}


def piece(*parts: dict, finish: str | None = None, **more) -> dict:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 12}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m", "responseId": "r", **more}


GEMINI = {
    "parallel-calls": [
        piece({"text": "Hm.", "thought": True}),
        piece({"text": "On it."}),
        piece({"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"}),
        piece({"functionCall": {"name": "g", "args": {}}}, finish="STOP"),
    ],
    "safety": [piece({"text": "Half"}), piece(finish="SAFETY")],
    "blocked": [{"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}}],
    "length": [piece({"text": "Half"}, finish="MAX_TOKENS")],
    "error": [
        piece({"text": "Half"}),
        {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}},
    ],
    "no-end": [piece({"text": "Half"})],
}


def part_of(index: int, delta: dict) -> dict:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}


def use(index: int, id: str, name: str, *inputs: str) -> list[dict]:
    return [
        {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": id, "name": name}}}},
        *(part_of(index, {"toolUse": {"input": text}}) for text in inputs),
        {"contentBlockStop": {"contentBlockIndex": index}},
    ]


BEDROCK_USAGE = {"inputTokens": 7, "outputTokens": 5, "totalTokens": 36, "cacheReadInputTokens": 11, "cacheWriteInputTokens": 13}
METADATA = {"metadata": {"usage": BEDROCK_USAGE, "metrics": {"latencyMs": 1}}}
BEDROCK = {
    "thinking-and-calls": [
        {"messageStart": {"role": "assistant"}},
        part_of(0, {"reasoningContent": {"text": "Hm."}}),
        part_of(0, {"reasoningContent": {"signature": "c2ln"}}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        part_of(1, {"text": "On it."}),
        {"contentBlockStop": {"contentBlockIndex": 1}},
        *use(2, "a", "f", '{"x"', ": 1}"),
        *use(3, "b", "g", ""),
        {"messageStop": {"stopReason": "tool_use"}},
        METADATA,
    ],
    "guardrail": [
        {"messageStart": {"role": "assistant"}},
        part_of(0, {"text": "Sorry."}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "guardrail_intervened"}},
        METADATA,
    ],
    "throttled": [
        {"messageStart": {"role": "assistant"}},
        part_of(0, {"text": "Half"}),
        {"throttlingException": {"message": "Too many tokens"}},
    ],
    "no-end": [{"messageStart": {"role": "assistant"}}, part_of(0, {"text": "Half"})],
}


def delta_of(type: str, index: int | None, **message) -> dict:
    event = {"type": type, "delta": {"message": message}}
    return event if index is None else {**event, "index": index}


def end(reason: str) -> dict:
    usage = {"billed_units": {"input_tokens": 3, "output_tokens": 5}, "tokens": {"input_tokens": 7, "output_tokens": 5}}
    return {"type": "message-end", "delta": {"finish_reason": reason, "usage": usage}}


def tool(**function) -> dict:
    return {"tool_calls": {**({"id": function.pop("id"), "type": "function"} if "id" in function else {}), "function": function}}


COHERE_START = {"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant"}}}
COHERE = {
    "parallel-calls": [
        COHERE_START,
        delta_of("tool-plan-delta", None, tool_plan="I will "),
        delta_of("tool-plan-delta", None, tool_plan="call."),
        delta_of("tool-call-start", 0, **tool(id="a", name="f", arguments="")),
        delta_of("tool-call-delta", 0, **tool(arguments='{"x":')),
        delta_of("tool-call-delta", 0, **tool(arguments=" 1}")),
        {"type": "tool-call-end", "index": 0},
        delta_of("tool-call-start", 1, **tool(id="b", name="g", arguments="")),
        {"type": "tool-call-end", "index": 1},
        end("TOOL_CALL"),
    ],
    "length": [
        COHERE_START,
        delta_of("content-start", 0, content={"type": "text", "text": ""}),
        delta_of("content-delta", 0, content={"text": "Half"}),
        {"type": "content-end", "index": 0},
        end("MAX_TOKENS"),
    ],
    "no-end": [COHERE_START, delta_of("content-start", 0, content={"type": "text", "text": ""})],
}


def response(status: str, *output: dict, **more) -> dict:
    usage = {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 12,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": status,
        "output": list(output),
        "error": None,
        "incomplete_details": None,
        "usage": usage if status in ("completed", "incomplete") else None,
        **more,
    }


def items(*calls: tuple[str, str, str]) -> tuple[list[dict], list[dict]]:
    """Function calls as events and as the output that they make."""
    events, output = [], []
    for index, (id, name, text) in enumerate(calls):
        item = {"type": "function_call", "id": f"fc_{id}", "call_id": id, "name": name, "status": "completed"}
        place = {"output_index": index, "item_id": item["id"]}
        done = {**item, "arguments": text}
        events += [
            {"type": "response.output_item.added", "output_index": index, "item": {**item, "arguments": ""}},
            {"type": "response.function_call_arguments.delta", "delta": text, **place},
            {"type": "response.function_call_arguments.done", "arguments": text, "name": name, **place},
            {"type": "response.output_item.done", "output_index": index, "item": done},
        ]
        output.append(done)
    return events, output


def message(*texts: str) -> tuple[list[dict], dict]:
    """A message as events and as the item that they make."""
    part = {"type": "output_text", "text": "".join(texts), "annotations": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    place = {"output_index": 0, "content_index": 0, "item_id": "msg_1"}
    events = [
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress", "content": []}},
        {"type": "response.content_part.added", "part": {**part, "text": ""}, **place},
        *({"type": "response.output_text.delta", "delta": text, "logprobs": [], **place} for text in texts),
        {"type": "response.output_text.done", "text": part["text"], "logprobs": [], **place},
        {"type": "response.content_part.done", "part": part, **place},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]
    return events, item


CALL_EVENTS, CALLS = items(("a", "f", '{"x": 1}'), ("b", "g", "{}"))
TEXT_EVENTS, TEXT = message("Ha", "lf")
CREATED = {"type": "response.created", "response": response("in_progress")}
CUT_OFF = response("incomplete", TEXT, incomplete_details={"reason": "max_output_tokens"})
FAILED = response("failed", error={"code": "server_error", "message": "The server had an error."})
RESPONSES = {
    "parallel-calls": [CREATED, *CALL_EVENTS, {"type": "response.completed", "response": response("completed", *CALLS)}],
    "length": [CREATED, *TEXT_EVENTS, {"type": "response.incomplete", "response": CUT_OFF}],
    "failed": [CREATED, *TEXT_EVENTS[:4], {"type": "response.failed", "response": FAILED}],
    "error": [CREATED, {"type": "error", "code": "server_error", "message": "The server had an error.", "param": None}],
    "no-end": [CREATED, *TEXT_EVENTS],
}


def completion(text: str, finish: str | None = None, **more) -> dict:
    choice = {"index": 0, "text": text, "finish_reason": finish, "logprobs": None}
    return {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [choice], **more}


COMPLETIONS = {
    "length": [completion("Ha"), completion("lf", "length"), {**completion(""), "choices": [], "usage": USAGE}, "[DONE]"],
    "error": [completion("Ha"), {"error": {"message": "The server had an error.", "type": "server_error"}}],
    "no-end": [completion("Half")],
}


# === framing


def data_only(events: list) -> bytes:
    return b"".join(b"data: " + (event if isinstance(event, str) else json.dumps(event)).encode() + b"\n\n" for event in events)


def with_names(events: list[dict]) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def numbered(events: list[dict]) -> bytes:
    return with_names([{**event, "sequence_number": number} for number, event in enumerate(events)])


def event_stream(events: list[dict]) -> bytes:
    """Frames of `application/vnd.amazon.eventstream`: lengths, headers, payload, and a sum over each of the two."""
    out = b""
    for event in events:
        [(name, value)] = event.items()
        kind = "exception" if name.endswith("Exception") else "event"
        headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
        # 7: a string, with a length of two bytes
        packed = b"".join(
            struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(text)) + text.encode()
            for key, text in headers.items()
        )
        payload = json.dumps(value).encode()
        prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
        frame = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
        out += frame + struct.pack("!I", zlib.crc32(frame))
    return out


STREAMS = {
    "openai.chat": (OPENAI_CHAT, data_only),
    "openai.completions": (COMPLETIONS, data_only),
    "openai.responses": (RESPONSES, numbered),
    "anthropic.messages": (ANTHROPIC, with_names),
    "gemini.generate_content": (GEMINI, data_only),
    "bedrock.converse": (BEDROCK, event_stream),
    "cohere.chat": (COHERE, with_names),
}


# the names of those that are no whole answer
BROKEN = ("error", "failed", "no-end", "overloaded", "throttled")


class Written(Recording):
    """Looks like a recording of a stream."""

    def __init__(self, format: str, name: str, body: bytes):
        line = {"path": "/", "req": {}, "status": 200, "headers": {}}
        super().__init__(f"written-{format}-{name}", "written", format, line, is_broken=name in BROKEN)
        # kept by the property's cache
        self.__dict__["body"] = body
        self.__dict__["is_stream"] = True


def load() -> list[Written]:
    return [
        Written(format, name, frame(events))
        for format, (streams, frame) in STREAMS.items()
        for name, events in streams.items()
    ]
