"""A view of thumbnails, side by side and row under row, that does not care how many there are.

`QListView` lays every item out: with 50,000 it takes 0.6 s (as a wrapped list) to 2 s (as icons) to be shown, and 0.3 to 1 s
whenever its width changes. Here all cells have one size, so a place is worked out when it is asked for.
"""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QWidget
from typing_extensions import override

from qtdigits.core.drawing.samples import Verdict
from qtdigits.gui.panels.samples.samples_model import THUMBNAIL_ROLE
from qtdigits.gui.widgets.colours import Theme, theme_of
from qtdigits.gui.widgets.painting import raster_image
from qtdigits.store.tables.queries import Thumbnail

SIDE_PX = 58
CELL_WIDTH_PX = 76
CELL_HEIGHT_PX = 90
_GAP_PX = 3
_CORNER_PX = 11


class ThumbnailPainter:
    """Paints thumbnails in the colours and the font of a widget."""

    def __init__(self, theme: Theme, font: QFont) -> None:
        self._theme = theme
        self._font = QFont(font)
        self._font.setWeight(QFont.Weight.DemiBold)
        self._small = QFont(font)
        self._small.setPointSizeF(font.pointSizeF() * 0.85)

    def paint(
        self, painter: QPainter, cell: QRect, found: Thumbnail, *, is_selected: bool, is_current: bool
    ) -> None:
        theme = self._theme
        frame = QRectF(cell).adjusted(_GAP_PX, _GAP_PX, -_GAP_PX, -_GAP_PX)
        if is_selected:
            tint = QColor(theme.accent)
            tint.setAlphaF(0.22 if theme.is_dark else 0.14)
            painter.setPen(QPen(QColor(theme.accent), 1.5))
            painter.setBrush(tint)
            painter.drawRoundedRect(frame, 6, 6)
        elif is_current:
            painter.setPen(QPen(QColor(theme.text_muted), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame, 6, 6)
        left = cell.center().x() - SIDE_PX / 2
        square = QRectF(left, cell.top() + 7, SIDE_PX, SIDE_PX)
        painter.drawImage(square, raster_image(found.raster, ink=theme.ink, paper=theme.canvas))
        painter.setPen(QPen(QColor(theme.warning if found.suspicion else theme.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(square.adjusted(-0.5, -0.5, 0.5, 0.5))
        self._draw_marks(painter, square, found)
        self._draw_label(painter, QRectF(left, square.bottom() + 1, SIDE_PX, 20), found)

    def paint_damaged(self, painter: QPainter, cell: QRect) -> None:
        """In the place of a drawing that cannot be read."""
        painter.setFont(self._small)
        painter.setPen(QColor(self._theme.error))
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, "damaged")

    def _draw_marks(self, painter: QPainter, square: QRectF, found: Thumbnail) -> None:
        if found.held_out:
            corner = square.topRight()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.hold_out))
            painter.drawConvexPolygon(
                QPolygonF([corner, corner - QPointF(_CORNER_PX, 0), corner + QPointF(0, _CORNER_PX)])
            )
        if found.suspicion is not None:
            badge = QRectF(square.left(), square.top(), 15, 15)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.warning))
            painter.drawRect(badge)
            painter.setFont(self._font)
            painter.setPen(QColor(self._theme.surface))
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, "?")

    def _draw_label(self, painter: QPainter, line: QRectF, found: Thumbnail) -> None:
        theme = self._theme
        painter.setFont(self._font)
        painter.setPen(QColor(theme.text))
        marks_px = 24 if found.verdict is Verdict.CORRECTED or found.weight != 1 else 0
        shown = painter.fontMetrics().elidedText(
            found.label, Qt.TextElideMode.ElideRight, int(line.width() - marks_px)
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, shown)
        if found.verdict is Verdict.CORRECTED:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.error))
            painter.drawEllipse(QPointF(line.left() + 5, line.center().y()), 3, 3)
        if found.weight != 1:
            painter.setFont(self._small)
            painter.setPen(QColor(theme.text_muted))
            painter.drawText(
                line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"×{found.weight}"
            )


Index = QModelIndex | QPersistentModelIndex
CursorAction = QAbstractItemView.CursorAction


class SampleGrid(QAbstractItemView):
    """Shows a model of one column. What is typed on it is emitted as `typed`, Delete as `delete_pressed`."""

    typed = Signal(str)
    delete_pressed = Signal()
    enter_pressed = Signal()
    selection_changed = Signal()

    def __init__(self, *, model: QAbstractItemModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Drawings")
        self._rows = model
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setTabKeyNavigation(False)
        self.setModel(model)

    @property
    def columns(self) -> int:
        return max(1, self.viewport().width() // CELL_WIDTH_PX)

    def selected_rows(self) -> list[range]:
        """Ranges, because all of a hundred thousand may be selected."""
        ranges = self.selectionModel().selection().toList()
        return [range(r.top(), r.bottom() + 1) for r in ranges]

    def select_rows(self, rows: list[int]) -> None:
        """Select these and nothing else; the first becomes the current one."""
        selection = QItemSelection()
        for row in rows:
            index = self._rows.index(row, 0)
            selection.select(index, index)
        if rows:
            first = self._rows.index(rows[0], 0)
            self.selectionModel().setCurrentIndex(first, QItemSelectionModel.SelectionFlag.NoUpdate)
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    # Where things are.

    def _cell(self, row: int) -> QRect:
        """Return the place of a cell in the viewport; the cells share its width evenly."""
        line, column = divmod(row, self.columns)
        width = self.viewport().width()
        left, right = (width * c // self.columns for c in (column, column + 1))
        return QRect(left, line * CELL_HEIGHT_PX - self.verticalOffset(), right - left, CELL_HEIGHT_PX)

    def _row_near(self, point: QPoint) -> int:
        """The row of the cell at the point, or of the nearest one; -1 when there is none at all."""
        width = max(1, self.viewport().width())
        column = min(max(0, point.x() * self.columns // width), self.columns - 1)
        line = max(0, (point.y() + self.verticalOffset()) // CELL_HEIGHT_PX)
        return min(line * self.columns + column, self._n - 1)

    @property
    def _n(self) -> int:
        return self._rows.rowCount()

    @property
    def _n_lines(self) -> int:
        return -(-self._n // self.columns)

    @override
    def visualRect(self, index: Index) -> QRect:
        return self._cell(index.row()) if index.isValid() else QRect()

    @override
    def indexAt(self, point: QPoint) -> QModelIndex:
        row = self._row_near(point)
        hit = row >= 0 and self._cell(row).contains(point)
        return self._rows.index(row, 0) if hit else QModelIndex()

    @override
    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        cell, height, bar = self.visualRect(index), self.viewport().height(), self.verticalScrollBar()
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + cell.center().y() - height // 2)
        elif cell.top() < 0 or hint == QAbstractItemView.ScrollHint.PositionAtTop:
            bar.setValue(bar.value() + cell.top())
        elif cell.bottom() >= height:
            bar.setValue(bar.value() + cell.bottom() + 1 - height)

    @override
    def horizontalOffset(self) -> int:
        return 0

    @override
    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    @override
    def isIndexHidden(self, index: Index) -> bool:
        return False

    @override
    def updateGeometries(self) -> None:
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, self._n_lines * CELL_HEIGHT_PX - height))
        bar.setEnabled(
            bar.maximum() > 0
        )  # it keeps its room, and is not seen where there is nothing to scroll
        bar.setPageStep(height)
        bar.setSingleStep(CELL_HEIGHT_PX // 2)
        super().updateGeometries()

    # Choosing.

    @override
    def moveCursor(self, action: CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        n, columns = self._n, self.columns
        if not n:
            return QModelIndex()
        page = max(1, self.viewport().height() // CELL_HEIGHT_PX) * columns
        steps = {
            CursorAction.MoveLeft: -1,
            CursorAction.MovePrevious: -1,
            CursorAction.MoveRight: 1,
            CursorAction.MoveNext: 1,
            CursorAction.MoveUp: -columns,
            CursorAction.MoveDown: columns,
            CursorAction.MovePageUp: -page,
            CursorAction.MovePageDown: page,
            CursorAction.MoveHome: -n,
            CursorAction.MoveEnd: n,
        }
        current = self.currentIndex()
        if not current.isValid():
            return self._rows.index(0, 0)
        row = current.row() + steps[action]
        if not 0 <= row < n and action in {CursorAction.MoveUp, CursorAction.MoveDown}:
            # There is nothing straight above or below; the last line may be short.
            is_below = action == CursorAction.MoveDown and current.row() // columns < (n - 1) // columns
            row = n - 1 if is_below else current.row()
        return self._rows.index(min(max(row, 0), n - 1), 0)

    @override
    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """All from the first corner's cell to the second one's, as in a text: `rect` is not normalised."""
        if not self._n:
            return
        ends = sorted(self._row_near(corner) for corner in (rect.topLeft(), rect.bottomRight()))
        selection = QItemSelection(*(self._rows.index(row, 0) for row in ends))
        self.selectionModel().select(selection, command)

    @override
    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        return QRegion(self.viewport().rect())

    @override
    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self.selection_changed.emit()

    @override
    def keyboardSearch(self, search: str) -> None:
        """Search for nothing: typed text is a label."""

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
        text = event.text()
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_pressed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.enter_pressed.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.clearSelection()
        elif plain and text and text.isprintable() and not text.isspace():
            self.typed.emit(text)
        else:
            super().keyPressEvent(event)

    # Painting.

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._n:
            return
        painter = QPainter(self.viewport())
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        thumbnails = ThumbnailPainter(theme_of(self), self.font())
        selection = self.selectionModel()
        first = self.verticalOffset() // CELL_HEIGHT_PX * self.columns
        last_line = (self.verticalOffset() + self.viewport().height()) // CELL_HEIGHT_PX
        current = self.currentIndex().row() if self.hasFocus() else -1
        for row in range(first, min((last_line + 1) * self.columns, self._n)):
            cell, index = self._cell(row), self._rows.index(row, 0)
            found = index.data(THUMBNAIL_ROLE) if event.rect().intersects(cell) else None
            if found is not None:  # else it is out of sight, damaged, or has just been removed
                is_selected = selection.isSelected(index)
                thumbnails.paint(painter, cell, found, is_selected=is_selected, is_current=row == current)
            elif index.data(Qt.ItemDataRole.ToolTipRole):
                thumbnails.paint_damaged(painter, cell)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the same drawings at the top."""
        old_columns = max(1, event.oldSize().width() // CELL_WIDTH_PX)
        top = self.verticalOffset() // CELL_HEIGHT_PX * old_columns
        super().resizeEvent(event)
        self.updateGeometries()
        if old_columns != self.columns:
            self.verticalScrollBar().setValue(top // self.columns * CELL_HEIGHT_PX)

    @override
    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().scroll(0, dy)
