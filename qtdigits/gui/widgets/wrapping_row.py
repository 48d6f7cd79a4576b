"""A row of widgets that wraps where there is too little room, as words do in a paragraph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget, QWidgetItem
from typing_extensions import override

SPACING_PX = 8
LEAST_STRETCHING_PX = 110


@dataclass(frozen=True, eq=False)
class _Line:
    places: Sequence[tuple[QLayoutItem, int]]
    """Each item with its width."""
    height_px: int


class WrappingRow(QLayout):
    """Every widget has the width of its size hint; those that stretch share what is left of their line.

    So a page needs only the width of the widest widget, not of all together.
    """

    def __init__(self, parent: QWidget | None = None, *, fills: bool = False) -> None:
        """`fills`: each widget is as tall as its line, instead of centred in it."""
        super().__init__(parent)
        self._fills = fills
        self._items: list[QLayoutItem] = []
        self._stretching: dict[QWidget, int] = {}
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(SPACING_PX)

    def add(self, *widgets: QWidget) -> None:
        for widget in widgets:
            self.insert(self.count(), widget)

    def insert(self, place: int, widget: QWidget) -> None:
        self.addChildWidget(widget)
        self._items.insert(place, QWidgetItem(widget))
        self.invalidate()

    def add_stretching(self, widget: QWidget, *, least_px: int = LEAST_STRETCHING_PX) -> None:
        """Add a widget that takes what is left of its line, which has to be at least `least_px`."""
        self.add(widget)
        self._stretching[widget] = least_px

    @override
    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    @override
    def count(self) -> int:
        return len(self._items)

    @override
    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    @override
    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    @override
    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation.Horizontal

    @override
    def hasHeightForWidth(self) -> bool:
        return True

    @override
    def heightForWidth(self, width: int) -> int:
        heights = [line.height_px for line in self._lines(width)]
        return sum(heights) + self.spacing() * max(0, len(heights) - 1)

    @override
    def sizeHint(self) -> QSize:
        shown = self._shown()
        width = sum(map(self._least_width, shown)) + self.spacing() * max(0, len(shown) - 1)
        return QSize(width, self.heightForWidth(width))

    @override
    def minimumSize(self) -> QSize:
        shown = self._shown()
        height = max((item.minimumSize().height() for item in shown), default=0)
        return QSize(max(map(self._least_width, shown), default=0), height)

    @override
    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        top = rect.top()
        for line in self._lines(rect.width()):
            left = rect.left()
            for item, width in line.places:
                height = line.height_px if self._fills else min(line.height_px, _height(item, width))
                item.setGeometry(QRect(left, top + (line.height_px - height) // 2, width, height))
                left += width + self.spacing()
            top += line.height_px + self.spacing()

    def _lines(self, width: int) -> list[_Line]:
        lines: list[list[QLayoutItem]] = []
        free = 0
        for item in self._shown():
            least = self._least_width(item)
            if not lines or least > free:
                lines.append([])
                free = width
            lines[-1].append(item)
            free -= least + self.spacing()
        return [self._line(items, width) for items in lines]

    def _line(self, items: list[QLayoutItem], width: int) -> _Line:
        free = width - sum(map(self._least_width, items)) - self.spacing() * (len(items) - 1)
        n_stretching = sum(item.widget() in self._stretching for item in items)
        places = []
        for item in items:
            share = 0
            if item.widget() in self._stretching:
                share = free // n_stretching
                free, n_stretching = free - share, n_stretching - 1
            places.append((item, self._least_width(item) + share))
        return _Line(places, max(_height(*place) for place in places))

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _least_width(self, item: QLayoutItem) -> int:
        for widget, least_px in self._stretching.items():
            if widget is item.widget():
                return max(item.minimumSize().width(), least_px)
        return item.sizeHint().width()


def _height(item: QLayoutItem, width: int) -> int:
    return item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
