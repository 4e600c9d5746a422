"""Coding agents from npm, headless, in an empty home and without a key: a file is written by a tool call of the model.

Their provider is aimock, in a format that is not the agent's own among others: what they send (long system prompts, dozens of
tools, cache marks, beta headers) must arrive, and their streams must read ours.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
from collections.abc import Callable

import pytest

import gateway
from conftest import SETUP, setup
from processes import Process
from snapshots import ANTHROPIC, GEMINI, NAMESPACE, OPENAI, Upstream, provider

SECONDS = 90
WRITTEN = "written by a tool call\n"
SAID = "The file is written."
PROMPT = "Write notes.txt please"


@dataclasses.dataclass(frozen=True)
class Agent:
    """One program."""

    name: str
    # below node_modules, for node
    script: str
    # from the file to be written to the tool and its arguments
    tool: Callable[[pathlib.Path], tuple[str, dict]]
    # from the LLM address to the environment
    environment: Callable[[str], dict[str, str]]
    arguments: tuple[str, ...]


def codex_home(home: pathlib.Path, llm: str) -> None:
    folder = home / ".codex"
    folder.mkdir()
    folder.joinpath("config.toml").write_text(
        f"""model = "gpt-5.1-codex"
model_provider = "sidecar"
approval_policy = "never"
sandbox_mode = "danger-full-access"
[model_providers.sidecar]
name = "sidecar"
base_url = "http://{llm}/v1"
wire_api = "responses"
env_key = "DUMMY_KEY"
request_max_retries = 0
stream_max_retries = 0
""",
        "utf-8",
    )


CLAUDE = Agent(
    "claude",
    # finds the program that an install script would have copied
    "@anthropic-ai/claude-code/cli-wrapper.cjs",
    lambda file: ("Write", {"file_path": str(file), "content": WRITTEN}),
    lambda llm: {
        "ANTHROPIC_BASE_URL": f"http://{llm}/anthropic",
        "ANTHROPIC_API_KEY": "dummy",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    },
    ("-p", PROMPT, "--permission-mode", "acceptEdits", "--output-format", "json"),
)
CODEX = Agent(
    "codex",
    "@openai/codex/bin/codex.js",
    lambda file: ("exec_command", {"cmd": f"printf '%s' '{WRITTEN}' > {file}"}),
    lambda _: {"DUMMY_KEY": "dummy"},
    ("exec", "--skip-git-repo-check", "--json", PROMPT),
)


@pytest.fixture(scope="session")
def programs() -> pathlib.Path:
    """The folder node_modules of the agents."""
    here = pathlib.Path(__file__).parent / "agents"
    try:
        return pathlib.Path(setup("npm.sh", "agents", str(here))) / "node_modules"
    except subprocess.CalledProcessError as failed:
        pytest.skip(f"the agents cannot be installed here: {failed}")


def starts(programs: pathlib.Path, agent: Agent, home: pathlib.Path) -> bool:
    command = ["node", str(programs / agent.script), "--version"]
    try:
        return subprocess.run(command, env=environment(home), capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def environment(home: pathlib.Path, **more: str) -> dict[str, str]:
    """Nothing of ours but where programs are."""
    node = subprocess.run([str(SETUP / "node.sh"), "node", "-p", "process.execPath"], capture_output=True, text=True, check=True)
    folder = pathlib.Path(node.stdout.strip()).parent
    return {"PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), **more}


@pytest.fixture
def mocked(folder, tmp_path):
    """A function from a tool call to the root URL of an aimock whose model makes it once."""
    packages = setup("npm.sh", "conformance", str(pathlib.Path(__file__).parent))
    running = []

    def start(name: str, arguments: dict) -> str:
        call = {"id": "call_write_1", "name": name, "arguments": arguments}
        fixtures = [
            {"match": {"hasToolResult": True}, "response": {"content": SAID}},
            {"match": {"hasToolResult": False}, "response": {"toolCalls": [call]}},
        ]
        file = tmp_path / "fixtures.json"
        file.write_text(json.dumps({"fixtures": fixtures}), "utf-8")
        script = f"{packages}/node_modules/@copilotkit/aimock/dist/cli.js"
        command = [str(SETUP / "node.sh"), "node", script, "-p", "0", "-h", "127.0.0.1", "-f", str(file)]
        process = Process("agents-mock", command, tmp_path, {"AIMOCK_API_KEYS": gateway.UPSTREAM_KEY})
        running.append(process)
        return process.wait_for(r"listening on (http://127\.0\.0\.1:\d+)", 30).group(1)

    yield start
    for process in running:
        process.stop()


def snapshot(format: str, root: str) -> str:
    """Whatever model the agent names, the provider of this format answers."""
    base = f"{root}/v1" if format == OPENAI else root
    one = provider("any", 0, Upstream(format, base, "gpt-4o"))
    pool = f"{NAMESPACE}/any"
    rule = {"route": f"{NAMESPACE}/suite", "name": "any", "backends": [{"name": "only", "pool": pool, "model": "any"}]}
    requires = [f"format.{format}"]
    return json.dumps({"requires": requires, "pools": {pool: {"providers": [one]}}, "rules": [rule]})


@pytest.mark.parametrize("format", [OPENAI, ANTHROPIC, GEMINI])
@pytest.mark.parametrize("agent", [CLAUDE, CODEX], ids=lambda agent: agent.name)
def test_a_file_is_written_by_a_tool_call(agent, format, programs, mocked, tmp_path, direct):
    if direct:
        pytest.skip("the upstreams alone speak one format each")
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    if not starts(programs, agent, home):
        pytest.skip(f"{agent.name} does not start here")
    file = work / "notes.txt"
    root = mocked(*agent.tool(file))
    sidecar = gateway.Sidecar(os.environ["FKM_SIDECAR"], tmp_path, "sidecar-agents", snapshot(format, root))
    try:
        if agent is CODEX:
            codex_home(home, sidecar.llm)
        command = ["node", str(programs / agent.script), *agent.arguments]
        told = environment(home, **agent.environment(sidecar.llm))
        ended = subprocess.run(
            command, cwd=work, env=told, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
        )
    finally:
        sidecar.stop()
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    assert file.exists() and file.read_text("utf-8").strip() == WRITTEN.strip(), said
    assert SAID in ended.stdout, said
    assert gateway.UPSTREAM_KEY not in said
