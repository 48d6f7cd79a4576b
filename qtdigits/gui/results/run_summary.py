"""What came out of a run: its figures beside those of the model in use, and what it takes for what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from qtdigits.core.drawing.samples import VALIDATION
from qtdigits.core.formatting import percent, percent_range
from qtdigits.core.run.events import RunFinished
from qtdigits.core.score.comparison import SIGNIFICANT, mcnemar_exact
from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.gui.results.knowledge import Knowledge
from qtdigits.gui.results.score_details import ScoreDetails
from qtdigits.gui.session import Champion, Scores
from qtdigits.gui.texts import ordered
from qtdigits.gui.widgets.parts import ChoiceBox, button, label, scrolling

OTHERS = "not the same drawings"
VERDICT_COLUMN = 5


class RunSummary(QWidget):
    """`use_requested` carries the path of the new model; `curves_requested` asks to go back."""

    use_requested = Signal(str)
    curves_requested = Signal()

    def __init__(
        self,
        *,
        knowledge: Knowledge | None = None,
        prefix: str = "",
        has_way_back: bool = True,
        beside: str = "In use then",
        parent: QWidget | None = None,
    ) -> None:
        """`prefix`: of object names, where there is more than one of it in a window. `has_way_back`: with the button *Curves*.

        `beside`: what the model in use is called that `show_run` is given.
        """
        super().__init__(parent)
        self._beside = beside
        self._model = ""
        self._scores: Scores = {}
        self._knowledge = knowledge or Knowledge()
        self._readings: Mapping[str, ReadDrawings] = {}
        self._figures = QGridLayout()
        self._set_box = ChoiceBox(name=f"{prefix}confusionSet")
        self._set_box.setAccessibleName("Drawings that the confusion matrix is about")
        self._set_box.currentTextChanged.connect(self._show_confusion)
        self._details = ScoreDetails()
        self.use_button = button(
            "Use this model", f"{prefix}useButton", "Read with this model from now on", is_primary=True
        )
        self.use_button.clicked.connect(self._on_use)
        self._back = button("Curves", f"{prefix}curvesButton", "Show the curves of this training")
        self._back.clicked.connect(self.curves_requested)
        self._back.setVisible(has_way_back)
        self._lay_out()

    @property
    def model(self) -> str:
        """The path of the model that came out, "" before the first."""
        return self._model

    def show_run(self, finished: RunFinished, *, champion: Champion | None, offers_use: bool = True) -> None:
        """`offers_use`: with a button that takes the new model into use, where nothing else on the page has one."""
        self.use_button.setVisible(offers_use)
        self._model, self._scores = finished.model, finished.scores
        self._readings = self._knowledge.readings_of(finished.run)
        self._show_figures(champion)
        self._set_box.clear()
        self._set_box.addItems([name for name in ordered(self._scores) if self._scores[name].get("n")])
        self.set_champion(champion)

    def set_champion(self, champion: Champion | None) -> None:
        """Say so when the new model is the one in use. The figures stay those of the moment the run ended."""
        is_used = _is_model(champion, self._model)
        self.use_button.setText("In use" if is_used else "Use this model")
        self.use_button.setEnabled(bool(self._model) and not is_used)

    def _lay_out(self) -> None:
        self._figures.setHorizontalSpacing(16)
        self._figures.setVerticalSpacing(6)
        top = QHBoxLayout()
        top.addWidget(label("Result", role="heading"), 1)
        top.addWidget(self._back)
        top.addWidget(self.use_button)
        about = QHBoxLayout()
        about.addWidget(label("Confusion matrix", role="heading"))
        about.addWidget(self._set_box)
        about.addStretch()
        content = QWidget()
        box = QVBoxLayout(content)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(self._figures)
        box.addSpacing(12)
        box.addLayout(about)
        box.addWidget(self._details)
        box.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 4, 0, 0)
        outer.addLayout(top)
        outer.addWidget(scrolling(content), 1)

    def _show_figures(self, champion: Champion | None) -> None:
        while (item := self._figures.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if _is_model(champion, self._model):
            champion = None  # a comparison of a model with itself says nothing
        titles = ["", "This model", "95 % interval", "drawings"]
        if champion is not None and champion.scores:
            titles += [f"{self._beside}: {champion.name}", "Verdict"]
        for column, title in enumerate(titles):
            self._figures.addWidget(_cell(title, role="muted"), 0, column)
        for row, name in enumerate(ordered(self._scores), 1):
            for column, cell in enumerate(_figures_of(name, self._scores[name], champion)):
                self._figures.addWidget(cell, row, column)
        self._figures.setColumnStretch(VERDICT_COLUMN, 1)

    @Slot(str)
    def _show_confusion(self, name: str) -> None:
        if name not in self._scores:
            return
        self._details.show_score(self._scores[name], self._readings.get(name))

    @Slot()
    def _on_use(self) -> None:
        self.use_requested.emit(self._model)


def _is_model(champion: Champion | None, path: str) -> bool:
    return champion is not None and str(champion.path) == path


def _figures_of(name: str, values: Mapping[str, Any], champion: Champion | None) -> list[QLabel]:
    """One row of the table: the set, the figure, its interval and number, and the same for the model in use."""
    if not values.get("n"):
        return [_cell(name), _cell("nothing to score yet", role="muted")]
    accuracy = _cell(percent(values["accuracy"], 2), role="heading")
    row = [_cell(name), accuracy, _cell(percent_range(*values["interval"])), _cell(f"{values['n']:,}")]
    scores: Scores = champion.scores if champion else {}
    before = scores.get(name)
    if before and before.get("n"):
        text, role = verdict(values, before) if _are_the_same(name, values, before) else (OTHERS, "muted")
        row += [_cell(f"{percent(before['accuracy'], 2)} of {before['n']:,}"), _cell(text, role=role)]
    elif scores:
        row.append(_cell("not known", role="muted"))
    return row


def _cell(text: str, *, role: str = "") -> QLabel:
    """It goes on in a second line where the page is narrow."""
    return label(text, role=role, wraps=True)


def _are_the_same(name: str, values: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether both models were scored on the same drawings: what is validated on is another part in each run."""
    return name != VALIDATION and bool(values["n"] == before["n"])


def verdict(values: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[str, str]:
    """Text and role: better or worse by so many points, or no clear difference.

    Clear is what lies outside the interval of both and would be beyond chance by McNemar's test if nothing was broken, or nothing
    fixed: that errs on the careful side, and of a few drawings nothing is clear.
    """
    net = abs(values["correct"] - before["correct"])
    are_enough = mcnemar_exact(net, 0) < SIGNIFICANT
    change = 100 * (values["accuracy"] - before["accuracy"])
    (low, high), (low_before, high_before) = values["interval"], before["interval"]
    if are_enough and low > before["accuracy"] and values["accuracy"] > high_before:
        return f"better by {change:.2f} points", "good"
    if are_enough and high < before["accuracy"] and values["accuracy"] < low_before:
        return f"worse by {-change:.2f} points", "warning"
    return f"no clear difference ({change:+.2f})", "muted"
