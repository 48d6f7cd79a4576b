"""Curves as files: PNG and SVG in light colours, for paper, and the figures as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QByteArray, QPointF, QRectF, QSize
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QImageWriter,
    QPainter,
)
from PySide6.QtSvg import QSvgGenerator

from qtdigits.gui.plots.legend import Style, paint_sample
from qtdigits.gui.plots.plot import Plot
from qtdigits.gui.plots.run_series import ShownRun
from qtdigits.gui.widgets.colours import LIGHT
from qtdigits.store.frames import csv_of, curves_frame

WIDTH_PX, PLOT_HEIGHT_PX, MARGIN_PX = 900, 300, 18
DETAIL = 2
"""Pixels of a saved picture for one on the screen."""
SAMPLE_PX = 22


@dataclass(frozen=True, eq=False)
class Sheet:
    """What is put on paper: a title, a legend, and plots under their names."""

    title: str
    legend: Mapping[str, Style]
    plots: Sequence[tuple[str, Plot]]

    @property
    def size(self) -> QSize:
        return QSize(WIDTH_PX, 2 * MARGIN_PX + 60 + len(self.plots) * (PLOT_HEIGHT_PX + 24))


def as_image(sheet: Sheet, font: QFont) -> QImage:
    image = QImage(sheet.size * DETAIL, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(DETAIL)
    image.fill(QColor(LIGHT.surface))
    painter = QPainter(image)
    _paint(painter, sheet, font)
    painter.end()
    return image


def as_png(sheet: Sheet, font: QFont) -> bytes:
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(as_image(sheet, font))
    return bytes(buffer.data().data())


def as_svg(sheet: Sheet, font: QFont) -> bytes:
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    # The default, SVG Tiny, cannot clip.
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setResolution(round(QGuiApplication.primaryScreen().logicalDotsPerInch()))
    generator.setOutputDevice(buffer)
    generator.setSize(sheet.size)
    generator.setViewBox(QRectF(QPointF(), sheet.size))
    generator.setTitle(sheet.title)
    painter = QPainter(generator)
    painter.fillRect(QRectF(QPointF(), sheet.size), QColor(LIGHT.surface))
    _paint(painter, sheet, font)
    painter.end()
    buffer.close()
    # What this computer calls its font is not what another one does: without a family that all know, the words get serifs there.
    known = f'font-family="{QFontInfo(font).family()}, sans-serif"'
    return bytes(content.data()).replace(f'font-family="{font.family()}"'.encode(), known.encode())


def as_csv(runs: Sequence[ShownRun]) -> bytes:
    """One row for each batch point and each epoch, in the order in which they came; what is not known is empty."""
    return csv_of(curves_frame((run.title, run.history) for run in runs)).encode()


def _paint(painter: QPainter, sheet: Sheet, font: QFont) -> None:
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    bold = QFont(font)
    bold.setBold(True)
    top = MARGIN_PX + metrics.ascent()
    painter.setPen(QColor(LIGHT.text))
    painter.setFont(bold)
    painter.drawText(QPointF(MARGIN_PX, top), sheet.title)
    painter.setFont(font)
    left, top = float(MARGIN_PX), top + 24
    for name, style in sheet.legend.items():
        paint_sample(painter, QPointF(left, top - metrics.capHeight() / 2), style, LIGHT, length_px=SAMPLE_PX)
        painter.setPen(QColor(LIGHT.text))
        painter.drawText(QPointF(left + SAMPLE_PX + 6, top), name)
        left += SAMPLE_PX + 6 + metrics.horizontalAdvance(name) + 22
    top += 26
    width = WIDTH_PX - 2 * MARGIN_PX
    for title, plot in sheet.plots:
        painter.setPen(QColor(LIGHT.text))
        painter.setFont(bold)
        painter.drawText(QPointF(MARGIN_PX, top), title)
        painter.setFont(font)
        copy = plot.copy_for_paper(width_px=width, height_px=PLOT_HEIGHT_PX)
        copy.render(painter, QRectF(MARGIN_PX, top + 2, width, PLOT_HEIGHT_PX))
        copy.hide()
        copy.deleteLater()
        top += PLOT_HEIGHT_PX + 24
