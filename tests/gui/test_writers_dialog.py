from __future__ import annotations

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QTableWidget

from qtdigits.gui.bars import ADD_WRITER, MANAGE_WRITERS, TopBar
from qtdigits.gui.panels.writers_dialog import WritersDialog
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.upkeep import Upkeep
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from store.values import a_sample, a_trial


class Answers:
    """Stands in for the dialogs: what the test has laid out, and what was asked."""

    def __init__(self):
        self.asked, self.given, self.says_yes = [], None, True

    def text(self, _title, question, suggestion=""):
        self.asked.append(question)
        self.suggested = suggestion
        return self.given

    def choice(self, _title, question, choices):
        self.asked.append((question, list(choices)))
        return self.given

    def one_of(self, _title, question, answers, *, no, is_grave):
        assert is_grave
        self.asked.append(question)
        return answers[0] if self.says_yes else None


@pytest.fixture
def session(data_dir, tmp_path, qtbot):
    """Ada draws; me has drawn three, one of which is Ada's as well."""
    store = SampleStore.open(data_dir)
    both = a_sample("7", "Ada")
    store.add_samples([both])
    store.add_samples([a_sample("7", "me", ink=both.ink)])
    for _ in range(2):
        store.judge(a_sample("7", "me"), a_trial("7", "me"))
    session = Session(store=store, library=ModelLibrary(data_dir, shipped=tmp_path), data_dir=data_dir)
    session.set_writer("Ada")
    yield session
    session.close()


@pytest.fixture
def ask():
    return Answers()


@pytest.fixture
def dialog(session, ask, qtbot):
    dialog = WritersDialog(session=session, upkeep=Upkeep(session=session, parent=session), ask=ask)
    dialog.show()
    yield dialog
    dialog.accept()


def shown(dialog):
    table = dialog.findChild(QTableWidget)
    return [[table.item(row, c).text() for c in range(3)] for row in range(table.rowCount())]


def answer(dialog):
    label = dialog.findChild(QLabel, "writersAnswer")
    return label.text(), label.property("role")


def test_that_the_writers_are_shown_with_what_they_have_drawn(dialog):
    assert shown(dialog) == [["Ada   (draws now)", "1", "–"], ["me", "3", "1"]]
    assert dialog.chosen == "Ada"


def test_that_a_new_writer_draws_at_once(dialog, ask, session):
    ask.given = "Zoë"
    dialog.add()
    assert session.writer == "Zoë"
    assert shown(dialog)[-1][0] == "Zoë   (draws now)"
    assert answer(dialog) == ("Zoë draws now.", "good")


def test_that_adding_who_is_there_chooses_them_and_says_so(dialog, ask, session):
    ask.given = "me"
    dialog.add()
    assert session.writer == "me"
    assert answer(dialog) == ("me is already a writer and draws now.", "good")


def test_that_renaming_who_draws_keeps_them_drawing(dialog, ask, session, qtbot):
    ask.given = "Ada L."
    with qtbot.waitSignal(session.writer_changed):
        dialog.rename()
    assert session.writer == "Ada L."
    assert session.store.writers() == ["Ada L.", "me"]
    assert dialog.chosen == "Ada L."
    assert ask.suggested == "Ada"
    assert answer(dialog) == ("Ada is called Ada L. now.", "good")


def test_that_a_name_that_is_taken_is_said_and_changes_nothing(dialog, ask, session):
    ask.given = "me"
    dialog.rename()
    assert answer(dialog) == ("There is a writer 'me' already. Choose another name.", "error")
    assert session.store.writers() == ["Ada", "me"]


def test_that_merging_says_what_happens_and_does_it(dialog, ask, session):
    dialog.choose("me")
    ask.given = "Ada"
    dialog.merge()
    choice, question = ask.asked
    assert choice == ("Whose drawings are those of me?", ["Ada"])
    assert "3 drawings and all judgements of me become Ada's" in question
    assert "cannot be undone" in question
    assert session.store.writers() == ["Ada"]
    assert shown(dialog)[0][1] == "3"
    assert answer(dialog) == ("The drawings of me now belong to Ada.", "good")
    assert session.store.running_accuracy(writer="Ada", model="mlp") == (2, 2)


@pytest.mark.parametrize(("into", "says_yes"), [(None, True), ("Ada", False)], ids=["no choice", "no"])
def test_that_nothing_is_merged_without_a_yes(dialog, ask, session, into, says_yes):
    dialog.choose("me")
    ask.given, ask.says_yes = into, says_yes
    dialog.merge()
    assert session.store.writers() == ["Ada", "me"]


def test_that_whoever_draws_goes_on_as_the_one_they_were_merged_into(dialog, ask, session):
    session.set_writer("me")
    dialog.choose("me")
    ask.given = "Ada"
    dialog.merge()
    assert session.writer == "Ada"


def test_that_another_writer_can_be_chosen(dialog, session, qtbot):
    dialog.choose("me")
    dialog.findChild(QPushButton, "chooseWriterButton").click()
    assert session.writer == "me"
    assert not dialog.isVisible()


def test_that_a_single_writer_cannot_be_merged(dialog, ask):
    dialog.choose("me")
    ask.given = "Ada"
    dialog.merge()
    assert dialog.chosen == "Ada"
    assert not dialog.findChild(QPushButton, "mergeWriterButton").isEnabled()


@pytest.fixture
def bar(session, ask, data_dir, qtbot):
    bar = TopBar(session=session, preferences=Preferences(data_dir), ask=ask)
    qtbot.addWidget(bar)
    return bar


def choose_in(bar, text):
    box = bar.findChild(QComboBox, "writerBox")
    box.setCurrentText(text)
    box.activated.emit(box.findText(text))
    return box.currentText()


def test_that_the_top_bar_leads_to_the_dialog_and_goes_on_naming_who_draws(bar, session, qtbot):
    with qtbot.waitSignal(bar.writers_wanted):
        shown = choose_in(bar, MANAGE_WRITERS)
    assert shown == session.writer == "Ada"


def test_that_the_top_bar_adds_a_writer_who_draws_from_then_on(bar, session, ask, data_dir):
    ask.given = "Eva"
    assert choose_in(bar, ADD_WRITER) == session.writer == Preferences(data_dir).writer == "Eva"
    ask.given = None
    assert choose_in(bar, ADD_WRITER) == session.writer == "Eva"


def test_that_the_top_bar_changes_who_draws(bar, session, qtbot):
    with qtbot.waitSignal(bar.chosen):
        choose_in(bar, "me")
    assert session.writer == "me"
    session.rename_writer("me", "Mia")
    assert bar.findChild(QComboBox, "writerBox").currentText() == "Mia"


@pytest.mark.parametrize(("others", "next_one"), [(("Ada",), "Ada"), (("Bob",), "Bob"), ((), "me")])
def test_that_after_erasing_who_draws_it_is_the_first_who_has_judged_here(
    session, dialog, ask, qtbot, others, next_one
):
    for name in others:
        session.store.judge(a_sample("7", name), a_trial("7", name))
    session.set_writer("me")
    dialog.choose("me")
    dialog.findChild(QPushButton, "eraseWriterButton").click()
    qtbot.waitUntil(dialog.isEnabled)
    assert session.writer == next_one


def test_that_erasing_a_writer_leaves_the_others(session, dialog, ask, qtbot):
    session.store.judge(a_sample("8", "Ada"), a_trial("8", "Ada"))
    session.set_writer("me")
    dialog.choose("me")
    dialog.findChild(QPushButton, "eraseWriterButton").click()
    qtbot.waitUntil(dialog.isEnabled)
    assert "This cannot be undone" in ask.asked[-1]
    assert session.store.writers() == ["Ada"]
    assert session.writer == "Ada"
    assert session.undo_stack.next_undone is None
    assert dialog.findChild(QLabel, "writersAnswer").text() == "me is erased: 3 drawings."


def test_that_a_writer_is_not_erased_unless_the_person_agrees(session, dialog, ask):
    ask.says_yes = False
    dialog.choose("me")
    dialog.findChild(QPushButton, "eraseWriterButton").click()
    assert "me" in session.store.writers()
