"""The *Studies* tab with 1,000 finished trials, opened and redrawn; and the event loop while a study runs."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from benchmarks.common import Row, finish, open_window, run_child

if TYPE_CHECKING:
    from qtdigits.gui.panels.studies.study_pages import StudyPages
    from qtdigits.training.study_overview import StudyOverview

N_TRIALS, N_EPOCHS = 1_000, 10
N_REDRAWS = 20
SEARCH = (
    "neurons=8..256:log",
    "dropout=0..0.5:0.1",
    "learning_rate=0.0003..0.03:log",
    "activation=relu|tanh|gelu",
)


def measure() -> list[Row]:
    opened, study, engine = run_child("studies"), run_child("gaps", "study"), run_child("gaps", "engine")
    what, one = f"studies tab with {N_TRIALS:,} finished trials", "one training"
    return [
        Row(f"{what}, until it is painted", opened["painted_ms"], None, "ms", "", "≤ 500 ms"),
        Row(f"{what}, until its figures are shown", opened["shown_ms"], None, "ms", "", "≤ 500 ms"),
        Row("the same, opened again", opened["again_ms"], None, "ms", "", ""),
        *(
            Row(f"redraw of its page {page!r}, median", opened[page], None, "ms", "", "≤ 16 ms")
            for page in ("History", "One field", "All fields", "Importance", "Curves")
        ),
        Row("event-loop gap while a study runs, p99", study["p99_ms"], engine["p99_ms"], "ms", one, "1"),
        Row("the same, longest", study["max_ms"], engine["max_ms"], "ms", one, "1"),
    ]


def child() -> None:
    from PySide6.QtWidgets import QLabel, QTabWidget

    from benchmarks.gaps import GapWatch
    from qtdigits.training.study_overview import StudyReader

    folder = Path(tempfile.mkdtemp())
    _write_study(folder)
    app, window = open_window("litert", str(folder))
    window.trainer.start_engine = lambda: None  # type: ignore[method-assign]
    window.show()
    watch = GapWatch(app)
    watch.until(lambda: window.curves.are_made, 60)
    watch.run_for(1)
    tabs = [window.tabs.tabText(i) for i in range(window.tabs.count())]
    figures: dict[str, float] = {}

    def open_tab(painted: str, shown: str) -> None:
        start = time.perf_counter()
        window.tabs.setCurrentIndex(tabs.index("Studies"))
        app.processEvents()
        figures[painted] = 1000 * (time.perf_counter() - start)
        status = cast("QLabel", window.findChild(QLabel, "studyStatus"))
        watch.until(lambda: status.text().startswith("finished"), 60)
        figures[shown] = 1000 * (time.perf_counter() - start)

    open_tab("painted_ms", "shown_ms")
    watch.run_for(3)  # importances
    window.tabs.setCurrentIndex(0)
    watch.run_for(0.5)
    open_tab("again_ms", "again_ms")
    pages = cast("StudyPages", window.findChild(QTabWidget, "studyTabs"))
    study = StudyReader(folder).read("large")
    assert study is not None
    for place in range(pages.count() - 1):
        if pages.isTabVisible(place):
            pages.setCurrentIndex(place)
            watch.run_for(0.3)
            figures[pages.tabText(place)] = _redraw_ms(pages, study)
    finish(**figures)


def _redraw_ms(pages: StudyPages, study: StudyOverview) -> float:
    """Return the median time in which the page in sight takes up new figures and is painted: the window's part of a look."""
    from PySide6.QtWidgets import QGraphicsView

    from qtdigits.gui.panels.studies.study_pages import Shown

    took = []
    for _ in range(N_REDRAWS):
        shown = Shown.of(study)  # in the background
        start = time.perf_counter()
        pages.show_study(shown, study.best)
        for view in pages.currentWidget().findChildren(QGraphicsView):
            view.viewport().repaint()
        took.append(1000 * (time.perf_counter() - start))
    return float(np.median(took))


def _write_study(folder: Path) -> None:
    """A study as workers leave it: each trial asked for, reported after each epoch, and told."""
    import optuna

    from qtdigits.core.recipe_files import load_recipe
    from qtdigits.core.search import Search
    from qtdigits.core.study import RANDOM, Figures, StudySpec
    from qtdigits.training.studies import _suggested
    from qtdigits.training.study_storage import FIGURES, RUNS, create_or_join

    search = tuple(map(Search.parse, SEARCH))
    spec = StudySpec(load_recipe("quick"), search, sampler=RANDOM, trials=N_TRIALS, use_drawings=False)
    stored = create_or_join("large", spec.checked(), data_dir=folder)
    rng = np.random.default_rng(1)
    for number in range(N_TRIALS):
        trial: optuna.Trial = stored.study.ask()
        point = {one.name: _suggested(trial, one) for one in search}
        value = 0.97 - 0.02 * (math.log10(float(point["learning_rate"])) + 2.5) ** 2 + rng.normal(0, 0.003)
        trial.set_user_attr(RUNS, {"0": str(number)})
        for epoch in range(1, N_EPOCHS + 1):
            trial.report(value - 0.2 * 0.6**epoch, epoch)
        figures = Figures(5_000, (round(5_000 * min(0.999, value)),), (str(number),))
        trial.set_user_attr(FIGURES, figures.to_json())
        stored.study.tell(trial, figures.value)


if __name__ == "__main__":
    child()
