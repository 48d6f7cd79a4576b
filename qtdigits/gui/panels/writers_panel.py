"""The *Writers* tab: how well a model that learned from one writer reads the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from qtdigits.core.formatting import UNKNOWN, duration, listed, not_counted, percent, percent_digits
from qtdigits.core.run.events import JobProgress
from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.writers import ALL_OTHERS, BASE, MatrixRow, WriterMatrix
from qtdigits.errors import EngineError, QtDigitsError
from qtdigits.gui.engine_process import Current, JobEnding
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import (
    CENTRE,
    LEFT,
    ChoiceBox,
    ThinBar,
    button,
    elided_label,
    label,
    make_plain,
    table_cell,
)
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.store.kept_files import load_writer_matrix, save_writer_matrix, write_matrix_csv
from qtdigits.store.model_files import load_header
from qtdigits.training.jobs import WriterMatrixJob

ROW_NAMES = {BASE: "as chosen", ALL_OTHERS: "all the others"}
SIGNS = {"+": "▵ ", "++": "▲ ", "-": "▿ ", "--": "▼ ", "": ""}
"""Mark of an accuracy that differs from the first row's: filled if also after correction for so many comparisons."""
LEAST_COLUMN_PX, ROW_PADDING_PX, MARGIN_PX = 116, 14, 2
SHARE_OF_COLOUR = {"+": 0.12, "++": 0.28, "-": 0.14, "--": 0.32, "": 0.0}


class MatrixTable(QTableWidget):
    """Colour, sign and words say the same, so that nobody depends on one of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._matrix: WriterMatrix | None = None
        make_plain(self, name="matrixTable", title="Writer matrix")
        self.setWordWrap(True)  # two lines a cell
        self.setShowGrid(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.horizontalHeader().setMinimumSectionSize(LEAST_COLUMN_PX)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultAlignment(LEFT)

    def show_matrix(self, matrix: WriterMatrix) -> None:
        self._matrix = matrix
        self.setRowCount(len(matrix.rows))
        self.setColumnCount(len(matrix.writers))
        self.setHorizontalHeaderLabels(list(matrix.writers))
        self.setVerticalHeaderLabels([row_name(row) for row in matrix.rows])
        row_px = 2 * self.fontMetrics().lineSpacing() + ROW_PADDING_PX
        self.verticalHeader().setDefaultSectionSize(row_px)
        rows_px = row_px * len(matrix.rows) + self.horizontalHeader().sizeHint().height()
        scroll_bar_px = self.horizontalScrollBar().sizeHint().height()
        self.setMaximumHeight(rows_px + scroll_bar_px + MARGIN_PX)
        for number, row in enumerate(matrix.rows):
            for column, writer in enumerate(matrix.writers):
                self.setItem(number, column, self._item(matrix, row, writer))

    def _item(self, matrix: WriterMatrix, row: MatrixRow, writer: str) -> QTableWidgetItem:
        cell = row.cells.get(writer)
        if cell is None or not cell.n:
            return table_cell(UNKNOWN, CENTRE)
        mark = matrix.mark(cell) if row.kind != BASE else ""
        told = cell_text(row, writer, cell, mark)
        shown = f"{SIGNS[mark]}{percent(cell.tally_after.accuracy)}\n{interval_text(cell)}"
        item = table_cell(shown, CENTRE, tip=told)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, told)
        if mark:
            theme = theme_of(self)
            colour = QColor(theme.good if "+" in mark else theme.error)
            colour.setAlphaF(SHARE_OF_COLOUR[mark])
            item.setBackground(colour)
        if row.name == writer:
            font = QFont(self.font())
            font.setBold(True)
            item.setFont(font)
        return item

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._matrix is not None:
            self.show_matrix(self._matrix)


def row_name(row: MatrixRow) -> str:
    """Return whom the row's model has learned from, and from how many drawings."""
    name = ROW_NAMES.get(row.kind, row.name)
    return f"{name} · {row.learned_from:,} drawings" if row.learned_from else name


def interval_text(cell: PairedComparison) -> str:
    """Such as: 91.5 to 99.0."""
    low, high = cell.tally_after.interval
    return f"{100 * low:.1f} to {percent_digits(high)}"


def cell_text(row: MatrixRow, writer: str, cell: PairedComparison, mark: str) -> str:
    """Such as: 97 of 100 drawings by Bob read right (95 % interval 91.5 to 99.0 %). Before: 95; 3 fixed, 1 broken, p = 0.63."""
    text = (
        f"{cell.after:,} of {cell.n:,} drawings by {writer} read right "
        f"(95 % interval {interval_text(cell)} %)."
    )
    if row.kind == BASE:
        return text
    meaning = "No significant difference from the first row."
    if mark:
        way, corrected = "Better" if "+" in mark else "Worse", "also" if len(mark) > 1 else "not"
        meaning = f"{way} than the first row, {corrected} corrected for the number of comparisons."
    return (
        f"{text}\nBefore: {cell.before:,}; {cell.n_fixed:,} fixed, {cell.n_broken:,} broken, "
        f"p = {cell.p_value:.2g}.\n{meaning}"
    )


EXPLANATION = (
    "Each row is the model chosen above, trained on one writer; each column is a writer whose drawings it read: the share read "
    "right, with the 95 % interval below. A writer's own model (bold) reads only the drawings held out of its training."
)
LEGEND = "▵ better, ▿ worse than the first row on the same drawings (p < 0.05); ▲ ▼ also corrected for the number of comparisons."
ONE_WRITER = (
    "This needs the drawings of two writers: add another one in the box at the top, or import theirs."
)


class WritersPanel(RefreshingPanel):
    """Reads names and counts only while it is visible; the last matrix comes from the data folder."""

    def __init__(
        self,
        *,
        session: Session,
        trainer: Trainer,
        ask: Ask,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._trainer, self._ask = session, trainer, ask
        self._first: tuple[int, float] | None = None
        self._matrix = load_writer_matrix(session.data_dir)
        self._models = ChoiceBox(name="matrixModelBox")
        self._models.setAccessibleName("Model to start from")
        self._models.setToolTip("The model from which a model of each writer is trained")
        tip = "Train a model of each writer, and let it read the others"
        self._measure = button("Measure", "measureButton", tip, is_primary=True)
        self._stop = button("Stop", "stopMeasuringButton", "Stop and keep the complete rows")
        self._cancel = button("Cancel", "cancelMeasuringButton", "Cancel; the matrix measured before stays")
        self._export = button("Export…", "exportMatrixButton", "Save the matrix as a CSV table")
        self._bar = ThinBar(name="matrixProgress", title="Progress of the measurement")
        self._status = elided_label(role="muted", name="matrixStatus")
        self._warning = label(role="warning", name="matrixWarning", wraps=True)
        self._table = MatrixTable()
        self._about = label(role="muted", name="matrixAbout", wraps=True)
        self._lay_out()
        self._connect()
        self._show_matrix()

    @override
    def reload(self) -> None:
        self._list_models()
        self._describe()
        self._tell_about()

    def _lay_out(self) -> None:
        beginning = QWidget()
        box = QHBoxLayout(beginning)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(label("starting from", role="muted"))
        box.addWidget(self._models)
        top = WrappingRow()
        top.add_stretching(label("Writer matrix", role="heading"))
        top.add(beginning, self._export, self._cancel, self._stop, self._measure)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._bar)
        layout.addWidget(self._status)
        layout.addWidget(self._warning)
        layout.addWidget(label(EXPLANATION, role="muted", wraps=True))
        layout.addWidget(self._table, 100)
        layout.addWidget(self._about)
        layout.addStretch(1)
        self._show_busy(self._is_measuring)

    def _connect(self) -> None:
        trainer = self._trainer
        self._session.samples_changed.connect(self.mark_stale)
        self._session.models_changed.connect(self.mark_stale)
        self._models.activated.connect(self._describe)
        self._measure.clicked.connect(self._start)
        self._stop.clicked.connect(trainer.stop)
        self._cancel.clicked.connect(trainer.cancel)
        self._export.clicked.connect(self._write)
        trainer.job_started.connect(self._on_job_started)
        trainer.job_progressed.connect(self._on_job_progressed)
        trainer.job_ended.connect(self._on_job_ended)

    @property
    def _is_measuring(self) -> bool:
        current = self._trainer.current
        return current is not None and current.kind == WriterMatrixJob.kind

    def _list_models(self) -> None:
        """Fill the box, shipped models first: they have learned from no writer here."""
        entries = [entry for entry in self._session.library.entries() if not entry.error]
        chosen, in_use = self._models.currentData(), self._session.model_path
        wanted = chosen if chosen is not None else self._session.library.shipped_default()
        self._models.clear()
        for entry in sorted(entries, key=lambda entry: not entry.is_shipped):
            name = f"{entry.name} (in use)" if entry.path == in_use else entry.name
            self._models.addItem(name, entry.path)
            if entry.path == wanted:
                self._models.setCurrentIndex(self._models.count() - 1)

    @Slot()
    def _describe(self) -> None:
        """Say what would be measured, and what speaks against it."""
        if self._is_measuring:
            return
        store = self._session.store
        names = [name for name in store.writers() if store.count(writer=name, is_suspect=False)]
        path = self._models.currentData()
        can_measure = len(names) > 1 and path is not None
        self._measure.setEnabled(can_measure)
        n, n_doubted = store.count(is_suspect=False), store.count(is_suspect=True)
        doubtful = f"; {not_counted(n_doubted)}" if n_doubted else ""
        self._status.setText(
            f"{len(names)} writers, {n:,} drawings: {2 * len(names)} trainings in the background{doubtful}"
            if can_measure
            else ONE_WRITER
        )
        self._warning.setText(_warning(path) if can_measure else "")
        self._warning.setVisible(bool(self._warning.text()))

    @Slot()
    def _start(self) -> None:
        if not self._trainer.measure_writers(self._models.currentData()):
            self._session.report(EngineError("The engine is busy.", "Measure when it is done."))

    @Slot(object)
    def _on_job_started(self, current: Current) -> None:
        if current.kind == WriterMatrixJob.kind:
            self._first = None
            self._show_busy(True)
            self._show_progress("Starting the engine …", 0, 0)

    @Slot(object)
    def _on_job_progressed(self, progress: JobProgress) -> None:
        if progress.kind != WriterMatrixJob.kind:
            return
        text = progress.what
        if progress.what.startswith("Learning") and progress.total:
            left = self._left(progress)
            text = f"{text} · {progress.done} of {progress.total} trainings done{left}"
        self._show_progress(text, progress.done, progress.total)

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        if ending.kind != WriterMatrixJob.kind:
            return
        self._show_busy(False)
        result = ending.result
        found = WriterMatrix.from_json(result["matrix"]) if isinstance(result, Mapping) else None
        if found is not None and found.compared:
            self._keep(found)
        elif (
            found is not None or ending.outcome == "cancelled"
        ):  # stopped before a row was complete, or cancelled
            stays = "; the matrix measured before stays" if self._matrix is not None else ""
            self._status.setText(f"Ended without a result{stays}.")

    def _left(self, progress: JobProgress) -> str:
        """Say how long it may still take, once the duration of one training is known."""
        now = monotonic()
        if self._first is None:
            self._first = progress.done, now
        done, began = self._first
        if progress.done <= done:
            return ""
        each_s = (now - began) / (progress.done - done)
        return f" · about {duration(each_s * (progress.total - progress.done))} left"

    def _show_busy(self, is_busy: bool) -> None:
        for part in (self._measure, self._export):
            part.setVisible(not is_busy)
        self._models.setEnabled(not is_busy)
        for part in (self._stop, self._cancel):
            part.setVisible(is_busy)
        if not is_busy:
            self._bar.setValue(0)
            self.mark_stale()

    def _show_progress(self, text: str, done: int, total: int) -> None:
        self._status.setText(text)
        self._bar.setRange(0, max(1, total))
        self._bar.setValue(done)

    def _keep(self, found: WriterMatrix) -> None:
        self._matrix = found
        self._show_matrix()
        try:
            save_writer_matrix(self._session.data_dir, found)
        except QtDigitsError as error:
            self._session.report(error)

    def _show_matrix(self) -> None:
        found = self._matrix
        self._export.setEnabled(found is not None)
        self._table.setVisible(found is not None)
        if found is None:
            return
        self._table.show_matrix(found)
        self._tell_about()

    def _tell_about(self) -> None:
        found = self._matrix
        if found is None:
            self._about.setText("Nothing has been measured yet.")
            return
        told = [f"Trained from {found.model}. {LEGEND}"]
        if not found.is_whole:
            told.append("The measurement was stopped: rows are missing.")
        present = self._session.store.writers()
        if gone := [name for name in found.writers if name not in present]:
            are = "is" if len(gone) == 1 else "are"
            told.append(f"{listed(gone)} {are} not among the writers any more: measure anew.")
        self._about.setText(" ".join(told))

    @Slot()
    def _write(self) -> None:
        if self._matrix is None:
            return
        path = self._ask.file_to_save("Export the writer matrix", "writer-matrix.csv", "CSV (*.csv)")
        if path is None:
            return
        try:
            write_matrix_csv(path, self._matrix)
        except QtDigitsError as error:
            self._session.report(error)
        else:
            self._session.notify(f"The writer matrix is in {path}.")


def _warning(path: Path) -> str:
    try:
        learned = load_header(path).has_learned_from_stored
    except QtDigitsError as error:
        return str(error)
    if not learned:
        return ""
    return (
        "This model itself has learned from drawings that are stored here, so the first row flatters it; "
        "choose one that has not, to compare with."
    )
