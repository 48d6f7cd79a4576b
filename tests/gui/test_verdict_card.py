"""The verdict on a new model: a sentence, a recommendation, and the drawings behind the numbers."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from qtdigits.core.score.comparison import Comparison, PairedComparison
from qtdigits.core.score.metrics import Tally
from qtdigits.gui.panels.training.verdict_card import VerdictCard
from qtdigits.gui.session import RunningAccuracy

GUARD = PairedComparison(3000, 2990, 2991, (1,))
BETTER = Comparison(PairedComparison(40, 37, 39, (11, 12, 13), (14,), ()), GUARD, "default")
SAME = Comparison(PairedComparison(40, 40, 40), GUARD, "default")


@pytest.fixture
def card(qtbot: QtBot) -> VerdictCard:
    card = VerdictCard()
    qtbot.addWidget(card)
    return card


def button(card: VerdictCard, name: str) -> QPushButton:
    found = card.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def text(card: VerdictCard, name: str) -> str:
    found = card.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found.text()


def test_that_it_is_hidden_until_there_is_something_to_say(card: VerdictCard) -> None:
    assert card.isHidden()
    card.show_comparison(BETTER, model="/models/new.h5")
    assert not card.isHidden()
    assert text(card, "verdictSentence").startswith(
        "Reads 92.5 → 97.5 % of your 40 held-out drawings; 3 fixed, 1 broken"
    )
    assert "use it" in text(card, "verdictAdvice")
    card.clear()
    assert card.isHidden()


def test_that_only_numbers_with_drawings_behind_them_can_be_opened(card: VerdictCard, qtbot: QtBot) -> None:
    card.show_comparison(BETTER, model="/models/new.h5")
    assert not button(card, "fixedButton").isHidden()
    assert button(card, "stillButton").isHidden()
    with qtbot.waitSignal(card.drawings_requested) as asked:
        button(card, "fixedButton").click()
    assert asked.args == ["fixed", (11, 12, 13)]
    card.show_comparison(SAME, model="/models/new.h5")
    assert button(card, "fixedButton").isHidden()


def test_that_one_click_uses_the_new_model_and_one_more_takes_it_back(
    card: VerdictCard, qtbot: QtBot
) -> None:
    card.show_comparison(BETTER, model="/models/new.h5")
    assert button(card, "rollBackButton").isHidden()
    with qtbot.waitSignal(card.use_requested) as asked:
        button(card, "verdictUseButton").click()
    assert asked.args == ["/models/new.h5"]
    card.set_model_in_use("/models/new.h5")
    assert button(card, "verdictUseButton").isHidden()
    assert text(card, "verdictAdvice").startswith("In use now. Draw on")
    with qtbot.waitSignal(card.roll_back_requested):
        button(card, "rollBackButton").click()
    card.set_model_in_use("/models/old.h5")
    assert "use it" in text(card, "verdictAdvice")


def test_that_it_says_how_new_drawings_are_read_and_what_was_gained(card: VerdictCard) -> None:
    judged = {"default": Tally(74, 61), "other": Tally(10, 1)}
    card.show_comparison(BETTER, model="/models/new.h5")
    card.show_judged(judged.__getitem__, now=RunningAccuracy("Ada", "default", 61, 74))
    assert "use it" in text(card, "verdictAdvice")
    card.set_model_in_use("/models/new.h5")
    card.show_judged(judged.__getitem__, now=RunningAccuracy("Ada", "new", 50, 50))
    assert text(card, "verdictAdvice").startswith(
        "In use now: of your new drawings, 50 of 50 were read right, 100.0 % (92.9 to 100.0 %). "
        "Before, 61 of 74 were read right, 82.4 % (72.2 to 89.4 %). The gain of 17.6 points"
    )
    card.show_comparison(BETTER, model="/models/newer.h5")
    card.set_model_in_use("/models/newer.h5")
    assert "Draw on" in text(card, "verdictAdvice")


def test_that_it_says_why_the_figures_can_be_believed(card: VerdictCard) -> None:
    card.show_comparison(BETTER, model="/models/new.h5")
    assert text(card, "verdictWhy").endswith(
        "3 fixed and 1 broken would come about by chance in 62 % of cases."
    )
    card.show_comparison(SAME, model="/models/new.h5")
    assert "by chance" not in text(card, "verdictWhy")


def test_that_who_draws_meanwhile_is_told_whose_hand_it_is_about(card: VerdictCard) -> None:
    def judged_by(_model: str) -> Tally:
        return Tally(74, 61)

    card.show_comparison(BETTER, model="/models/new.h5", writer="Ada")
    assert "drawings by Ada" not in text(card, "verdictWhy")
    card.set_model_in_use("/models/new.h5")
    card.show_judged(judged_by, now=RunningAccuracy("Bob", "new", 9, 10))
    assert text(card, "verdictWhy").startswith("This is about the drawings by Ada.")
    assert text(card, "verdictAdvice") == "In use now. One click goes back to the model before."
    card.show_judged(judged_by, now=RunningAccuracy("Ada", "new", 9, 10))
    assert "drawings by Ada" not in text(card, "verdictWhy")
    assert "9 of 10 were read right" in text(card, "verdictAdvice")


def test_that_another_model_in_use_by_now_is_not_taken_for_the_one_compared_with(card: VerdictCard) -> None:
    card.set_model_in_use("/models/default.h5")
    card.show_comparison(BETTER, model="/models/new.h5", beside="/models/default.h5")
    assert "Compared with" not in text(card, "verdictWhy")
    card.set_model_in_use("/models/other.h5")
    assert text(card, "verdictWhy").startswith(
        "Compared with default, which was in use when the training began."
    )
    card.set_model_in_use("/models/new.h5")
    assert "Compared with" not in text(card, "verdictWhy")
