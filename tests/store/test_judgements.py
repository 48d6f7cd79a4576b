from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Sample, Suspicion, Trial, Verdict
from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.practice import JudgedReading
from qtdigits.store.tables.samples import SampleStore

SEEN = [("7", "7", "old"), ("7", "1", "old"), ("3", "3", "new"), ("7", "1", "new"), ("7", "1", "new")]


@pytest.fixture
def store(tmp_path):
    with SampleStore.open(tmp_path) as store:
        for truth, answer, model in SEEN:
            judge(store, truth, answer, model)
        judge(store, "5", "5", "old", writer="Ada")
        store.judge(None, trial_of(None, "9", "new", "me"))
        yield store


def trial_of(truth, answer, model, writer):
    verdict = (
        Verdict.SKIPPED if truth is None else Verdict.CONFIRMED if truth == answer else Verdict.CORRECTED
    )
    return Trial(writer, model, answer, verdict, truth, DIGITS.labels, (0.1,) * 10)


def judge(store, truth, answer, model, writer="me"):
    sample = Sample(truth, np.zeros((28, 28), np.uint8), writer)
    return store.judge(sample, trial_of(truth, answer, model, writer))


def test_that_the_models_of_a_writer_are_counted_the_latest_first(store):
    assert store.judgements.models("me") == [("new", 1, 3), ("old", 1, 2)]
    assert store.judgements.models("nobody") == []


def test_that_confusions_are_those_of_one_model_and_writer(store):
    assert store.judgements.confusions("me", "new") == {("3", "3"): 1, ("7", "1"): 2}


def test_that_the_drawings_behind_a_confusion_are_found_as_far_as_they_are_there(store):
    ids = store.judgements.drawings("me", "new", truth="7", answer="1")
    assert [store.sample(found).label for found in ids] == ["7", "7"]
    assert store.judgements.drawings("me", "old", truth="7", answer="1") != ids
    assert store.judgements.drawings("me", "new", truth="7", answer="7") == []


def test_that_recent_readings_come_oldest_first_and_without_skipped_ones(store):
    assert store.judgements.recent("me", 10) == [JudgedReading(*seen) for seen in SEEN]
    assert store.judgements.recent("me", 2) == [JudgedReading(*seen) for seen in SEEN[-2:]]


def test_that_the_learnable_drawings_are_those_up_to_a_sample_and_not_held_out(store):
    for _ in range(20):
        judge(store, "4", "4", "new")
    samples = list(store.samples(writer="me"))
    middle = samples[12].id
    expected = Counter(s.held_out for s in samples if s.id <= middle)[False]
    assert store.judgements.n_trainable("me", middle) == expected
    assert store.judgements.n_trainable("me", 0) == 0


def test_that_a_doubted_drawing_counts_nowhere_until_it_is_reviewed(store):
    def figures():
        return (
            store.running_accuracy(writer="me", model="new"),
            store.outcomes("me", "new").tolist(),
            store.judgements.models("me"),
            store.judgements.confusions("me", "new"),
            store.judgements.drawings("me", "new", truth="7", answer="1"),
            store.judgements.recent("me", 10),
        )

    before, learnable = figures(), store.judgements.n_trainable("me", 1000)
    doubted = store.judgements.drawings("me", "new", truth="7", answer="1")[0]
    assert store.doubted_judgements(writer="me", model="new") == 0
    store.mark_suspects({doubted: Suspicion(0.9, "1", "looks like a 1")})
    assert store.doubted_judgements(writer="me", model="new") == 1
    assert store.doubted_judgements(writer="me", model="old") == 0
    assert store.doubted_judgements(writer="Ada", model="new") == 0
    accuracy, outcomes, models, confusions, drawings, recent = figures()
    assert (accuracy, outcomes, models) == ((1, 2), [True, False], [("new", 1, 2), ("old", 1, 2)])
    assert confusions == {("3", "3"): 1, ("7", "1"): 1}
    assert doubted not in drawings
    assert len(recent) == len(SEEN) - 1
    assert store.judgements.n_trainable("me", 1000) == learnable - (not store.sample(doubted).held_out)
    store.accept_labels([doubted])
    assert figures() == before


def test_that_a_model_whose_every_judgement_is_doubted_has_no_figures(store):
    store.mark_suspects({int(i): Suspicion(0.9, "1", "looks like a 1") for i in store.ids(model="old")})
    assert store.judgements.models("me") == [("new", 1, 3)]
    assert store.running_accuracy(writer="me", model="old") == (0, 0)


def test_that_a_doubted_drawing_that_is_deleted_counts_as_every_deleted_one(store):
    doubted = store.judgements.drawings("me", "new", truth="7", answer="1")[0]
    store.mark_suspects({doubted: Suspicion(0.9, "1", "looks like a 1")})
    store.delete_samples([doubted])
    assert store.running_accuracy(writer="me", model="new") == (1, 3)
    assert store.doubted_judgements(writer="me", model="new") == 0


def test_that_what_memory_gained_is_counted_where_the_networks_own_answer_is_known(store):
    assert store.judgements.without_memory("me", "new") == PairedComparison()
    for truth, answer, alone in (("7", "7", "1"), ("7", "7", "7"), ("3", "8", "3"), ("5", "6", "6")):
        sample = Sample(truth, np.zeros((28, 28), np.uint8), "me")
        kept = store.judge(sample, replace(trial_of(truth, answer, "new", "me"), network_answer=alone))
    assert store.judgements.without_memory("me", "new") == PairedComparison(4, 2, 2, 1, 1)
    store.relabel([kept.sample_id], "6")
    assert store.judgements.without_memory("me", "new") == PairedComparison(4, 3, 3, 1, 1)
    assert [trial.network_answer for trial in store.trials()][-4:] == ["1", "7", "3", "6"]


def test_that_how_sure_answers_were_comes_with_whether_they_were_right(store):
    confidence, is_right = store.judgements.confidences("me", "new")
    assert (confidence.tolist(), is_right.tolist()) == ([0.1] * 3, [True, False, False])
    assert [len(found) for found in store.judgements.confidences("nobody", "new")] == [0, 0]


def test_that_outcomes_of_all_models_come_in_the_order_of_judging(store):
    assert store.outcomes("me", None).tolist() == [True, False, True, False, False]
    assert store.outcomes("me", "old").tolist() == [True, False]
