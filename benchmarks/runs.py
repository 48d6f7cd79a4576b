"""Opening the panel of runs with 500 of them kept: from the click on its tab until it is painted.

Beside it: the same list when every history is read and decoded for it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import Row, alternate, finish

RUNS = 500
POINTS = 2_000
EPOCHS = 12


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="qtdigits-runs-") as folder:
        _fill(Path(folder))
        ours, theirs = alternate(3, "runs", ("list", folder), ("decode", folder))
    return [
        Row(
            f"{RUNS} runs kept: panel opens",
            ours["opened_ms"],
            theirs["opened_ms"],
            "ms",
            "every history decoded for the list",
            "≤ 300 ms",
        )
    ]


def child(way: str, folder: str) -> None:
    from qtdigits.cli.window import prepare_start

    prepare_start()
    from qtdigits.gui import app as program
    from qtdigits.gui.main_window import TABS

    app, window = program.create(["--data-dir", folder])
    window.trainer.start_engine = lambda: None  # type: ignore[method-assign]
    ready: list[bool] = []
    window.became_ready.connect(lambda: ready.append(True))
    window.show()
    while not ready or not window.curves.are_made:
        app.processEvents()
    runs = window.session.store.runs
    if way == "decode":
        records = runs.records
        runs.records = lambda **which: [  # type: ignore[method-assign]
            run for run in records(**which) if runs.history(run.id) is not None
        ]
    start = time.perf_counter()
    window.tabs.setCurrentIndex(TABS.index("Runs"))
    app.processEvents()
    window.repaint()
    finish(opened_ms=1000 * (time.perf_counter() - start))


def _fill(folder: Path) -> None:
    from qtdigits.core.recipe_files import load_recipe, recipe_names
    from qtdigits.core.run.events import BatchEnded, EpochEnded
    from qtdigits.core.run.history import History
    from qtdigits.store.tables.runs import RunRecord
    from qtdigits.store.tables.samples import SampleStore

    history = History()
    for step in range(1, POINTS + 1):
        history.apply(BatchEnded("r", step, 1, 1 / step, 1 - 1 / step, step / 20, 0.0, 12_345.6, 1e-3))
    for epoch in range(1, EPOCHS + 1):
        history.apply(
            EpochEnded("r", epoch, epoch * POINTS // EPOCHS, 0.1, 0.9, 1 / epoch, 0.95, True, epoch, 0)
        )
    recipes = [load_recipe(name) for name in recipe_names()]
    with SampleStore.open(folder) as store:
        for number in range(RUNS):
            recipe = recipes[number % len(recipes)].with_values(seed=number)
            store.runs.add(RunRecord(f"{number:08x}", recipe.to_json()))
            store.runs.end(f"{number:08x}", state="completed", history=history)


if __name__ == "__main__":
    child(*sys.argv[1:])
