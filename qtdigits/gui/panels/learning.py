"""The *Accuracy* tab: how well a model reads this writer, how that developed, and what to draw next."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.drawing.samples import Trial
from qtdigits.core.formatting import UNKNOWN, percent, percent_range
from qtdigits.core.score.comparison import Gain
from qtdigits.core.score.learning import (
    LearningPoint,
    fit_curve,
    learning_text,
    running_curve,
    with_drawing,
)
from qtdigits.core.score.metrics import Score, Tally, confusion_matrix
from qtdigits.core.score.practice import JudgedReading, advise
from qtdigits.errors import StoreError
from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.plots.charts import LearningCurveChart, RunningAccuracyChart
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix
from qtdigits.gui.session import RunningAccuracy, Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import ChoiceBox, button, give_role, label, scrolling
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import learned_by, learning_points

EXPLANATION = (
    "Test, then train: each drawing is scored by the model in use before any model can learn from it, so the figure "
    "says what to expect of the next one. The band is Wilson's 95 % interval: the more drawings, the narrower."
)

LEAST_MATRIX_PX = 260
COACHED = 1000
"""The advice on what to draw next goes by so many of the latest drawings."""


class LearningPanel(RefreshingPanel):
    """Reads the store only while it is visible, and then once; each judgement is added to what was read."""

    def __init__(
        self, *, session: Session, trainer: Trainer, guided: GuidedSession, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._trainer = trainer
        self._guided_session = guided
        self._record: AccuracyRecord | None = None
        self._is_added = False
        self._amounts: tuple[LearningPoint, ...] = ()
        self._learned = 0
        self._figure = _large_label("runningFigure")
        self._detail = label(name="runningDetail", wraps=True)
        self._gain = label(name="gainLabel", wraps=True)
        self._coach = label(role="heading", name="coachLabel", wraps=True)
        self._models = ChoiceBox(name="runningModelBox")
        self._models.setAccessibleName("Figures of which model")
        self._models.setToolTip("Figures of the model in use, or of an earlier one")
        self._models.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        self._guided = button(
            "Guided session", "guidedButton", "Be asked for digits in turn, until the figure is sure (Ctrl+G)"
        )
        self._curve = RunningAccuracyChart()
        self._confusion = ConfusionMatrix()
        # Its wish for height must not make the page scroll where it could be smaller.
        self._confusion.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self._confusion.setMinimumHeight(LEAST_MATRIX_PX)
        self._cell = label(role="muted")
        self._learn = button(
            "Learn my hand", "learnHandButton", "Train the model in use on your drawings (Ctrl+L)"
        )
        self._forecast = label(name="forecastLabel", wraps=True)
        self._learning = LearningCurveChart()
        self._lay_out()
        self._connect()

    @override
    def reload(self) -> None:
        session = self._session
        try:
            judged = session.store.judgements.models(session.writer)
            self._list_models([model for model, _, _ in judged])
            self._record = AccuracyRecord.of(session.store, session.writer, self._chosen_model())
            known = session.store, session.library, session.writer
            self._amounts = learning_points(*known, model=session.model_path)
            self._learned = learned_by(*known, session.model_path)
            self._learn.setEnabled(session.store.count(writer=session.writer, held_out=False) > 0)
        except StoreError as error:
            session.report(error)
            return
        self._show_record()
        self._show_learning()

    @Slot()
    def _show_guided(self) -> None:
        is_running = self._guided_session.run is not None
        self._guided.setText("End guided session" if is_running else "Guided session")

    def _lay_out(self) -> None:
        top = WrappingRow()
        top.add_stretching(self._figure)
        top.add(self._models, self._guided)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self._confusion, 1)
        left.addWidget(self._cell)
        titles = [label(text, role="heading") for text in ("Confusion matrix", "Learning this hand")]
        for title in titles:  # on one line, whether or not the button is beside the second one
            title.setMinimumHeight(self._learn.sizeHint().height())
        learning = WrappingRow()
        learning.add_stretching(titles[1])
        learning.add(self._learn)
        right.addWidget(self._forecast)
        right.addSpacing(6)
        right.addWidget(self._learning, 20)
        right.addStretch(1)
        below = QGridLayout()
        below.setHorizontalSpacing(18)
        below.addWidget(titles[0], 0, 0, Qt.AlignmentFlag.AlignTop)
        below.addLayout(learning, 0, 1)
        below.addLayout(left, 1, 0)
        below.addLayout(right, 1, 1)
        for column in (0, 1):
            below.setColumnStretch(column, 1)
        below.setRowStretch(1, 1)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addLayout(top)
        layout.addWidget(self._detail)
        layout.addWidget(self._gain)
        layout.addWidget(self._coach)
        layout.addWidget(self._curve, 2)
        layout.addWidget(label(EXPLANATION, role="muted", wraps=True))
        layout.addLayout(below, 3)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(page))

    def _connect(self) -> None:
        session, guided = self._session, self._guided_session
        self._models.activated.connect(self._on_model_chosen)
        self._guided.clicked.connect(guided.toggle)
        self._learn.clicked.connect(self._trainer.learn_hand)
        self._confusion.cell_described.connect(self._cell.setText)
        self._confusion.cell_chosen.connect(self._on_cell_chosen)
        guided.changed.connect(self._show_guided)
        self._show_guided()
        session.trial_judged.connect(self._on_judged)
        session.accuracy_changed.connect(self._on_accuracy_changed)

    def _list_models(self, judged: list[str]) -> None:
        """Fill the box, the model in use first: it is chosen unless another one with figures of this writer was."""
        in_use, chosen = self._session.model_name, self._chosen_model()
        with QSignalBlocker(self._models):
            self._models.clear()
            for name in dict.fromkeys([in_use, *judged]):
                self._models.addItem(f"{name} (in use)" if name == in_use else name, name)
            self._models.setCurrentIndex(max(0, self._models.findData(chosen)))

    def _chosen_model(self) -> str:
        return str(self._models.currentData() or self._session.model_name)

    def _show_record(self) -> None:
        record = self._record
        if record is None:
            return
        self._figure.setText(percent(record.tally.accuracy))
        self._detail.setText(detail_text(record))
        before = self._before
        gain = Gain(before, record.tally) if before.n and record.n else None
        self._gain.setVisible(gain is not None)
        self._gain.setText(gain.sentence if gain else "")
        give_role(self._gain, "good" if gain and gain.is_proven else "")
        advice = advise(record.recent, self._session.label_set.labels, model=self._session.model_name)
        self._coach.setText(advice.sentence)
        self._curve.show_curve(running_curve(record.outcomes), detail_text(record), before=before)
        self._confusion.set_score(record.score(self._session.label_set.labels))

    @property
    def _before(self) -> Tally:
        """The judgements before the model in use learned this hand; empty if it has not, and for earlier models."""
        is_in_use = self._record is not None and self._record.model == self._session.model_name
        if not (self._learned and is_in_use):
            return Tally(0, 0)
        judged = [a for a in self._amounts if not a.learned]
        n = sum(a.n for a in judged)
        return Tally(n, n - sum(a.wrong for a in judged))

    def _show_learning(self) -> None:
        amounts = self._amounts
        curve = fit_curve(amounts)
        text = learning_text(curve, amounts, in_use=self._learned)
        self._forecast.setText(text)
        self._learning.setVisible(any(a.learned for a in amounts))
        self._learning.show_curve(curve, amounts, text)

    @Slot(object)
    def _on_judged(self, trial: Trial) -> None:
        if self._record is None or not self.isVisible() or trial.writer != self._record.writer:
            return
        self._is_added = True
        self._record = self._record.with_trial(trial)
        self._show_record()
        if trial.truth is not None:
            self._learn.setEnabled(True)
            self._amounts = with_drawing(self._amounts, self._learned, is_right=trial.is_right)
            self._show_learning()

    @Slot(object)
    def _on_accuracy_changed(self, accuracy: RunningAccuracy) -> None:
        """Read everything again, unless the change is a judgement that was added already."""
        is_known = self._is_added and self._record is not None and accuracy.writer == self._record.writer
        self._is_added = False
        if self._models.itemData(0) != accuracy.model:
            # Another model is in use: show its figures.
            self._models.clear()
            is_known = False
        if not is_known:
            self.mark_stale()

    @Slot(int, int)
    def _on_cell_chosen(self, row: int, column: int) -> None:
        record = self._record
        if record is None:
            return
        classes = record.score(self._session.label_set.labels).classes
        truth, answer = classes[row], classes[column]
        try:
            found = self._session.store.judgements.drawings(
                record.writer, record.model, truth=truth, answer=answer
            )
        except StoreError as error:
            self._session.report(error)
            return
        if found:
            self._session.select_samples(f"of {truth}, read as {answer} by {record.model}", found)

    @Slot(int)
    def _on_model_chosen(self, _index: int) -> None:
        self.mark_stale()


def _large_label(name: str) -> QLabel:
    made = label(UNKNOWN, name=name)
    font = made.font()
    font.setPointSizeF(font.pointSizeF() * 2.2)
    font.setBold(True)
    made.setFont(font)
    return made


@dataclass(frozen=True, eq=False)
class AccuracyRecord:
    """The judgements of one writer and one model, read once and then added to.

    `outcomes` `(n,)` in the order of judging; `confusions` counts (truth, answer); `recent` are readings of all models.
    """

    writer: str
    model: str
    outcomes: NDArray[np.bool_]
    confusions: dict[tuple[str, str], int]
    recent: tuple[JudgedReading, ...]

    @classmethod
    def of(cls, store: SampleStore, writer: str, model: str) -> AccuracyRecord:
        """Raises `StoreError`."""
        judgements = store.judgements
        return cls(
            *(writer, model, store.outcomes(writer, model), judgements.confusions(writer, model)),
            tuple(judgements.recent(writer, COACHED)),
        )

    def with_trial(self, trial: Trial) -> AccuracyRecord:
        """Return the record with one more judgement by this writer. One of another model counts for the advice only."""
        if trial.truth is None:
            return self
        recent = (*self.recent, JudgedReading(trial.truth, trial.answer, trial.model))[-COACHED:]
        if trial.model != self.model:
            return replace(self, recent=recent)
        pair = (trial.truth, trial.answer)
        counts = {**self.confusions, pair: self.confusions.get(pair, 0) + 1}
        return replace(
            self, outcomes=np.append(self.outcomes, trial.is_right), confusions=counts, recent=recent
        )

    @property
    def n(self) -> int:
        return len(self.outcomes)

    @property
    def tally(self) -> Tally:
        return Tally(self.n, int(self.outcomes.sum()))

    def score(self, labels: tuple[str, ...]) -> Score:
        """Return the confusions as a matrix: first the classes `labels`, then further ones that occur."""
        classes = tuple(dict.fromkeys([*labels, *(name for pair in self.confusions for name in pair)]))
        position = {name: i for i, name in enumerate(classes)}
        pairs = np.array([(position[t], position[a]) for t, a in self.confusions], np.int64).reshape(-1, 2)
        pairs = np.repeat(pairs, np.array(list(self.confusions.values()), np.int64), axis=0)
        return Score(classes, confusion_matrix(pairs[:, 0], pairs[:, 1], len(classes)))


def detail_text(record: AccuracyRecord) -> str:
    """Such as: 97 of 100 drawings by me read right by the model default; 95 % interval 91.5 to 99.0 %."""
    if not record.n:
        model = f"The model {record.model}" if record.model else "No model"
        return (
            f"{model} has not been judged on drawings by {record.writer} yet: draw, and judge its readings."
        )
    return (
        f"{record.tally.correct:,} of {record.n:,} drawings by {record.writer} read right by the model {record.model}; "
        f"95 % interval {percent_range(*record.tally.interval)}."
    )
