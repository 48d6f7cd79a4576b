"""The drawings behind a comparison, as buttons: those the new model fixed, broke, or reads as wrongly as the old one."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from qtdigits.core.score.comparison import Comparison
from qtdigits.gui.widgets.parts import button

WHAT = ("fixed", "broken", "still wrong")


class ChangedDrawingLinks(QWidget):
    """A button for each of `WHAT` that there are drawings of; `drawings_requested` carries which, and their ids."""

    drawings_requested = Signal(str, object)

    def __init__(self, *, prefix: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ids: tuple[tuple[int, ...], ...] = ((), (), ())
        self._links = QButtonGroup(self, exclusive=False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for place, name in enumerate(WHAT):
            link = button(name, f"{prefix}{name.split()[0]}Button", f"Show the drawings that are {name}")
            self._links.addButton(link, place)
            row.addWidget(link)
        self._links.idClicked.connect(self._on_link)

    def show_comparison(self, found: Comparison | None) -> None:
        hand = found.hand if found is not None else None
        self._ids = ((), (), ()) if hand is None else (hand.fixed, hand.broken, hand.still_wrong)
        for place, ids in enumerate(self._ids):
            link = self._links.button(place)
            link.setText(f"{len(ids)} {WHAT[place]}")
            link.setVisible(bool(ids))
        self.setVisible(any(self._ids))

    @Slot(int)
    def _on_link(self, place: int) -> None:
        self.drawings_requested.emit(WHAT[place], self._ids[place])
