"""One score in full: what was taken for what, with the drawings behind it, how sure it was, and how well each class is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qtdigits.core.score.class_figures import class_figures
from qtdigits.core.score.metrics import Score
from qtdigits.core.score.readings import Readings
from qtdigits.core.score.reliability import reliability_from_json
from qtdigits.gui.results.cell_drawings import CellDrawings
from qtdigits.gui.results.class_table import ClassTable
from qtdigits.gui.results.confusion_view import ConfusionView
from qtdigits.gui.results.reliability_plot import ReliabilityPlot, calibration_text
from qtdigits.gui.widgets.parts import label, scrolling
from qtdigits.gui.widgets.theme import Theme
from qtdigits.gui.widgets.wrapping_row import WrappingRow

POINT_TO_A_CELL = (
    "Point to a cell, or walk with the arrow keys, to read it. A click or Enter shows its drawings."
)
NOT_KEPT = "The drawings behind this figure were not kept."
LEAST_MATRIX_PX = 260
LEAST_COLUMN_PX = 290
"""Narrower, neither matrix nor table could be read: they stand below one another."""


class ScoreDetails(QWidget):
    """Shows a `Score.to_json()`, and of `Readings` those of the cell that is chosen."""

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._readings: Readings | None = None
        self._cell: tuple[int, int] | None = None
        self._matrix = ConfusionView(theme=theme)
        self._matrix.setMinimumHeight(LEAST_MATRIX_PX)
        self._caption = label("", role="muted", name="confusionCaption", wraps=True)
        self._beside = label("", role="heading", name="cellHeading", wraps=True)
        self._worst = label("", role="muted", name="worstConfusions")
        self._drawings = CellDrawings(theme=theme)
        self._shown = scrolling(self._drawings)
        self._shown.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._plot = ReliabilityPlot(theme=theme)
        self._calibration = label("", role="muted", name="calibrationText", wraps=True)
        self._classes = ClassTable()
        self._lay_out()
        self._matrix.cell_described.connect(self._on_cell_described)
        self._matrix.cell_chosen.connect(self._on_cell_chosen)

    def show_score(self, values: Mapping[str, Any], readings: Readings | None) -> None:
        """`readings`: the drawings behind the figures, None where they were not kept."""
        score = Score(tuple(values["classes"]), np.asarray(values["confusion"], np.int64))
        self._readings = readings
        self._matrix.set_score(score)
        self._worst.setText(worst_text(score))
        self._caption.setText(POINT_TO_A_CELL)
        self._show_cell(None)
        bins = reliability_from_json(values.get("reliability") or ())
        self._plot.set_bins(bins)
        self._calibration.setText(calibration_text(values.get("calibration_error"), bins))
        self._classes.show_figures(class_figures(score))

    def set_theme(self, theme: Theme) -> None:
        for part in (self._matrix, self._drawings, self._plot):
            part.set_theme(theme)

    def _lay_out(self) -> None:
        matrix, beside, plot, classes = (QWidget() for _ in range(4))
        left = _column(matrix, self._matrix, self._caption)
        left.setStretchFactor(self._matrix, 1)
        right = _column(beside, self._beside, self._worst, self._shown)
        right.setStretchFactor(self._shown, 1)
        right.addStretch()
        _column(plot, label("How sure it may be", role="heading"), self._plot, self._calibration)
        _column(classes, label("How well each class is read", role="heading"), self._classes).addStretch()
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
        """The drawings of a cell, or, without one, what was most often misread."""
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
        """The same cell once more closes it."""
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
