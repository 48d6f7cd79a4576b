"""One tile for each class: how many drawings there are of it, the latest of them, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import is_

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QSizePolicy, QWidget
from typing_extensions import override

from qtdigits.core.score.practice import ClassAdvice
from qtdigits.gui.widgets.colours import theme_of
from qtdigits.gui.widgets.painting import RING_PX, draw_ring, raster_image
from qtdigits.gui.widgets.parts import heavy_font
from qtdigits.store.tables.queries import Thumbnail

COLUMNS = 5
MOST_SHOWN = 3
"""The latest drawings of a class that its tile shows where there is room."""
SIDE_PX, GAP_PX, PADDING_PX = 34, 5, 9
LEAST_WIDTH_PX, WIDTH_PX = 84, 128


@dataclass(frozen=True, eq=False)
class ClassContent:
    """`n` drawings of one class, the latest of them, newest first, and what the class needs.

    `is_remembered`: only the memory knows the class, the network has not learned it.
    """

    n: int
    drawings: tuple[Thumbnail, ...]
    advice: ClassAdvice
    is_remembered: bool = False

    @property
    def count_text(self) -> str:
        return f"{self.n:,} drawn" if self.n else "none yet"

    def is_same(self, other: ClassContent) -> bool:
        is_said = (self.n, self.advice) == (other.n, other.advice)
        return (
            is_said
            and len(self.drawings) == len(other.drawings)
            and all(map(is_, self.drawings, other.drawings))
        )


NOTHING = ClassContent(0, (), ClassAdvice(""))


class ClassTile(QAbstractButton):
    """A click, or the space bar, shows the drawings."""

    def __init__(self, class_label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"classTile.{class_label}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._label = class_label
        self._content = NOTHING
        self._is_next: bool | None = None  # until something is shown
        self._title = heavy_font(self, 1.35)
        self._small = QFont(self.font())
        self._small.setPointSizeF(self.font().pointSizeF() * 0.9)

    @property
    def content(self) -> ClassContent:
        return self._content

    def show_content(self, content: ClassContent, *, is_next: bool) -> None:
        """`is_next`: the class that is most worth drawing next. What is shown already is not painted again."""
        if is_next == self._is_next and content.is_same(self._content):
            return
        self._content, self._is_next = content, is_next
        memory = "read from memory, not learned by the network yet" if content.is_remembered else ""
        said = f"{self._label}: " + ", ".join(filter(None, (content.count_text, content.advice.text, memory)))
        self.setAccessibleName(said)
        self.setToolTip(f"{said}. Click to see these drawings" if content.n else said)
        self.setEnabled(content.n > 0)
        self.update()

    @override
    def sizeHint(self) -> QSize:
        lines = QFontMetrics(self._title).height() + QFontMetrics(self._small).height()
        return QSize(WIDTH_PX, lines + SIDE_PX + 2 * GAP_PX + 2 * PADDING_PX - 4)

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST_WIDTH_PX, self.sizeHint().height())

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, content = theme_of(self), self._content
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        is_marked = self._is_next or self.hasFocus() or (self.underMouse() and self.isEnabled())
        painter.setPen(
            QPen(QColor(theme.accent if is_marked else theme.border), 1.5 if self.hasFocus() else 1)
        )
        painter.setBrush(QColor(theme.field))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
        inner = QRectF(self.rect()).adjusted(PADDING_PX, PADDING_PX - 3, -PADDING_PX, -PADDING_PX + 3)
        self._draw_title(painter, inner)
        top = inner.top() + QFontMetrics(self._title).height() + GAP_PX - 1
        n_shown = min(MOST_SHOWN, int((inner.width() + GAP_PX) // (SIDE_PX + GAP_PX)))
        for place, found in enumerate(content.drawings[:n_shown]):
            square = QRectF(inner.left() + place * (SIDE_PX + GAP_PX), top, SIDE_PX, SIDE_PX)
            painter.drawImage(square, raster_image(found.raster, ink=theme.ink, paper=theme.canvas))
            painter.setPen(QPen(QColor(theme.border), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(square.adjusted(-0.5, -0.5, 0.5, 0.5))
        self._draw_advice(painter, inner)

    def _draw_title(self, painter: QPainter, inner: QRectF) -> None:
        theme = theme_of(self)
        line = QRectF(inner.left(), inner.top(), inner.width(), QFontMetrics(self._title).height())
        count = self._content.count_text
        ring = RING_PX + GAP_PX if self._content.is_remembered else 0
        width, small = line.width() - GAP_PX - ring, QFontMetrics(self._small)
        if QFontMetrics(self._title).horizontalAdvance(self._label) > width - small.horizontalAdvance(count):
            count = f"{self._content.n:,}"  # the number alone leaves a long label more room
        room = width - small.horizontalAdvance(count)
        painter.setFont(self._title)
        painter.setPen(QColor(theme.text))
        title = painter.fontMetrics().elidedText(self._label, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
        if ring:
            left = line.left() + painter.fontMetrics().horizontalAdvance(title) + GAP_PX
            draw_ring(painter, left, line.center().y(), QColor(theme.accent))
        painter.setFont(self._small)
        painter.setPen(QColor(theme.text_muted))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, count)

    def _draw_advice(self, painter: QPainter, inner: QRectF) -> None:
        theme, advice = theme_of(self), self._content.advice
        painter.setFont(self._small)
        colour = theme.warning if advice.is_misread else theme.text_muted if advice.is_wanted else theme.good
        painter.setPen(QColor(colour))
        text = painter.fontMetrics().elidedText(
            advice.text, Qt.TextElideMode.ElideRight, int(inner.width()) + PADDING_PX - 2
        )
        where = inner.adjusted(0, 0, PADDING_PX - 2, 0)
        painter.drawText(where, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, text)


class ClassTiles(QWidget):
    """`class_chosen` carries the label whose drawings are wanted."""

    class_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classTiles")
        self._tiles: dict[str, ClassTile] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)

    def show_classes(self, contents: Mapping[str, ClassContent], *, wanted: Sequence[str]) -> None:
        """`wanted`: the classes that are worth drawing, the most worthwhile first."""
        if list(contents) != list(self._tiles):
            self._make_tiles(contents)
        for name, content in contents.items():
            self._tiles[name].show_content(content, is_next=name in wanted[:1])

    def _make_tiles(self, labels: Mapping[str, object]) -> None:
        for tile in self._tiles.values():
            tile.hide()
            tile.deleteLater()
        self._tiles = {}
        for place, name in enumerate(labels):
            tile = self._tiles[name] = ClassTile(name, self)
            tile.clicked.connect(self._on_clicked)
            self._grid.addWidget(tile, *divmod(place, COLUMNS))
            tile.show()

    def _on_clicked(self) -> None:
        chosen = self.sender()
        self.class_chosen.emit(next((name for name, tile in self._tiles.items() if tile is chosen), ""))
