"""One score in full: the confusion matrix with the drawings behind it, calibration, and the figures of each class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.formatting import percent
from qtdigits.core.score.calibration import calibration_text, reliability_from_json
from qtdigits.core.score.metrics import ClassFigures, ReadDrawings, Score, class_figures
from qtdigits.gui.plots.charts import ReliabilityChart
from qtdigits.gui.results.confusion_matrix import ConfusionMatrix
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.painting import raster_image
from qtdigits.gui.widgets.parts import CENTRE, PlainTable, label, scrolling, table_cell
from qtdigits.gui.widgets.wrapping_row import WrappingRow

CELL_PADDING_PX = 24
TITLES = (
    ("class", ""),
    ("drawn", "How many drawings of this class there are"),
    ("found (recall)", "Recall: how many of them are read as it, with Wilson's 95 % interval"),
    (
        "right (precision)",
        "Precision: how many of the answers of this class are right, with Wilson's 95 % interval",
    ),
)


class ClassTable(PlainTable):
    """A row for each class."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            [title for title, _ in TITLES],
            name="classTable",
            title="Figures of each class",
            sides=[CENTRE] * len(TITLES),
            parent=parent,
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        modes = QHeaderView.ResizeMode
        for column, (title, tip) in enumerate(TITLES):
            self.setHorizontalHeaderItem(column, table_cell(title, CENTRE, tip=tip))
            has_interval = column >= len(TITLES) - 2
            mode = modes.Stretch if has_interval else modes.ResizeToContents
            self.horizontalHeader().setSectionResizeMode(column, mode)

    @property
    def least_width_px(self) -> int:
        """The width that intervals need."""
        n_digits, share = "1,000", _share(1.0, (0.999, 1.0))
        texts = (TITLES[0][0], n_digits, share, share)
        return sum(self.fontMetrics().horizontalAdvance(text) + CELL_PADDING_PX for text in texts)

    def show_figures(self, figures: Sequence[ClassFigures]) -> None:
        self.fill([_cells(found) for found in figures])


def _cells(found: ClassFigures) -> tuple[str, ...]:
    return (
        found.label,
        f"{found.drawn:,}",
        _share(found.recall, found.recall_interval),
        _share(found.precision, found.precision_interval),
    )


def _share(share: float, interval: tuple[float, float]) -> str:
    """Such as "98.2 % (97.1 to 98.9)"."""
    if math.isnan(share):
        return "–"
    low, high = interval
    return f"{percent(share)} ({100 * low:.1f} to {100 * high:.1f})"


SIDE_PX = 56
GAP_PX = 8


class DrawingStrip(QWidget):
    """Drawings side by side, each with how sure its reading was. As tall as what it shows: the page around it scrolls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._readings: ReadDrawings | None = None
        self.setMinimumWidth(2 * (SIDE_PX + GAP_PX))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName("Drawings of the chosen cell")

    def show_readings(self, readings: ReadDrawings | None) -> None:
        self._readings = readings
        said = [] if readings is None else [percent(float(p), 0) for p in readings.confidence[:20]]
        self.setAccessibleDescription(", ".join(said))
        self._fit_height()
        self.update()

    def drawing_rect(self, index: int) -> QRectF:
        """Return the place of a drawing; its probability stands below."""
        row, column = divmod(index, self._columns())
        height = SIDE_PX + self.fontMetrics().height() + GAP_PX
        return QRectF(column * (SIDE_PX + GAP_PX) + 0.5, row * height + 0.5, SIDE_PX, SIDE_PX)

    def _columns(self) -> int:
        return max(1, (self.width() + GAP_PX) // (SIDE_PX + GAP_PX))

    def _fit_height(self) -> None:
        n = 0 if self._readings is None else len(self._readings)
        last = self.drawing_rect(n - 1).bottom() + self.fontMetrics().height() + GAP_PX if n else 0
        self.setMinimumHeight(round(last))

    @override
    def sizeHint(self) -> QSize:
        return QSize(5 * (SIDE_PX + GAP_PX), self.minimumHeight())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._readings is None:
            return
        theme = theme_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 0.85)
        painter.setFont(font)
        for index, raster in enumerate(self._readings.images):
            rect = self.drawing_rect(index)
            if not event.rect().intersects(rect.adjusted(0, 0, 0, 24).toAlignedRect()):
                continue
            painter.drawImage(rect, raster_image(raster, ink=theme.ink, paper=theme.canvas))
            painter.setPen(QPen(QColor(theme.border), 1))
            painter.drawRect(rect)
            painter.setPen(QColor(theme.text_muted))
            below = QRectF(rect.left() - 4, rect.bottom() + 1, rect.width() + 8, self.fontMetrics().height())
            sure = percent(float(self._readings.confidence[index]), 0)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, sure)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()


POINT_TO_A_CELL = (
    "Point to a cell, or move with the arrow keys, to read it. A click or Enter shows its drawings."
)
NOT_KEPT = "The drawings behind this figure were not kept."
LEAST_MATRIX_PX = 260
LEAST_COLUMN_PX = 290
"""With less room, matrix and table stand below one another."""


class ScoreDetails(QWidget):
    """Shows a `Score.to_json()`, and the drawings of the cell that is chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._readings: ReadDrawings | None = None
        self._cell: tuple[int, int] | None = None
        self._matrix = ConfusionMatrix()
        self._matrix.setMinimumHeight(LEAST_MATRIX_PX)
        self._caption = label("", role="muted", name="confusionCaption", wraps=True)
        self._beside = label("", role="heading", name="cellHeading", wraps=True)
        self._worst = label("", role="muted", name="worstConfusions")
        self._drawings = DrawingStrip()
        self._shown = scrolling(self._drawings)
        self._shown.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._plot = ReliabilityChart()
        self._calibration = label("", role="muted", name="calibrationText", wraps=True)
        self._classes = ClassTable()
        self._lay_out()
        self._matrix.cell_described.connect(self._on_cell_described)
        self._matrix.cell_chosen.connect(self._on_cell_chosen)

    def show_score(self, values: Mapping[str, Any], readings: ReadDrawings | None) -> None:
        """Show a score; `readings` are the drawings behind it, None where they were not kept."""
        score = Score(tuple(values["classes"]), np.asarray(values["confusion"], np.int64))
        self._readings = readings
        self._matrix.set_score(score)
        self._worst.setText(worst_text(score))
        self._caption.setText(POINT_TO_A_CELL)
        self._show_cell(None)
        bins = reliability_from_json(values.get("reliability") or ())
        self._plot.show_bins(bins)
        self._calibration.setText(calibration_text(values.get("calibration_error"), bins))
        self._classes.show_figures(class_figures(score))

    def _lay_out(self) -> None:
        matrix, beside, plot, classes = (QWidget() for _ in range(4))
        left = _column(matrix, self._matrix, self._caption)
        left.setStretchFactor(self._matrix, 1)
        right = _column(beside, self._beside, self._worst, self._shown)
        right.setStretchFactor(self._shown, 1)
        right.addStretch()
        _column(plot, label("Calibration", role="heading"), self._plot, self._calibration)
        _column(classes, label("Figures of each class", role="heading"), self._classes).addStretch()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(14)
        least_px = max(LEAST_COLUMN_PX, self._classes.least_width_px)
        for pair in (
            ((matrix, LEAST_COLUMN_PX), (beside, LEAST_COLUMN_PX)),
            ((plot, least_px), (classes, least_px)),
        ):
            row = WrappingRow(fills=True)
            row.setSpacing(20)
            for part, part_px in pair:
                row.add_stretching(part, least_px=part_px)
            box.addLayout(row)

    def _show_cell(self, cell: tuple[int, int] | None) -> None:
        """Show the drawings of a cell or, without one, the most frequent confusions."""
        self._cell = cell
        self._matrix.set_chosen(cell)
        found = None if cell is None or self._readings is None else self._readings.of_cell(*cell)
        self._worst.setVisible(cell is None)
        self._shown.setVisible(found is not None)
        self._drawings.show_readings(found)
        if cell is None:
            self._beside.setText("Most often misread" if self._worst.text() else "Nothing was misread")
        elif found is None:
            self._beside.setText(NOT_KEPT)
        else:
            self._beside.setText(
                shown_text(self._matrix.describe(*cell), len(found), is_right=cell[0] == cell[1])
            )

    @Slot(str)
    def _on_cell_described(self, text: str) -> None:
        self._caption.setText(text or POINT_TO_A_CELL)

    @Slot(int, int)
    def _on_cell_chosen(self, row: int, column: int) -> None:
        """Show a cell; chosen once more, it is closed."""
        self._show_cell(None if (row, column) == self._cell else (row, column))


def _column(place: QWidget, *parts: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(place)
    column.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        column.addWidget(part)
    return column


def worst_text(score: Score) -> str:
    return "\n".join(
        f"{truth} read as {answer}: {count:,}×" for truth, answer, count in score.worst_confusions(8)
    )


def shown_text(described: str, n: int, *, is_right: bool) -> str:
    """Such as "4 read as 9: 12 of 980 (1.2 %). The surest first:"."""
    if not n:
        return f"{described}."
    what = "The least sure" if is_right else "The surest mistake"
    return f"{described}. {what} first, each with how sure it was:"
