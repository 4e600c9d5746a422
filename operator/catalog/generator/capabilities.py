"""What a model can take, from litellm's `supports_*` and its like, by the names of `fkm_dialect::Capabilities`."""

# litellm's member, ours, and the value under which ours is true.
FLAGS = [
    ("supports_sampling_params", "noSampling", False),
    ("supports_forced_tool_use", "noForcedTool", False),
    ("supports_assistant_prefill", "noPrefill", False),
    ("supports_mid_conversation_system", "midSystem", True),
    ("supports_prompt_cache_breakpoint", "cacheBreakpoints", True),
]
# Said either way, or not at all.
ANSWERS = [
    ("supports_function_calling", "tools"),
    ("supports_vision", "vision"),
    ("supports_pdf_input", "documents"),
    ("supports_audio_input", "audio"),
]
# A model with efforts has these unless the entry says otherwise; the others only where it says so.
USUAL = ["low", "medium", "high"]
EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
# The formats in which Claude is told to think in its own way.
CLAUDE = {"anthropic.messages", "bedrock.converse"}
OPENAI = {"openai.chat", "openai.responses"}


def of(entry, formats):
    """The capabilities of an entry that is asked in these formats, as the first of them has it."""
    formats = formats[:1]
    found = {ours: True for name, ours, value in FLAGS if entry.get(name) is value}
    if refuses_sampling(entry):
        found["noSampling"] = True
    schema = json_schema(entry, formats)
    if schema is not None:
        found["jsonSchema"] = schema
    way = thinking(entry, formats)
    if way:
        found["thinking"] = way
    levels = efforts(entry, way)
    if levels:
        found["efforts"] = levels
    return found | {ours: entry[name] for name, ours in ANSWERS if isinstance(entry.get(name), bool)}


def refuses_sampling(entry):
    """OpenAI's models take a temperature only while they do not reason, which they do unless their default effort is
    none; litellm decides it so (`llms/openai/chat/gpt_5_transformation.py`, `effort_resolves_to_none`)."""
    openai = entry["litellm_provider"] in ("openai", "azure") and entry.get("supports_reasoning")
    return bool(openai) and entry.get("default_reasoning_effort") != "none"


def json_schema(entry, formats):
    """Claude knows schemas natively only where it is said so; elsewhere it is the same question as `response_format`."""
    native = entry.get("supports_native_structured_output", entry.get("supports_bedrock_native_structured_output"))
    if "anthropic.messages" in formats:
        return bool(native) if "supports_response_schema" in entry or native is not None else None
    return native if native is not None else entry.get("supports_response_schema")


def thinking(entry, formats):
    """In what way it is told to think; None where the table does not say it for these formats."""
    if entry.get("supports_reasoning") is False:
        return "Never"
    if CLAUDE & set(formats):
        if entry.get("thinking_always_on"):
            return "Always"
        if entry.get("supports_adaptive_thinking"):
            return "Adaptive"
        return "Budget" if entry.get("supports_reasoning") and "anthropic.messages" in formats else None
    return "Effort" if entry.get("supports_reasoning") and OPENAI & set(formats) else None


def efforts(entry, way):
    if isinstance(entry.get("reasoning_effort_levels"), list):
        return [word for word in EFFORTS if word in entry["reasoning_effort_levels"]]
    said = {word: entry.get(f"supports_{word}_reasoning_effort") for word in EFFORTS}
    tells = any(answer is not None for answer in said.values()) or entry.get("supports_output_config")
    if way in (None, "Budget", "Never") or not tells:
        return []
    return [word for word in EFFORTS if (said[word] is not False if word in USUAL else said[word])]
