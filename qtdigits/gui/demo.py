"""The demo: the real window, drawn in with mouse and key events. Memory is taught by one drawing, then a model is retrained.

It needs no display (off-screen it uses Qt's own platform for that), keeps its data in a folder of its own, and leaves numbered
pictures and `summary.md`. Nothing is staged: the answers, the corrections and the figures are what the program really gave.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QBuffer,
    QCoreApplication,
    QEvent,
    QMessageLogContext,
    QPoint,
    Qt,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QPushButton,
    QSpinBox,
    QTableView,
    QTabWidget,
    QWidget,
)

from qtdigits.core.drawing.augmentation import Augmentation, deform_inks
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.samples import MNIST_TEST
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.formatting import percent
from qtdigits.core.run.events import RunFinished
from qtdigits.errors import DataMissingError, InputError, QtDigitsError
from qtdigits.gui.background import wait_until
from qtdigits.gui.engine_process import JobEnding
from qtdigits.gui.main_window import TABS, MainWindow
from qtdigits.gui.panels.runs.run_details import RESULT_TAB, RunResultPage
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix
from qtdigits.store.data.ink_files import read_ink_jsonl, read_unipen
from qtdigits.store.files import make_folder, write_file

N_DRAWINGS = 40
TEACHING_SEED = 2022
HOOKED_ONE = [[(8, 22), (15, 15), (30, 11), (34, 12), (31, 30), (24, 62)]]
"""A 1 with a long upstroke, which others read as a 7."""
HEART = [
    [(20, 18), (14, 8), (4, 9), (2, 20), (8, 32), (20, 44), (32, 32), (38, 20), (36, 9), (26, 8), (20, 18)]
]
SIMILAR = Augmentation(strength=0.3)
"""How much two drawings of a kind differ."""
EPOCHS = 6
TRAINING_TIMEOUT_S = 900
DRAWN_PART = 0.6
"""The longer side of a drawing is this part of the canvas."""


AnyWidget = TypeVar("AnyWidget", bound=QWidget)


@dataclass
class Findings:
    """What the demo met, for its summary."""

    source: str
    drawn: int = 0
    right: int = 0
    corrections: list[str] = field(default_factory=list)
    taught: list[str] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    training: str = ""
    scores: dict[str, float] = field(default_factory=dict)


def play(window: MainWindow, out: Path, drawings: list[tuple[str, Ink]], source: str) -> None:
    """Play the demo in a window that is not shown yet and has an empty data folder; pictures and summary go to `out`.

    `source` says where the drawings are from. The window is closed afterwards.
    """
    make_folder(out)
    for old in out.glob("[0-9][0-9]-*.png"):
        old.unlink()
    _drop_platform_remarks()
    text = summary_of(DemoPlayer(window, out, source).play(drawings))
    write_file(out / "summary.md", text.encode())
    sys.stdout.write(text)


def _drop_platform_remarks() -> None:
    """The off-screen platform says of every window that it cannot pass on size hints, which is of no use to anybody here."""

    def show(_kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        if not message.startswith("This plugin does not support"):
            sys.stderr.write(f"{message}\n")

    qInstallMessageHandler(show)


def drawings_from(path: Path | None) -> tuple[list[tuple[str, Ink]], str]:
    """Drawings with their labels: of the file, picked evenly over it so that several writers appear, or synthetic ones.

    Also tells where they are from. Raises `InputError` for ink that cannot be used.
    """
    if path is None:
        inks, labels = synthetic_digits(N_DRAWINGS, seed=2022)
        return list(zip(labels, inks, strict=True)), "the program's own synthetic ink"
    is_jsonl = path.name.endswith((".jsonl", ".jsonl.gz"))
    every = [
        (d.label, d.ink) for d in (read_ink_jsonl if is_jsonl else read_unipen)(path) if not d.ink.is_blank
    ]
    if not every:
        raise InputError(f"{path} holds no drawings.", "Give an ink file with at least one.")
    step = max(1, len(every) // N_DRAWINGS)
    return every[::step][:N_DRAWINGS], path.name


class DemoPlayer:
    """Plays the demo in one window. Waiting is always for a condition, never for a time."""

    def __init__(self, window: MainWindow, out: Path, source: str) -> None:
        self._window, self._out = window, out
        self._findings = Findings(source)
        window.ask.yes = lambda *_: True  # type: ignore[method-assign]
        window.resize(1360, 840)

    def play(self, drawings: list[tuple[str, Ink]]) -> Findings:
        window = self._window
        try:
            window.show()
            self._wait(lambda: bool(window.session.model_name), 30, "the model")
            self._first_model = window.session.model_name
            self._wait(lambda: window.curves.are_made, 30, "the curves")
            self._picture("start", "The window, a moment after it was started.")
            self._teach("1", HOOKED_ONE, "hooked-one")
            self._teach("♥", HEART, "heart")
            self._judge_all(drawings)
            self._show_tab("Learning")
            self._picture(
                "accuracy", "Running accuracy: each drawing was scored before it could be trained on."
            )
            self._show_tab("Drawings")
            self._picture("drawings", "Every judged drawing is kept, with its strokes.")
            self._look_at_run(self._train())
            self._use_new_model(drawings[0][1])
            self._look_inside(drawings[0][1])
        finally:
            window.close()
        return self._findings

    def _teach(self, label: str, strokes: list[list[tuple[int, int]]], name: str) -> None:
        """Draw it, say what it is, and draw it again: memory reads it."""
        inks = deform_inks([Ink.of(strokes)] * 2, np.random.default_rng(TEACHING_SEED), SIMILAR)
        first, again = [self._drawn_and_judged(label, ink, f"{name}-{n}") for n, ink in enumerate(inks, 1)]
        self._findings.taught.append(f"{label}: read as {first}, the next one as {again}")

    def _drawn_and_judged(self, label: str, ink: Ink, picture: str = "") -> str:
        """Draw, take a picture if it has a name, and confirm or correct; return what was read."""
        self._draw(ink)
        reading = self._window.session.reading
        read = reading.label if reading else "nothing"
        if picture:
            how = "Enter confirms" if read == label else f"{label} and Enter correct it"
            self._picture(picture, f"Drawn as {label}, read as {read}: {how}.")
        entry = self._window.drawing.entry
        if read != label:
            self._findings.corrections.append(f"{label} read as {read}")
        if read != label or not (reading and reading.is_sure):
            typed = QInputMethodEvent()
            typed.setCommitString(label)  # as an input method does: no key of its own stands for ♥
            QApplication.sendEvent(entry, typed)
        QTest.keyClick(entry, Qt.Key.Key_Return)
        self._findings.drawn += 1
        self._findings.right += read == label
        return read

    def _judge_all(self, drawings: list[tuple[str, Ink]]) -> None:
        for label, ink in drawings:
            self._drawn_and_judged(label, ink)

    def _train(self) -> RunFinished:
        window = self._window
        window.tabs.setCurrentWidget(window.training_panel)
        ended: list[JobEnding] = []
        window.trainer.job_ended.connect(ended.append)
        window.training_panel.choose_recipe("mlp-50-50")
        self._find(QSpinBox, "epochsSpin").setValue(EPOCHS)
        self._click("trainButton")

        def is_half_done() -> bool:
            return bool(ended) or len(window.trainer.history.epochs) >= EPOCHS // 2

        self._wait(is_half_done, TRAINING_TIMEOUT_S, "half of the epochs")
        self._picture("training", "Training goes on in the background; the curves move while one draws.")
        self._wait(lambda: bool(ended), TRAINING_TIMEOUT_S, "the end of the training")
        self._picture(
            "trained", "The end of the run: figures with their intervals, and the confusion matrix."
        )
        finished = ended[0].result
        if ended[0].outcome == "failed":
            raise QtDigitsError(f"The demo's training failed. {ended[0].message}", ended[0].remedy)
        if not isinstance(finished, RunFinished):
            raise QtDigitsError("The demo's training was interrupted.", "Play the demo again.")
        what = f"{finished.outcome} after {finished.epochs} epochs in {finished.elapsed_s:.0f} s"
        self._findings.training = f"{what}, best epoch {finished.best_epoch}"
        self._findings.scores = {
            name: score["accuracy"] for name, score in finished.scores.items() if score["n"]
        }
        return finished

    def _look_at_run(self, finished: RunFinished) -> None:
        """Reopen the run that has just ended, with its curves and its whole result; then Training is in front again."""
        window = self._window
        self._show_tab("Runs")
        table, pages = self._find(QTableView, "runsTable"), self._find(QTabWidget, "runTabs")
        self._wait(lambda: table.model().rowCount() > 0, 30, "the run in the list")
        table.selectRow(0)
        self._picture(
            "run-curves", "An earlier run reopened: batches, training, validation and the hold-out."
        )
        pages.setCurrentIndex(RESULT_TAB)
        self._open_worst_cell(finished)
        self._picture(
            "run-result", "Its whole result, with the drawings behind a cell of the confusion matrix."
        )
        window.set_theme("dark")
        self._picture("run-result-dark", "The same in dark colours.")
        pages.setCurrentIndex(0)
        self._picture("run-curves-dark", "The curves in dark colours.")
        window.set_theme("light")
        window.tabs.setCurrentWidget(window.training_panel)

    def _open_worst_cell(self, finished: RunFinished) -> None:
        """Choose the set, and click the cell of the confusion matrix with the most mistakes."""
        box = self._find(QComboBox, "runs.confusionSet")
        matrix = self._window.findChildren(RunResultPage)[0].findChildren(ConfusionMatrix)[0]
        if box.findText(MNIST_TEST) >= 0:
            box.setCurrentText(MNIST_TEST)
        self._settle()
        counts = np.array(finished.scores[box.currentText()]["confusion"])
        np.fill_diagonal(counts, 0)
        row, column = np.unravel_index(counts.argmax(), counts.shape)
        QTest.mouseClick(
            matrix,
            Qt.MouseButton.LeftButton,
            pos=matrix.cell_rect(int(row), int(column)).center().toPoint(),
        )

    def _use_new_model(self, ink: Ink) -> None:
        before = self._window.session.model_name
        self._click("useButton", "verdictUseButton")
        self._wait(lambda: self._window.session.model_name != before, 30, "the new model")
        self._draw(ink)
        self._window.set_theme("dark")
        self._picture("dark", "The new model reads, in dark colours.")

    def _look_inside(self, ink: Ink) -> None:
        """With the network that has the most to show, the one that a person starts with."""
        session = self._window.session
        self._window.drawing.clear()
        session.use_model(session.library.find(self._first_model))
        self._window.set_theme("light")
        self._show_tab("Network")
        self._draw(ink)
        decided = self._find(QLabel, "decidedLabel")
        self._wait(lambda: "%" in decided.text(), 60, "what decided the answer")
        self._picture("network", "What the first layer makes of the drawing, and what decided the answer.")

    def _draw(self, ink: Ink) -> None:
        """Draw every stroke with mouse events, as big and as central as a person would."""
        canvas = self._window.canvas
        side = min(canvas.width(), canvas.height())
        left = Qt.MouseButton.LeftButton
        for stroke in _placed(ink, side, (canvas.width(), canvas.height())):
            points = [QPoint(round(x), round(y)) for x, y in stroke.tolist()]
            QTest.mousePress(canvas, left, pos=points[0])
            for point in points[1:]:
                QTest.mouseMove(canvas, point)
            QTest.mouseRelease(canvas, left, pos=points[-1])

    def _click(self, *names: str) -> None:
        """The button of one of these names that is shown and can be used."""
        found = [b for name in names for b in self._window.findChildren(QPushButton, name)]
        buttons = [b for b in found if b.isVisible()]
        self._wait(lambda: any(b.isEnabled() for b in buttons), 60, " or ".join(names))
        QTest.mouseClick(next(b for b in buttons if b.isEnabled()), Qt.MouseButton.LeftButton)

    def _find(self, kind: type[AnyWidget], name: str) -> AnyWidget:
        """Return the part of the window of this kind and name, which is there."""
        return self._window.findChildren(kind, name)[0]

    def _show_tab(self, name: str) -> None:
        self._window.tabs.setCurrentIndex(TABS.index(name))

    def _settle(self) -> None:
        """Let timers and paint events that are due be done, so that a picture shows the newest state."""
        QTest.qWait(300)
        QCoreApplication.sendPostedEvents(
            None, QEvent.Type.LayoutRequest
        )  # a busy machine may be behind with these

    def _picture(self, name: str, caption: str) -> None:
        self._settle()
        number = len(self._findings.pictures) + 1
        file = f"{number:02}-{name}.png"
        picture = QBuffer()
        self._window.grab().save(picture, "PNG")
        write_file(self._out / file, bytes(picture.data().data()))
        self._findings.pictures.append((file, caption))

    def _wait(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        if not wait_until(condition, timeout_s):
            raise DataMissingError(
                f"The demo waited {timeout_s:g} s in vain for {what}.", "Run it on a quieter machine."
            )


def _placed(ink: Ink, side: float, size: tuple[float, float]) -> Iterable[NDArray[np.float64]]:
    """The strokes' x and y scaled so that the longer side is `DRAWN_PART` of `side`, in the middle of a field of `size`."""
    left, top, right, bottom = ink.bounds
    scale = DRAWN_PART * side / max(right - left, bottom - top, 1e-9)
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    return [(stroke[:, :2] - middle) * scale + np.array(size) / 2 for stroke in ink.strokes]


def summary_of(findings: Findings) -> str:
    """The summary as Markdown."""
    lines = [
        "# QtDigits demo",
        "",
        f"{findings.drawn} drawings from {findings.source}, drawn with the mouse.",
        f"{findings.right} read right at once, {len(findings.corrections)} corrected with a key and Enter.",
    ]
    lines += ["", *(f"- {taught}" for taught in findings.taught)]
    if findings.corrections:
        lines += ["", "Corrected: " + ", ".join(findings.corrections) + "."]
    lines += ["", f"Training: {findings.training}."]
    lines += [f"- {name}: {percent(accuracy, 2)}" for name, accuracy in findings.scores.items()]
    lines += ["", *(f"- `{file}`: {caption}" for file, caption in findings.pictures)]
    return "\n".join(lines) + "\n"
