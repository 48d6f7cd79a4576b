"""The stored drawings: look at them, filter them, choose some and change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QSignalBlocker, QTimer, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.formatting import counted
from qtdigits.core.run.events import JobProgress
from qtdigits.gui.engine_process import Current, JobEnding
from qtdigits.gui.import_export import ImportExport
from qtdigits.gui.panels.samples.sample_details import SampleDetails
from qtdigits.gui.panels.samples.sample_filters import SampleFilters
from qtdigits.gui.panels.samples.sample_grid import SampleGrid
from qtdigits.gui.panels.samples.samples_model import SamplesModel
from qtdigits.gui.sample_edits import SampleEdits
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import button, elided_label, label, named
from qtdigits.store.tables.rows import EVERYTHING, SampleFilter
from qtdigits.training.jobs import LabelReviewJob

LOOK_EVERY_MS = 2000
"""Time between two checks, while the panel is visible, whether another program has changed the store."""

TRAINING = "A training is running; it checks the labels itself, before it learns from them."
BUSY = "The engine is busy; try again when it is done."


class SamplesPanel(RefreshingPanel):
    """Nothing is read from the store while the panel is hidden. Every change can be undone."""

    def __init__(
        self,
        *,
        session: Session,
        edits: SampleEdits,
        import_export: ImportExport,
        trainer: Trainer,
        ask: Ask,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._import_export = import_export
        self._trainer = trainer
        self._edits = edits
        self._model = SamplesModel(store=session.store, parent=self)
        self._grid = named(SampleGrid(model=self._model), "drawingsView")
        self._details = SampleDetails(session=session, edits=self._edits, ask=ask)
        self._details.setFocusProxy(self._grid)
        self._filters = SampleFilters()
        self._count = label(role="heading", name="drawingsCount", wraps=True)
        self._waiting = label(role="warning", name="waitingLabel", wraps=True)
        self._look = button("Review them", "showDoubtfulButton")
        self._take_all = button(
            "Take all suggestions",
            "takeSuggestionsButton",
            "Give all of these drawings the labels that they look like; it can be undone",
        )
        self._said = elided_label(role="muted", name="editedLabel")
        self._undo = button("Undo", "undoEditButton", "Ctrl+Z")
        self._check = button(
            "Check labels",
            "checkLabelsButton",
            "Look for drawings whose label may be wrong, for you to review",
        )
        self._import = button("Import…", "importButton")
        self._export = button(
            "Export…", "exportButton", "Write the chosen drawings, or all that are shown, as ink"
        )
        self._among = ""
        self._revision = session.store.revision
        self._watch = QTimer(self, interval=LOOK_EVERY_MS)
        self._lay_out()
        self._connect()

    @override
    def reload(self) -> None:
        store = self._session.store
        self._revision = store.revision
        self._filters.set_names(
            labels=store.classes().labels, writers=store.writers(), models=store.judging_models()
        )
        chosen, place = self._chosen_ids(), self._grid.verticalScrollBar().value()
        row = self._grid.currentIndex().row()
        self._model.refresh()
        if len(chosen) and not self._grid.selectionModel().hasSelection():
            # The model has been reset: choose the same drawings again or, if they have gone, what took their place.
            rows = self._model.rows_of(chosen.tolist())
            last = self._model.rowCount() - 1
            self._grid.select_rows(rows or ([min(row, last)] if row >= 0 and last >= 0 else []))
        self._grid.verticalScrollBar().setValue(place)
        self._say_counts()
        self._show_details()

    # Construction.

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._count, 1)
        for choice in (self._check, self._import, self._export):
            top.addWidget(choice)
        self._banner = QWidget()
        banner = QHBoxLayout(self._banner)
        banner.setContentsMargins(0, 0, 0, 0)
        banner.addWidget(self._waiting, 1)
        banner.addWidget(self._look)
        banner.addWidget(self._take_all)
        middle = QHBoxLayout()
        middle.setSpacing(14)
        middle.addWidget(self._grid, 1)
        middle.addWidget(self._details)
        self._legend = label(role="muted", name="drawingsLegend")
        self._show_legend()
        foot = QHBoxLayout()
        foot.addWidget(self._legend)
        foot.addSpacing(24)
        foot.addWidget(self._said, 1)
        foot.addWidget(self._undo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(10)
        layout.addLayout(top)
        layout.addWidget(self._filters)
        layout.addWidget(self._banner)
        layout.addLayout(middle, 1)
        layout.addLayout(foot)
        self._banner.hide()
        self._offer_undo()

    def _connect(self) -> None:
        grid, details, edits = self._grid, self._details, self._edits
        self._session.samples_changed.connect(self.mark_stale)
        self._check.clicked.connect(self._on_check)
        self._trainer.job_started.connect(self._on_job_started)
        self._trainer.job_progressed.connect(self._on_job_progressed)
        self._trainer.job_ended.connect(self._on_job_ended)
        self._import.clicked.connect(self._import_export.import_drawings)
        self._export.clicked.connect(self._export_shown)
        self._filters.filter_changed.connect(self._on_filter_changed)
        self._look.clicked.connect(self._filters.show_doubtful)
        self._take_all.clicked.connect(self._on_take_all)
        self._watch.timeout.connect(self._look_elsewhere)
        grid.selection_changed.connect(self._show_details)
        grid.typed.connect(details.type_label)
        grid.delete_pressed.connect(details.delete)
        grid.enter_pressed.connect(details.confirm)
        edits.edited.connect(self._on_edited)
        self._session.undo_changed.connect(self._offer_undo)
        self._undo.clicked.connect(self._session.undo)

    # The review of labels.

    @Slot()
    def _on_check(self) -> None:
        if not self._trainer.review_labels():
            self._said.setText(TRAINING if self._trainer.is_training else BUSY)

    @Slot(object)
    def _on_job_started(self, current: Current) -> None:
        if current.kind == LabelReviewJob.kind:
            self._check.setEnabled(False)
            self._said.setText("Checking the labels …")

    @Slot(object)
    def _on_job_progressed(self, progress: JobProgress) -> None:
        if progress.kind == LabelReviewJob.kind:
            self._said.setText(f"{progress.what}: {progress.done} of {progress.total} writers …")

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        if ending.kind == LabelReviewJob.kind:
            self._check.setEnabled(True)
            self._said.setText(review_text(ending))

    # What is shown.

    def show_doubtful(self) -> None:
        """Show the drawings to review."""
        self._filters.show_doubtful()

    def show_among(self, title: str, ids: tuple[int, ...]) -> None:
        """Show just these drawings; `title` says which they are, such as "broken by the last training"."""
        with QSignalBlocker(self._filters):
            self._filters.clear()
        self._among = title
        self._on_filter_changed(replace(EVERYTHING, ids=ids))
        self._filters.offer_clearing()

    def _on_filter_changed(self, chosen: SampleFilter) -> None:
        self._model.set_filter(chosen)
        self._grid.scrollToTop()
        self._say_counts()
        self._show_details()

    def _say_counts(self) -> None:
        n, store = len(self._model.ids), self._session.store
        if self._model.chosen == EVERYTHING:
            self._count.setText(
                counted(n, "drawing") if n else "No drawings yet: every one that you judge comes here."
            )
        elif self._model.chosen.ids is not None:
            self._count.setText(f"{counted(n, 'drawing')} {self._among}")
        elif self._filters.is_in_trash:
            self._count.setText(f"{counted(n, 'drawing')} in the trash, each kept there for 30 days")
        else:
            self._count.setText(f"{n:,} of {counted(store.count(), 'drawing')}")
        waiting = store.count(is_suspect=True)
        is_review = bool(self._model.chosen.is_suspect)
        self._banner.setVisible(n > 0 if is_review else waiting > 0)
        self._look.setVisible(not is_review)
        self._take_all.setVisible(is_review)
        self._waiting.setText(
            f"{counted(waiting, 'drawing')} to review: perhaps labelled wrongly, and not counted until you have decided."
        )

    @Slot()
    def _on_take_all(self) -> None:
        shown = self._session.store.thumbnails(self._model.ids.tolist())
        self._edits.take_suggestions({one.id: one.suspicion.suggestion for one in shown if one.suspicion})

    def _show_details(self) -> None:
        self._details.show_samples(self._chosen_ids().tolist(), in_trash=self._filters.is_in_trash)

    def _show_legend(self) -> None:
        theme = theme_of(self)
        self._legend.setText(
            f"<span style='color:{theme.hold_out}'>◥</span> held out &nbsp; "
            f"<span style='color:{theme.error}'>●</span> had been misread &nbsp; "
            f"<span style='color:{theme.warning}'>?</span> doubtful &nbsp; ×5 counts five times"
        )

    def _chosen_ids(self) -> NDArray[np.int64]:
        """Return the ids of the chosen drawings, in the order of the rows."""
        parts = [np.arange(rows.start, rows.stop) for rows in self._grid.selected_rows()]
        chosen: NDArray[np.int64] = self._model.ids[np.sort(np.concatenate([np.empty(0, np.int64), *parts]))]
        return chosen

    def _look_elsewhere(self) -> None:
        if self._session.store.revision != self._revision:
            self.mark_stale()

    def _on_edited(self, text: str) -> None:
        self._said.setText(text)
        self._offer_undo()

    @Slot()
    def _offer_undo(self) -> None:
        self._undo.setVisible(self._edits.can_undo)

    def _export_shown(self) -> None:
        ids = self._chosen_ids()
        if len(ids) > 1:
            chosen = SampleFilter(ids=tuple(ids.tolist()), is_deleted=self._filters.is_in_trash)
            self._import_export.export_chosen(chosen, f"Export {counted(len(ids), 'drawing')} as ink")
        else:
            self._import_export.export_chosen(
                self._model.chosen, f"Export {counted(len(self._model.ids), 'drawing')} as ink"
            )

    # Qt.

    @override
    def event(self, event: QEvent) -> bool:
        """Keep Esc for this panel while it has the keyboard; else it is the canvas's."""
        if event.type() == QEvent.Type.ShortcutOverride and _is_cancel(event):
            event.accept()
            return True
        return super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_cancel(event):
            self._grid.setFocus()
        else:
            super().keyPressEvent(event)

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_legend()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._watch.start()

    @override
    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._watch.stop()


def _is_cancel(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and event.matches(QKeySequence.StandardKey.Cancel)


def review_text(ending: JobEnding) -> str:
    """Such as: 512 checked; 3 to review. A failure is told elsewhere."""
    if not isinstance(ending.result, Mapping):
        return "The check was cancelled." if ending.outcome == "cancelled" else ""
    n, to_review = int(ending.result["n"]), int(ending.result["waiting"])
    if not n:
        return "There is nothing to check yet."
    return f"{n:,} checked; {to_review:,} to review." if to_review else f"{n:,} checked; nothing looks wrong."
