"""What the benchmarks share: rows of the table, child processes, drawings, and a window with either reader.

A child measures the program, so nothing is imported here at module level that the program would not import.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtWidgets import QApplication

    from qtdigits.gui.main_window import MainWindow

_STDOUT = os.dup(1)
"""A reader that is laid out in a thread keeps LiteRT quiet by redirecting the streams of the whole process for a moment."""

ROOT = Path(__file__).resolve().parent.parent


class Row(NamedTuple):
    """One line of the table: our figure, the figure beside it (None: there is none), and what is to be reached."""

    what: str
    ours: float
    theirs: float | None
    unit: str
    beside: str
    target: str


def run_child(module: str, *arguments: str, timeout_s: float = 900) -> dict[str, Any]:
    """Run `python -m benchmarks.<module> arguments` in a process of its own; it prints one JSON object as its last line."""
    import json
    import subprocess

    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", PYTHONDONTWRITEBYTECODE="")
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the window has it
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def medians(results: Sequence[dict[str, Any]]) -> dict[str, float]:
    import numpy as np

    return {key: float(np.median([r[key] for r in results])) for key in results[0]}


def alternate(
    times: int, module: str, ours: Sequence[str], theirs: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Both sides in turn, `times` each; the medians of their figures."""
    pairs = [(run_child(module, *ours), run_child(module, *theirs)) for _ in range(times)]
    return medians([a for a, _ in pairs]), medians([b for _, b in pairs])


def open_window(reader: str, data_dir: str | None = None) -> tuple[QApplication, MainWindow]:
    """The program's window on `data_dir`, by default a data folder of the benchmarks.

    `reader`: "litert" as it is, or "keras": `model.predict` instead.
    With "keras", TensorFlow is imported and the model loaded where the window otherwise opens its LiteRT reader.
    """
    from qtdigits.cli.window import prepare_start

    prepare_start()
    from qtdigits.gui import app, current_reader

    if reader == "keras":
        from benchmarks.keras_reader import KerasReader

        current_reader.Reader = KerasReader  # type: ignore[attr-defined]
    folder = data_dir or str(Path(os.environ.get("TMPDIR", "/tmp")) / "qtdigits-benchmarks")
    return app.create(["--data-dir", folder])


def drawings(n: int, seed: int = 1) -> list[list[NDArray[np.float64]]]:
    """`n` synthetic drawings: strokes of points `(m, 2)` in a unit square."""
    return [strokes for strokes, _ in labelled_drawings(n, seed)]


def labelled_drawings(n: int, seed: int = 1) -> list[tuple[list[NDArray[np.float64]], str]]:
    """The same, with their labels."""
    import numpy as np

    from qtdigits.core.drawing.synthetic import synthetic_digits

    inks, labels = synthetic_digits(n, seed=seed)
    placed = []
    for ink, label in zip(inks, labels, strict=True):
        left, top, right, bottom = ink.bounds
        scale = 0.6 / max(right - left, bottom - top, 1e-6)
        middle = np.array([(left + right) / 2, (top + bottom) / 2])
        placed.append(
            ([(stroke[:, :2].astype(float) - middle) * scale + 0.5 for stroke in ink.strokes], label)
        )
    return placed


def finish(**figures: float) -> None:
    """Print the child's figures and leave at once: ending a process is not what is measured."""
    import json

    os.write(_STDOUT, f"{json.dumps(figures)}\n".encode())
    os._exit(0)
