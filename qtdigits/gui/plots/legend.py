"""How curves look: colour, dash and marker; and the legend, a button for each kind of curve, which hides and shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget
from typing_extensions import override

from qtdigits.gui.widgets.colours import Theme, mixed, theme_of
from qtdigits.gui.widgets.wrapping_row import WrappingRow

SAMPLE = QSize(20, 12)
FAINT_PART = 0.42
"""How much of its colour a faint curve has; the rest is the ground, as opaque pens are drawn faster."""


@dataclass(frozen=True)
class Style:
    """How a curve is drawn. `role` names its colour: a kind of curve, or "run 0", "run 1", …

    Dash and marker ("circle", "diamond") tell curves apart without colour.
    """

    role: str
    is_faint: bool = False
    is_bold: bool = False
    dash: Qt.PenStyle = Qt.PenStyle.SolidLine
    marker: str = ""


STYLES = {
    "batches": Style("batches", is_faint=True),
    "smoothed": Style("smoothed"),
    "training": Style("training", is_bold=True, dash=Qt.PenStyle.DotLine),
    "validation": Style("validation", is_bold=True, marker="circle"),
    "hold-out": Style("hold-out", is_bold=True, marker="diamond"),
    "rate": Style("smoothed", is_bold=True),
}


def colour_of(theme: Theme, style: Style) -> QColor:
    kinds = {
        "training": theme.series[3],
        "validation": theme.accent,
        "hold-out": theme.hold_out,
        "best": theme.good,
    }
    if style.role.startswith("run "):
        name = theme.series[int(style.role[4:]) % len(theme.series)]
    else:
        name = kinds.get(style.role, theme.text_muted)
    return mixed(name, theme.surface, FAINT_PART) if style.is_faint else QColor(name)


def paint_sample(painter: QPainter, start: QPointF, style: Style, theme: Theme, *, length_px: float) -> None:
    """A piece of a curve's line, from `start` to the right."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = colour_of(theme, style)
    painter.setPen(QPen(colour, 2.0 if style.is_bold else 1.2, style.dash))
    painter.drawLine(start, start + QPointF(length_px, 0))
    if style.marker:
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.translate(start + QPointF(length_px / 2, 0))
        if style.marker == "diamond":
            painter.rotate(45)
            painter.drawRect(QRectF(-3, -3, 6, 6))
        else:
            painter.drawEllipse(QPointF(), 3.2, 3.2)
        painter.restore()


class Legend(QWidget):
    """`hidden_changed` carries the names that are not shown now, in the legend's order."""

    hidden_changed = Signal(tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[str, QToolButton] = {}
        self.styles: dict[str, Style] = {}
        self._row = WrappingRow(self)
        self._row.setSpacing(2)
        self.setAccessibleName("Curves")

    def show_curves(self, styles: Mapping[str, Style], *, hidden: tuple[str, ...]) -> None:
        """One button for each name; those that are there already stay."""
        for name in self._buttons.keys() - styles.keys():
            gone = self._buttons.pop(name)
            self._row.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for place, name in enumerate(styles):
            if name not in self._buttons:
                self._buttons[name] = self._made(name)
                self._row.insert(place, self._buttons[name])
        self.styles = dict(styles)
        for name, button in self._buttons.items():
            with QSignalBlocker(button):
                button.setChecked(name not in hidden)
        self._paint_samples()

    @override
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint_samples()

    def _made(self, name: str) -> QToolButton:
        made = QToolButton(self)
        made.setText(name)
        made.setObjectName(f"curve {name}")
        made.setCheckable(True)
        made.setProperty("role", "legend")
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        made.setIconSize(SAMPLE)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.setToolTip(f"Show or hide “{name}”")
        made.toggled.connect(self._on_toggled)
        return made

    @Slot()
    def _on_toggled(self) -> None:
        self._paint_samples()
        self.hidden_changed.emit(
            tuple(name for name, button in self._buttons.items() if not button.isChecked())
        )

    def _paint_samples(self) -> None:
        ratio, theme = self.devicePixelRatioF(), theme_of(self)
        for name, button in self._buttons.items():
            sample = QPixmap(SAMPLE * ratio)
            sample.setDevicePixelRatio(ratio)
            sample.fill(QColor(Qt.GlobalColor.transparent))
            painter = QPainter(sample)
            painter.setOpacity(1.0 if button.isChecked() else 0.3)
            start = QPointF(1, SAMPLE.height() / 2)
            paint_sample(painter, start, self.styles[name], theme, length_px=SAMPLE.width() - 2)
            painter.end()
            button.setIcon(QIcon(sample))
