"""Hours of use at high speed, and what grows by them: `python -m tests.bad_days.soak [MINUTES]`, or `--engine TRAININGS`.

A simulated minute is what somebody does in one who is quick: five drawings, judged, corrected or skipped, an undo and a redo, a
tab. After a first part, in which caches fill, nothing may grow any more: memory, threads, open files, timers, windows.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:
    from qtdigits.gui.main_window import MainWindow

DRAWINGS_A_MINUTE = 5
COLUMNS = ("memory, MB", "threads", "open files", "timers", "windows")
MOST_GROWN = (12.0, 0, 0, 0, 0)
"""From the middle of the time to its end. Memory: a hundredth of the window's, and the drawings it remembers."""
MOST_GROWN_ENGINE_MB = 30.0
"""Over the second half of the trainings."""

Measured = tuple[float, ...]


def use(minutes: int, seed: int) -> Iterator[Measured]:
    """Use the window for so many simulated minutes; measure ten times on the way."""
    from PySide6.QtCore import QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QTabWidget

    from qtdigits.core.drawing.synthetic import synthetic_digits
    from qtdigits.gui import app

    inks, labels = synthetic_digits(200, seed=seed)
    random = Random(seed)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        application, window = app.create(["--data-dir", folder])
        window.show()
        QTest.qWait(200)
        window.findChild(QTimer, "quietTimer").stop()  # it would start an engine
        tabs = window.findChild(QTabWidget, "tabs")
        for minute in range(minutes):
            for _ in range(DRAWINGS_A_MINUTE):
                place = random.randrange(len(inks))
                draw(window, inks[place].strokes, labels[place] if random.random() < 0.9 else "")
                application.processEvents()
            window.drawing.undo()
            if random.random() < 0.5:
                window.drawing.redo()
            window.drawing.clear()
            tabs.setCurrentIndex(minute % tabs.count())
            QTest.qWait(5)
            if (minute + 1) % max(1, minutes // 10) == 0:
                yield measured(window)
        window.close()
        application.processEvents()


def draw(window: MainWindow, strokes: tuple[object, ...], label: str) -> None:
    for stroke in strokes:
        window.session.add_stroke(stroke, "mouse")
    window.drawing.judge(label)


def measured(window: MainWindow) -> Measured:
    from PySide6.QtCore import QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    QTest.qWait(300)
    gc.collect()
    timers = sum(timer.isActive() and not timer.isSingleShot() for timer in window.findChildren(QTimer))
    windows = len(QApplication.topLevelWidgets())
    return (
        resident_mb(os.getpid()),
        threading.active_count(),
        len(list(Path("/proc/self/fd").iterdir())),
        timers,
        windows,
    )


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def train(trainings: int) -> Iterator[float]:
    """Give one engine tiny trainings, one after the other; the memory of its process after each."""
    from qtdigits.core.drawing.synthetic import synthetic_digits
    from qtdigits.core.recipe import recipe_of
    from qtdigits.core.run.events import EngineReady, RunFinished
    from qtdigits.engine.client import EngineClient
    from qtdigits.engine.protocol import RunJob
    from qtdigits.store.data.ink_files import LabelledInk, write_ink_jsonl
    from qtdigits.training.jobs import TrainingJob

    recipe = recipe_of({"dense": "8", "epochs": 2, "batch_size": 50, "mnist_images": 0, "augmentation": 0})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        ink = Path(name) / "ink.jsonl"
        inks, labels = synthetic_digits(200, seed=1)
        write_ink_jsonl(ink, [LabelledInk(label, "w", one) for one, label in zip(inks, labels, strict=True)])

        def ask() -> None:
            job = TrainingJob.new(recipe, data_dir=name, ink_files=(str(ink),), use_drawings=False)
            engine.send(RunJob(job))

        engine = EngineClient(data_dir=Path(name))
        engine.start()
        try:
            done = 0
            for event in engine.events():
                if isinstance(event, RunFinished):
                    done += 1
                    yield resident_mb(engine.pid or 0)
                if done == trainings:
                    break
                if isinstance(event, EngineReady | RunFinished):
                    ask()
        finally:
            engine.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("minutes", nargs="?", type=int, default=240, help="simulated (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", type=int, metavar="N", help="instead: N tiny trainings in one engine")
    args = parser.parse_args()
    if args.engine:
        after = list(train(args.engine))
        print("memory of the engine after each training, MB:", " ".join(f"{mb:.0f}" for mb in after))
        grown = after[-1] - after[len(after) // 2]
        print(f"grown from the middle to the end: {grown:.1f} MB (at most {MOST_GROWN_ENGINE_MB:.0f})")
        return 0 if len(after) == args.engine and grown <= MOST_GROWN_ENGINE_MB else 1
    rows = []
    print(f"seed {args.seed}, {args.minutes} minutes, {args.minutes * DRAWINGS_A_MINUTE} drawings")
    print("".join(f"{column:>14}" for column in COLUMNS))
    for row in use(args.minutes, args.seed):
        rows.append(row)
        print("".join(f"{value:>14.1f}" if value is row[0] else f"{value:>14}" for value in row), flush=True)
    # Of three measurements the least: a timer may run for a moment.
    ends, middles = (zip(*part, strict=True) for part in (rows[-3:], rows[len(rows) // 2 - 1 :][:3]))
    grown = [min(end) - min(middle) for end, middle in zip(ends, middles, strict=True)]
    print(
        "grown from the middle to the end: "
        + ", ".join(f"{n:g} {c}" for n, c in zip(grown, COLUMNS, strict=True))
    )
    return 0 if all(n <= most for n, most in zip(grown, MOST_GROWN, strict=True)) else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # as the program does
