"""The trials of a study as a table, the best first, and a trial in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSignalBlocker,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView
from typing_extensions import override

from qtdigits.core.formatting import UNKNOWN, duration, percent, percent_range, percent_within
from qtdigits.core.search import point_text, value_text
from qtdigits.core.study import SIZE
from qtdigits.gui.widgets.parts import LEFT, RIGHT, make_plain
from qtdigits.training.study_overview import StudyOverview, TrialOverview

Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
NOT_YET = "No trial is complete yet."


def params_text(study: StudyOverview, trial: TrialOverview) -> str:
    known = (one for one in study.spec.search if one.name in trial.params)
    return point_text({one.title.lower(): trial.params[one.name] for one in known})


def accuracy_text(trial: TrialOverview) -> str:
    """Such as "97.84 % (97.10 to 98.40 %)"."""
    if trial.value is None or trial.interval is None:
        return UNKNOWN
    return percent_within(trial.value, trial.interval, 2)


def trial_text(study: StudyOverview, trial: TrialOverview) -> str:
    """Such as "Trial 7: 97.84 % (97.10 to 98.40 %) · neurons = 64, dropout = 0.2"."""
    came_to = accuracy_text(trial) if trial.value is not None else f"{trial.state} {trial.error}".strip()
    return f"Trial {trial.number}: {came_to} · {params_text(study, trial)}"


def model_of_trial(trial: TrialOverview) -> Path | None:
    """Return the first of its models that is on this machine."""
    return next((path for path in map(Path, trial.models) if path.is_file()), None)


class TrialsModel(QAbstractTableModel):
    """Rows of text, made when they are shown."""

    def __init__(self) -> None:
        super().__init__()
        self._study: StudyOverview | None = None
        self._titles: tuple[str, ...] = ()
        self.trials: list[TrialOverview] = []

    def show_study(self, study: StudyOverview | None) -> None:
        self.beginResetModel()
        self._study = study
        spec = study.spec if study else None
        second = () if spec is None or not spec.second else ("Size" if spec.second == SIZE else "Reading",)
        names = tuple(spec.titles.values()) if spec else ()
        self._titles = ("Trial", "Accuracy", "95 % interval", *second, *names, "Time", "Ended")
        self.trials = sorted(study.trials, key=lambda trial: -(trial.value or -1)) if study else []
        self.endResetModel()

    @override
    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.trials)

    @override
    def columnCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._titles)

    @override
    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section]
        return None

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        trial = self.trials[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._cells(trial)[index.column()]
            case Qt.ItemDataRole.TextAlignmentRole:
                return int(LEFT if index.column() == len(self._titles) - 1 else RIGHT)
            case Qt.ItemDataRole.ToolTipRole:
                return trial.error
        return None

    def _cells(self, trial: TrialOverview) -> tuple[str, ...]:
        assert self._study is not None
        spec = self._study.spec
        second: tuple[str, ...] = ()
        if spec.second and trial.second is None:
            second = (UNKNOWN,)
        elif spec.second and trial.second is not None:
            is_size = spec.second == SIZE
            second = (f"{trial.second / 1000:,.0f} kB" if is_size else f"{trial.second:.2f} ms",)
        return (
            str(trial.number),
            percent(trial.value, 2),
            percent_range(*trial.interval, 2) if trial.interval else UNKNOWN,
            *second,
            *(value_text(trial.params.get(one.name, UNKNOWN)) for one in spec.search),
            duration(trial.seconds) if trial.seconds is not None else UNKNOWN,
            trial.state,
        )


class TrialsTable(QTableView):
    """`trial_chosen` carries the number of the trial that a person has chosen."""

    trial_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        make_plain(self, name="trialsTable", title="Trials of the study")
        self._study: StudyOverview | None = None
        self._chosen: TrialOverview | None = None
        self._is_stale = False
        self._model = TrialsModel()
        self.setModel(self._model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        header = self.horizontalHeader()
        header.setResizeContentsPrecision(0)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.selectionModel().currentRowChanged.connect(self._on_current)

    def show_study(self, study: StudyOverview | None, chosen: TrialOverview | None) -> None:
        """What nobody sees is listed when it is shown: without a place on the screen columns are as wide as all rows need."""
        self._study, self._chosen, self._is_stale = study, chosen, True
        self._list_if_visible()

    def _list_if_visible(self) -> None:
        if self._is_stale and self.isVisible():
            self._is_stale = False
            self._model.show_study(self._study)
            self.choose(self._chosen)

    def choose(self, chosen: TrialOverview | None) -> None:
        self._chosen = chosen
        if self._is_stale:
            return
        row = next(
            (i for i, one in enumerate(self._model.trials) if chosen and one.number == chosen.number), -1
        )
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        with QSignalBlocker(self):
            self.selectionModel().setCurrentIndex(self._model.index(row, 0), flags)

    @Slot(QModelIndex)
    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid():
            self.trial_chosen.emit(self._model.trials[index.row()].number)

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._list_if_visible()


def state_text(study: StudyOverview, *, is_here: bool, is_paused: bool, is_waiting: bool) -> str:
    """How it stands with a study. `is_here`: this window works on it; `is_waiting`: it begins later."""
    if is_here:
        return "paused" if is_paused else "running"
    if study.is_over:
        return "finished"
    if study.is_running:
        return "running elsewhere"
    return "waiting" if is_waiting else "interrupted"


def best_text(study: StudyOverview, on: str) -> str:
    """The best so far, in one sentence."""
    best = study.best
    if best is None:
        return NOT_YET
    n = len(study.complete)
    so_far = "" if study.is_over else " so far"
    of = f"The best of {n:,} complete trials{so_far}" if n > 1 else "The only complete trial"
    at = params_text(study, best)
    return f"{of} reads {accuracy_text(best)} of {on} right: {at}."


def time_left_text(study: StudyOverview) -> str:
    """Such as "about 3:00 to 5:00 left", "" where it is not known."""
    ends = study.time_left_s()
    if ends is None or study.is_over:
        return ""
    low, high = (duration(end) for end in ends)
    return f"about {low} left" if low == high else f"about {low} to {high} left"
