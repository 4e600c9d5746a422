"""The applications of `main.mjs`, in one Node that is asked over its standard input and output."""

import json
import os
import pathlib
import shutil
import subprocess
import threading

from applications.application import Application, Called, Person, Said

SCRIPT = pathlib.Path(__file__).with_name("main.mjs")
CALL_SECONDS = 60


class Node:
    """The process. Its script stands beside `node_modules`, where Node looks for packages."""

    def __init__(self, launcher: pathlib.Path, packages: str, folder: pathlib.Path):
        script = folder / "main.mjs"
        shutil.copy(SCRIPT, script)
        (folder / "node_modules").symlink_to(f"{packages}/node_modules")
        self.errors = (folder / "node.stderr").open("wb")
        self.child = subprocess.Popen(
            [str(launcher), "node", "--preserve-symlinks-main", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, "NODE_NO_WARNINGS": "1"},
        )

    def ask(self, **question: object) -> object:
        """What the application came to; `NodeError` is what it threw."""
        self.child.stdin.write(json.dumps(question) + "\n")
        self.child.stdin.flush()
        # one that never answers is ended, and then its output
        watch = threading.Timer(CALL_SECONDS, self.child.kill)
        watch.start()
        try:
            line = self.child.stdout.readline()
        finally:
            watch.cancel()
        reply = json.loads(line) if line else {"error": {"name": "ended", "status": None, "message": self.errors.name}}
        if "error" in reply:
            raise NodeError(**reply["error"])
        return reply["value"]

    def stop(self) -> None:
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait(10)
        self.errors.close()


class NodeError(Exception):
    """What an application threw."""

    def __init__(self, name: str, status: int | None, message: str):
        super().__init__(f"{name} {status}: {message}")
        self.name, self.status, self.message = name, status, message


class NodeApplication(Application):
    """One of the script's, by its name there."""

    node: Node

    def ask(self, ability: str, model: str, stream: bool = False):
        where = {"application": self.name, "url": self.url, "key": self.key, "seconds": self.seconds}
        return self.node.ask(**where, model=model, ability=ability, stream=stream)

    def hello(self, model):
        return Said(**self.ask("hello", model))

    def stream(self, model):
        return self.ask("stream", model, True)

    def abandon(self, model):
        return self.ask("abandon", model, True)

    def weather(self, model, stream):
        return Called(**self.ask("weather", model, stream))

    def extract(self, model):
        return Person.model_validate(self.ask("extract", model))


class Embedding(NodeApplication):
    """One that also makes vectors."""

    def embed(self, model):
        return self.ask("embed", model)


def application(name: str, prefix: str, base: type[NodeApplication] = NodeApplication) -> type[NodeApplication]:
    return type(name, (base,), {"name": name, "prefix": prefix})


NODE_APPLICATIONS = (
    application("node-openai", "/v1", Embedding),
    application("node-openai-responses", "/openai/v1"),
    application("node-anthropic", ""),
    application("ai-openai", "/v1", Embedding),
    application("ai-openai-chat", "/v1"),
    application("ai-anthropic", "/anthropic/v1"),
    application("ai-openai-compatible", "/v1", Embedding),
)
