"""The short forms of the soak: what is used for hours does not grow."""

from __future__ import annotations

import sys

import pytest

from cli.running import python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc for memory and open files"),
]


def test_that_an_hour_of_use_leaves_memory_threads_files_and_timers_as_they_were() -> None:
    ended = python("-m", "tests.bad_days.soak", 60)
    assert ended.code == 0, ended.out + ended.err


@pytest.mark.tensorflow
def test_that_the_memory_of_an_engine_does_not_grow_with_its_trainings() -> None:
    ended = python("-m", "tests.bad_days.soak", "--engine", 20)
    assert ended.code == 0, ended.out + ended.err
