"""Runs last: nothing went missing."""

import pytest

import cases
import floors
import recordings


def test_every_format_of_the_suite_exists(wire):
    assert not set(cases.ALL) - set(wire.formats)


def test_floors(request):
    if not recordings.load():
        pytest.skip(recordings.MISSING)
    if request.config.getoption("--write-floors"):
        return
    config = request.config
    if config.args_source is config.ArgsSource.ARGS or config.option.keyword:
        # a part of the suite counts a part of the cases
        return
    assert not floors.broken()


def test_exceptions_are_of_recordings():
    """A key that is gone cannot fail, so its exception would stay for ever."""
    if not recordings.load():
        pytest.skip(recordings.MISSING)
    known = set(cases.keys(recordings.load()))
    written = {key for key in cases.keys(cases.ERRORS + cases.WRITTEN) if key.startswith("written-")}
    assert not [exception for exception in cases.exceptions() if exception[1] not in known | written]
