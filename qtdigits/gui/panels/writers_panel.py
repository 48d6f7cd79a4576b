"""The writers' room: how well a model that learned from one hand reads the others."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
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

from qtdigits.core.formatting import percent, percent_digits
from qtdigits.core.score.practice import listed
from qtdigits.core.score.writers import ALL_OTHERS, BASE, MatrixCell, MatrixRow, WriterMatrix
from qtdigits.errors import QtDigitsError
from qtdigits.gui.panels.training.training_controls import ThinBar
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.colours import Theme
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import ChoiceBox, button, elided_label, label
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.gui.writers.writer_measuring import WriterMeasuring
from qtdigits.store.kept_files import load_writer_matrix, write_matrix_csv
from qtdigits.store.model_files import load_header

ROW_NAMES = {BASE: "nobody here", ALL_OTHERS: "all the others"}
SIGNS = {"+": "▵ ", "++": "▲ ", "-": "▿ ", "--": "▼ ", "": ""}
"""What stands before a figure that differs from the first row's: full where it holds among so many comparisons too."""
LEAST_COLUMN_PX, ROW_PADDING_PX, MARGIN_PX = 116, 14, 2
SHARE_OF_COLOUR = {"+": 0.12, "++": 0.28, "-": 0.14, "--": 0.32, "": 0.0}


class MatrixTable(QTableWidget):
    """Colour, sign and words say the same thing, so that none of them is needed alone."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._matrix: WriterMatrix | None = None
        self.setObjectName("matrixTable")
        self.setAccessibleName("Writer matrix")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(True)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setMinimumSectionSize(LEAST_COLUMN_PX)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setHighlightSections(False)
        self.verticalHeader().setHighlightSections(False)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._matrix is not None:
            self.show_matrix(self._matrix)

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
                self.setItem(number, column, self._item(matrix, row, row.cell(writer)))

    def _item(self, matrix: WriterMatrix, row: MatrixRow, cell: MatrixCell | None) -> QTableWidgetItem:
        if cell is None or cell.accuracy is None:
            item = QTableWidgetItem("–")
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            return item
        mark = matrix.mark(cell) if row.kind != BASE else ""
        item = QTableWidgetItem(f"{SIGNS[mark]}{percent(cell.accuracy)}\n{interval_text(cell)}")
        item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
        told = cell_text(row, cell, mark)
        item.setToolTip(told)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, told)
        if mark:
            colour = QColor(self._theme.good if "+" in mark else self._theme.error)
            colour.setAlphaF(SHARE_OF_COLOUR[mark])
            item.setBackground(colour)
        if row.name == cell.writer:
            font = QFont(self.font())
            font.setBold(True)
            item.setFont(font)
        return item


def row_name(row: MatrixRow) -> str:
    """Who the row's model has learned from, and from how many drawings."""
    name = ROW_NAMES.get(row.kind, row.name)
    return f"{name} · {row.learned_from:,} drawings" if row.learned_from else name


def interval_text(cell: MatrixCell) -> str:
    """Such as: 91.5 to 99.0."""
    low, high = cell.interval
    return f"{100 * low:.1f} to {percent_digits(high)}"


def cell_text(row: MatrixRow, cell: MatrixCell, mark: str) -> str:
    """Such as: 97 of 100 drawings by Bob read right (95 % interval 91.5 to 99.0 %). Before: 95; 3 fixed, 1 broken, p = 0.63."""
    text = (
        f"{cell.correct:,} of {cell.n:,} drawings by {cell.writer} read right "
        f"(95 % interval {interval_text(cell)} %)."
    )
    if row.kind == BASE:
        return text
    meaning = {
        "": "Not told apart from the first row.",
        "+": "Better than the first row, taken alone.",
        "++": "Better than the first row, also among so many comparisons.",
        "-": "Worse than the first row, taken alone.",
        "--": "Worse than the first row, also among so many comparisons.",
    }[mark]
    return (
        f"{text}\nBefore: {cell.base:,}; {cell.fixed:,} fixed, {cell.broken:,} broken, "
        f"p = {cell.p_value:.2g}.\n{meaning}"
    )


EXPLANATION = (
    "Each row is a model that began as the one chosen above and then learned from one writer; each column is a writer whose "
    "drawings it read, with the 95 % interval below the figure. A writer's own model (bold) reads only what was held out of its "
    "training."
)
LEGEND = "▵ better, ▿ worse than the first row on the same drawings (p < 0.05); ▲ ▼ also among so many comparisons."
ONE_WRITER = (
    "This needs the drawings of two writers: add another one in the box at the top, or import theirs."
)


class WritersPanel(RefreshingPanel):
    """Reads names and counts only while it is visible; the matrix that was measured last comes from the data folder."""

    notice_given = Signal(str)

    def __init__(
        self,
        *,
        session: Session,
        measuring: WriterMeasuring,
        data_dir: Path,
        ask: Ask,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._measuring, self._ask = session, measuring, ask
        self._matrix = load_writer_matrix(data_dir)
        self._title = label("Who is read by whose model", role="heading")
        self._models = ChoiceBox(name="matrixModelBox")
        self._models.setAccessibleName("Model that all begin with")
        self._models.setToolTip("The model that all the others begin with")
        self._measure = button("Measure", "measureButton", "Learn from each writer in turn", is_primary=True)
        self._stop = button("Stop", "stopMeasuringButton", "End it and keep the rows that are whole")
        self._cancel = button("Cancel", "cancelMeasuringButton", "Give it up; what was measured before stays")
        self._export = button("Export…", "exportMatrixButton", "Write the figures as a CSV table")
        self._bar = ThinBar(theme=theme)
        self._status = elided_label(role="muted", name="matrixStatus")
        self._warning = label(role="warning", name="matrixWarning", wraps=True)
        self._table = MatrixTable(theme=theme)
        self._about = label(role="muted", name="matrixAbout", wraps=True)
        self._lay_out()
        self._connect()
        self._show_matrix()

    def set_theme(self, theme: Theme) -> None:
        self._bar.set_theme(theme)
        self._table.set_theme(theme)

    @override
    def reload(self) -> None:
        self._list_models()
        self._describe()
        self._tell_about()

    def _lay_out(self) -> None:
        beginning = QWidget()
        box = QHBoxLayout(beginning)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(label("beginning with", role="muted"))
        box.addWidget(self._models)
        top = WrappingRow()
        top.add_stretching(self._title)
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
        self._show_busy(self._measuring.is_busy)

    def _connect(self) -> None:
        measuring = self._measuring
        self._session.samples_changed.connect(self.mark_stale)
        self._session.models_changed.connect(self.mark_stale)
        self._models.activated.connect(self._describe)
        self._measure.clicked.connect(self._start)
        self._stop.clicked.connect(measuring.stop)
        self._cancel.clicked.connect(measuring.cancel)
        self._export.clicked.connect(self._write)
        measuring.busy_changed.connect(self._show_busy)
        measuring.progressed.connect(self._show_progress)
        measuring.measured.connect(self._take)
        measuring.given_up.connect(self._say_given_up)
        measuring.failed.connect(self._show_failure)

    def _list_models(self) -> None:
        """A shipped model is offered first: it has learned from none of the writers here."""
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
        """What a measuring would be of, and what speaks against it."""
        if self._measuring.is_busy:
            return
        store = self._session.store
        names = [name for name in store.writers() if store.count(writer=name)]
        path = self._models.currentData()
        can_measure = len(names) > 1 and path is not None
        self._measure.setEnabled(can_measure)
        n = store.count()
        self._status.setText(
            f"{len(names)} writers, {n:,} drawings: {2 * len(names)} trainings in the background"
            if can_measure
            else ONE_WRITER
        )
        self._warning.setText(_warning(path) if can_measure else "")
        self._warning.setVisible(bool(self._warning.text()))

    @Slot()
    def _start(self) -> None:
        self._measuring.start(self._models.currentData())

    @Slot(bool)
    def _show_busy(self, is_busy: bool) -> None:
        for part in (self._measure, self._export):
            part.setVisible(not is_busy)
        self._models.setEnabled(not is_busy)
        for part in (self._stop, self._cancel):
            part.setVisible(is_busy)
        if not is_busy:
            self._bar.setValue(0)
            self.mark_stale()

    @Slot(str, int, int)
    def _show_progress(self, text: str, done: int, total: int) -> None:
        self._status.setText(text)
        self._bar.setRange(0, max(1, total))
        self._bar.setValue(done)

    @Slot(object)
    def _take(self, found: WriterMatrix) -> None:
        self._matrix = found
        self._show_matrix()

    @Slot()
    def _say_given_up(self) -> None:
        stays = "what was measured before stays" if self._matrix is not None else "nothing was measured"
        self._status.setText(f"Given up: {stays}.")

    @Slot(object)
    def _show_failure(self, error: QtDigitsError) -> None:
        self._session.problem_met.emit(error)

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
        told = [f"Models that began as {found.model}. {LEGEND}"]
        if not found.is_whole:
            told.append("It was stopped: rows are missing.")
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
            self._session.problem_met.emit(error)
        else:
            self.notice_given.emit(f"The writer matrix is in {path}.")


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
