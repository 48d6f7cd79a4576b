from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QTableWidget

from qtdigits.gui.panels.backups_dialog import BackupsDialog
from qtdigits.gui.session import Session
from qtdigits.gui.upkeep import Upkeep
from qtdigits.store.backups import back_up, backups
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from store.values import a_sample, a_trial


@pytest.fixture
def session(data_dir, tmp_path, qtbot):
    """Ada has judged two drawings."""
    store = SampleStore.open(data_dir)
    for _ in range(2):
        store.judge(a_sample("7", "Ada"), a_trial("7", "Ada"))
    session = Session(store=store, library=ModelLibrary(data_dir, shipped=tmp_path), data_dir=data_dir)
    yield session
    session.close()


@pytest.fixture
def upkeep(session):
    return Upkeep(session=session, parent=session)


@pytest.fixture
def dialog(session, upkeep, qtbot):
    dialog = BackupsDialog(session=session, upkeep=upkeep)
    dialog.show()
    yield dialog
    dialog.accept()


def click(qtbot, dialog: BackupsDialog, name: str) -> str:
    dialog.findChild(QPushButton, name).click()
    assert not dialog.isEnabled()
    dialog.accept()
    assert dialog.isVisible()
    qtbot.waitUntil(dialog.isEnabled)
    return dialog.findChild(QLabel, "backupsAnswer").text()


def test_that_without_a_backup_there_is_nothing_to_restore(dialog):
    assert dialog.findChild(QTableWidget, "backupsTable").rowCount() == 0
    assert not dialog.findChild(QPushButton, "restoreBackupButton").isEnabled()


def test_that_one_click_makes_a_backup_and_another_restores_it(session, dialog, qtbot):
    assert click(qtbot, dialog, "makeBackupButton") == "Backed up."
    session.store.delete_samples([1])
    with qtbot.waitSignal(session.samples_changed):
        answer = click(qtbot, dialog, "restoreBackupButton")
    assert answer == "Restored: 2 drawings; what was there before is a backup now."
    assert session.store.count() == 2
    assert session.undo_stack.next_undone is None
    assert dialog.findChild(QTableWidget, "backupsTable").rowCount() == 2


def test_that_a_damaged_backup_is_said_and_changes_nothing(session, upkeep, data_dir, qtbot):
    back_up(session.store.path).write_bytes(b"junk")
    dialog = BackupsDialog(session=session, upkeep=upkeep)
    dialog.show()
    assert "is damaged" in click(qtbot, dialog, "restoreBackupButton")
    assert session.store.count() == 2
    dialog.accept()


def test_that_the_store_is_backed_up_in_the_background_once_a_day(session, upkeep, data_dir, qtbot):
    upkeep.back_up_today()
    qtbot.waitUntil(lambda: len(backups(data_dir)) == 1)
    upkeep.back_up_today()
    session.close()
    assert len(backups(data_dir)) == 1


def test_that_a_backup_that_fails_is_said(session, upkeep, data_dir, qtbot):
    (data_dir / "backups").write_text("a file where the folder should be")
    with qtbot.waitSignal(session.notice_given) as told:
        upkeep.back_up_today()
    assert "could not be backed up" in told.args[0]
