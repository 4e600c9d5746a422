"""The table of `--matrix` counts what it says: tests that are there, for every client, and no case that shows a failure."""

import importlib
import pathlib
import types
from collections import Counter

import pytest

import sdk_matrix
from applications import APPLICATIONS
from applications.node import NODE_APPLICATIONS
from clients import SDKS

# ability -> how an application is asked for it
METHODS = {
    "plain": "hello",
    "stream": "stream",
    "tools": "weather",
    "structured": "extract",
    "embeddings": "embed",
    "cancel": "abandon",
}


@pytest.mark.parametrize("name", sdk_matrix.TESTS)
def test_is_there(name):
    module, function = name.split("::")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("kind", (*APPLICATIONS, *NODE_APPLICATIONS, *SDKS), ids=lambda kind: kind.name)
def test_has_a_row(kind):
    assert sdk_matrix.row(kind.name) is not None


@pytest.mark.parametrize("kind", (*APPLICATIONS, *NODE_APPLICATIONS), ids=lambda kind: kind.name)
def test_none_is_none(kind):
    for ability in sdk_matrix.NONE.get(sdk_matrix.row(kind.name), ()):
        assert getattr(kind, METHODS[ability]) is None


@pytest.mark.parametrize("pins", [False, True])
def test_counts(monkeypatch, pins):
    counted = Counter()
    monkeypatch.setattr(sdk_matrix, "passed", counted)
    callspec = types.SimpleNamespace(params={"name": "node-openai", "model": "m"})
    path = pathlib.Path("test_applications.py")
    item = types.SimpleNamespace(path=path, originalname="test_stream", callspec=callspec)
    if pins:
        sdk_matrix.pins_failure(item)
    sdk_matrix.note(item)
    assert counted == ({} if pins else {("openai (Node)", "stream", "aimock"): 1})


SUITE = """
import pytest
def test_passes(): pass
def test_skips(): pytest.skip("")
@pytest.mark.xfail
def test_fails(): assert False
"""


def test_only_what_passed_is_counted(monkeypatch, tmp_path):
    """What the hook of the suite does with a case that passes, is skipped, or fails."""
    import conftest

    noted = []
    monkeypatch.setattr(sdk_matrix, "note", lambda item: noted.append(item.name))
    (tmp_path / "test_some.py").write_text(SUITE)
    hook = types.SimpleNamespace(pytest_runtest_makereport=conftest.pytest_runtest_makereport)
    pytest.main(["-p", "no:terminal", "-p", "no:cacheprovider", "-c", "/dev/null", str(tmp_path)], plugins=[hook])
    assert noted == ["test_passes"]
