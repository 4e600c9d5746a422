"""A table of what passed: SDK x ability x what it was asked of, computed from the cases that ran (`--matrix`)."""

from collections import Counter

# rows: a beginning of the names of clients and applications -> the SDK; the first that fits
SDKS = {
    "node-openai": "openai (Node)",
    "node-anthropic": "anthropic (Node)",
    "ai-": "Vercel AI SDK",
    "langchain-openai": "langchain-openai",
    "langchain-anthropic": "langchain-anthropic",
    "pydantic-ai": "pydantic-ai",
    "instructor": "instructor",
    "llama-index": "llama-index",
    "openai": "openai (Python)",
    "azure": "openai (Python)",
    "anthropic": "anthropic (Python)",
    "google-": "google-genai",
    "cohere": "cohere",
    "mistral": "mistralai",
    "boto3": "boto3",
    "groq": "groq",
}
ABILITIES = ("plain", "stream", "tools", "structured", "embeddings", "errors", "cancel", "time-out")
SOURCES = ("recorded", "translated", "aimock", "model", "faults", "proxy+CA")
# abilities that an SDK does not have
NONE = {
    "instructor": {"plain", "stream", "tools", "cancel", "embeddings"},
    **dict.fromkeys(
        ("anthropic (Python)", "anthropic (Node)", "groq", "boto3", "langchain-anthropic", "pydantic-ai", "llama-index"),
        {"embeddings"},
    ),
}
# test -> what it asks, and of whom; what depends on the case is None
TESTS = {
    "test_recordings::test_answer": (None, "recorded"),
    "test_recordings::test_stream": (None, "recorded"),
    "test_recordings::test_error": ("errors", "recorded"),
    "test_recordings::test_empty_answer": ("errors", "recorded"),
    "test_translated::test_translated": (None, "translated"),
    "test_translated::test_cut": ("errors", "translated"),
    "test_vectors::test_vectors": ("embeddings", None),
    "test_applications::test_answer": ("plain", "aimock"),
    "test_applications::test_stream": ("stream", "aimock"),
    "test_applications::test_tool_loop": ("tools", "aimock"),
    "test_applications::test_structured_output": ("structured", "aimock"),
    "test_applications::test_embeddings": ("embeddings", "aimock"),
    "test_applications::test_error": ("errors", "aimock"),
    "test_real_model::test_answer": ("plain", "model"),
    "test_real_model::test_stream": ("stream", "model"),
    "test_real_model::test_tools_offered": ("tools", "model"),
    "test_real_model::test_structured_output": ("structured", "model"),
    "test_faults::test_error": ("errors", "faults"),
    "test_faults::test_cancel": ("cancel", "faults"),
    "test_faults::test_impatient_client": ("time-out", "faults"),
    "test_faults::test_impatient_route": ("time-out", "faults"),
    "test_application_faults::test_status": ("errors", "faults"),
    "test_application_faults::test_cancel": ("cancel", "faults"),
    "test_application_faults::test_impatient": ("time-out", "faults"),
    "test_private_network::test_answer": ("plain", "proxy+CA"),
    "test_private_network::test_stream": ("stream", "proxy+CA"),
    "test_private_network::test_tool_loop": ("tools", "proxy+CA"),
    "test_private_network::test_structured_output": ("structured", "proxy+CA"),
    "test_private_network::test_error": ("errors", "proxy+CA"),
}

passed: Counter[tuple[str, str, str]] = Counter()


def pins_failure(item) -> None:
    """This case shows how something fails: it passes, and is no evidence that it works."""
    item.pins_failure = True


def note(item) -> None:
    """Counts a test that passed."""
    name = f"{item.path.stem}::{item.originalname}"
    if name not in TESTS or not hasattr(item, "callspec") or getattr(item, "pins_failure", False):
        return
    params = item.callspec.params
    client = params.get("sdk") or params.get("kind") or params.get("name")
    sdk = row(client if isinstance(client, str) else client.name)
    if sdk is None:
        return
    ability, source = TESTS[name]
    for one in [ability] if ability else abilities(params["case"]):
        passed[sdk, one, source or source_of(params)] += 1


def row(name: str) -> str | None:
    """None of what the table leaves out."""
    return next((sdk for beginning, sdk in SDKS.items() if name.startswith(beginning)), None)


def source_of(params: dict) -> str:
    """Of vectors: whether the SDK's own provider was recorded."""
    homes = {"openai": "openai.", "azure": "openai.", "mistral": "openai.", "google-genai": "gemini.", "cohere": "cohere."}
    return "recorded" if params["case"].format.startswith(homes[params["name"]]) else "translated"


def abilities(case) -> list[str]:
    """What a recorded conversation shows."""
    asked, request = [], case.request
    asked.append("stream" if case.asks_stream else "plain")
    if request.get("tools") or request.get("toolConfig"):
        asked.append("tools")
    generation = request.get("generationConfig") or {}
    forms = [request.get("response_format"), (request.get("text") or {}).get("format"), request.get("output_config")]
    forms += [request.get("outputConfig"), generation.get("responseSchema"), generation.get("responseJsonSchema")]
    if any(form and form != {"type": "text"} for form in forms):
        asked.append("structured")
    return asked


def table() -> list[str]:
    """Lines: a number is how many cases passed, `-` that the SDK has no such ability, `.` that nothing passed."""
    lines = ["passed cases, each cell " + " / ".join(SOURCES)]
    width = 24
    lines.append(f"{'':20}" + "".join(f"{ability:>{width}}" for ability in ABILITIES))
    for sdk in dict.fromkeys(SDKS.values()):
        cells = [cell(sdk, ability) for ability in ABILITIES]
        lines.append(f"{sdk:20}" + "".join(f"{text:>{width}}" for text in cells))
    return lines


def cell(sdk: str, ability: str) -> str:
    if ability in NONE.get(sdk, ()):
        return "-"
    return "/".join(str(passed[sdk, ability, source] or ".") for source in SOURCES)
