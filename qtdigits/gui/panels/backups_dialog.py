"""The backups of the store: make one, restore one."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from qtdigits.core.formatting import counted
from qtdigits.gui.session import Session
from qtdigits.gui.upkeep import Upkeep
from qtdigits.gui.widgets.parts import RIGHT, button, choice_table, table_cell
from qtdigits.gui.widgets.table_dialog import TableDialog
from qtdigits.store.backups import (
    BEFORE_RESTORING,
    BY_HAND,
    DAILY,
    DAYS_KEPT,
    Backup,
    Restored,
    backups,
)

COLUMNS = ("Made", "Why", "Size")
REASONS = {DAILY: "daily", BEFORE_RESTORING: "before restoring another one", BY_HAND: "made by hand"}
RESTORE = "Restore"
NOTE = (
    f"Drawings, judgements and runs are backed up on each day of use; the last {DAYS_KEPT} are kept. "
    "Restoring makes a backup of what is there now, first."
)


class BackupsDialog(TableDialog):
    """Lists the backups, the latest first and chosen."""

    def __init__(self, *, session: Session, upkeep: Upkeep, parent: QWidget | None = None) -> None:
        table = choice_table(COLUMNS, name="backupsTable", title="Backups", numbers=range(2, 3))
        super().__init__(
            "Backups",
            table,
            stretched=1,
            size_px=(520, 360),
            answer="backupsAnswer",
            note=NOTE,
            parent=parent,
        )
        self._session, self._upkeep = session, upkeep
        self._backups: list[Backup] = []
        self._make = button("Back up now", "makeBackupButton")
        self._restore = button(RESTORE, "restoreBackupButton", is_primary=True)
        self._make.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.addWidget(self._make)
        buttons.addStretch(1)
        buttons.addWidget(self._restore)
        self.lay_out(buttons)
        self._make.clicked.connect(self.make)
        self._restore.clicked.connect(self.restore)
        self._show_backups()

    def make(self) -> None:
        self.begin("Backing up …")
        self._upkeep.back_up(then=self._on_made, failed=self.fail)

    def _on_made(self, _path: object) -> None:
        self._show_backups()
        self.say("Backed up.")

    def restore(self) -> None:
        row = self._table.currentRow()
        if 0 <= row < len(self._backups):
            self.begin("Restoring …")
            self._upkeep.restore(self._backups[row].path, then=self._on_restored, failed=self.fail)

    def _on_restored(self, done: Restored) -> None:
        self._show_backups()
        restart = (
            "" if self._session.store.path.parent == self._session.library.folder else " Restart QtDigits."
        )
        kept = "; what was there before is a backup now" if done.kept else ""
        self.say(f"Restored: {counted(done.n, 'drawing')}{kept}.{restart}")

    def _show_backups(self) -> None:
        self._backups = backups(self._session.library.folder)
        self._table.setRowCount(len(self._backups))
        for row, one in enumerate(self._backups):
            why = REASONS.get(one.why, "before an update of QtDigits")
            when = f"{one.made_at.astimezone():%d %b %Y, %H:%M}"
            for column, cell in enumerate(
                (table_cell(when), table_cell(why), table_cell(f"{one.n_bytes / 1e6:,.1f} MB", RIGHT))
            ):
                self._table.setItem(row, column, cell)
        if self._backups:
            self._table.selectRow(0)
        self._restore.setEnabled(bool(self._backups))
        self._make.setEnabled(self._session.store.path.parent == self._session.library.folder)
