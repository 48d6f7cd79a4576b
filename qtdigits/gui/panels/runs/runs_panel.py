"""The *Runs* tab: look at earlier trainings, compare, name, delete, resume and extend them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QItemSelectionModel, QSignalBlocker, Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLineEdit, QSplitter, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.formatting import counted
from qtdigits.core.run.figures import BEST, LAST
from qtdigits.errors import QtDigitsError, StoreError
from qtdigits.gui.background import Background
from qtdigits.gui.engine_process import JobEnding
from qtdigits.gui.panels.runs.run_details import RunDetails
from qtdigits.gui.panels.runs.runs_model import RunHistories, RunsFilter, RunsModel, RunsTable
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import ChoiceBox, button, elided_label, named
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.run_comparison import at_epoch
from qtdigits.training.runs import (
    Trash,
    can_be_extended,
    can_be_resumed,
    empty_trash,
    inspect_trash,
    is_running,
)

MOST_EPOCHS = 1000
MOST_COMPARED = 8
"""The number of colours that can be told apart."""
SEARCH_PX = 120
LEAST_HINT_PX = 90
LIST_PX = 200
CHOOSE = "Choose one run, or several to compare"
NONE_YET = "No training has been made yet"
DELETE = "Put the chosen runs into the trash; models stay"
DELETE_FOR_GOOD = "Delete for good"
EMPTYING = "Emptying the trash"
NOTHING_TO_EMPTY = StoreError(
    "Nothing in the trash can be deleted now.", "Runs that are queued or running have to end first."
)
IS_ELSEWHERE = "This run is not here: it was trained on another machine, or has been deleted."
IS_RUNNING = "A running training has to be stopped before it can be deleted"


class RunsPanel(RefreshingPanel):
    """Reads the list only while it is visible."""

    def __init__(
        self,
        *,
        session: Session,
        trainer: Trainer,
        preferences: Preferences,
        ask: Ask,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._trainer, self._ask = session, trainer, ask
        self._preferences = preferences
        self._runs = session.store.runs
        self._histories = RunHistories(session=session)
        self._changes_seen = 0
        self._n_asked = 0
        self._model = RunsModel()
        self._rows = RunsFilter(self._model)
        self._search = named(QLineEdit(), "runsSearch")
        self._search.setAccessibleName("Search runs")
        self._search.setPlaceholderText("Search …")
        self._search.setToolTip("Words of the name, the note, the recipe or how it ended")
        self._search.setClearButtonEnabled(True)
        self._search.setFixedWidth(SEARCH_PX)
        self._search.textChanged.connect(self._rows.look_for)
        self._table = RunsTable(self._rows)
        self._hint = elided_label(role="muted", name="runsHint")
        self._resume = button("Resume", "resumeRunButton", "Resume this training where it ended")
        self._extend = button("Train longer…", "extendRunButton", "Train it for some more epochs")
        self._rename = button("Rename…", "renameRunButton", "Give the run a name of your own")
        self._note = button("Note…", "noteRunButton", "Note something about the run")
        self._delete = button("Delete", "deleteRunsButton", DELETE)
        self._undo = button("Undo delete", "undoRunsButton", "Put back what was deleted last")
        self._trash = button("Trash", "runsTrashButton", "Show the runs in the trash")
        self._trash.setCheckable(True)
        self._empty = button("Empty…", "emptyRunsTrashButton", "Delete the runs in the trash for good")
        self._epochs = ChoiceBox(name="runsEpochBox")
        self._epochs.setAccessibleName("Epoch of the figures")
        self._epochs.setToolTip("Which epoch the columns Validation and My hold-out are of")
        self._wanted: set[str] = set()
        self._background = Background(self)
        self._lower = RunDetails(session=session, preferences=preferences, ask=ask)
        self._lay_out()
        self._connect()

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        if ending.kind == TrainingJob.kind:
            self._histories.forget(ending.id)
            self.mark_stale()

    @override
    def reload(self) -> None:
        chosen = {run.id for run in self._chosen()}
        try:
            self._changes_seen = self._runs.data_version()
            runs = self._runs.records(in_trash=self._trash.isChecked())
        except QtDigitsError as error:
            self._session.report(error)
            return
        self._list_epochs()
        self._n_asked += 1
        if (epoch := self._preferences.runs_epoch) == BEST:
            self._show(runs, chosen)
        else:  # the histories of many runs take a while to read
            self._background.run(str(self._n_asked), partial(_at_epoch, self._session.data_dir, runs, epoch))

    def _show(self, runs: list[RunRecord], chosen: set[str]) -> None:
        self._model.show_runs(runs, running=self._running, elsewhere=self._trained_elsewhere(runs))
        wanted, self._wanted = self._wanted, set()
        self._choose(wanted or chosen)
        self._show_chosen()
        if wanted and (rows := self._table.selectionModel().selectedRows()):
            self._table.scrollTo(rows[0])
            self._lower.show_result()

    @Slot(str, object)
    def _on_done(self, name: str, runs: list[RunRecord]) -> None:
        if name == EMPTYING:
            self._trash.setEnabled(True)
        elif name == str(self._n_asked):
            self._show(runs, {run.id for run in self._chosen()})

    @Slot(str, object)
    def _on_failed(self, name: str, error: QtDigitsError) -> None:
        if name == EMPTYING:
            self._trash.setEnabled(True)
        self._session.report(error)

    def _list_epochs(self) -> None:
        chosen = self._preferences.runs_epoch
        with QSignalBlocker(self._epochs):
            self._epochs.clear()
            for text, choice in (("Best epoch", BEST), ("Last epoch", LAST)):
                self._epochs.addItem(text, choice)
            if chosen.isdigit():
                self._epochs.addItem(f"Epoch {chosen}", chosen)
            self._epochs.addItem("Epoch…", "")
            self._epochs.setCurrentIndex(self._epochs.findData(chosen))

    @Slot()
    def _on_epoch_chosen(self) -> None:
        choice = self._epochs.currentData()
        if not choice:
            number = self._ask.number("Figures of an epoch", "Figures after which epoch?", 1, MOST_EPOCHS)
            choice = self._preferences.runs_epoch if number is None else str(number)
        self._preferences.runs_epoch = choice
        self.reload()

    def show_run(self, run: str) -> None:
        """Choose this run alone, also where it is in the trash, and show its result beside the model in use."""
        record = self._runs.get(run)
        if record is None:
            self._session.notify(IS_ELSEWHERE)
            return
        self._search.clear()
        self._trash.setChecked(record.deleted_at is not None)
        self._table.clearSelection()
        self._wanted = {run}
        self.reload()

    def _look_for_changes(self) -> None:
        """Reload if a terminal or another window has trained meanwhile."""
        try:
            if self._runs.data_version() != self._changes_seen:
                self.mark_stale()
        except QtDigitsError as error:
            self._session.report(error)

    def _trained_elsewhere(self, runs: list[RunRecord]) -> set[str]:
        data_dir = self._session.data_dir
        return {run.id for run in runs if run.id != self._running and is_running(data_dir, run)}

    @property
    def _running(self) -> str:
        """The id of the run that this window trains, or ""."""
        current = self._trainer.current
        return current.started.run if current is not None and current.started is not None else ""

    # What is chosen.

    def _chosen(self) -> list[RunRecord]:
        rows = sorted(index.row() for index in self._table.selectionModel().selectedRows())
        return [self._rows.run_at(row) for row in rows]

    def _choose(self, ids: set[str]) -> None:
        selection = self._table.selectionModel()
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for row in range(self._rows.rowCount()):
            if self._rows.run_at(row).id in ids:
                selection.select(self._rows.index(row, 0), flags)

    @Slot()
    def _show_chosen(self) -> None:
        chosen = self._chosen()
        self._update_buttons(chosen)
        self._offer_to_continue(chosen)
        compared = chosen[:MOST_COMPARED]
        self._hint.setText(self._hint_text(len(chosen)))
        curves = self._histories.shown(compared, running=self._running)
        self._lower.show_runs(compared, curves, epoch=self._preferences.runs_epoch)

    def _hint_text(self, n_chosen: int) -> str:
        if not self._model.runs:
            return "The trash is empty" if self._trash.isChecked() else NONE_YET
        if n_chosen > MOST_COMPARED:
            return f"{n_chosen} runs are chosen; the first {MOST_COMPARED} are compared"
        return CHOOSE if not n_chosen else f"{n_chosen} of {len(self._model.runs):,} chosen"

    def _update_buttons(self, chosen: list[RunRecord]) -> None:
        in_trash = self._trash.isChecked()
        for one in (self._rename, self._note):
            one.setEnabled(len(chosen) == 1 and not in_trash)
        is_running = not in_trash and any(self._model.is_running(run) for run in chosen)
        self._delete.setText("Put back" if in_trash else "Delete")
        self._delete.setToolTip(IS_RUNNING if is_running else DELETE)
        self._delete.setEnabled(bool(chosen) and not is_running)
        self._offer_undo()
        self._empty.setVisible(in_trash)
        self._empty.setEnabled(bool(self._model.runs))

    def _offer_to_continue(self, chosen: list[RunRecord]) -> None:
        """Offer to resume or extend a single run that is neither running here nor in the trash."""
        data_dir = self._session.data_dir
        is_offered = len(chosen) == 1 and not self._trash.isChecked() and chosen[0].id != self._running
        self._resume.setVisible(is_offered and can_be_resumed(data_dir, chosen[0]))
        self._extend.setVisible(is_offered and can_be_extended(data_dir, chosen[0]))

    # What is done.

    @Slot()
    def _on_resume(self) -> None:
        if len(chosen := self._chosen()) == 1:
            self._trainer.resume_run(chosen[0])

    @Slot()
    def _on_extend(self) -> None:
        if len(chosen := self._chosen()) != 1:
            return
        planned = chosen[0].recipe.get("epochs")
        suggestion = max(1, int(planned) // 2) if isinstance(planned, int) else 5
        question = f"By how many epochs should “{chosen[0].title}” be extended?"
        epochs = self._ask.number("Train it longer", question, suggestion, MOST_EPOCHS)
        if epochs is not None:
            self._trainer.extend_run(chosen[0], epochs)

    @Slot()
    def _on_rename(self) -> None:
        if len(chosen := self._chosen()) == 1:
            title = chosen[0].title
            question = f"A new name for “{title}”; without one it has the name of its recipe:"
            name = self._ask.text("Rename the run", question, title, may_be_empty=True)
            if name is not None:
                self._do(lambda: self._runs.rename(chosen[0].id, name))

    @Slot()
    def _on_note(self) -> None:
        if len(chosen := self._chosen()) == 1:
            question = f"About “{chosen[0].title}”:"
            note = self._ask.text("Note", question, chosen[0].note, may_be_empty=True)
            if note is not None:
                self._do(lambda: self._runs.set_note(chosen[0].id, note))

    @Slot()
    def _on_delete(self) -> None:
        ids = [run.id for run in self._chosen()]
        if not ids:
            return
        in_trash = self._trash.isChecked()
        if self._do(lambda: self.move_runs(ids, into_trash=not in_trash)):
            self._session.undo_stack.add(Trashing(self, self._session, ids, is_deletion=not in_trash))

    @Slot()
    def _offer_undo(self) -> None:
        is_last = isinstance(self._session.undo_stack.next_undone, Trashing)
        self._undo.setVisible(is_last and not self._trash.isChecked())

    def move_runs(self, ids: list[str], *, into_trash: bool) -> None:
        """Put runs into the trash, or take them out of it and choose them. Raises `StoreError`."""
        (self._runs.delete if into_trash else self._runs.restore)(ids)
        self.mark_stale()
        if not into_trash:
            self._choose(set(ids))

    @Slot()
    def _on_empty(self) -> None:
        """Ask, and delete in the background what may go: many folders can take a while."""
        data_dir, stack = self._session.data_dir, self._session.undo_stack
        try:
            trash = inspect_trash(self._session.store, data_dir)
        except QtDigitsError as error:
            self._session.report(error)
            return
        if not trash.runs:
            self._session.report(NOTHING_TO_EMPTY)
        elif self._ask.one_of("The trash", trash.question, [DELETE_FOR_GOOD], no="Keep them", is_grave=True):
            stack.remove(*(action for action in stack.actions if isinstance(action, Trashing)))
            self._trash.setChecked(False)
            self._trash.setEnabled(False)
            self._background.run(EMPTYING, partial(_empty_trash, data_dir, trash))

    def _do(self, change: Callable[[], None]) -> bool:
        try:
            change()
        except QtDigitsError as error:
            self._session.report(error)
            return False
        self.reload()
        return True

    # Construction.

    def _lay_out(self) -> None:
        top = WrappingRow()
        top.add_stretching(self._hint, least_px=LEAST_HINT_PX)
        top.add(
            self._search,
            self._epochs,
            self._resume,
            self._extend,
            self._undo,
            self._trash,
            self._empty,
            self._rename,
            self._note,
            self._delete,
        )
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self._table)
        splitter.addWidget(self._lower)
        splitter.setSizes([LIST_PX, 3 * LIST_PX])
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 3)
        splitter.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.addLayout(top)
        box.addWidget(splitter, 1)

    def _connect(self) -> None:
        self._table.selectionModel().selectionChanged.connect(self._show_chosen)
        self._resume.clicked.connect(self._on_resume)
        self._extend.clicked.connect(self._on_extend)
        self._rename.clicked.connect(self._on_rename)
        self._note.clicked.connect(self._on_note)
        self._delete.clicked.connect(self._on_delete)
        self._undo.clicked.connect(self._session.undo)
        self._session.undo_changed.connect(self._offer_undo)
        self._trash.toggled.connect(self.reload)
        self._empty.clicked.connect(self._on_empty)
        self._epochs.activated.connect(self._on_epoch_chosen)
        self._background.done.connect(self._on_done)
        self._background.failed.connect(self._on_failed)
        self._session.closing.connect(self._background.shutdown)
        self._trainer.run_started.connect(self.mark_stale)
        self._trainer.job_ended.connect(self._on_job_ended)
        self._table.activated.connect(self._lower.show_result)  # a double click, or Enter

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look_for_changes()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow() and self.isVisible():
            self._look_for_changes()


def _empty_trash(data_dir: Path, trash: Trash) -> None:
    with SampleStore.open(data_dir) as store:
        empty_trash(store, data_dir, trash)


def _at_epoch(data_dir: Path, runs: list[RunRecord], epoch: str) -> list[RunRecord]:
    with SampleStore.open_to_read(data_dir) as store:
        return at_epoch(store.runs, runs, epoch)


class Trashing:
    """Runs were put into the trash, or taken out of it: an `Action` of the undo stack."""

    def __init__(self, panel: RunsPanel, session: Session, ids: list[str], *, is_deletion: bool) -> None:
        self._panel, self._session = panel, session
        self._ids, self._is_deletion = ids, is_deletion

    @property
    def name(self) -> str:
        return f"{'deletion' if self._is_deletion else 'return'} of {counted(len(self._ids), 'run')}"

    def undo(self) -> None:
        self._panel.move_runs(self._ids, into_trash=not self._is_deletion)
        self._session.tell(f"Undone: {self.name}.")

    def redo(self) -> None:
        self._panel.move_runs(self._ids, into_trash=self._is_deletion)
        self._session.tell(f"Redone: {self.name}.")
