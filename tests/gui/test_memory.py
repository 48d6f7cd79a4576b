"""The window's memory: what is judged counts at the next reading, what is taken back or changed leaves no trace."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from gui.stand_ins import Answers, FixedReader, no_engine
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.samples import Sample, Suspicion
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.judging import Reading
from qtdigits.gui.engine_process import EngineProcess
from qtdigits.gui.main_window import MainWindow
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore

MakeSession = Callable[..., Session]


@pytest.fixture(scope="module")
def inks() -> list[Ink]:
    return synthetic_digits(40, 5)[0]


@pytest.fixture
def session_in(qtbot: QtBot) -> Iterator[MakeSession]:
    """Sessions in data folders, which read with the report's MLP."""
    made: list[Session] = []

    def make(folder: Path) -> Session:
        library = ModelLibrary(folder)
        library.promote(library.find("mlp-50-50"))
        made.append(Session(store=SampleStore.open(folder), library=library, data_dir=folder))
        made[-1].ensure_champion()
        return made[-1]

    yield make
    for session in made:
        session.close()


@pytest.fixture
def session(session_in: MakeSession, data_dir: Path) -> Session:
    return session_in(data_dir)


def draw(session: Session, ink: Ink) -> Reading:
    for stroke in ink.strokes:
        session.add_stroke(stroke, "mouse")
    assert session.reading is not None
    return session.reading


def judge(session: Session, ink: Ink, label: str = "") -> int:
    """Draw and judge; return the sample's id."""
    draw(session, ink)
    assert session.judge(label)
    return int(session.store.ids()[-1])


def read(session: Session, ink: Ink) -> Reading:
    """Draw, and take the drawing off again stroke by stroke."""
    reading = draw(session, ink)
    while not session.ink.is_blank:
        session.undo()
    return reading


def another_label(reading: Reading) -> str:
    return str((int(reading.label) + 1) % 10)


def is_same(one: Reading, other: Reading) -> bool:
    """To the last bit."""
    return one.classes == other.classes and np.array_equal(one.probabilities, other.probabilities)


def wait_for_memory(qtbot: QtBot, session: Session) -> int:
    qtbot.waitUntil(lambda: not session.is_remembering)
    assert session.memory is not None
    return len(session.memory)


def stored(folder: Path, inks: list[Ink], labels: str, writer: str = "me") -> None:
    with SampleStore.open(folder) as store:
        store.add_samples(
            Sample(label, render(ink), writer, ink=ink) for ink, label in zip(inks, labels, strict=True)
        )


def test_that_one_correction_is_enough_and_says_why(session: Session, inks: list[Ink]) -> None:
    before = draw(session, inks[0])
    wanted = another_label(before)
    assert session.judge(wanted)
    again = read(session, inks[0])
    assert (again.label, again.network_label) == (wanted, before.label)
    assert again.is_changed_by_memory
    assert [found.label for found in session.drawings_behind(again)] == [wanted]
    accuracy = session.accuracy()
    assert (accuracy.correct, accuracy.n) == (0, 1)
    judge(session, inks[0])
    assert session.accuracy().correct == 1


def test_that_a_class_that_only_memory_knows_is_read_after_one_drawing(
    session: Session, inks: list[Ink]
) -> None:
    judge(session, inks[0], "π")
    assert read(session, inks[0]).label == "π"
    assert session.labels == (*"0123456789", "π")
    judge(session, inks[0])
    assert [trial.classes[-1] for trial in session.store.trials()][-1] == "π"


def test_that_undoing_a_judgement_leaves_no_trace(session: Session, inks: list[Ink]) -> None:
    judge(session, inks[0])
    untouched = read(session, inks[1])
    judge(session, inks[1], another_label(untouched))
    assert read(session, inks[1]).label != untouched.label
    session.undo()
    session.skip()
    assert is_same(read(session, inks[1]), untouched)


def test_that_undoing_the_judgement_of_another_writer_leaves_no_trace(
    qtbot: QtBot, session: Session, inks: list[Ink]
) -> None:
    judge(session, inks[0])
    untouched = read(session, inks[1])
    judge(session, inks[1], another_label(untouched))
    session.set_writer("Ada")
    judge(session, inks[2])
    while session.store.count() > 1:
        session.undo()
    assert session.writer == "me"
    session.skip()
    assert wait_for_memory(qtbot, session) == 1
    assert is_same(read(session, inks[1]), untouched)


def test_that_a_new_window_remembers_what_was_stored_except_doubted_labels_and_other_writers(
    qtbot: QtBot, session_in: MakeSession, data_dir: Path, inks: list[Ink]
) -> None:
    stored(data_dir, inks[:4], "7788")
    stored(data_dir, inks[4:5], "1", writer="Ada")
    with SampleStore.open(data_dir) as store:
        store.mark_suspects({2: Suspicion(0.9, "1", "looks like one")})
    session = session_in(data_dir)
    assert session.is_remembering
    assert not read(session, inks[0]).neighbours
    assert wait_for_memory(qtbot, session) == 3
    assert [(n.key, n.label) for n in read(session, inks[0]).neighbours[:1]] == [(1, "7")]
    session.store.accept_labels([2])
    session.samples_edited()
    assert wait_for_memory(qtbot, session) == 4


def test_that_drawings_judged_while_it_is_being_built_are_remembered_once(
    qtbot: QtBot, session_in: MakeSession, data_dir: Path, inks: list[Ink]
) -> None:
    stored(data_dir, inks[:20], "01234567890123456789")
    session = session_in(data_dir)
    key = judge(session, inks[30], "7")
    taken_back = judge(session, inks[31], "6")
    assert read(session, inks[30]).neighbours[0].key == taken_back - 1 == key
    session.undo()
    session.skip()
    assert wait_for_memory(qtbot, session) == 21
    assert session.memory is not None
    assert taken_back not in session.memory
    reading = read(session, inks[30])
    assert reading.neighbours[0].key == key
    later = session_in(data_dir)
    assert wait_for_memory(qtbot, later) == 21
    assert is_same(read(later, inks[30]), reading)


@pytest.mark.parametrize("change", ["delete", "relabel", "restore"])
def test_that_a_changed_drawing_reads_as_if_it_had_been_drawn_so_or_never(
    qtbot: QtBot, session_in: MakeSession, data_dir: Path, tmp_path: Path, inks: list[Ink], change: str
) -> None:
    session, other = session_in(data_dir), session_in(tmp_path / "other")
    for ink in inks[:8]:
        judge(session, ink)
    key = judge(session, inks[8], another_label(read(session, inks[8])))
    for place, ink in enumerate(inks[:9]):
        if place < 8:
            judge(other, ink)
        elif change == "relabel":
            judge(other, ink, "7")
        elif change == "restore":
            judge(other, ink, session.store.sample(key).label)  # type: ignore[union-attr]
    if change == "relabel":
        session.store.relabel([key], "7")
    else:
        deleted = session.store.delete_samples([key])
        if change == "restore":
            session.store.restore(deleted)
    session.samples_edited()
    assert not is_same(read(session, inks[8]), read(other, inks[8])) or change == "delete"
    assert wait_for_memory(qtbot, session) == (8 if change == "delete" else 9)
    for ink in inks[5:20]:
        assert is_same(read(session, ink), read(other, ink))


def test_that_memory_follows_writer_and_model(qtbot: QtBot, session: Session, inks: list[Ink]) -> None:
    for ink in inks[:3]:
        judge(session, ink, "7")
    reading = read(session, inks[0])
    draw(session, inks[0])
    session.set_writer("Ada")
    assert session.reading is not None
    assert not session.reading.neighbours
    assert session.memory is not None
    assert len(session.memory) == 0
    session.skip()
    session.set_writer("me")
    assert wait_for_memory(qtbot, session) == 3
    assert is_same(read(session, inks[0]), reading)
    session.use_model(session.library.find("cnn-32-64"))
    assert session.is_remembering
    assert wait_for_memory(qtbot, session) == 3
    assert read(session, inks[0]).label == "7"


def test_that_a_merged_or_renamed_writer_brings_the_drawings_along(
    qtbot: QtBot, session: Session, data_dir: Path, inks: list[Ink]
) -> None:
    judge(session, inks[0], "7")
    stored(data_dir, inks[1:4], "888", writer="Ada")
    session.merge_writers("Ada", "me")
    assert wait_for_memory(qtbot, session) == 4
    session.rename_writer("me", "Bea")
    judge(session, inks[4])
    assert wait_for_memory(qtbot, session) == 5
    assert read(session, inks[1]).label == "8"


def test_that_the_answer_on_the_canvas_stays_when_the_memory_arrives(
    qtbot: QtBot, session_in: MakeSession, data_dir: Path, inks: list[Ink]
) -> None:
    stored(data_dir, inks[:1], "7")
    session = session_in(data_dir)
    alone = draw(session, inks[0])
    wait_for_memory(qtbot, session)
    assert session.reading is alone
    session.recognise()
    assert session.reading.label == "7"


def test_that_a_drawing_deleted_in_another_window_is_forgotten(
    qtbot: QtBot, session: Session, data_dir: Path, inks: list[Ink]
) -> None:
    key = judge(session, inks[0], "7")
    session.look_for_changes()
    with SampleStore.open(data_dir) as store:
        store.delete_samples([key])
    session.look_for_changes()
    assert wait_for_memory(qtbot, session) == 0


def test_that_closing_does_not_wait_for_a_large_memory(
    session_in: MakeSession, data_dir: Path, inks: list[Ink]
) -> None:
    stored(data_dir, inks, "7" * len(inks))
    assert session_in(data_dir).is_remembering


def test_that_a_store_which_cannot_be_read_is_told_and_the_network_alone_reads(
    qtbot: QtBot, session: Session, data_dir: Path, inks: list[Ink]
) -> None:
    judge(session, inks[0], "7")
    shutil.rmtree(data_dir)
    with qtbot.waitSignal(session.problem_met):
        session.samples_edited()
    assert not session.is_remembering
    assert not read(session, inks[0]).neighbours


def test_that_a_model_without_embeddings_reads_alone(
    qtbot: QtBot, session_in: MakeSession, data_dir: Path, inks: list[Ink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtdigits.gui.current_reader.Reader", FixedReader)
    session = session_in(data_dir)
    judge(session, inks[0], "7")
    session.samples_edited()
    assert session.memory is None
    assert not session.is_remembering


@pytest.fixture
def window(session: Session, qtbot: QtBot, qapp: QApplication) -> Iterator[MainWindow]:
    """The whole window with the report's MLP."""
    window = MainWindow(
        session=session,
        trainer=Trainer(session=session, process=EngineProcess(make_client=no_engine)),
        preferences=Preferences(session.data_dir),
        ask=Answers(reply=True),
    )
    window.trainer.setParent(window)
    qtbot.addWidget(window)
    with qtbot.waitSignal(window.became_ready):
        window.show()
    window.findChild(QTimer, "quietTimer").stop()
    yield window
    window.close()
    qapp.setStyleSheet("")


def part(window: MainWindow, name: str) -> QWidget:
    found = window.findChild(QWidget, name)
    assert found is not None, name
    return found


def text(window: MainWindow, name: str) -> str:
    shown = part(window, name)
    assert isinstance(shown, QLabel)
    return shown.text()


def draw_by_mouse(window: MainWindow, *points: tuple[int, int]) -> None:
    first, *others = (QPoint(*point) for point in points)
    QTest.mousePress(window.canvas, Qt.MouseButton.LeftButton, pos=first)
    for point in others:
        QTest.mouseMove(window.canvas, point)
    QTest.mouseRelease(window.canvas, Qt.MouseButton.LeftButton, pos=others[-1])


def type_label(window: MainWindow, typed: str) -> None:
    QTest.keyClicks(window.drawing.entry, typed)
    QTest.keyClick(window.drawing.entry, Qt.Key.Key_Return)


def compose(window: MainWindow, typed: str) -> None:
    """As an input method does: what is composed first stands underlined in the entry."""
    composing, committing = QInputMethodEvent("…", []), QInputMethodEvent()
    committing.setCommitString(typed)
    for event in (composing, committing):
        QApplication.sendEvent(window.focusWidget(), event)


A_DRAWING = ((100, 60), (200, 60), (150, 200))
ANOTHER = ((150, 50), (150, 220), (190, 220))


def test_that_the_window_shows_the_drawing_that_it_remembered_and_the_network_alone(
    window: MainWindow,
) -> None:
    why, alone = "becauseRow", "networkAloneLabel"
    draw_by_mouse(window, *A_DRAWING)
    before = text(window, "answerLabel")
    assert (text(window, alone), part(window, why).toolTip()) == ("", "")
    wanted = "8" if before != "8" else "6"
    type_label(window, wanted)
    assert part(window, why).toolTip() == ""
    draw_by_mouse(window, *A_DRAWING)
    assert text(window, "answerLabel") == wanted
    assert text(window, alone) == f"the network alone: {before}"
    assert part(window, why).accessibleName() == f"Read so because of your drawings: {wanted} (100 % alike)"
    QTest.mouseClick(part(window, why), Qt.MouseButton.LeftButton)
    assert window.tabs.tabText(window.tabs.currentIndex()) == "Drawings"
    QTest.keyClick(window.drawing.entry, Qt.Key.Key_Return)
    assert window.session.accuracy().correct == 1


def test_that_nothing_moves_the_canvas(window: MainWindow) -> None:
    place = QRect(window.canvas.mapToGlobal(QPoint()), window.canvas.size())
    for typed in ("a", "", "b", "", "8", "8", "8"):
        draw_by_mouse(window, *(ANOTHER if typed == "b" else A_DRAWING))
        QApplication.processEvents()
        assert QRect(window.canvas.mapToGlobal(QPoint()), window.canvas.size()) == place
        type_label(window, typed)
        QApplication.processEvents()
        assert QRect(window.canvas.mapToGlobal(QPoint()), window.canvas.size()) == place
    assert {sample.label for sample in window.session.store.samples()} == {"a", "b", "8"}


def test_that_a_class_that_only_memory_knows_has_a_bar_to_click(window: MainWindow) -> None:
    draw_by_mouse(window, *A_DRAWING)
    type_label(window, "a")
    draw_by_mouse(window, *ANOTHER)
    bars = part(window, "classBars")
    QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(60, bars.height() - 4))
    assert window.drawing.entry.text() == "a"


@pytest.mark.parametrize("label", ["♥", "equilateral triangle", "שלום", "❤️"])
def test_that_a_class_of_any_script_is_marked_as_known_from_memory_and_does_not_move_the_bars(
    window: MainWindow, label: str
) -> None:
    bars, answer = part(window, "classBars"), part(window, "answerLabel")
    draw_by_mouse(window, *A_DRAWING)
    QApplication.processEvents()
    place, width, as_digit = bars.geometry(), answer.width(), answer.font().pointSizeF()
    assert "memory" not in bars.toolTip()
    compose(window, label)
    assert text(window, "judgingHint") == f"Enter: a new class<br><b>{label}</b>"
    QTest.keyClick(window.drawing.entry, Qt.Key.Key_Return)
    assert text(window, "toldLabel") == f"“{label}” is a class now. It is read from the next drawing on."
    draw_by_mouse(window, *A_DRAWING)
    QApplication.processEvents()
    assert (bars.geometry(), answer.width()) == (place, width)
    assert answer.toolTip() == label
    assert answer.fontMetrics().horizontalAdvance(text(window, "answerLabel")) <= width
    assert answer.font().pointSizeF() < as_digit or len(label) <= 4
    assert f"{label} (from memory): " in bars.accessibleDescription()
    assert "from memory" in bars.toolTip()


def test_that_the_network_tab_tells_the_network_from_memory(qtbot: QtBot, window: MainWindow) -> None:
    draw_by_mouse(window, *A_DRAWING)
    before = text(window, "answerLabel")
    type_label(window, "8" if before != "8" else "6")
    draw_by_mouse(window, *A_DRAWING)
    window.tabs.setCurrentIndex(window.tabs.count() - 1)
    qtbot.waitUntil(
        lambda: text(window, "decidedLabel").startswith(f"The network alone reads it as {before}")
    )
