"""The drawings behind a comparison, as buttons: those the new model fixed, broke, or reads as wrongly as the old one."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from qtdigits.core.comparison import Comparison
from qtdigits.gui.widgets.parts import button

WHAT = ("fixed", "broken", "still wrong")


class BehindNumbers(QWidget):
    """A button for each of `WHAT` that there are drawings of; `drawings_requested` carries which, and their ids."""

    drawings_requested = Signal(str, object)

    def __init__(self, *, prefix: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: Comparison | None = None
        self._links = {
            name: button(name, f"{prefix}{name.split()[0]}Button", f"Show the drawings that are {name}")
            for name in WHAT
        }
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for link in self._links.values():
            row.addWidget(link)
            link.clicked.connect(self._on_link)

    def show_comparison(self, found: Comparison | None) -> None:
        self._found = found
        for name, ids in self._drawings().items():
            self._links[name].setText(f"{len(ids)} {name}")
            self._links[name].setVisible(bool(ids))
        self.setVisible(any(self._drawings().values()))

    def _drawings(self) -> dict[str, tuple[int, ...]]:
        hand = self._found.hand if self._found is not None else None
        parts = (hand.fixed, hand.broken, hand.still_wrong) if hand is not None else ((), (), ())
        return dict(zip(WHAT, parts, strict=True))

    @Slot()
    def _on_link(self) -> None:
        sender = self.sender()
        for name, link in self._links.items():
            if isinstance(sender, QPushButton) and link is sender:
                self.drawings_requested.emit(name, self._drawings()[name])
