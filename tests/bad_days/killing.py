"""Starting a program, and ending it with kill -9 at a moment that it does not expect."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

N_KILLS = int(os.environ.get("QTDIGITS_KILLS", "12"))
"""For each kind of work. `QTDIGITS_KILLS=500 pytest tests/bad_days/test_kill.py` is a bad afternoon."""

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def victim(work: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of `victims`, alive and about to begin; when the block ends it is dead in any case."""
    command = [sys.executable, "-m", "tests.bad_days.victims", work, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        try:
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def kill_while(work: str, folder: Path, *, seed: int, within_s: float, most_awaited: int = 5) -> list[str]:
    """Let it work, kill it, and give what it has said: some things and up to `within_s` later, by chance."""
    chance = random.Random(seed)
    n_awaited, wait_s = chance.randint(0, most_awaited), chance.uniform(0, within_s)
    with victim(work, folder) as process:
        said = b"".join(process.stdout.readline() for _ in range(n_awaited))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
            raise AssertionError(f"{work} ended by itself")
        process.kill()
        said += process.stdout.read()
    return [line.decode().rstrip("\n") for line in said.splitlines(keepends=True) if line.endswith(b"\n")]
