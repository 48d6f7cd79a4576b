"""Links to the drawings that two models read differently."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from qtdigits.core.score.comparison import Comparison
from qtdigits.errors import QtDigitsError
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.parts import button

CHANGES = {
    "fixed": "fixed by the new model",
    "broken": "broken by the new model",
    "still wrong": "misread by both models",
}
"""Changes by a new model, each with the title of the drawings concerned."""


class StandingComparison:
    """A comparison as it stands now: drawings that were relabelled, deleted or doubted since it was made do not count."""

    def __init__(self, found: Comparison, *, session: Session) -> None:
        self._found, self._session = found, session
        self._labels = self._labels_now()

    @property
    def now(self) -> tuple[Comparison, int]:
        """The comparison without those drawings, and how many they are."""
        labels = self._labels_now()
        changed = {key for key, name in self._labels.items() if labels.get(key) != name}
        return self._found.without(changed), len(changed)

    def _labels_now(self) -> dict[int, str]:
        hand = self._found.hand
        try:
            drawings = self._session.store.thumbnails((*hand.fixed, *hand.broken, *hand.still_wrong))
        except QtDigitsError as error:
            self._session.report(error)
            return {}
        return {d.id: d.label for d in drawings if not d.is_deleted and d.suspicion is None}


class ChangedDrawingLinks(QWidget):
    """Buttons for the drawings that the new model of a comparison fixed, broke, or misread as the old one did."""

    def __init__(self, *, session: Session, prefix: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._ids: tuple[tuple[int, ...], ...] = ((), (), ())
        self._links = QButtonGroup(self, exclusive=False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for place, name in enumerate(CHANGES):
            link = button(name, f"{prefix}{name.split()[0]}Button", f"Show the drawings that are {name}")
            self._links.addButton(link, place)
            row.addWidget(link)
        self._links.idClicked.connect(self._on_link)

    def show_comparison(self, found: Comparison | None) -> None:
        hand = found.hand if found is not None else None
        self._ids = ((), (), ()) if hand is None else (hand.fixed, hand.broken, hand.still_wrong)
        for place, (name, ids) in enumerate(zip(CHANGES, self._ids, strict=True)):
            self._links.button(place).setText(f"{len(ids)} {name}")
            self._links.button(place).setVisible(bool(ids))
        self.setVisible(any(self._ids))

    @Slot(int)
    def _on_link(self, place: int) -> None:
        self._session.select_samples(tuple(CHANGES.values())[place], self._ids[place])
