"""The stored samples as a list model. It knows all ids, but reads only the thumbnails that are shown."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from typing_extensions import override

from qtdigits.core.drawing.samples import Verdict
from qtdigits.store.tables.queries import Thumbnail
from qtdigits.store.tables.rows import EVERYTHING, SampleFilter
from qtdigits.store.tables.samples import SampleStore

PAGE = 100
"""Thumbnails read at a time: about one screen of them."""
PAGES_KEPT = 40

THUMBNAIL_ROLE = Qt.ItemDataRole.UserRole
TOLD = (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)

Index = QModelIndex | QPersistentModelIndex


class SamplesModel(QAbstractListModel):
    """Sorted with the newest first or, if only doubtful ones are shown, the most doubtful."""

    def __init__(self, *, store: SampleStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._chosen = EVERYTHING
        self._revision: tuple[int, int] | None = None
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._pages: OrderedDict[int, dict[int, Thumbnail]] = OrderedDict()

    @property
    def chosen(self) -> SampleFilter:
        return self._chosen

    @property
    def ids(self) -> NDArray[np.int64]:
        """`(n,)`: in the order of the rows."""
        return self._ids

    def set_filter(self, chosen: SampleFilter) -> None:
        self._chosen = chosen
        self._reset()

    def refresh(self) -> None:
        """Read the ids again. The model is reset unless drawings have only been added."""
        if self._revision != self._store.revision:
            self._reset()
        elif len(fresh := self._read_ids(newer_than=int(self._ids.max(initial=0)))):
            self.beginInsertRows(QModelIndex(), 0, len(fresh) - 1)
            self._ids = np.concatenate([fresh, self._ids])
            self._pages.clear()
            self.endInsertRows()

    def _reset(self) -> None:
        self.beginResetModel()
        self._revision = self._store.revision
        self._ids = self._read_ids()
        self._pages.clear()
        self.endResetModel()

    def thumbnail(self, row: int) -> Thumbnail | None:
        """Return a thumbnail; None for a drawing that has just been removed."""
        number = row // PAGE
        if number not in self._pages:
            wanted = self._ids[number * PAGE : (number + 1) * PAGE].tolist()
            self._pages[number] = {found.id: found for found in self._store.thumbnails(wanted)}
            if len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return self._pages[number].get(int(self._ids[row]))

    def rows_of(self, ids: Iterable[int]) -> list[int]:
        """Return the rows of samples, ascending, without those that are not shown."""
        rows: list[int] = np.flatnonzero(np.isin(self._ids, np.array(list(ids), np.int64))).tolist()
        return rows

    @override
    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._ids)

    @override
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        found = self.thumbnail(index.row())
        if found is None:
            why = self._store.damaged.get(f"drawing {self._ids[index.row()]}", "")
            return f"damaged: {why}" if why and role in TOLD else None
        if role == Qt.ItemDataRole.DisplayRole:
            return found.label
        if role in TOLD:
            return describe(found)
        return found if role == THUMBNAIL_ROLE else None

    def _read_ids(self, *, newer_than: int | None = None) -> NDArray[np.int64]:
        if self._chosen.is_suspect:
            return self._store.ids(self._chosen, most_doubtful_first=True, newer_than=newer_than)
        return self._store.ids(self._chosen, newer_than=newer_than)[::-1]


def describe(found: Thumbnail) -> str:
    """Return the text of the tool tip and for screen readers."""
    when = found.drawn_at.astimezone().strftime("%d %b %Y, %H:%M")
    lines = [f"{found.label} · {found.writer}", f"{found.origin.value}, {when}"]
    if found.verdict is Verdict.CORRECTED:
        lines.append("the model had misread it")
    if found.held_out:
        lines.append("held out: never trained on")
    if found.weight != 1:
        lines.append(f"counts {found.weight} times in a training")
    if found.suspicion is not None:
        lines.append(f"doubtful: perhaps {found.suspicion.suggestion}")
    return "\n".join(lines)
