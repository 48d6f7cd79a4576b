"""200 classes beside 10: as many drawings, of more classes. Processor time, so that other work on the machine does not count.

`python -m benchmarks classes`. The network is `default`: beyond its digits, classes are known from memory.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.common import Row, finish, open_window, run_child

if TYPE_CHECKING:
    from qtdigits.gui.main_window import MainWindow
    from qtdigits.gui.panels.learning.learning_panel import LearningPanel
    from qtdigits.gui.session import Session

FEW, MANY = 10, 200
N_DRAWINGS = 2_000
ROUNDS = 15
WHAT = {
    "read": "Reader.read with 2,000 drawings in memory",
    "bars": "a drawing read and its answer painted",
    "judge": "a drawing judged while the tab Learning is in sight: tiles, coach, confusion matrix",
    "learning": "the tab Learning read anew and painted",
    "advise": "the coach: what to draw next, and what each class needs",
    "guided": "a guided session begun, and its next label",
    "dialog": "the dialog of classes opened",
    "frame": "SampleStore.samples_frame, 2,000 drawings",
    "export": "CSV pair written",
    "import": "CSV pair imported",
}


def measure() -> list[Row]:
    few, many = run_child("classes", str(FEW)), run_child("classes", str(MANY))
    beside = f"with {FEW} classes"
    return [
        Row(f"{what}, {MANY} classes", many[k], few[k], "ms", beside, "as quick") for k, what in WHAT.items()
    ]


def child(n_classes: int) -> None:
    with tempfile.TemporaryDirectory(prefix="qtdigits-classes-") as folder:
        _fill(Path(folder), n_classes)
        finish(**_times(Path(folder)))


def _fill(folder: Path, n_classes: int) -> None:
    """Store drawings, each judged once; every tenth was misread."""
    from qtdigits.core.drawing.raster import render_many
    from qtdigits.core.drawing.samples import Sample, Trial, Verdict
    from qtdigits.core.drawing.synthetic import synthetic_digits
    from qtdigits.store.tables.samples import SampleStore

    inks, _ = synthetic_digits(N_DRAWINGS, seed=1)
    labels = [str(i % n_classes) for i in range(N_DRAWINGS)]
    with SampleStore.open(folder) as store:
        for i, (ink, raster, label) in enumerate(zip(inks, render_many(inks), labels, strict=True)):
            verdict = Verdict.CONFIRMED if i % 10 else Verdict.CORRECTED
            answer = label if i % 10 else str((i + 1) % n_classes)
            trial = Trial("me", "default", answer, verdict, label, ("0", "1"), (0.5, 0.5))
            store.judge(Sample(label, raster, "me", ink), trial)


def _times(folder: Path) -> dict[str, float]:
    from qtdigits.gui.background import wait_until
    from qtdigits.gui.main_window import TABS
    from qtdigits.gui.panels.learning.learning_panel import LearningPanel

    _, window = open_window("litert", str(folder))
    window.show()
    session = window.session
    assert wait_until(lambda: bool(session.memory) and not session.is_remembering, 120)
    window.tabs.setCurrentIndex(TABS.index("Learning"))
    (panel,) = window.findChildren(LearningPanel)
    assert wait_until(lambda: panel.has_charts, 60)
    return {**_of_store(folder, session), **_of_window(window, panel)}


def _of_store(folder: Path, session: Session) -> dict[str, float]:
    from qtdigits.core.score.practice import advise, advise_classes
    from qtdigits.training.import_export import export_csv_pair, import_samples

    reader, memory = session.reader, session.memory
    assert reader is not None
    rasters = [sample.raster for sample in session.store.samples(limit=ROUNDS)] * 10
    recent = session.store.judgements.recent("me", 100_000)
    images, labels = folder / "i.csv", folder / "l.csv"

    def coach() -> None:
        advise(recent, session.labels, model="default")
        advise_classes(recent, session.labels)

    return {
        "read": _median(lambda: reader.read(rasters.pop(), memory), rounds=len(rasters)),
        "advise": _median(coach),
        "frame": _median(session.store.samples_frame),
        "export": _median(lambda: export_csv_pair(folder, images, labels), rounds=3),
        "import": _ms(lambda: import_samples(folder / "other", images, writer="me", labels=labels)),
    }


def _of_window(window: MainWindow, panel: LearningPanel) -> dict[str, float]:
    from PySide6.QtWidgets import QApplication

    from qtdigits.gui.panels.classes_dialog import ClassesDialog

    session = window.session
    drawn = [sample.ink for sample in session.store.samples(limit=ROUNDS + 1)]

    def draw() -> None:
        ink = drawn.pop()
        for stroke in ink.strokes if ink else ():
            session.add_stroke(stroke, "mouse")

    def painted(work: Callable[[], object]) -> Callable[[], None]:
        def done() -> None:
            work()
            QApplication.processEvents()

        return done

    def guided() -> None:
        window.guided.start(seed=1)
        QApplication.processEvents()
        window.guided.end()

    def dialog() -> None:
        opened = ClassesDialog(session=session, ask=window.ask, parent=window)
        opened.show()
        QApplication.processEvents()
        opened.done(0)

    draw()
    found = {"bars": _median(painted(session.recognise)), "guided": _median(guided)}
    session.judge("7")
    found["judge"] = _median(painted(lambda: session.judge("7")), before=draw)
    found["learning"] = _median(painted(panel.reload))
    found["dialog"] = _median(painted(dialog))
    return found


def _median(
    work: Callable[[], object], *, before: Callable[[], object] | None = None, rounds: int = ROUNDS
) -> float:
    taken = []
    for _ in range(rounds):
        if before is not None:
            before()
        taken.append(_ms(work))
    return median(taken)


def _ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


if __name__ == "__main__":
    child(int(sys.argv[1]))
