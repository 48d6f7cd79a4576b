from __future__ import annotations

import contextlib
import sqlite3

import numpy as np
import pytest

from gui.models import saved_model
from gui.stand_ins import FixedReader
from qtdigits.errors import ModelFileError, StoreError
from qtdigits.gui.session import Session
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_sample, a_trial

STROKE = np.array([[400, 200, 0, 1], [400, 800, 50, 1]], np.float32)


class Reader(FixedReader):
    """Like the real one, it cannot be made of a model that reads its golden drawings wrongly."""

    def __init__(self, model, **options):
        if model.name.startswith("bad"):
            raise ModelFileError(f"{model.path} reads its golden drawings wrongly.", "Choose another model.")
        super().__init__(model)


@pytest.fixture
def library(tmp_path, data_dir):
    shipped = tmp_path / "shipped"
    saved_model(shipped / "model-3.h5", drawn_accuracy=0.9)
    saved_model(shipped / "model-7.h5", drawn_accuracy=0.8)
    saved_model(shipped / "bad-5.h5", drawn_accuracy=0.7)
    return ModelLibrary(data_dir, shipped=shipped)


@pytest.fixture
def session(qtbot, data_dir, library, monkeypatch):
    monkeypatch.setattr("qtdigits.gui.current_reader.Reader", Reader)
    session = Session(store=SampleStore.open(data_dir), library=library, data_dir=data_dir)
    session.ensure_champion()
    yield session
    session.close()


def emitted(signal):
    seen = []
    signal.connect(seen.append)
    return seen


def test_that_the_answer_follows_every_stroke(session):
    readings = emitted(session.reading_changed)
    session.add_stroke(STROKE, "mouse")
    session.add_stroke(STROKE, "mouse")
    assert [r.label for r in readings] == ["3", "3"]
    assert readings[-1].probability == pytest.approx(0.91)


def test_that_correcting_counts_as_an_error(session):
    session.add_stroke(STROKE, "mouse")
    session.judge("8")
    session.add_stroke(STROKE, "mouse")
    session.judge("3")
    assert (session.accuracy().correct, session.accuracy().n) == (1, 2)
    assert [s.label for s in session.store.samples()] == ["8", "3"]


def test_that_undo_takes_back_a_stroke_then_the_last_judgement(session):
    session.add_stroke(STROKE, "mouse")
    session.judge("5")
    session.add_stroke(STROKE, "mouse")
    session.undo()
    assert session.ink.is_blank
    assert session.store.count() == 1
    session.undo()
    assert len(session.ink.strokes) == 1
    assert session.store.count() == 0
    assert session.accuracy().n == 0


def test_that_a_drawing_which_cannot_be_stored_stays_on_the_canvas(session, monkeypatch):
    problems = emitted(session.problem_met)

    def full(*_):
        raise StoreError("The disk is full.", "Make room.")

    monkeypatch.setattr(session.store, "judge", full)
    session.add_stroke(STROKE, "mouse")
    assert not session.judge()
    assert len(session.ink.strokes) == 1
    assert problems[0].remedy == "Make room."


def test_that_an_unusable_label_is_refused_and_nothing_is_lost(session):
    problems = emitted(session.problem_met)
    session.add_stroke(STROKE, "mouse")
    assert not session.judge("x" * 99)
    assert "longer than" in problems[0].message
    assert len(session.ink.strokes) == 1


def test_that_a_new_model_takes_over_between_two_drawings(session, library):
    session.add_stroke(STROKE, "mouse")
    session.use_model(library.find("model-7"))
    assert session.reading.label == "3"
    session.judge()
    assert session.model_name == "model-7"
    assert session.library.champion_path() == library.find("model-7")
    session.add_stroke(STROKE, "mouse")
    assert session.reading.label == "7"


def test_that_a_model_which_does_not_load_leaves_the_champion_in_use(session, library):
    problems = emitted(session.problem_met)
    session.use_model(library.find("bad-5"))
    assert session.model_name == "model-3"
    assert library.champion_path() == library.find("model-3")
    assert "golden" in problems[0].message


def test_that_a_champion_which_vanished_is_replaced_and_said_so(session, library, data_dir):
    own = library.new_path("mine-8")
    saved_model(own, drawn_accuracy=0.5)
    session.use_model(own)
    own.unlink()
    again = Session(store=session.store, library=library, data_dir=data_dir)
    notices = emitted(again.notice_given)
    again.ensure_champion()
    assert again.model_name == "model-3"
    assert "mine-8" in notices[0]


def test_that_a_champion_which_reads_wrongly_is_replaced_and_said_so(session, library, data_dir):
    library.promote(library.find("model-7"))
    library.promote(library.find("bad-5"))
    again = Session(store=session.store, library=library, data_dir=data_dir)
    notices, problems = emitted(again.notice_given), emitted(again.problem_met)
    again.ensure_champion()
    assert again.model_name == "model-7"
    assert "golden drawings wrongly" in notices[0]
    assert "“model-7” is used instead" in notices[0]
    assert not problems
    assert library.champion_path() == library.find("model-7")


def test_that_rolling_back_returns_to_the_model_before(session, library):
    session.use_model(library.find("model-7"))
    session.roll_back()
    assert session.model_name == "model-3"


def test_that_each_writer_has_an_accuracy_of_his_own(session):
    session.add_stroke(STROKE, "mouse")
    session.judge()
    accuracies = emitted(session.accuracy_changed)
    session.set_writer("Ada")
    assert (accuracies[-1].writer, accuracies[-1].n) == ("Ada", 0)
    assert "Ada" in session.store.writers()


def test_that_what_another_window_judged_counts_when_this_one_is_looked_at_again(session, data_dir):
    session.add_stroke(STROKE, "mouse")
    session.judge("3")
    told = emitted(session.accuracy_changed)
    session.look_for_changes()
    assert told == []
    elsewhere = Session(store=SampleStore.open(data_dir), library=session.library, data_dir=data_dir)
    elsewhere.add_stroke(STROKE, "mouse")
    elsewhere.judge("8")
    elsewhere.close()
    session.look_for_changes()
    assert [(a.correct, a.n) for a in told] == [(1, 2)]
    session.look_for_changes()
    assert len(told) == 1


def test_that_each_judgement_tells_its_trial_and_the_accuracy(session):
    judged, skipped, taken_back = map(
        emitted, (session.trial_judged, session.trial_skipped, session.trial_taken_back)
    )
    told = emitted(session.accuracy_changed)
    session.add_stroke(STROKE, "mouse")
    session.judge()
    session.add_stroke(STROKE, "mouse")
    session.skip()
    session.undo()
    session.undo()
    session.undo()
    assert [trial.verdict for trial in judged] == ["confirmed"]
    assert [trial.id for trial in taken_back] == [skipped[0].id, judged[0].id]
    assert [(a.correct, a.n) for a in told] == [(1, 1), (1, 1), (1, 1), (0, 0)]


def test_that_a_label_is_known_if_model_or_store_have_it(session):
    assert session.is_known("7")
    assert not session.is_known("Ä")
    session.add_stroke(STROKE, "mouse")
    session.judge("Ä")
    assert session.is_known(" Ä ")
    assert session.is_known("")


def test_that_the_champion_is_known_with_its_scores_and_told(session, library):
    told = emitted(session.champion_changed)
    assert (session.champion.name, session.champion.path) == ("model-3", library.find("model-3"))
    assert session.champion.scores["pendigits"]["accuracy"] == 0.9
    session.use_model(library.find("model-7"))
    assert told == [session.champion]
    assert session.champion.name == "model-7"


@pytest.fixture
def another_writes(session):
    """Hold the lock of the store, as another process does while it writes; call it to let go."""
    other = sqlite3.connect(session.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def let_go():
        if other.in_transaction:
            other.execute("COMMIT")

    yield let_go
    let_go()
    other.close()


def test_that_a_judgement_waits_for_another_process_without_holding_up_the_window(
    session, another_writes, qtbot
):
    stored = []
    session.add_stroke(STROKE, "mouse")
    drawn = session.ink
    assert not session.judge("5", then=lambda: stored.append(session.store.count()))
    assert session.is_saving
    assert session.ink is drawn
    assert not session.judge("5")
    session.add_stroke(STROKE + 50, "mouse")
    assert session.ink is drawn
    another_writes()
    with qtbot.waitSignal(session.saving_changed):
        pass
    assert stored == [1]
    assert [trial.truth for trial in session.store.trials()] == ["5"]
    (sample,) = session.store.samples()
    assert sample.ink == drawn
    assert not session.is_saving
    (stroke,) = session.ink.strokes
    assert stroke.tolist() == (STROKE + 50).tolist()


@pytest.mark.parametrize("give_up", ["skip", "undo"])
def test_that_a_judgement_that_waits_can_be_given_up_and_the_drawing_stays(session, another_writes, give_up):
    session.add_stroke(STROKE, "mouse")
    session.judge("5")
    session.add_stroke(STROKE + 50, "mouse")
    getattr(session, give_up)()
    assert not session.is_saving
    assert len(session.ink.strokes) == 2
    another_writes()
    assert session.judge("6")
    assert [trial.truth for trial in session.store.trials()] == ["6"]


def test_that_skipping_undoing_and_redoing_wait_too(session, another_writes, qtbot):
    another_writes()
    session.add_stroke(STROKE, "mouse")
    for write in (session.skip, session.undo, session.redo):
        before = session.ink
        with contextlib.closing(sqlite3.connect(session.store.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            write()
            assert session.is_saving
            assert session.ink is before
            other.execute("COMMIT")
        with qtbot.waitSignal(session.saving_changed):
            pass
        assert session.ink is not before
    assert [trial.truth for trial in session.store.trials()] == [None]


def test_that_a_judgement_that_waits_is_stored_when_the_window_closes(session, another_writes):
    session.add_stroke(STROKE, "mouse")
    session.judge("5")
    another_writes()
    path = session.store.path
    session.close()
    with contextlib.closing(sqlite3.connect(path)) as store:
        assert store.execute("SELECT truth FROM trials").fetchall() == [("5",)]


def test_that_after_importing_strangers_ink_into_an_empty_store_the_person_is_a_writer_of_his_own(
    qtbot, data_dir, library
):
    def opens_as():
        session = Session(store=SampleStore.open(data_dir), library=library, data_dir=data_dir)
        writer = session.writer
        session.close()
        return writer

    with SampleStore.open(data_dir) as store:
        store.add_samples([a_sample("3", "stranger 1"), a_sample("4", "stranger 2")])
        assert opens_as() == "me"
        store.judge(a_sample("7", "Ada"), a_trial("7", "Ada"))
        assert opens_as() == "Ada"
