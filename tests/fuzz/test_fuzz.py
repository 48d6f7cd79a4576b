"""Every reader of foreign data, with valid files that were changed at random; and with what was found that way before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks, and limits memory as Linux does"),
]
FOUND = Path(__file__).parent / "found"
INPUTS = 1_500


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The short run, in a process of its own: its workers are forked, which a process with threads must not be."""
    from cli.running import python

    return python("-m", "tests.fuzz", INPUTS, "--seed", 1, "--out", tmp_path_factory.mktemp("fuzz"))


def test_that_every_reader_stands_the_short_run(ended) -> None:
    assert ended.code == 0, ended.out + ended.err


def test_that_what_was_found_before_is_not_found_again() -> None:
    from cli.running import python

    assert any(FOUND.iterdir())
    again = python("-m", "tests.fuzz", "--again", FOUND)
    assert again.code == 0, again.out + again.err
