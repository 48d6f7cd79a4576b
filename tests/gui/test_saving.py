"""Another process holds the store's lock: the window goes on, nothing is lost, and the order is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui.fake_engine import FakeEngines
from qtdigits.core.recipe_files import load_recipe
from qtdigits.errors import InputError, QtDigitsError, StoreBusyError
from qtdigits.gui.main_window import MainWindow
from qtdigits.gui.panels.classes_dialog import ClassesDialog
from qtdigits.gui.panels.writers_dialog import WritersDialog
from qtdigits.gui.saving import Saving
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.store.backups import back_up, backups
from qtdigits.store.locks import ProcessLock

CONTROL = Qt.KeyboardModifier.ControlModifier


class Disk:
    """Something that another process may hold."""

    def __init__(self) -> None:
        self.is_held = False
        self.written: list[str] = []

    def wait_at_most(self, seconds: float) -> None:
        self.patience_s = seconds

    def write(self, what: str) -> str:
        if self.is_held:
            raise StoreBusyError("busy")
        self.written.append(what)
        return what.upper()


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def saving(disk: Disk, qtbot: QtBot) -> Saving:
    return Saving(disk)


def refuse(error: QtDigitsError) -> None:
    raise AssertionError(error)


def test_that_what_can_be_written_is_written_at_once(saving: Saving, disk: Disk) -> None:
    told: list[str] = []
    saving.do(lambda: disk.write("a"), told.append, failed=refuse)
    assert told == ["A"]
    assert not saving.is_waiting


def test_that_what_waits_is_written_in_the_order_in_which_it_came(
    saving: Saving, disk: Disk, qtbot: QtBot
) -> None:
    disk.is_held = True
    for what in "abc":
        saving.do(lambda what=what: disk.write(what), failed=refuse)  # type: ignore[misc]
    dropped = saving.do(lambda: disk.write("dropped"), failed=refuse)
    assert saving.is_pending(dropped)
    saving.drop(dropped)
    with qtbot.waitSignal(saving.waiting_changed):
        disk.is_held = False
    assert disk.written == ["a", "b", "c"]


def test_that_what_asks_for_another_write_is_over_before_that(saving: Saving, disk: Disk) -> None:
    def both() -> None:
        saving.do(lambda: disk.write("second"), failed=refuse)
        disk.write("first")

    saving.do(both, failed=refuse)
    assert disk.written == ["first", "second"]


def test_that_an_error_is_told_and_what_comes_after_is_done(saving: Saving, disk: Disk) -> None:
    def wrong() -> None:
        raise InputError("wrong")

    errors: list[QtDigitsError] = []
    saving.do(wrong, failed=errors.append)
    saving.do(lambda: disk.write("a"), failed=refuse)
    assert [error.message for error in errors] == ["wrong"]
    assert disk.written == ["a"]


def test_that_a_fault_of_the_program_is_not_tried_again(saving: Saving) -> None:
    with pytest.raises(ZeroDivisionError):
        saving.do(lambda: 1 / 0, failed=refuse)
    assert not saving.is_waiting


def test_that_at_the_end_what_cannot_be_written_is_told(saving: Saving, disk: Disk) -> None:
    disk.is_held = True
    errors: list[QtDigitsError] = []
    saving.do(lambda: disk.write("a"), failed=errors.append)
    saving.finish(5.0)
    assert disk.patience_s == 5.0
    assert [type(error) for error in errors] == [StoreBusyError]
    assert not saving.is_waiting


def test_that_it_is_told_when_waiting_takes_long(saving: Saving, disk: Disk, qtbot: QtBot) -> None:
    disk.is_held = True
    with qtbot.waitSignal(saving.took_long) as told:
        write = saving.do(lambda: disk.write("a"), failed=refuse)
    saving.drop(write)
    assert "Another program is using your drawings." in str(told.args[0])


# The window.


@pytest.fixture
def hold(window: MainWindow) -> Iterator[Callable[[], Callable[[], None]]]:
    """Hold the lock of the store, as another process does while it writes; gives what lets go of it."""
    with sqlite3.connect(window.session.store.path, isolation_level=None) as other:

        def let_go() -> None:
            if other.in_transaction:
                other.execute("COMMIT")

        def hold() -> Callable[[], None]:
            other.execute("BEGIN IMMEDIATE")
            return let_go

        yield hold
        let_go()
    other.close()


def draw(window: MainWindow) -> None:
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(window.canvas, left, pos=QPoint(100, 60))
    QTest.mouseMove(window.canvas, QPoint(150, 200))
    QTest.mouseRelease(window.canvas, left, pos=QPoint(150, 200))


def labels(window: MainWindow) -> list[str]:
    return [sample.label for sample in window.session.store.samples()]


@pytest.fixture
def drawn(window: MainWindow) -> MainWindow:
    """The window with two stored drawings."""
    for label in "56":
        draw(window)
        window.drawing.judge(label)
    return window


def test_that_drawings_are_relabelled_deleted_and_judged_in_order_when_the_other_lets_go(
    drawn: MainWindow, hold: Callable[[], Callable[[], None]], qtbot: QtBot
) -> None:
    let_go = hold()
    drawn.edits.relabel([1], "7")
    drawn.edits.delete([2])
    drawn.session.set_writer("Ada")
    draw(drawn)
    drawn.drawing.judge("8")
    draw(drawn)
    assert labels(drawn) == ["5", "6"]
    assert drawn.session.is_saving
    let_go()
    qtbot.waitUntil(lambda: not drawn.session.is_saving)
    assert labels(drawn) == ["7", "8"]
    assert len(drawn.session.ink.strokes) == 1
    assert [action.name for action in drawn.session.undo_stack.done[-4:]] == [
        "relabelling of 1 drawing as 7",
        "deletion of 1 drawing",
        "judgement as 8",
        "stroke",
    ]


def test_that_an_undo_undoes_what_was_asked_for_before_it(
    drawn: MainWindow, hold: Callable[[], Callable[[], None]], qtbot: QtBot
) -> None:
    let_go = hold()
    drawn.edits.relabel([1], "7")
    QTest.keyClick(drawn, Qt.Key.Key_Z, CONTROL)
    let_go()
    qtbot.waitUntil(lambda: not drawn.session.saving.is_waiting)
    assert labels(drawn) == ["5", "6"]
    next_redone = drawn.session.undo_stack.next_redone
    assert next_redone is not None
    assert next_redone.name == "relabelling of 1 drawing as 7"


def test_that_a_long_change_goes_on_where_it_had_to_wait(
    drawn: MainWindow,
    hold: Callable[[], Callable[[], None]],
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qtdigits.gui.sample_edits.AT_ONCE", 1)
    relabel, seen = drawn.session.store.relabel, []

    def relabel_and_be_stopped(*arguments: object) -> object:
        if len(seen) == 1:
            seen.append(hold())
        made = relabel(*arguments)  # type: ignore[arg-type]
        seen.append(made)
        return made

    monkeypatch.setattr(drawn.session.store, "relabel", relabel_and_be_stopped)
    drawn.edits.relabel([1, 2], "7")
    qtbot.waitUntil(lambda: drawn.session.saving.is_waiting)
    assert labels(drawn) == ["7", "6"]
    seen[1]()
    qtbot.waitUntil(lambda: not drawn.edits.is_busy)
    assert labels(drawn) == ["7", "7"]


def test_that_dialogs_say_at_once_that_another_program_writes(
    drawn: MainWindow, hold: Callable[[], Callable[[], None]]
) -> None:
    class Answers(Ask):
        def text(self, *_arguments: object, **_options: object) -> str:
            return "new"

    ask = Answers()
    let_go = hold()
    writers = WritersDialog(session=drawn.session, upkeep=drawn.upkeep, ask=ask)
    classes = ClassesDialog(session=drawn.session, ask=ask)
    busy = "Another program is using your drawings"
    for dialog, answer in ((writers, "writersAnswer"), (classes, "classesAnswer")):
        dialog.choose("me" if dialog is writers else "7")
        dialog.rename()
        assert dialog.findChild(QLabel, answer).text().startswith(busy)
    let_go()
    for dialog, answer in ((writers, "writersAnswer"), (classes, "classesAnswer")):
        dialog.rename()
        assert dialog.findChild(QLabel, answer).text().endswith("is called new now.")
        dialog.accept()
    assert drawn.session.writer == "new"


def test_that_a_backup_is_restored_and_a_writer_erased_in_the_background_when_the_other_lets_go(
    drawn: MainWindow, hold: Callable[[], Callable[[], None]], qtbot: QtBot
) -> None:
    kept = back_up(drawn.session.store.path)
    drawn.edits.delete([1, 2])
    let_go, done = hold(), []
    drawn.upkeep.restore(kept, then=done.append, failed=refuse)
    qtbot.waitUntil(lambda: len(backups(drawn.session.library.folder)) == 2)
    draw(drawn)
    assert not done
    let_go()
    qtbot.waitUntil(lambda: len(done) == 1)
    assert drawn.session.store.count() == 2
    assert drawn.session.undo_stack.next_undone is None
    let_go = hold()
    drawn.upkeep.erase("me", then=done.append, failed=refuse)
    draw(drawn)
    let_go()
    qtbot.waitUntil(lambda: len(done) == 2)
    assert drawn.session.store.writers() == []


def test_that_nothing_is_restored_or_erased_before_what_was_done_earlier_is_saved(
    drawn: MainWindow, hold: Callable[[], Callable[[], None]], qtbot: QtBot
) -> None:
    kept, errors = back_up(drawn.session.store.path), []
    let_go = hold()
    drawn.edits.relabel([1], "7")
    drawn.upkeep.restore(kept, then=print, failed=errors.append)
    drawn.upkeep.erase("me", then=print, failed=errors.append)
    assert [error.remedy for error in errors] == ["Try again when what you did before is saved."] * 2
    let_go()
    qtbot.waitUntil(lambda: labels(drawn) == ["7", "6"])


def test_that_a_backup_is_not_restored_while_another_process_keeps_the_lock(
    drawn: MainWindow,
    hold: Callable[[], Callable[[], None]],
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qtdigits.store.tables.database.BUSY_TIMEOUT_S", 0.01)
    kept, errors = back_up(drawn.session.store.path), []
    hold()
    drawn.upkeep.restore(kept, then=print, failed=errors.append)
    qtbot.waitUntil(lambda: len(errors) == 1)
    assert isinstance(errors[0], StoreBusyError)


def test_that_the_window_closes_when_what_waits_is_saved(
    drawn: MainWindow, hold: Callable[[], Callable[[], None]], qtbot: QtBot
) -> None:
    let_go = hold()
    draw(drawn)
    drawn.drawing.judge("7")
    assert not drawn.close()
    assert drawn.isVisible()
    assert "closes as soon as" in drawn.messages.text
    with qtbot.waitSignal(drawn.session.closing):
        let_go()
    with sqlite3.connect(drawn.session.store.path) as store:
        assert [truth for (truth,) in store.execute("SELECT truth FROM trials")] == ["5", "6", "7"]
    store.close()


def test_that_escape_lets_the_window_close_without_the_drawing(
    drawn: MainWindow, hold: Callable[[], Callable[[], None]], qtbot: QtBot
) -> None:
    hold()
    draw(drawn)
    drawn.drawing.judge("7")
    drawn.close()
    with qtbot.waitSignal(drawn.session.closing):
        QTest.keyClick(drawn, Qt.Key.Key_Escape)


def test_that_choosing_a_model_waits_for_who_chooses_another_one(window: MainWindow, qtbot: QtBot) -> None:
    lock = ProcessLock(window.session.library.folder / "champion.lock")
    assert lock.acquire()
    other = window.session.library.find("model-b")
    window.session.use_model(other)
    assert window.session.model_name == "model-b"
    assert window.session.saving.is_waiting
    assert window.session.library.champion_path() != other
    lock.release()
    qtbot.waitUntil(lambda: not window.session.saving.is_waiting)
    assert window.session.library.champion_path() == other


def test_that_a_training_is_queued_and_leaves_the_queue_when_the_other_lets_go(
    session: Session,
    trainer: Trainer,
    engines: FakeEngines,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qtdigits.gui.trainer.NEXT_MS", 0)
    trainer.train(load_recipe("quick"))
    with sqlite3.connect(session.store.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        trainer.train(load_recipe("quick"))
        assert trainer.queue == ()
        other.execute("COMMIT")
        qtbot.waitUntil(lambda: len(trainer.queue) == 1)
        other.execute("BEGIN IMMEDIATE")
        trainer.remove_from_queue(trainer.queue[0].run_id)
        trainer.cancel()
        qtbot.waitUntil(lambda: not trainer.is_busy)
        trainer.start_next()
        assert not trainer.is_busy
        other.execute("COMMIT")
    other.close()
    qtbot.waitUntil(lambda: not session.saving.is_waiting)
    assert trainer.queue == ()
    assert not trainer.is_busy
