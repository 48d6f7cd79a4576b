"""The result of a run: its figures beside those of the model in use, and the confusion matrix of each set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from qtdigits.core.drawing.samples import VALIDATION
from qtdigits.core.formatting import percent, percent_range
from qtdigits.core.run.events import RunFinished
from qtdigits.core.run.figures import ordered
from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.errors import InputError
from qtdigits.gui.champion import Champion, Scores
from qtdigits.gui.results.score_details import ScoreDetails
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.parts import ChoiceBox, button, label, scrolling
from qtdigits.store.run_files import RunFolder

OTHERS = "not the same drawings"
VERDICT_COLUMN = 5


class RunSummary(QWidget):
    """The scores of a run in a table, with a button to use its model. `back_button` is for the page around the summary."""

    def __init__(
        self,
        *,
        session: Session,
        prefix: str = "",
        beside: str = "In use then",
        parent: QWidget | None = None,
    ) -> None:
        """`prefix`: of object names. `beside`: what to call the model in use that `show_run` is given."""
        super().__init__(parent)
        self._session, self._beside = session, beside
        self._model = ""
        self._scores: Scores = {}
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
        self.back_button = button("Curves", f"{prefix}curvesButton", "Show the curves of this training")
        session.champion_changed.connect(self._update_button)
        self._lay_out()

    @property
    def model(self) -> str:
        """The path of the model that came out, "" before the first."""
        return self._model

    def show_run(self, finished: RunFinished, *, champion: Champion | None, offers_use: bool = True) -> None:
        """`champion`: the model in use, with the scores to compare with. `offers_use`: show the button *Use this model*."""
        self.use_button.setVisible(offers_use)
        self._model, self._scores = finished.model, finished.scores
        self._readings = _readings_of(self._session.data_dir, finished.run)
        self._show_figures(champion)
        self._set_box.clear()
        self._set_box.addItems([name for name in ordered(self._scores) if self._scores[name].get("n")])
        self._update_button()

    def _lay_out(self) -> None:
        self._figures.setHorizontalSpacing(16)
        self._figures.setVerticalSpacing(6)
        top = QHBoxLayout()
        top.addWidget(label("Result", role="heading"), 1)
        top.addWidget(self.back_button)
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
    def _update_button(self) -> None:
        is_used = _is_model(self._session.champion, self._model)
        self.use_button.setText("In use" if is_used else "Use this model")
        self.use_button.setEnabled(bool(self._model) and not is_used)

    @Slot()
    def _on_use(self) -> None:
        self._session.use_model(Path(self._model))


def _readings_of(data_dir: Path, run: str) -> Mapping[str, ReadDrawings]:
    """Return the drawings behind the scores of a run, by the name of the set; none where their file cannot be read."""
    try:
        return RunFolder(data_dir, run).readings()
    except InputError:
        return {}


def _is_model(champion: Champion | None, path: str) -> bool:
    return champion is not None and str(champion.path) == path


def _figures_of(name: str, values: Mapping[str, Any], champion: Champion | None) -> list[QLabel]:
    """Return a row of the table: the set, its score with interval and number, and that of the model in use."""
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
    return label(text, role=role, wraps=True)


def _are_the_same(name: str, values: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Return whether both models were scored on the same drawings; the validation part is another one in each run."""
    return name != VALIDATION and bool(values["n"] == before["n"])


def verdict(values: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[str, str]:
    """Say whether the model is better or worse, or that there is no clear difference; with the role of the text.

    Only totals are known, so as few drawings as possible are taken to have changed; `is_clear` asks for more than significance,
    which errs on the careful side.
    """
    found = PairedComparison.of_totals(values["n"], before["correct"], values["correct"])
    change = 100 * found.gain
    if not found.is_clear:
        return f"no clear difference ({change:+.2f})", "muted"
    return (
        (f"better by {change:.2f} points", "good")
        if change > 0
        else (f"worse by {-change:.2f} points", "warning")
    )
