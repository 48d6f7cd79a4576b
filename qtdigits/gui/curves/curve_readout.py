"""The cross-hair of a plot, and the box beside it with what each curve says there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from qtdigits.gui.curves.curve_painting import END_MARGIN_PX, SAMPLE_PX, Frame, Look, colour_of, paint_sample
from qtdigits.gui.widgets.colours import Theme

PADDING_PX, GAP_PX = 7, 12
MOST_NAME_PX = 220


@dataclass(frozen=True)
class Reading:
    """What a curve of a `run` ("" where there is only one) says, and where its dot is set: on its nearest point."""

    look: Look
    run: str
    kind: str
    value: str
    x: float
    height: float

    @property
    def text(self) -> str:
        return f"{self.run}: {self.kind} {self.value}" if self.run else f"{self.kind} {self.value}"


@dataclass(frozen=True)
class Row:
    """A line of the box: a piece of a curve's line, a name, and a value for each column."""

    look: Look
    name: str
    values: tuple[str, ...]


def paint_cursor(
    painter: QPainter, frame: Frame, *, x: float, title: str, readings: tuple[Reading, ...], theme: Theme
) -> None:
    """The cross-hair at `x`, a dot on each curve, and the box."""
    inner = frame.inner
    left = frame.point(x, 0).x()
    if not inner.left() - 1 <= left <= inner.right() + 1:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(QColor(theme.text_muted), 1))
    painter.drawLine(QPointF(round(left), inner.top()), QPointF(round(left), inner.bottom()))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for reading in readings:
        at = frame.point(reading.x, reading.height)
        if inner.contains(at):
            painter.setPen(QPen(QColor(theme.surface), 1.5))
            painter.setBrush(colour_of(theme, Look(reading.look.role)))
            painter.drawEllipse(at, 4, 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _paint_box(painter, inner, left, title, readings, theme)


def columns_and_rows(readings: tuple[Reading, ...]) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Of one run a row for each curve, without titles; of several a row for each run, and a column for each kind of curve."""
    if not any(reading.run for reading in readings):
        return ("",), tuple(Row(r.look, r.kind, (r.value,)) for r in readings)
    kinds = tuple(dict.fromkeys(reading.kind for reading in readings))
    values = {(reading.run, reading.kind): reading.value for reading in readings}
    looks = {reading.run: Look(reading.look.role, is_bold=True) for reading in readings}
    return kinds, tuple(
        Row(look, run, tuple(values.get((run, kind), "") for kind in kinds)) for run, look in looks.items()
    )


def _paint_box(
    painter: QPainter,
    inner: QRectF,
    left: float,
    title: str,
    readings: tuple[Reading, ...],
    theme: Theme,
) -> None:
    metrics = QFontMetricsF(painter.font())
    columns, rows = columns_and_rows(readings)
    rows = tuple(replace(row, name=_elided(metrics, row.name)) for row in rows)
    width_of = metrics.horizontalAdvance
    indent = SAMPLE_PX + 6
    name_width = max([width_of(title), *(indent + width_of(row.name) for row in rows)])
    widths = [
        max(map(width_of, (column, *(row.values[n] for row in rows)))) for n, column in enumerate(columns)
    ]
    width = name_width + sum(GAP_PX + wide for wide in widths) + 2 * PADDING_PX
    box = QRectF(left + 12, inner.top() + 4, width, metrics.height() * (1 + len(rows)) + 2 * PADDING_PX - 4)
    if box.right() > inner.right() + END_MARGIN_PX:
        box.moveRight(left - 12)
    painter.setPen(QPen(QColor(theme.border), 1))
    paper = QColor(theme.surface)
    paper.setAlphaF(0.95)
    painter.setBrush(paper)
    painter.drawRoundedRect(box, 5, 5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    start, line = box.left() + PADDING_PX, box.top() + PADDING_PX - 2 + metrics.ascent()

    def write_values(values: tuple[str, ...]) -> None:
        right = start + name_width
        for value, wide in zip(values, widths, strict=True):
            right += GAP_PX + wide
            painter.drawText(QPointF(right - width_of(value), line), value)

    painter.setPen(QColor(theme.text_muted))
    painter.drawText(QPointF(start, line), title)
    write_values(columns)
    for row in rows:
        line += metrics.height()
        paint_sample(painter, QPointF(start, line - metrics.capHeight() / 2), row.look, theme)
        painter.setPen(QColor(theme.text))
        painter.drawText(QPointF(start + indent, line), row.name)
        write_values(row.values)


def _elided(metrics: QFontMetricsF, name: str) -> str:
    return metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, MOST_NAME_PX)
