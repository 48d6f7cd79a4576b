"""The runs as a table: model, sorting and search, view, and the histories of the runs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget
from typing_extensions import override

from qtdigits.core.drawing.samples import MNIST_TEST, MY_HOLD_OUT
from qtdigits.core.formatting import UNKNOWN, duration, percent
from qtdigits.core.recipe import Value
from qtdigits.core.recipe_files import load_recipe, recipe_names
from qtdigits.core.run.figures import recipe_values
from qtdigits.core.run.history import History
from qtdigits.errors import QtDigitsError
from qtdigits.gui.plots.run_series import ShownRun
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.parts import LEFT, RIGHT, make_plain, offer_columns
from qtdigits.store.tables.runs import RunRecord
from qtdigits.training.run_comparison import ENDINGS

COLUMNS = (
    "Name",
    "Started",
    "Ended",
    "Epochs",
    "Validation",
    MY_HOLD_OUT.capitalize(),
    MNIST_TEST,
    "Time",
    "Recipe",
)
NUMBERS = range(3, 8)
TIME_COLUMN = 7
SORT_ROLE = Qt.ItemDataRole.UserRole
STARTED_COLUMN = 1
HIDDEN_COLUMNS = (3, 4, TIME_COLUMN, 8)
"""Epochs, validation, time and recipe stand in the pane below, too."""

Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()


class RunsModel(QAbstractTableModel):
    """The runs as rows of text, made when they are shown."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[RunRecord] = []
        self._running = ""
        self._elsewhere: Collection[str] = ()
        self._made: dict[int, tuple[str, ...]] = {}

    @property
    def runs(self) -> list[RunRecord]:
        return self._runs

    def show_runs(self, runs: list[RunRecord], *, running: str, elsewhere: Collection[str] = ()) -> None:
        """`running`: the id of the run that this window trains, or ""; `elsewhere`: those that others train."""
        self.beginResetModel()
        self._runs, self._running, self._elsewhere = runs, running, elsewhere
        self._made.clear()
        self.endResetModel()

    def is_running(self, run: RunRecord) -> bool:
        """Whether it is being trained, here or in another window or terminal."""
        return run.id == self._running or run.id in self._elsewhere

    @override
    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._runs)

    @override
    def columnCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    @override
    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section]
            case Qt.ItemDataRole.TextAlignmentRole if section in NUMBERS:
                return int(RIGHT)
            case Qt.ItemDataRole.ToolTipRole if section == TIME_COLUMN:
                return "How long it trained, without what came before and after: reading the data, checking labels, scoring"
        return None

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._cells(index.row())[index.column()]
            case _ if role == SORT_ROLE:
                return self._order(index.row(), index.column())
            case Qt.ItemDataRole.TextAlignmentRole if index.column() in NUMBERS:
                return int(RIGHT)
            case Qt.ItemDataRole.ToolTipRole:
                run = self._runs[index.row()]
                when = f"{run.started_at.astimezone():%d %b %Y %H:%M:%S}"
                parts = (run.title, when, run.note, run.figures.message, recipe_text(run))
                return "\n".join(part for part in parts if part)
        return None

    def words_of(self, row: int) -> str:
        """Return all texts of a run and its note, to search in."""
        return " ".join([*self._cells(row), self._runs[row].note]).casefold()

    def _order(self, row: int, column: int) -> float | str:
        """Return the sort key of a cell: numbers as such, unknown ones below all others."""
        if column not in NUMBER_OF:
            return self._cells(row)[column].casefold()
        number = NUMBER_OF[column](self._runs[row])
        return -1.0 if number is None else float(number)

    def _state_of(self, run: RunRecord) -> str:
        if run.id == self._running:
            return "running"
        return "running elsewhere" if run.id in self._elsewhere else ENDINGS.get(run.state, run.state)

    def _cells(self, row: int) -> tuple[str, ...]:
        if row not in self._made:
            run, figures = self._runs[row], self._runs[row].figures
            self._made[row] = (
                f"{run.title} ✎" if run.note else run.title,
                started_text(run.started_at),
                self._state_of(run),
                f"{figures.epochs} (best {figures.best_epoch})" if figures.epochs else UNKNOWN,
                _percent(figures.val_accuracy),
                _percent(own_hold_out(run)),
                _percent(_mnist_test(run)),
                duration(figures.elapsed_s) if figures.elapsed_s else UNKNOWN,
                recipe_text(run),
            )
        return self._made[row]


class RunsFilter(QSortFilterProxyModel):
    """Sorts the runs by a column, and leaves out those without every word searched for."""

    def __init__(self, source: RunsModel) -> None:
        super().__init__()
        self._source = source
        self._words: list[str] = []
        self.setSourceModel(source)
        self.setSortRole(SORT_ROLE)

    def look_for(self, text: str) -> None:
        self._words = text.casefold().split()
        self.invalidate()

    def run_at(self, row: int) -> RunRecord:
        return self._source.runs[self.mapToSource(self.index(row, 0)).row()]

    @override
    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        if not self._words:
            return True
        said = self._source.words_of(source_row)
        return all(word in said for word in self._words)


def started_text(started_at: datetime) -> str:
    """22 Nov 17:00; with the year instead of the time when it is not this year."""
    local = started_at.astimezone()
    return f"{local:%d %b %H:%M}" if local.year == datetime.now(UTC).year else f"{local:%d %b %Y}"


def titles_of(runs: Sequence[RunRecord]) -> list[str]:
    """Return the titles of runs; those with the same one get their start time."""
    titles = [run.title for run in runs]
    return [
        title if titles.count(title) == 1 else f"{title} {run.started_at.astimezone():%d %b %H:%M:%S}"
        for title, run in zip(titles, runs, strict=True)
    ]


def own_hold_out(run: RunRecord) -> float | None:
    """Return the hold-out accuracy of the model, else of the best epoch."""
    scored = run.figures.scores.get(MY_HOLD_OUT)
    return scored[0] if scored else run.figures.hold_out_accuracy


def recipe_text(run: RunRecord) -> str:
    """Return the name of the recipe, and the differences from the shipped recipe of that name."""
    name = str(run.recipe.get("name") or "")
    known = _known_values(name)
    if not known:
        return name
    changed = (pair for pair in recipe_values(run.recipe).items() if pair[1] != known[pair[0]])
    return ", ".join([name, *(f"{field.replace('_', ' ')} {value}" for field, value in changed)])


@cache
def _known_values(name: str) -> dict[str, Value]:
    """Return the shipped recipe of that name, {} if there is none."""
    return recipe_values(load_recipe(name).to_json()) if name in recipe_names() else {}


def _mnist_test(run: RunRecord) -> float | None:
    scored = run.figures.scores.get(MNIST_TEST)
    return scored[0] if scored else None


NUMBER_OF: Mapping[int, Callable[[RunRecord], float | None]] = {
    STARTED_COLUMN: lambda run: run.started_at.timestamp(),
    3: lambda run: run.figures.epochs,
    4: lambda run: run.figures.val_accuracy,
    5: own_hold_out,
    6: _mnist_test,
    7: lambda run: run.figures.elapsed_s,
}


def _percent(share: float | None) -> str:
    return percent(share, 2)


KEPT = 16


class RunHistories:
    """Keeps the histories looked at last. A run whose history cannot be read has no curves, and the session reports it."""

    def __init__(self, *, session: Session) -> None:
        self._session = session
        self._kept: OrderedDict[str, History | None] = OrderedDict()

    def shown(self, runs: Sequence[RunRecord], *, running: str = "") -> list[ShownRun]:
        """Return runs with their curves; those of `running` are read anew each time."""
        return [
            ShownRun(
                title,
                self._history(run.id, is_growing=run.id == running) or History(),
                steps_per_epoch=run.figures.steps_per_epoch,
            )
            for title, run in zip(titles_of(runs), runs, strict=True)
        ]

    def forget(self, run: str) -> None:
        """Read a run again: it has grown."""
        self._kept.pop(run, None)

    def _history(self, run: str, *, is_growing: bool) -> History | None:
        if is_growing or run not in self._kept:
            try:
                self._kept[run] = self._session.store.runs.history(run)
            except (QtDigitsError, ValueError, KeyError) as error:
                self._session.report(_as_problem(error))
                self._kept[run] = None
        self._kept.move_to_end(run)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[run]


def _as_problem(error: Exception) -> QtDigitsError:
    if isinstance(error, QtDigitsError):
        return error
    return QtDigitsError("The curves of this run cannot be read any more.", "The run itself is still listed.")


LEAST_COLUMN_PX, MOST_COLUMN_PX = 60, 240
SEVERAL = (
    "Choose several with Ctrl or Shift: their curves are drawn together, and a table shows the differences"
)


class RunsTable(QTableView):
    def __init__(self, rows: RunsFilter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        make_plain(self, name="runsTable", title="Runs")
        self.setToolTip(SEVERAL)
        self.setModel(rows)
        self.setSortingEnabled(True)
        self.sortByColumn(STARTED_COLUMN, Qt.SortOrder.DescendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        header = self.horizontalHeader()
        # Widths by what can be seen, not by all of 500 rows.
        header.setResizeContentsPrecision(0)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(LEAST_COLUMN_PX)
        header.setMaximumSectionSize(MOST_COLUMN_PX)
        header.setDefaultAlignment(LEFT)
        offer_columns(self, name_column=0, hidden=HIDDEN_COLUMNS)
