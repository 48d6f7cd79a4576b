"""The verdict on a new model: a sentence, a recommendation, and the drawings behind the numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from gui.stand_ins import FakeSession
from qtdigits.core.drawing.samples import Suspicion
from qtdigits.core.score.comparison import Comparison, PairedComparison
from qtdigits.core.score.metrics import RunningAccuracy, Tally
from qtdigits.gui.champion import Champion
from qtdigits.gui.panels.training.verdict_card import VerdictCard
from qtdigits.store.tables.samples import SampleStore
from store.values import a_sample

GUARD = PairedComparison.of_ids(3000, 2990, 2991, (1,))
BETTER = Comparison(PairedComparison.of_ids(40, 37, 39, (11, 12, 13), (14,), ()), GUARD, "default")
SAME = Comparison(PairedComparison(40, 40, 40), GUARD, "default")


DEFAULT, OTHER, NEW, NEWER = (
    Champion(name, Path(f"/models/{name}.h5")) for name in ("default", "other", "new", "newer")
)


@pytest.fixture
def session(qtbot: QtBot) -> FakeSession:
    return FakeSession()


@pytest.fixture
def card(qtbot: QtBot, session: FakeSession) -> VerdictCard:
    card = VerdictCard(session=session)
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


def test_that_only_numbers_with_drawings_behind_them_can_be_opened(
    card: VerdictCard, session: FakeSession
) -> None:
    card.show_comparison(BETTER, model="/models/new.h5")
    assert not button(card, "fixedButton").isHidden()
    assert button(card, "stillButton").isHidden()
    button(card, "fixedButton").click()
    assert session.selected == [("fixed by the new model", (11, 12, 13))]
    card.show_comparison(SAME, model="/models/new.h5")
    assert button(card, "fixedButton").isHidden()


def test_that_a_drawing_whose_label_is_doubted_later_does_not_count_any_more(
    card: VerdictCard, session: FakeSession, tmp_path: Path
) -> None:
    with SampleStore.open(tmp_path) as session.store:
        session.store.add_samples([a_sample("7"), a_sample("1")])
        found = Comparison(PairedComparison.of_ids(13, 11, 13, (1, 2)), PairedComparison(), "default")
        card.show_comparison(found, model="/models/new.h5")
        assert text(card, "verdictSentence").startswith("Reads 84.6 → 100.0 % of your 13 held-out drawings")
        session.store.mark_suspects({1: Suspicion(0.8, "1", "looks like a 1")})
        session.samples_changed.emit()
        assert text(card, "verdictSentence").startswith("Reads 91.7 → 100.0 % of your 12 held-out drawings")
        button(card, "fixedButton").click()
        assert session.selected == [("fixed by the new model", (2,))]


def test_that_one_click_uses_the_new_model_and_one_more_takes_it_back(
    card: VerdictCard, session: FakeSession
) -> None:
    card.show_comparison(BETTER, model="/models/new.h5")
    assert button(card, "rollBackButton").isHidden()
    button(card, "verdictUseButton").click()
    assert session.used == [NEW.path]
    session.become(NEW)
    assert button(card, "verdictUseButton").isHidden()
    assert text(card, "verdictAdvice").startswith("In use now. Draw on")
    button(card, "rollBackButton").click()
    assert session.n_rolled_back == 1
    session.become(OTHER)
    assert "use it" in text(card, "verdictAdvice")


def test_that_it_says_how_new_drawings_are_read_and_what_was_gained(
    card: VerdictCard, session: FakeSession
) -> None:
    session.judged = {"default": Tally(74, 61), "other": Tally(10, 1)}
    card.show_comparison(BETTER, model="/models/new.h5")
    session.accuracy_changed.emit(RunningAccuracy("Ada", "default", 61, 74))
    assert "use it" in text(card, "verdictAdvice")
    session.become(NEW)
    session.accuracy_changed.emit(RunningAccuracy("Ada", "new", 50, 50))
    assert text(card, "verdictAdvice").startswith(
        "In use now: of your new drawings, 50 of 50 were read right, 100.0 % (92.9 to 100.0 %). "
        "Before, 61 of 74 were read right, 82.4 % (72.2 to 89.4 %). The gain of 17.6 points"
    )
    card.show_comparison(BETTER, model="/models/newer.h5")
    session.become(NEWER)
    assert "Draw on" in text(card, "verdictAdvice")


def test_that_it_says_why_the_figures_can_be_believed(card: VerdictCard) -> None:
    card.show_comparison(BETTER, model="/models/new.h5")
    assert text(card, "verdictWhy").endswith("3 fixed and 1 broken would occur by chance in 62 % of cases.")
    card.show_comparison(SAME, model="/models/new.h5")
    assert "by chance" not in text(card, "verdictWhy")


def test_that_who_draws_meanwhile_is_told_whose_hand_it_is_about(
    card: VerdictCard, session: FakeSession
) -> None:
    session.writer, session.judged = "Ada", {"default": Tally(74, 61)}
    card.show_comparison(BETTER, model="/models/new.h5", writer="Ada")
    assert "drawings by Ada" not in text(card, "verdictWhy")
    session.become(NEW)
    session.accuracy_changed.emit(RunningAccuracy("Bob", "new", 9, 10))
    assert text(card, "verdictWhy").startswith("This is about the drawings by Ada.")
    assert text(card, "verdictSentence") == (
        "The new one reads 39 of 40 held-out drawings by Ada right. The one in use: 37."
    )
    assert text(card, "verdictAdvice") == "In use now. One click goes back to the model before."
    session.accuracy_changed.emit(RunningAccuracy("Ada", "new", 9, 10))
    assert "drawings by Ada" not in text(card, "verdictWhy")
    assert "of your 40 held-out drawings" in text(card, "verdictSentence")
    assert "9 of 10 were read right" in text(card, "verdictAdvice")


def test_that_another_model_in_use_by_now_is_not_taken_for_the_one_compared_with(
    card: VerdictCard, session: FakeSession
) -> None:
    session.become(DEFAULT)
    card.show_comparison(BETTER, model="/models/new.h5", beside="/models/default.h5")
    assert "Compared with" not in text(card, "verdictWhy")
    session.become(OTHER)
    assert text(card, "verdictWhy").startswith(
        "Compared with default, which was in use when the training began."
    )
    session.become(NEW)
    assert "Compared with" not in text(card, "verdictWhy")
