"""The two bars of the window: above, who draws, which model reads, and the menus; below, model, engine and running accuracy."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenuBar, QStatusBar, QWidget

from qtdigits.core.drawing.samples import Trial
from qtdigits.core.formatting import counted, not_counted, percent
from qtdigits.core.score.metrics import RunningAccuracy
from qtdigits.gui.champion import Champion
from qtdigits.gui.engine_process import EngineState
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.parts import ChoiceBox, named

ADD_WRITER = "Add a writer…"
MANAGE_WRITERS = "Rename, merge…"
ALL_CLASSES = "All classes"
MANAGE_CLASSES = "Classes and sets…"
TOLD_MS = 2_500


class TopBar(QWidget):
    """`chosen`: a writer, a model or a set was. `writers_wanted`, `classes_wanted`: somebody wants to rename or merge some.

    Until `list_models` the model in use stands alone: a list takes a look into every file.
    """

    chosen = Signal()
    writers_wanted = Signal()
    classes_wanted = Signal()

    def __init__(
        self, *, session: Session, preferences: Preferences, ask: Ask, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._preferences = preferences
        self._ask = ask
        self._are_models_listed = False
        self.menus = QMenuBar()
        self._writers = _box("writerBox", "Writer", "Who is drawing")
        self._models = _box("modelBox", "Model", "The model that reads")
        self._sets = _box("classSetBox", "Classes", "What a drawing can be read as")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 10, 6, 4)
        layout.setSpacing(10)
        for title, box in (
            ("&Writer", self._writers),
            ("&Model", self._models),
            ("&Classes", self._sets),
        ):
            label = QLabel(title)
            label.setProperty("role", "muted")
            label.setBuddy(box)
            layout.addWidget(label)
            layout.addWidget(box)
            layout.addSpacing(10)
        layout.addStretch(1)
        layout.addWidget(self.menus)
        self._writers.activated.connect(self._on_writer)
        self._models.activated.connect(self._on_model)
        self._sets.activated.connect(self._on_set)
        session.classes_changed.connect(self._show_sets)
        session.writer_changed.connect(self._show_writers)
        session.champion_changed.connect(self._on_champion_changed)
        session.models_changed.connect(self.list_models)
        if preferences.writer:
            session.set_writer(preferences.writer)
        self._show_writers()
        self._show_sets()

    @property
    def are_models_listed(self) -> bool:
        return self._are_models_listed

    @Slot()
    def list_models(self) -> None:
        self._are_models_listed = True
        models = [(entry.name, entry.path) for entry in self._session.library.entries() if not entry.error]
        used = self._session.champion
        if used is not None and used.path not in (path for _, path in models):  # such as that of a trial
            models.append((used.name, used.path))
        self._show_models(models)

    def _show_models(self, models: list[tuple[str, Path]]) -> None:
        with QSignalBlocker(self._models):
            self._models.clear()
            for name, path in models:
                self._models.addItem(name, str(path))
            self._models.setCurrentIndex(self._models.findData(str(self._session.model_path)))

    @Slot()
    def _show_writers(self) -> None:
        """Show who draws, also where somebody has just chosen one of the entries that are no writers."""
        writer = self._preferences.writer = self._session.writer
        with QSignalBlocker(self._writers):
            self._writers.clear()
            self._writers.addItems(list(dict.fromkeys((*self._session.store.writers(), writer))))
            self._writers.addItems([MANAGE_WRITERS, ADD_WRITER])
            self._writers.setCurrentText(writer)

    @Slot()
    def _show_sets(self) -> None:
        with QSignalBlocker(self._sets):
            self._sets.clear()
            self._sets.addItems([ALL_CLASSES, *self._session.store.class_table.sets(), MANAGE_CLASSES])
            self._sets.setCurrentIndex(max(0, self._sets.findText(self._session.class_set or ALL_CLASSES)))

    @Slot(object)
    def _on_champion_changed(self, champion: Champion) -> None:
        if self._are_models_listed:
            self.list_models()
        else:
            self._show_models([(champion.name, champion.path)])

    @Slot(int)
    def _on_writer(self, index: int) -> None:
        name = self._writers.itemText(index)
        if index == self._writers.count() - 2:
            self._show_writers()
            self.writers_wanted.emit()
            return
        if index == self._writers.count() - 1:
            name = self._ask.text("A new writer", "Who is going to draw?") or self._session.writer
        self._session.set_writer(name)
        self._show_writers()
        self.chosen.emit()

    @Slot(int)
    def _on_set(self, index: int) -> None:
        is_wish = index == self._sets.count() - 1
        if not is_wish:
            self._session.use_class_set(self._sets.itemText(index) if index else "")
        self._show_sets()
        (self.classes_wanted if is_wish else self.chosen).emit()

    @Slot(int)
    def _on_model(self, index: int) -> None:
        self._session.use_model(Path(self._models.itemData(index)))
        self.chosen.emit()


class StatusBar(QStatusBar):
    """What is in use, what goes on, and at the far right how well it reads."""

    def __init__(self, *, session: Session, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = named(QLabel(), "championLabel")
        self._engine = named(QLabel(), "engineLabel")
        self._told = named(QLabel(), "toldLabel")
        self._moment = QTimer(self, singleShot=True, interval=TOLD_MS)
        self._moment.timeout.connect(self._told.clear)
        self._accuracy = named(QLabel(), "accuracyLabel")
        self._accuracy.setAccessibleName("Running accuracy")
        self.setSizeGripEnabled(False)
        self.setContentsMargins(14, 0, 14, 4)
        self.addWidget(self._model)
        self.addWidget(self._engine)
        self.addWidget(self._told)
        self.addPermanentWidget(self._accuracy)
        session.champion_changed.connect(self._show_champion)
        session.accuracy_changed.connect(self._show_accuracy)
        session.trial_judged.connect(self._on_trial_judged)
        session.told.connect(self.tell)
        trainer.state_changed.connect(self._show_engine)
        self._show_champion(session.champion)
        self._show_accuracy(session.accuracy())
        self._show_engine(trainer.state)

    @Slot(object)
    def _show_engine(self, state: EngineState) -> None:
        self._engine.setText(f"engine {state.value}")

    @Slot(object)
    def _show_champion(self, champion: Champion | None) -> None:
        self._model.setText(f"model {champion.name}" if champion else "no model")

    @Slot(object)
    def _show_accuracy(self, accuracy: RunningAccuracy) -> None:
        self._accuracy.setText(accuracy_text(accuracy))
        self._accuracy.setToolTip(accuracy_tip(accuracy))
        self._accuracy.setAccessibleDescription(accuracy_tip(accuracy))

    @Slot(object)
    def _on_trial_judged(self, trial: Trial) -> None:
        self.tell(
            f"Stored as {trial.truth}." if trial.is_right else f"Stored: {trial.truth}, not {trial.answer}."
        )

    @Slot(str)
    def tell(self, text: str) -> None:
        """Say for a moment what was done."""
        self._told.setText(text)
        self._moment.start()


def accuracy_text(accuracy: RunningAccuracy) -> str:
    """Such as `me · 318 trials · 98.1 % [96.0, 99.1]`."""
    tally = accuracy.tally if accuracy.n else accuracy.earlier
    if not tally.n:
        return f"{accuracy.writer} · no trials yet"
    low, high = (100 * bound for bound in tally.interval)
    by = "" if accuracy.n else " by earlier models"
    return f"{accuracy.writer} · {counted(tally.n, 'trial')} · {percent(tally.accuracy)} [{low:.1f}, {high:.1f}]{by}"


def accuracy_tip(accuracy: RunningAccuracy) -> str:
    """What the figures mean, for who meets them first."""
    model = f"the model {accuracy.model}" if accuracy.model else "a model"
    doubtful = (
        f"\n{not_counted(accuracy.doubted)} until their labels are reviewed." if accuracy.doubted else ""
    )
    if not accuracy.n:
        return f"No drawing by {accuracy.writer} has been judged with {model} yet.{doubtful}"
    return (
        f"{accuracy.correct:,} of {accuracy.n:,} drawings by {accuracy.writer} were read right by {model}, each before it "
        "could be learned from.\nWith many more drawings the share would most likely lie between the two figures in brackets "
        f"(95 % interval).{doubtful}"
    )


def _box(name: str, title: str, tip: str) -> ChoiceBox:
    box = ChoiceBox(name=name)
    box.setAccessibleName(title)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
    box.setMinimumContentsLength(10)
    return box
