"""Judging without a window: the store is real, the reader says always the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Verdict
from qtdigits.core.judging import Change, Judging, Reading
from qtdigits.core.memory import Memory, Neighbour
from qtdigits.core.undo import UndoStack
from qtdigits.errors import InputError, NotStoredError, StoreError
from qtdigits.store.tables.editing import Deleted
from qtdigits.store.tables.samples import SampleStore

STROKE = np.array([[400, 200, 0, 1], [400, 800, 50, 1]], np.float32)
ACROSS = np.array([[200, 400, 0, 1], [800, 400, 50, 1]], np.float32)


class ReaderOfThrees:
    """Reads a 3, 91 % sure; the raster itself is the embedding of a drawing."""

    model_name = "threes"

    def read(self, drawing: NDArray[np.uint8], memory: Memory | None = None) -> Reading:
        probabilities = np.full(10, 0.01, np.float32)
        probabilities[3] = 0.91
        if memory is None:
            return Reading(drawing, DIGITS.labels, probabilities)
        embedding = drawing.ravel().astype(np.float32)
        neighbours = memory.neighbours(embedding)
        classes, combined = memory.combine(DIGITS.labels, probabilities, neighbours)
        return Reading(drawing, classes, combined, 0.0, embedding, neighbours, network_label="3")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    with SampleStore.open(tmp_path) as store:
        yield store


@pytest.fixture
def judging(store: SampleStore) -> Judging:
    return Judging(store=store, writer="me", reader=ReaderOfThrees())


def test_that_every_stroke_is_read(judging: Judging) -> None:
    reading = judging.add_stroke(STROKE)
    assert reading is judging.reading
    assert reading is not None
    assert (reading.label, reading.probability) == ("3", pytest.approx(0.91))
    assert judging.erase_stroke(0) is None


def test_that_a_blank_drawing_cannot_be_judged_or_skipped(judging: Judging, store: SampleStore) -> None:
    assert judging.judge("7") is None
    assert judging.skip() is None
    assert judging.undo() is Change.NOTHING
    assert store.count() == 0
    assert list(store.trials()) == []


def test_that_confirming_stores_ink_raster_and_trial_and_begins_a_blank_drawing(
    judging: Judging, store: SampleStore
) -> None:
    judging.add_stroke(STROKE, device="mouse")
    trial = judging.judge()
    (sample,) = store.samples()
    (stored,) = store.trials()
    assert (sample.label, sample.writer, sample.device) == ("3", "me", "mouse")
    assert sample.raster.any()
    assert sample.ink is not None
    np.testing.assert_array_equal(sample.ink.strokes[0], STROKE)
    assert (stored.verdict, stored.model, stored.answer, stored.truth, stored.sample_id) == (
        Verdict.CONFIRMED,
        "threes",
        "3",
        "3",
        sample.id,
    )
    assert trial is not None
    assert trial.id == stored.id
    assert judging.ink.is_blank


@pytest.mark.parametrize(
    ("typed", "verdict"), [("", "confirmed"), (" 3 ", "confirmed"), ("8", "corrected"), ("Ä", "corrected")]
)
def test_that_typing_the_answer_confirms_and_anything_else_corrects(
    judging: Judging, typed: str, verdict: str
) -> None:
    judging.add_stroke(STROKE)
    truth = judging.meaning_of(typed)
    trial = judging.judge(typed)
    assert trial is not None
    assert (trial.verdict, trial.truth) == (verdict, truth)


def test_that_a_skipped_drawing_is_kept_as_a_trial_without_a_sample(
    judging: Judging, store: SampleStore
) -> None:
    judging.add_stroke(STROKE)
    judging.skip()
    assert [(trial.verdict, trial.truth) for trial in store.trials()] == [(Verdict.SKIPPED, None)]
    assert store.count() == 0
    assert judging.ink.is_blank


def test_that_undo_takes_back_a_stroke_then_the_last_judgement(judging: Judging, store: SampleStore) -> None:
    judging.add_stroke(STROKE)
    judging.judge("5")
    judging.add_stroke(STROKE)
    assert judging.undo() is Change.STROKE
    assert judging.ink.is_blank
    assert store.count() == 1
    assert judging.undo() is Change.JUDGEMENT
    assert len(judging.ink.strokes) == 1
    assert store.count() == 0
    assert list(store.trials()) == []
    judging.undo()
    assert judging.undo() is Change.NOTHING


def test_that_undo_brings_back_a_skipped_drawing(judging: Judging, store: SampleStore) -> None:
    judging.add_stroke(STROKE)
    judging.skip()
    assert judging.undo() is Change.JUDGEMENT
    assert len(judging.ink.strokes) == 1
    assert list(store.trials()) == []


def test_that_undo_gives_back_what_was_erased_and_redo_erases_it_again(judging: Judging) -> None:
    judging.add_stroke(STROKE)
    judging.add_stroke(ACROSS)
    judging.erase_stroke(0)
    assert judging.undo() is Change.ERASING
    assert [stroke.tolist() for stroke in judging.ink.strokes] == [STROKE.tolist(), ACROSS.tolist()]
    assert judging.redo() is Change.ERASING
    assert [stroke.tolist() for stroke in judging.ink.strokes] == [ACROSS.tolist()]
    assert judging.redo() is Change.NOTHING


def test_that_everything_is_undone_to_the_blank_canvas_and_done_again(
    judging: Judging, store: SampleStore
) -> None:
    judging.add_stroke(STROKE)
    judging.judge("5")
    judging.add_stroke(ACROSS)
    judging.skip()
    undone = [judging.undo() for _ in range(4)]
    assert undone == [Change.JUDGEMENT, Change.STROKE, Change.JUDGEMENT, Change.STROKE]
    assert judging.undo() is Change.NOTHING
    assert list(store.trials()) == []
    assert [judging.redo() for _ in range(4)] == undone[::-1]
    assert judging.redo() is Change.NOTHING
    assert [(trial.verdict, trial.truth) for trial in store.trials()] == [
        (Verdict.CORRECTED, "5"),
        (Verdict.SKIPPED, None),
    ]
    assert [sample.label for sample in store.samples()] == ["5"]


def test_that_nothing_is_done_again_after_another_change(judging: Judging) -> None:
    judging.add_stroke(STROKE)
    judging.undo()
    judging.add_stroke(ACROSS)
    assert judging.redo() is Change.NOTHING
    assert len(judging.ink.strokes) == 1


def test_that_a_drawing_which_was_never_read_comes_back_when_it_was_cleared(store: SampleStore) -> None:
    judging = Judging(store=store, writer="me")
    judging.add_stroke(STROKE)
    judging.skip()
    assert judging.undo() is Change.CLEARING
    assert len(judging.ink.strokes) == 1


def test_that_undo_does_not_store_twice_what_was_stored_without_a_reading(store: SampleStore) -> None:
    judging = Judging(store=store, writer="me")
    judging.add_stroke(STROKE)
    judging.judge("7")
    assert judging.undo() is Change.NOTHING
    assert judging.ink.is_blank


def test_that_strokes_on_the_canvas_can_be_undone_by_the_next_writer(
    judging: Judging, store: SampleStore
) -> None:
    judging.add_stroke(STROKE)
    judging.judge()
    judging.add_stroke(ACROSS)
    judging.set_writer("Ada")
    assert judging.undo() is Change.STROKE
    judging.add_stroke(STROKE)
    judging.judge()
    assert [sample.writer for sample in store.samples()] == ["me", "Ada"]


def test_that_who_drew_it_draws_again_when_a_judgement_is_undone_or_redone(
    judging: Judging, store: SampleStore
) -> None:
    judging.add_stroke(STROKE)
    judging.judge("5")
    judging.set_writer("Ada", Memory())
    assert judging.undo() is Change.JUDGEMENT
    assert (judging.writer, judging.memory, store.count()) == ("me", None, 0)
    assert len(judging.ink.strokes) == 1
    judging.set_writer("Ada")
    assert judging.redo() is Change.JUDGEMENT
    assert judging.writer == "me"
    assert [(sample.writer, sample.label) for sample in store.samples()] == [("me", "5")]


def test_that_judgements_of_a_renamed_writer_can_be_undone_and_redone(
    judging: Judging, store: SampleStore
) -> None:
    judging.add_stroke(STROKE)
    judging.judge("5")
    store.rename_writer("me", "Ada")
    judging.rename_writer("me", "Ada")
    judging.set_writer("Bob")
    assert judging.undo() is Change.JUDGEMENT
    assert judging.writer == "Ada"
    judging.redo()
    assert [sample.writer for sample in store.samples()] == ["Ada"]


def test_that_a_drawing_which_was_removed_elsewhere_does_not_come_back(
    judging: Judging, store: SampleStore
) -> None:
    judging.add_stroke(STROKE)
    judging.judge("5")
    judging.add_stroke(STROKE)
    judging.add_stroke(ACROSS)
    trial = judging.judge("6")
    assert trial is not None
    store.take_back(trial)
    with pytest.raises(NotStoredError):
        judging.undo()
    assert judging.ink.is_blank
    assert judging.undo() is Change.JUDGEMENT
    assert len(judging.ink.strokes) == 1
    assert store.count() == 0


def test_that_other_actions_are_undone_and_redone_in_their_turn(store: SampleStore) -> None:
    """A redone judgement has the ids that it had, by which the later actions know its drawing."""
    stack = UndoStack()
    judging = Judging(store=store, writer="me", reader=ReaderOfThrees(), undo_stack=stack)
    judging.add_stroke(STROKE)
    trial = judging.judge("5")
    assert trial is not None

    class Deletion:
        name = "deletion"

        def undo(self) -> None:
            store.restore(Deleted((trial.sample_id,)))

        def redo(self) -> None:
            store.delete_samples([trial.sample_id])

    Deletion().redo()
    stack.add(Deletion())
    judging.add_stroke(ACROSS)
    names = []
    while stack.next_undone:
        names.append(stack.next_undone.name)
        stack.undo()
    assert names == ["stroke", "deletion", "judgement as 5", "stroke"]
    assert (store.count(), store.count(is_deleted=True), len(list(store.trials()))) == (0, 0, 0)
    while stack.redo():
        pass
    assert (store.count(), [sample.id for sample in store.samples(is_deleted=True)]) == (0, [trial.sample_id])
    assert [(again.id, again.truth) for again in store.trials()] == [(trial.id, "5")]
    assert len(judging.ink.strokes) == 1


def test_that_a_drawing_which_cannot_be_stored_stays(
    judging: Judging, store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("The disk is full.", "Make room.")

    monkeypatch.setattr(store, "judge", full)
    judging.add_stroke(STROKE)
    with pytest.raises(StoreError):
        judging.judge()
    assert len(judging.ink.strokes) == 1


def test_that_the_label_of_a_merged_class_means_the_one_it_was_merged_into(
    judging: Judging, store: SampleStore
) -> None:
    store.class_table.add("l")
    store.class_table.merge("l", "1")
    judging.add_stroke(STROKE)
    assert judging.judge("l").truth == "1"


def test_that_an_unusable_label_is_refused_and_nothing_is_lost(judging: Judging) -> None:
    judging.add_stroke(STROKE)
    with pytest.raises(InputError, match="longer than"):
        judging.judge("x" * 99)
    assert len(judging.ink.strokes) == 1


def test_that_erasing_removes_just_that_stroke(judging: Judging) -> None:
    judging.add_stroke(STROKE)
    judging.add_stroke(STROKE + 10)
    judging.erase_stroke(0)
    np.testing.assert_array_equal(judging.ink.strokes[0], STROKE + 10)


def test_that_a_guess_is_no_answer_to_confirm_but_can_be_named(store: SampleStore) -> None:
    class Guesser(ReaderOfThrees):
        def read(self, drawing: NDArray[np.uint8], memory: Memory | None = None) -> Reading:
            return replace(super().read(drawing, memory), undecided_below=0.95)

    judging = Judging(store=store, writer="me", reader=Guesser())
    judging.add_stroke(STROKE)
    with pytest.raises(InputError, match="no answer to confirm"):
        judging.judge()
    assert store.count() == 0
    trial = judging.judge("3")
    assert trial is not None
    assert trial.verdict is Verdict.CONFIRMED


def test_that_without_a_reader_a_typed_label_is_stored_and_there_is_nothing_to_confirm(
    store: SampleStore,
) -> None:
    judging = Judging(store=store, writer="me")
    assert judging.add_stroke(STROKE) is None
    with pytest.raises(InputError, match="no answer to confirm"):
        judging.judge()
    assert judging.judge("7") is None
    assert judging.ink.is_blank
    assert [sample.label for sample in store.samples()] == ["7"]
    assert list(store.trials()) == []


def test_that_another_reader_reads_the_drawing_again(judging: Judging) -> None:
    judging.add_stroke(STROKE)
    judging.set_reader(None)
    assert judging.reading is None
    reading = judging.set_reader(ReaderOfThrees())
    assert reading is not None
    assert reading.label == "3"


def test_that_a_judged_drawing_is_remembered_and_an_undone_one_forgotten(store: SampleStore) -> None:
    memory = Memory()
    judging = Judging(store=store, writer="me", reader=ReaderOfThrees(), memory=memory)
    judging.add_stroke(STROKE)
    judging.judge("7")
    reading = judging.add_stroke(STROKE)
    assert reading is not None
    assert (reading.label, len(reading.neighbours)) == ("7", 1)
    confirmed = judging.judge()
    assert confirmed is not None
    assert (confirmed.answer, confirmed.network_answer) == ("7", "3")
    judging.undo()
    judging.undo()
    judging.undo()
    assert len(memory) == 0
    assert judging.reading is not None
    assert judging.reading.label == "3"
    judging.skip()
    assert len(memory) == 0


def test_that_judgements_that_a_newer_memory_does_not_know_can_be_undone(store: SampleStore) -> None:
    judging = Judging(store=store, writer="me", reader=ReaderOfThrees(), memory=Memory())
    judging.add_stroke(ACROSS)
    judging.judge()
    judging.set_reader(ReaderOfThrees(), Memory())
    assert judging.undo() is Change.JUDGEMENT
    assert store.count() == 0


def test_that_a_reading_says_which_drawings_spoke_for_it_and_whether_they_changed_it() -> None:
    alike, other, unlike = (
        Neighbour("3", 0.9, key=5),
        Neighbour("8", 0.8, key=6),
        Neighbour("3", 0.1, key=7),
    )
    probabilities = np.full(10, 0.01, np.float32)
    probabilities[3] = 0.91
    reading = Reading(
        np.zeros((28, 28), np.uint8),
        DIGITS.labels,
        probabilities,
        neighbours=(alike, other, unlike),
        network_label="8",
    )
    assert reading.because == (alike,)
    assert reading.is_changed_by_memory
    assert not replace(reading, network_label="3").is_changed_by_memory
    assert not replace(reading, network_label="").is_changed_by_memory
