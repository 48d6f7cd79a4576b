from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gui.models import saved_model
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import Sample, Trial, Verdict
from qtdigits.core.score.learning import LearningPoint
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import learning_points


@pytest.fixture
def library(tmp_path):
    shipped = tmp_path / "shipped"
    saved_model(shipped / "first.h5", drawn_accuracy=0.9)
    return ModelLibrary(tmp_path, shipped=shipped)


@pytest.fixture
def store(tmp_path):
    with SampleStore.open(tmp_path) as store:
        yield store


def judge(store, model, *, right, wrong=0):
    for truth in ["4"] * right + ["5"] * wrong:
        verdict = Verdict.CONFIRMED if truth == "4" else Verdict.CORRECTED
        trial = Trial("me", model, "4", verdict, truth, DIGITS.labels, (0.1,) * 10)
        last = store.judge(Sample(truth, np.zeros((28, 28), np.uint8), "me"), trial)
    return last.sample_id


def trained(library, name, *, base="", recipe=None, **drawings):
    first = load_model(library.find("first"))
    path = library.new_path(name)
    provenance = {"drawings": drawings, "base": base}
    save_model(replace(first, name=name, recipe=recipe or first.recipe, provenance=provenance), path)


def amounts(store, library, *, model="first"):
    return learning_points(store, library, "me", model=library.find(model))


def test_that_each_model_is_counted_at_what_it_had_learned(store, library):
    last = judge(store, "first", right=8, wrong=2)
    trained(library, "second", last_sample=last, n=8, writer="me")
    judge(store, "second", right=5, wrong=1)
    n_learned = store.count(writer="me", held_out=False) - sum(
        not s.held_out for s in store.samples() if s.id > last
    )
    assert amounts(store, library) == (LearningPoint(0, 2, 10), LearningPoint(n_learned, 1, 6))


def test_that_a_model_which_learned_another_hand_has_learned_nothing_of_this_one(store, library):
    last = judge(store, "first", right=10)
    trained(library, "hers", last_sample=last, n=8, writer="Ada")
    judge(store, "hers", right=3)
    assert amounts(store, library) == (LearningPoint(0, 0, 3), LearningPoint(0, 0, 10))


def test_that_a_model_whose_file_is_gone_is_left_out(store, library):
    judge(store, "gone", right=3)
    assert amounts(store, library) == ()


def test_that_another_network_is_no_point_of_the_curve_as_its_step_would_look_like_learning(store, library):
    judge(store, "first", right=8, wrong=2)
    simpler = load_model(library.find("first")).recipe.with_values(dense="7")
    trained(library, "simpler", recipe=simpler)
    judge(store, "simpler", right=3, wrong=7)
    assert amounts(store, library) == (LearningPoint(0, 2, 10),)
    assert amounts(store, library, model="simpler") == (LearningPoint(0, 7, 10),)


def test_that_a_model_keeps_what_the_one_had_learned_from_which_it_went_on(store, library):
    last = judge(store, "first", right=20)
    trained(library, "mine", last_sample=last, writer="me")
    trained(library, "hers", base="mine.h5", last_sample=last, writer="Ada")
    judge(store, "hers", right=3)
    n_learned = store.judgements.n_trainable("me", last)
    assert n_learned > 0
    assert amounts(store, library) == (LearningPoint(0, 0, 20), LearningPoint(n_learned, 0, 3))


def test_that_models_which_name_each_other_as_base_do_not_hang(store, library):
    trained(library, "egg", base="hen.h5")
    trained(library, "hen", base="egg.h5")
    judge(store, "hen", right=3)
    assert amounts(store, library) == (LearningPoint(0, 0, 3),)


def test_that_without_a_model_in_use_there_is_no_curve(store, library):
    judge(store, "first", right=3)
    assert learning_points(store, library, "me", model=None) == ()
