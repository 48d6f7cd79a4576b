"""The *Learning* tab: how well this hand is read, what was learned from it, and what to draw next.

Its charts need the library of the plots, which is loaded after the window was first painted: `prepare_charts` makes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.drawing.samples import Trial
from qtdigits.core.formatting import UNKNOWN, counted, percent
from qtdigits.core.score.comparison import Gain, PairedComparison, right_text
from qtdigits.core.score.learning import (
    LearningPoint,
    before_learning,
    fit_curve,
    learning_text,
    running_curve,
    with_drawing,
)
from qtdigits.core.score.metrics import RunningAccuracy, Tally
from qtdigits.core.score.practice import FIRST_DRAWINGS, advise, advise_classes, first_steps
from qtdigits.errors import StoreError
from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.panels.learning.class_tiles import MOST_SHOWN, ClassContent, ClassTiles
from qtdigits.gui.panels.learning.first_steps import FirstSteps
from qtdigits.gui.panels.learning.live_training import LiveTraining
from qtdigits.gui.panels.learning.verdict import Verdict
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix
from qtdigits.gui.results.live_curves import LiveCurves
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import ChoiceBox, button, label, scrolling
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.training.accuracy_record import AccuracyRecord, detail_text
from qtdigits.training.compare import learned_by, learning_points

if TYPE_CHECKING:
    from qtdigits.gui.plots.charts import LearningCurveChart, RunningAccuracyChart
    from qtdigits.store.tables.queries import Thumbnail

EXPLANATION = (
    "Test, then train: each drawing is scored as it was read, before it is remembered or learned from, so the figure "
    "says what to expect of the next one. The band is Wilson's 95 % interval: the more drawings, the narrower."
)

LEAST_MATRIX_PX = 260
LEAST_CURVE_PX = 150
LEAST_COACH_PX = 260


class LearningPanel(RefreshingPanel):
    """Reads the store only while it is visible, and then once; each judgement is added to what was read."""

    def __init__(
        self,
        *,
        session: Session,
        trainer: Trainer,
        guided: GuidedSession,
        curves: LiveCurves,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._trainer = trainer
        self._guided_session = guided
        self._record: AccuracyRecord | None = None
        self._is_added = False
        self._amounts: tuple[LearningPoint, ...] = ()
        self._learned = 0
        self._by_others = Tally(0, 0)
        self._drawings: dict[str, tuple[int, tuple[Thumbnail, ...]]] = {}
        self._figure = _large_label("runningFigure")
        self._welcome = _large_label("welcomeLabel", "Teach it your hand")
        self._steps = FirstSteps()
        self._detail = label(name="runningDetail", wraps=True)
        self._verdict = Verdict(session=session, trainer=trainer)
        self._remembered = label(role="muted", name="rememberedLabel", wraps=True)
        self._coach = label(role="muted", name="coachLabel", wraps=True)
        self._models = ChoiceBox(name="runningModelBox")
        self._models.setAccessibleName("Figures of which model")
        self._models.setToolTip("Figures of the model in use, or of an earlier one")
        self._models.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        self._guided = button(
            "Guided session", "guidedButton", "Be asked for digits in turn, until the figure is sure (Ctrl+G)"
        )
        self._tiles = ClassTiles()
        self._curve: RunningAccuracyChart | None = None
        self._curve_place = _place(LEAST_CURVE_PX)
        self._confusion = ConfusionMatrix()
        # Its wish for height must not make the page scroll where it could be smaller.
        self._confusion.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self._confusion.setMinimumHeight(LEAST_MATRIX_PX)
        self._cell = label(role="muted")
        self._learn = button(
            "Learn my hand",
            "learnButton",
            "Train the model in use on your drawings, in the background (Ctrl+L)",
            is_primary=True,
        )
        self._forecast = label(name="forecastLabel", wraps=True)
        self._learning: LearningCurveChart | None = None
        self._learning_place = _place(LEAST_CURVE_PX)
        self._figures = QWidget()
        self._problem = label(role="error", name="learningProblem", wraps=True)
        self._problem.hide()
        self._live = LiveTraining(trainer=trainer, curves=curves)
        self._to_live = button("Show the training", "liveButton", "Watch the curves of the running training")
        self._to_live.hide()
        self._lay_out()
        self._connect()

    @property
    def has_charts(self) -> bool:
        return self._curve is not None

    @Slot()
    def prepare_charts(self) -> None:
        """Make the charts and put them in their places, the first time."""
        if self._curve is not None:
            return
        from qtdigits.gui.plots.charts import LearningCurveChart, RunningAccuracyChart

        self._curve, self._learning = RunningAccuracyChart(), LearningCurveChart()
        for place, chart in ((self._curve_place, self._curve), (self._learning_place, self._learning)):
            layout = place.layout()
            assert layout is not None
            layout.addWidget(chart)
            chart.show()  # now rather than with the next event
        self._show_record()
        self._show_learning()

    @override
    def reload(self) -> None:
        session = self._session
        try:
            judged = session.store.judgements.models(session.writer)
            self._list_models([model for model, _, _ in judged])
            self._record = AccuracyRecord.of(session.store, session.writer, self._chosen_model())
            of_others = [(right, n) for model, right, n in judged if model != self._record.model]
            self._by_others = Tally(sum(n for _, n in of_others), sum(right for right, _ in of_others))
            known = session.store, session.library, session.writer
            self._amounts = learning_points(*known, model=session.model_path)
            self._learned = learned_by(*known, session.model_path)
            self._drawings = self._stored_drawings()
            self._learn.setEnabled(self._trainer.has_something_to_learn)
        except StoreError as error:
            session.report(error)
            return
        self._show_record()
        self._show_learning()
        session.tell_damaged()  # what was left out of these figures

    def _stored_drawings(self) -> dict[str, tuple[int, tuple[Thumbnail, ...]]]:
        """Of each class how many drawings there are, and the latest of them. Raises `StoreError`."""
        store, writer = self._session.store, self._session.writer
        known = self._session.label_set.labels
        counts, latest = store.counts_by_label(writer), store.latest_by_label(writer, MOST_SHOWN)
        thumbnails = {one.id: one for one in store.thumbnails([i for ids in latest.values() for i in ids])}
        return {
            name: (
                counts.get(name, 0),
                tuple(thumbnails[i] for i in latest.get(name, ()) if i in thumbnails),
            )
            for name in dict.fromkeys([*known, *self._session.classes.active.labels])
            if name in counts or name in known  # else it is another writer's
        }

    @Slot()
    def _show_guided(self) -> None:
        is_running = self._guided_session.run is not None
        self._guided.setText("End guided session" if is_running else "Guided session")

    def _lay_out(self) -> None:
        top = WrappingRow()
        top.add_stretching(self._welcome)
        top.add_stretching(self._figure)
        top.add(self._to_live, self._models, self._learn)
        digits = WrappingRow()
        digits.add(label("Your drawings", role="heading"))
        digits.add_stretching(self._coach, least_px=LEAST_COACH_PX)
        digits.add(self._guided)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self._steps)
        for text in (self._problem, self._detail, self._verdict, self._remembered):
            layout.addWidget(text)
        layout.addWidget(self._curve_place, 2)
        layout.addSpacing(4)
        layout.addLayout(digits)
        layout.addWidget(self._tiles)
        layout.addSpacing(8)
        layout.addWidget(self._figures, 3)
        layout.addStretch(1)
        self._lay_out_figures()
        self._pages = QStackedLayout(self)
        self._scrolled = scrolling(page)
        for one in (self._scrolled, self._live):
            self._pages.addWidget(one)

    def _lay_out_figures(self) -> None:
        """What a sceptic scrolls to: the confusion matrix, and how errors fall with what is learned."""
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self._confusion, 1)
        left.addWidget(self._cell)
        right.addWidget(self._forecast)
        right.addSpacing(6)
        right.addWidget(self._learning_place, 20)
        right.addStretch(1)
        grid = QGridLayout(self._figures)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(18)
        grid.addWidget(label(EXPLANATION, role="muted", wraps=True), 0, 0, 1, 2)
        for column, (title, part) in enumerate((("Confusion matrix", left), ("Learning this hand", right))):
            grid.addWidget(label(title, role="heading"), 1, column)
            grid.addLayout(part, 2, column)
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(2, 1)

    def _connect(self) -> None:
        session, guided = self._session, self._guided_session
        self._models.activated.connect(self._on_model_chosen)
        self._guided.clicked.connect(guided.toggle)
        self._learn.clicked.connect(self._trainer.learn_hand)
        self._confusion.cell_described.connect(self._cell.setText)
        self._confusion.cell_chosen.connect(self._on_cell_chosen)
        self._tiles.class_chosen.connect(self._on_class_chosen)
        self._live.began.connect(self._show_live)
        self._live.ended.connect(self._on_training_ended)
        self._live.digits_wanted.connect(self._show_own)
        self._to_live.clicked.connect(self._show_live)
        guided.changed.connect(self._show_guided)
        self._show_guided()
        session.trial_judged.connect(self._on_judged)
        session.accuracy_changed.connect(self._on_accuracy_changed)
        session.memory_changed.connect(self._show_remembered)

    @Slot(str)
    def _on_training_ended(self, problem: str) -> None:
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._scrolled.verticalScrollBar().setValue(0)  # where the verdict stands
        self._show_own()

    @Slot()
    def _show_live(self) -> None:
        self._problem.hide()
        self._pages.setCurrentWidget(self._live)

    @Slot()
    def _show_own(self) -> None:
        self._to_live.setVisible(self._trainer.is_training)
        self._pages.setCurrentIndex(0)

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
        before = self._before
        known = record.tally if record.n else self._by_others
        self._figure.setText(figure_text(known))
        was = f" Before, {right_text(known)}." if known.n and not record.n else ""
        self._detail.setText(detail_text(record) + was)
        gain = Gain(before, record.tally) if before.n and record.n else None
        is_in_use = record.model == self._session.model_name
        self._verdict.show_record(gain, record.memory if is_in_use else PairedComparison())
        self._steps.show_steps(first_steps(record.recent, has_learned=self._learned > 0))
        self._welcome.setVisible(not record.recent)
        for text in (self._figure, self._detail):
            text.setVisible(bool(record.recent))
        # not `labels` of the session: while memory is being built, it knows fewer
        advice = advise(record.recent, tuple(self._drawings), model=self._session.model_name)
        self._coach.setText(advice.sentence)
        needs = advise_classes(record.recent, self._drawings)
        contents = {
            name: ClassContent(
                n,
                latest,
                needs[name],
                is_remembered=name not in self._session.label_set,
            )
            for name, (n, latest) in self._drawings.items()
        }
        self._tiles.show_classes(contents, wanted=advice.labels)
        for part in (self._curve_place, self._figures):
            part.setVisible(record.n > 0)
        if self._curve is not None:
            self._curve.show_curve(running_curve(record.outcomes), detail_text(record), before=before)
        self._confusion.set_score(record.score(self._session.label_set.labels))
        self._show_remembered()

    @Slot()
    def _show_remembered(self) -> None:
        memory = self._session.memory
        parts = []
        if memory is not None and len(memory):
            parts.append(
                f"It remembers {counted(len(memory), 'drawing')} of this hand; a correction counts from the next one on."
            )
        if self._learned and self._models.currentIndex() <= 0:
            parts.append(f"The network has learned from {self._learned:,}.")
            # Without a gain since then, the bold line above says what the memory gained.
            is_gain_said = self._before.n and self._record is not None and self._record.n
            if is_gain_said and self._record is not None and (saved := self._record.memory.n_fixed):
                parts.append(f"Since then it alone would have misread {counted(saved, 'more drawing')}.")
        self._remembered.setText(" ".join(parts))
        self._remembered.setVisible(bool(parts))

    @property
    def _before(self) -> Tally:
        """The judgements before the model in use learned this hand; empty if it has not, and for earlier models."""
        is_in_use = self._record is not None and self._record.model == self._session.model_name
        if not (self._learned and is_in_use):
            return Tally(0, 0)
        return before_learning(self._amounts)

    def _show_learning(self) -> None:
        amounts = self._amounts
        curve = fit_curve(amounts)
        text = learning_text(curve, amounts, in_use=self._learned)
        self._forecast.setText(text)
        self._learning_place.setVisible(any(a.learned for a in amounts))
        if self._learning is not None:
            self._learning.show_curve(curve, amounts, text)

    @Slot(object)
    def _on_judged(self, trial: Trial) -> None:
        if self._record is None or not self.isVisible() or trial.writer != self._record.writer:
            return
        self._is_added = True
        self._record = self._record.with_trial(trial)
        self._add_drawing(trial)
        self._show_record()
        if trial.truth is not None:
            self._learn.setEnabled(self._trainer.has_something_to_learn)
            self._amounts = with_drawing(self._amounts, self._learned, is_right=trial.is_right)
            self._show_learning()

    def _add_drawing(self, trial: Trial) -> None:
        if trial.truth is None or trial.sample_id is None:
            return
        try:
            new = self._session.store.thumbnails([trial.sample_id])
        except StoreError as error:
            self._session.report(error)
            return
        n, latest = self._drawings.get(trial.truth, (0, ()))
        self._drawings[trial.truth] = (n + len(new), (*new, *latest)[:MOST_SHOWN])

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

    @Slot(str)
    def _on_class_chosen(self, name: str) -> None:
        session = self._session
        try:
            found = session.store.ids(writer=session.writer, label=name)
        except StoreError as error:
            session.report(error)
            return
        session.select_samples(f"of {name} by {session.writer}", found.tolist())

    @Slot(int)
    def _on_model_chosen(self, _index: int) -> None:
        self.mark_stale()


def _large_label(name: str, text: str = UNKNOWN) -> QLabel:
    made = label(text, name=name)
    font = made.font()
    font.setPointSizeF(font.pointSizeF() * 2.2)
    font.setBold(True)
    made.setFont(font)
    return made


def _place(least_px: int) -> QWidget:
    """Where a chart will be, as high before as afterwards."""
    made = QWidget()
    made.setMinimumHeight(least_px)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    layout = QVBoxLayout(made)
    layout.setContentsMargins(0, 0, 0, 0)
    return made


def figure_text(tally: Tally) -> str:
    """The share read right; of few drawings their numbers, as one more would change it by ten points and more."""
    return f"{tally.correct} of {tally.n} right" if 0 < tally.n < FIRST_DRAWINGS else percent(tally.accuracy)
