"""Commands run, and what came of them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtdigits.core.drawing.ink import Ink
from qtdigits.store.data.ink_files import LabelledInk, write_ink_jsonl


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout, which must be one JSON object and nothing else."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    @property
    def complaint(self) -> str:
        """Stderr, which must be one line."""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("qtdigits: ")
        return self.err


Run = Callable[..., Outcome]


def python(*arguments: object, env: dict[str, str] | None = None) -> Outcome:
    """A Python process of its own; a variable given as "" is taken out of its environment."""
    environment = {name: value for name, value in {**os.environ, **(env or {})}.items() if value}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


SIGNALLED = """
import signal, sys
from qtdigits.cli import main, training_view

names, show = sys.argv.pop(1).split(), training_view.EventLines.show

def show_and_signal(self, event):
    show(self, event)
    if type(event).__name__ == "EpochEnded" and event.epoch == 2:
        for name in names:
            signal.raise_signal(signal.Signals[name])

training_view.EventLines.show = show_and_signal
sys.exit(main.main())
"""


def signalled_in_second_epoch(names: str, *arguments: object) -> Outcome:
    """The program with `--events` among its arguments; it gets the signals when it has told that its second epoch ended."""
    return python("-c", SIGNALLED, names, *arguments)


def on_terminal(*arguments: object) -> tuple[Outcome, str]:
    """As `python`, with a terminal of 120 columns as its stderr; what was shown there comes beside it."""
    import pty
    import termios

    terminal, its_end = pty.openpty()
    termios.tcsetwinsize(its_end, (30, 120))
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)], stdout=subprocess.PIPE, stderr=its_end, text=True
    )
    os.close(its_end)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)
    out, _ = process.communicate(timeout=240)
    return Outcome(process.returncode, out, ""), shown.decode()


def write_ink(
    path: Path, drawings: Sequence[Ink], labels: Sequence[str], *, writers: Sequence[str] = ("w01",)
) -> Path:
    rows = (
        LabelledInk(label, writers[i % len(writers)], ink, {})
        for i, (ink, label) in enumerate(zip(drawings, labels, strict=True))
    )
    write_ink_jsonl(path, rows)
    return path
