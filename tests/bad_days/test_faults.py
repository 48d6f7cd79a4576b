"""The short form of `make faults`: kills at named points, at random and within writes; disks, fsync and clocks that are wrong."""

from __future__ import annotations

import sys

import pytest

from cli.running import python

SEED = 1


@pytest.mark.slow
@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="forks its victims, and loads a library into them"
)
def test_that_nothing_is_lost_or_doubled_on_bad_days() -> None:
    works = ("judge", "bring_in", "edit", "promote", "save", "side by side")
    ended = python("-m", "tests.bad_days", 30, "--faults", 1, "--seed", SEED, "--only", *works)
    assert ended.code == 0, ended.out + ended.err
