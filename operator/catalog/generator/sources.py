"""The two published tables of models and prices, read from their packages without running them.

litellm: one JSON object, `litellm/model_prices_and_context_window_backup.json`; a price is USD for one token.
genai-prices: Python source, `genai_prices/data.py`, of nothing but constructor calls; a price is USD for a million tokens.
Both are read with decimals, so that no price is rounded on its way.
"""

import ast
import functools
import json
import pathlib
import re
import subprocess
import sys
import zipfile
from decimal import Decimal

LITELLM = "litellm/model_prices_and_context_window_backup.json"
GENAI = "genai_prices/data.py"
# One wheel on every machine, so that its hash can be pinned.
PLATFORM = ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--only-binary", ":all:"]


def download(requirements, folder):
    """Puts the pinned wheels into the folder, hashes checked; those that are there already are not asked for again."""
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    pins = ["--require-hashes", "-r", str(requirements), "--find-links", str(folder), "--dest", str(folder)]
    subprocess.run([*pip, *PLATFORM, *pins], check=True)


def member(folder, package, path):
    """The text of one file of the wheel of this package."""
    wheels = sorted(folder.glob(f"{package}-*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"{folder} holds {len(wheels)} wheels of {package}; remove the folder and try again")
    with zipfile.ZipFile(wheels[0]) as wheel:
        return wheel.read(path).decode()


def pins(requirements):
    """`name version` of each pinned package."""
    return re.findall(r"^([\w-]+)==(\S+)", pathlib.Path(requirements).read_text(), re.M)


def litellm(folder):
    """{name: entry}, without the sample."""
    table = json.loads(member(folder, "litellm", LITELLM), parse_float=Decimal)
    table.pop("sample_spec", None)
    return table


def genai(folder):
    """{provider id: provider}, each call as a dictionary of its arguments with the name of the class under ``""``."""
    tree = ast.parse(member(folder, "genai_prices", GENAI))
    listed = next(node.value for node in tree.body if isinstance(node, ast.AnnAssign))
    return {provider["id"]: provider for provider in value(listed)}


def value(node):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {value(key): value(item) for key, item in zip(node.keys, node.values)}
    if isinstance(node, ast.Call):
        return call(node)
    return ast.unparse(node)


def call(node):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    args = [value(arg) for arg in node.args]
    if name == "Decimal":
        return Decimal(args[0])
    if name == "date":
        return "{:04}-{:02}-{:02}".format(*args)
    named = {keyword.arg: value(keyword.value) for keyword in node.keywords}
    return {"": name, **named, **({"args": args} if args else {})}


def matches(clause, name):
    """Whether a clause of genai-prices takes this name, as the package itself decides it."""
    kind = clause[""]
    if kind == "ClauseOr":
        return any(matches(one, name) for one in clause["or_"])
    if kind == "ClauseAnd":
        return all(matches(one, name) for one in clause["and_"])
    if kind == "ClauseRegex":
        return pattern(clause["regex"]).search(name) is not None
    if kind == "ClauseEquals":
        return name == clause["equals"].lower()
    if kind == "ClauseContains":
        return clause["contains"].lower() in name
    if kind == "ClauseStartsWith":
        return name.startswith(clause["starts_with"].lower())
    if kind == "ClauseEndsWith":
        return name.endswith(clause["ends_with"].lower())
    raise SystemExit(f"genai-prices has a clause that is not known here: {kind}")


@functools.cache
def pattern(text):
    return re.compile(text)


def find(providers, provider, name):
    """The model of genai-prices that a provider's name means: its own, else one of those that it resells."""
    own = providers.get(provider)
    if own is None:
        return None
    fallbacks = [providers[one] for one in own.get("fallback_model_providers") or []]
    for candidate in [own, *fallbacks]:
        for model in candidate["models"]:
            if matches(model["match"], name.lower()):
                return model
    return None
