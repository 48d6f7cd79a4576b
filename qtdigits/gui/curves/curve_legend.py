"""The legend of the curves: a button for each kind, which hides and shows it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget

from qtdigits.gui.curves.curve_painting import Look, paint_sample
from qtdigits.gui.widgets.colours import Theme
from qtdigits.gui.widgets.wrapping_row import WrappingRow

SAMPLE = QSize(20, 12)


class CurveLegend(QWidget):
    """`hidden_changed` carries the names that are not shown now, in the legend's order."""

    hidden_changed = Signal(tuple)

    def __init__(self, *, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._buttons: dict[str, QToolButton] = {}
        self._looks: dict[str, Look] = {}
        self._row = WrappingRow(self)
        self._row.setSpacing(2)
        self.setAccessibleName("Curves")

    @property
    def looks(self) -> dict[str, Look]:
        return self._looks

    def show_curves(self, looks: dict[str, Look], *, hidden: tuple[str, ...]) -> None:
        """One button for each name; those that are there already stay."""
        for name in set(self._buttons) - set(looks):
            gone = self._buttons.pop(name)
            self._row.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for place, name in enumerate(looks):
            if name not in self._buttons:
                self._buttons[name] = self._made(name)
                self._row.insert(place, self._buttons[name])
        self._looks = dict(looks)
        for name, button in self._buttons.items():
            with QSignalBlocker(button):
                button.setChecked(name not in hidden)
        self._paint_samples()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._paint_samples()

    def _made(self, name: str) -> QToolButton:
        made = QToolButton(self)
        made.setText(name)
        made.setCheckable(True)
        made.setProperty("role", "legend")
        made.setObjectName(f"curve {name}")
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
        for name, button in self._buttons.items():
            ratio = self.devicePixelRatioF()
            sample = QPixmap(SAMPLE * ratio)
            sample.setDevicePixelRatio(ratio)
            sample.fill(QColor(Qt.GlobalColor.transparent))
            painter = QPainter(sample)
            if not button.isChecked():
                painter.setOpacity(0.3)
            start = QPointF(1, SAMPLE.height() / 2)
            paint_sample(painter, start, self._looks[name], self._theme, length_px=SAMPLE.width() - 2)
            painter.end()
            button.setIcon(QIcon(sample))
