"""The two sets of colours of the window, and which of them a widget has.

Text and background meet WCAG AA (4.5:1) in both; blue and orange, the colours of the curves, stay apart for the colour-blind
(Okabe & Ito 2008).
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class Theme:
    """Colours as `#rrggbb`."""

    is_dark: bool
    background: str
    surface: str
    canvas: str
    field: str
    border: str
    grid: str
    text: str
    text_muted: str
    ink: str
    accent: str
    on_accent: str
    good: str
    warning: str
    error: str
    hold_out: str
    series: tuple[str, ...]
    """For curves that are told apart by colour alone: Okabe & Ito's, each dark or light enough for 3:1 on the surface."""


LIGHT = Theme(
    is_dark=False,
    background="#f3f4f6",
    surface="#ffffff",
    canvas="#ffffff",
    field="#f3f4f6",
    border="#dfe2e8",
    grid="#e6e8ec",
    text="#1b1f27",
    text_muted="#5d6675",
    ink="#14161a",
    accent="#1f6feb",
    on_accent="#ffffff",
    good="#187a43",
    warning="#9a5b00",
    error="#b3261e",
    hold_out="#c2650a",
    series=("#0072b2", "#d55e00", "#008060", "#b0508a", "#8a6d00", "#2b8cc4", "#1b1f27", "#7a5cb8"),
)

DARK = Theme(
    is_dark=True,
    background="#16181d",
    surface="#1e2128",
    canvas="#101216",
    field="#14161b",
    border="#30343d",
    grid="#2b2f37",
    text="#e8eaee",
    text_muted="#9aa2b1",
    ink="#f4f6f8",
    accent="#6ea8fe",
    on_accent="#0d1117",
    good="#4cc38a",
    warning="#f0b35a",
    error="#ff8a80",
    hold_out="#f2a65a",
    series=("#56b4e9", "#e69f00", "#2fbf95", "#d98ab8", "#f0e442", "#f07b3f", "#e8eaee", "#a896e8"),
)


def theme_of(widget: QWidget) -> Theme:
    """Return the colours of a widget, to be asked for whenever it paints: Qt repaints it when its palette changes.

    They are told by the accent colour of its palette, which no rule of the style sheet changes.
    """
    accent = widget.palette().color(QPalette.ColorRole.Accent)
    return DARK if accent == QColor(DARK.accent) else LIGHT


def mixed(colour: str, ground: str, part: float) -> QColor:
    """Return the opaque colour that `colour` has on a ground, if it is as opaque as `part` (0 to 1)."""
    over, under = QColor(colour), QColor(ground)
    pairs = ((c(over), c(under)) for c in (QColor.red, QColor.green, QColor.blue))
    return QColor(*(round(part * mine + (1 - part) * its) for mine, its in pairs))
