"""Starting a program, and ending it with kill -9 at each of the named points that it passes."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

N_KILLS = int(os.environ.get("QTDIGITS_KILLS", "12"))
"""For each kind of work, but at least one at each point. `QTDIGITS_KILLS=500 pytest tests/bad_days` is a bad afternoon."""

ROOT = Path(__file__).parents[2]
NOWHERE = "nowhere"
"""No point has this name."""
AT = "at "
"""How a line begins by which a victim names the point that it passes."""


@contextlib.contextmanager
def victim(work: str, folder: Path, *point: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process of `victims`, alive and about to begin; when the block ends it is dead in any case."""
    command = [sys.executable, "-m", "tests.bad_days.victims", work, str(folder), *map(str, point)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        try:
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def points_of(work: str, folder: Path, *, n_said: int, expected: set[str]) -> list[tuple[str, int]]:
    """Points at which to kill it, each a name and how many times it is passed before the victim dies there.

    They are found by letting the work go on in `folder` until it has said `n_said` things: all names are among them, those
    that are `expected` too.
    """
    passed: Counter[str] = Counter()
    with victim(work, folder, NOWHERE, 0) as process:
        while n_said > 0:
            line = process.stdout.readline().decode().rstrip("\n")
            assert line, f"{work} ended by itself"
            if line.startswith(AT):
                passed[line.removeprefix(AT)] += 1
            else:
                n_said -= 1
    assert expected <= set(passed)
    n_kills = max(N_KILLS, len(passed))
    kills = enumerate(itertools.islice(itertools.cycle(passed.items()), n_kills))
    return [(name, number % n_passed) for number, (name, n_passed) in kills]


def kill_at(work: str, folder: Path, point: tuple[str, int]) -> list[str]:
    """Let it work until it dies at `point`, and give what it has said."""
    with victim(work, folder, *point) as process:
        lines = process.stdout.read().decode().splitlines()
    assert lines[-1] == AT + point[0], f"{work} ended by itself"
    return [line for line in lines if not line.startswith(AT)]
