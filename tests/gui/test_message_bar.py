from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from qtdigits.errors import StoreError
from qtdigits.gui.widgets.message_bar import MessageBar

LONG = "The store cannot be written, as the disk is full. " * 6


@pytest.fixture
def host(qtbot: QtBot) -> QWidget:
    host = QWidget()
    QVBoxLayout(host).addWidget(QLabel("what somebody looks at"))
    qtbot.addWidget(host)
    host.resize(500, 400)
    host.show()
    return host


@pytest.fixture
def messages(host: QWidget) -> MessageBar:
    return MessageBar(host)


def click(messages: MessageBar, name: str) -> None:
    found = messages.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    found.click()


def test_that_a_message_lies_over_the_lower_edge_and_moves_nothing(
    host: QWidget, messages: MessageBar
) -> None:
    content = host.findChild(QLabel)
    assert isinstance(content, QLabel)
    before = content.geometry()
    messages.show_notice("Imported.")
    assert messages.isVisible()
    assert content.geometry() == before
    assert messages.geometry().bottom() < host.height()
    assert messages.geometry().top() > host.height() / 2
    lower = messages.geometry().bottom()
    host.resize(500, 600)
    assert messages.geometry().bottom() == lower + 200


def test_that_a_long_message_grows_upwards(messages: MessageBar) -> None:
    messages.show_notice("Imported.")
    short = messages.geometry()
    messages.show_problem(StoreError(LONG, "Make room."))
    assert messages.geometry().bottom() == short.bottom()
    assert messages.height() > 2 * short.height()


def test_that_what_can_wait_is_held_back_and_the_latest_of_it_is_shown(messages: MessageBar) -> None:
    messages.hold(True)
    messages.show_notice("A better model is in use.", can_wait=True)
    messages.offer("A new model is ready.", "Look at it", lambda: None, can_wait=True)
    assert messages.text == ""
    messages.show_notice("Imported.")
    assert messages.text == "Imported."
    messages.hold(False)
    assert messages.text == "A new model is ready."


def test_that_an_offer_is_taken_with_one_click_and_put_away(messages: MessageBar) -> None:
    taken: list[str] = []
    messages.offer("A new model is ready.", "Look at it", lambda: taken.append("look"))
    click(messages, "messageActionButton")
    assert taken == ["look"]
    assert messages.text == ""


def test_that_a_lasting_problem_comes_back_when_a_later_message_is_dismissed(messages: MessageBar) -> None:
    messages.show_problem(StoreError("The store is damaged.", ""), lasting=True)
    messages.show_notice("Imported.")
    click(messages, "dismissButton")
    assert "damaged" in messages.text
    messages.dismiss_problem()
    assert "damaged" in messages.text
    click(messages, "dismissButton")
    assert messages.text == ""


def test_that_an_overcome_problem_goes_and_a_notice_stays(messages: MessageBar) -> None:
    messages.show_problem(StoreError("The disk is full.", ""))
    messages.dismiss_problem()
    assert messages.text == ""
    messages.show_notice("Imported.")
    messages.dismiss_problem()
    assert messages.text == "Imported."
