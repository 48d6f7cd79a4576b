"""Curves as files: a picture and a drawing in light colours, for paper, and the figures as a table."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
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

from qtdigits.core.run.history import BATCH_COLUMNS, BATCH_EXTRAS, EPOCH_COLUMNS, EPOCH_EXTRAS
from qtdigits.gui.curves.curve_painting import Look, Picture, paint_picture, paint_sample
from qtdigits.gui.curves.run_curves import ShownRun
from qtdigits.gui.widgets.colours import LIGHT

WIDTH_PX, PLOT_HEIGHT_PX, MARGIN_PX = 900, 300, 18
DETAIL = 2
"""Pixels of a saved picture for one on the screen."""
CSV_COLUMNS = ("run", "kind", *dict.fromkeys((*EPOCH_COLUMNS, *EPOCH_EXTRAS, *BATCH_COLUMNS, *BATCH_EXTRAS)))
SAMPLE_PX = 22


@dataclass(frozen=True, eq=False)
class Sheet:
    """What is put on paper: a title, a legend, and pictures under their names."""

    title: str
    legend: dict[str, Look]
    pictures: tuple[tuple[str, Picture], ...]

    @property
    def size(self) -> QSize:
        return QSize(WIDTH_PX, 2 * MARGIN_PX + 60 + len(self.pictures) * (PLOT_HEIGHT_PX + 24))


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
    from PySide6.QtSvg import QSvgGenerator

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
    # What this machine calls its font is not what another one does: without a family that all know, the words get serifs there.
    known = f'font-family="{QFontInfo(font).family()}, sans-serif"'
    return bytes(content.data()).replace(f'font-family="{font.family()}"'.encode(), known.encode())


def as_csv(runs: Sequence[ShownRun]) -> bytes:
    """One row for each batch point and each epoch, in the order in which they came; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for run in runs:
        rows = []
        tables = (("batch", run.history.batches), ("epoch", run.history.epochs))
        for kind, columns in tables:
            names = columns.kept_names
            for values in zip(*(columns[name].tolist() for name in names), strict=True):
                row = {"run": run.title, "kind": kind, **dict(zip(names, map(_cell, values), strict=True))}
                rows.append(row)
        rows.sort(key=lambda row: (int(row["step"]), row["kind"]))
        writer.writerows([row.get(name, "") for name in CSV_COLUMNS] for row in rows)
    return text.getvalue().encode()


def _cell(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


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
    for name, look in sheet.legend.items():
        paint_sample(painter, QPointF(left, top - metrics.capHeight() / 2), look, LIGHT, length_px=SAMPLE_PX)
        painter.setPen(QColor(LIGHT.text))
        painter.drawText(QPointF(left + SAMPLE_PX + 6, top), name)
        left += SAMPLE_PX + 6 + metrics.horizontalAdvance(name) + 22
    top += 26
    for title, picture in sheet.pictures:
        painter.setPen(QColor(LIGHT.text))
        painter.setFont(bold)
        painter.drawText(QPointF(MARGIN_PX, top), title)
        painter.setFont(font)
        paint_picture(
            painter, QRectF(MARGIN_PX, top + 2, WIDTH_PX - 2 * MARGIN_PX, PLOT_HEIGHT_PX), picture, LIGHT
        )
        top += PLOT_HEIGHT_PX + 24
