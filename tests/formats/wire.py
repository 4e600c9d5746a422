"""Our formats, by the program `fkm-wire` (tests/wire): one process for a whole run, one JSON object a line each way."""

import base64
import json
import subprocess

from answers import Answer, Choice


class Failure(Exception):
    """What the product says instead of a result; `kind` and `message` as in tests/wire/src/failure.rs."""

    def __init__(self, error: dict):
        super().__init__(f"{error['kind']}: {error['message']}")
        self.kind, self.message = error["kind"], error["message"]
        self.path, self.reason = error.get("path"), error.get("reason")


class Wire:
    """The running program."""

    def __init__(self, binary: str):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        exists = self.run("formats")
        self.formats: list[str] = exists["formats"]
        # name -> format
        self.presets: dict[str, str] = exists["presets"]

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)

    def run(self, op: str, body: bytes | None = None, **arguments) -> dict:
        """One command; its result whether it failed or not."""
        command = {"op": op, **{name.rstrip("_"): value for name, value in arguments.items()}}
        if body is not None:
            command["body"] = base64.b64encode(body).decode()
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"fkm-wire ended: {op}"
        result = json.loads(line)
        for name in ("body", "frame"):
            if result.get(name) is not None:
                result[name] = base64.b64decode(result[name])
        error = result.get("error")
        assert not error or error["kind"] != "command", error
        return result

    def ask(self, op: str, body: bytes | None = None, **arguments) -> dict:
        """One command that must not fail."""
        result = self.run(op, body, **arguments)
        if "error" in result:
            raise Failure(result["error"])
        return result

    def dialect(self, provider: str, format: str) -> str | None:
        """The preset of a provider whose files are named so; None for a provider without one in this format."""
        return provider if self.presets.get(provider) == format else None

    def decode(self, case, cut: int = 0) -> Answer:
        """A recorded answer, in pieces of `cut` bytes where it is a stream."""
        if case.is_stream:
            dialect = self.dialect(case.provider, case.format)
            return answer(self.ask("decode_stream", case.body, format=case.format, dialect=dialect, cut=cut)["answer"])
        return answer(self.ask("decode_response", case.body, format=case.format)["answer"])

    def cost(self, case, model: str) -> dict:
        """What a recorded answer of this model cost, see tests/wire/src/cost.rs."""
        dialect = self.dialect(case.provider, case.format)
        asked = {"format": case.format, "dialect": dialect, "provider": case.provider, "model": model}
        return self.ask("cost", case.body, stream=case.is_stream, **asked)


def answer(shown: dict) -> Answer:
    """The answer of tests/wire/src/answer.rs."""
    choices = [
        Choice(
            # a refusal is what the model says instead of content; only OpenAI keeps the two apart
            choice["text"] or choice["refusal"],
            [(call["name"], call["arguments"]) for call in choice["calls"]],
            choice["finish"],
        )
        for choice in shown["choices"]
    ]
    usage = shown["usage"] or {}
    ranks = [tuple(rank) for rank in shown.get("ranks", [])]
    return Answer(choices, usage.get("input"), usage.get("output"), shown.get("vectors", []), ranks)
