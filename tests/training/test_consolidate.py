"""Learning a hand: the writer's drawings make up their share, the guard is never rehearsed with, and it helps that hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hands import BASE_RECIPE, PERSONAL, hand
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.samples import Dataset, guard_split
from qtdigits.core.drawing.synthetic import scribbles
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.control import Control
from qtdigits.core.score.writers import Plan
from qtdigits.ml.training_data import TrainingData
from qtdigits.reader import Reader
from qtdigits.training.consolidate import (
    RECIPE,
    Learner,
    read_out_of_fold,
    rehearsal_source,
    scribble_source,
    writer_sources,
)
from qtdigits.training.evaluate import score_with
from qtdigits.training.mixing import mix
from qtdigits.training.simulate import simulate
from tiny_training import tiny_model


def test_that_the_recipe_travels_along_and_is_personal() -> None:
    assert load_recipe(RECIPE).is_personal
    assert not load_recipe("default").is_personal


@pytest.mark.parametrize(("n", "share"), [(4, 0.5 * 4 / 24), (20, 0.25), (180, 0.45)])
def test_that_own_drawings_make_up_a_share_that_grows_with_their_number(n: int, share: float) -> None:
    sources = [rehearsal_source(hand(400, 1), PERSONAL), *writer_sources(hand(n, 2), PERSONAL)]
    data, records, _ = mix(sources, DIGITS, fraction=0.1, seed=1, is_rehearsal=False)
    own = np.flatnonzero(data.training >= len(data.targets) - n)
    rehearsed = len(data.training) - len(own)
    assert len(own) == n * max(1, round(share / (1 - share) * rehearsed / n))
    assert set(data.training[own]) == set(range(len(data.targets) - n, len(data.targets)))
    assert records[1]["n_validation"] == 0


def test_that_what_is_rehearsed_is_remembered_where_the_recipe_says_so() -> None:
    for rehearsal, n in (("labels", 0), ("answers", 120)):
        recipe = PERSONAL.with_values(rehearsal=rehearsal)
        sources = [rehearsal_source(hand(400, 1), recipe), *writer_sources(hand(20, 2), recipe)]
        data, _, _ = mix(sources, DIGITS, fraction=0.1, seed=1, is_rehearsal=False)
        assert len(data.remembered) == n
        assert set(data.remembered) <= set(data.training)


def test_that_a_personal_training_never_rehearses_with_the_guard() -> None:
    everything = hand(400, 1)
    _, guard = guard_split(everything.targets(DIGITS))
    guarded = {image.tobytes() for image in everything.images[guard]}
    source = rehearsal_source(everything, PERSONAL)
    assert source.validation is not None
    rehearsed = {image.tobytes() for image in source.dataset.images[~source.validation]}
    watched = {image.tobytes() for image in source.dataset.images[source.validation]}
    assert len(rehearsed) == 120
    assert not rehearsed & guarded
    assert watched <= guarded


def test_that_drawings_of_others_are_rehearsed_with_and_take_no_share() -> None:
    both = Dataset(
        "drawings",
        hand(30, 2).images,
        hand(30, 2).labels,
        ("me",) * 10 + ("you",) * 20,
        hand(30, 2).inks,
    )
    mine, others = writer_sources(both, PERSONAL, writer="me")
    assert (len(mine.dataset), mine.share) == (10, 0.5)
    assert (len(others.dataset), others.share, others.weight) == (20, 0.0, 1)


def test_that_without_a_share_every_drawing_counts_as_often_as_the_recipe_says() -> None:
    (source,) = writer_sources(hand(20, 2), PERSONAL.with_values(drawings_share=0.0, drawings_weight=7))
    assert (source.weight, source.share) == (7, 0.0)


def test_that_scribbles_are_outliers() -> None:
    source = scribble_source(PERSONAL.with_values(scribbles=12))
    assert source.is_outlier
    assert len(source.dataset) == 12


@pytest.fixture(scope="module")
def learner() -> Learner:
    return Learner(PERSONAL, hand(400, 1))


@pytest.mark.tensorflow
def test_that_a_hand_is_learned_and_a_new_class_too(learner: Learner) -> None:
    base = replace(tiny_model(BASE_RECIPE), undecided_below=0.4321)
    stars = scribbles(40, seed=9)
    drawn = hand(120, 3, is_mirrored=True)
    both = Dataset(
        "hand",
        np.concatenate([drawn.images, render_many(stars)]),
        (*drawn.labels, *("★" * 40)),
        (),
        (*drawn.inks, *stars),
    )
    learned = learner.learned_model(base, both, name="mine")
    assert learned.label_set.labels == (*DIGITS.labels, "★")
    assert learned.undecided_below == 0.4321
    fresh = hand(200, 4, is_mirrored=True)
    before, after = (score_with(Reader(model), fresh).accuracy for model in (base, learned))
    assert after > before + 0.1
    unseen = render_many(scribbles(50, seed=10))
    assert (Reader(learned).read_many(unseen).argmax(axis=1) == 10).mean() > 0.5


@pytest.mark.tensorflow
def test_that_simulated_users_get_better_at_their_own_hand(learner: Learner) -> None:
    drawn = hand(160, 6, writer="ada", is_mirrored=True)
    base = tiny_model(BASE_RECIPE)
    found = simulate(drawn, base=base, learner=learner, mnist_test=hand(80, 8), plan=Plan((0, 40, 100)))
    (ada,) = found.writers
    assert [step.after for step in ada.steps] == [step.after for step in found.steps] == [0, 40, 100]
    assert ada.steps[0].errors_with == ada.steps[0].errors_without > 0
    last = ada.steps[-1]
    assert last.later.n == 60
    assert last.errors_with < last.errors_without
    assert found.mnist_before is not None
    assert found.mnist_after is not None


@pytest.mark.tensorflow
def test_that_pictures_without_ink_are_learned_from_and_counted_at_the_end_only(learner: Learner) -> None:
    drawn = replace(hand(160, 6, is_mirrored=True), inks=()).with_default_writer("images")
    base = tiny_model(BASE_RECIPE)
    found = simulate(drawn, base=base, learner=learner, mnist_test=None, plan=Plan((0, 60), 60))
    first, last = found.steps
    assert first.later.n == last.later.n == 60
    assert last.errors_with < last.errors_without == first.errors_with


@pytest.mark.tensorflow
def test_that_a_stop_keeps_the_simulated_writers_who_are_done(learner: Learner) -> None:
    ada, bob = hand(60, 6, writer="ada"), hand(60, 7, writer="bob")
    both = Dataset(
        "both",
        np.concatenate([ada.images, bob.images]),
        ada.labels + bob.labels,
        ada.writers + bob.writers,
        ada.inks + bob.inks,
    )
    control = Control()
    found = simulate(
        both,
        base=tiny_model(BASE_RECIPE),
        learner=learner,
        mnist_test=None,
        plan=Plan((0, 20)),
        progress=lambda writer, done, total: control.stop(),
        control=control,
    )
    assert [writer.writer for writer in found.writers] == ["ada"]
    assert not found.is_whole


@pytest.mark.tensorflow
def test_that_learned_drawings_are_read_by_trainings_that_left_them_out() -> None:
    from qtdigits.ml.networks import build_network
    from qtdigits.ml.training import TrainedNetwork

    drawn = replace(hand(30, 2), ids=tuple(range(101, 131)), writers=("me",) * 30)
    sources = [rehearsal_source(hand(400, 1), PERSONAL), *writer_sources(drawn, PERSONAL)]
    data, _, _ = mix(sources, DIGITS, fraction=0.1, seed=1, is_rehearsal=False)
    own_ids = np.concatenate([np.zeros(len(data.targets) - 30, np.int64), np.arange(101, 131)])
    seen: list[set[int]] = []
    network = build_network(BASE_RECIPE.network, len(DIGITS))

    def train_on(part: TrainingData, fold: int) -> TrainedNetwork:
        seen.append(set(own_ids[part.training].tolist()) - {0})
        assert fold == len(seen)
        assert len(part.training) < len(data.training) / 2
        return TrainedNetwork(network, BASE_RECIPE, DIGITS, "completed", 1, 1)

    wanted = np.arange(30) < 21
    are_read, are_right = read_out_of_fold(drawn, wanted, data, own_ids=own_ids, train_on=train_on)
    assert are_read.tolist() == wanted.tolist()
    assert not (are_right & ~are_read).any()
    left_out = [set(drawn.ids) - learned for learned in seen]
    assert sorted(i for part in left_out for i in part) == list(range(101, 122))
    assert [len(part) for part in left_out] == [7, 7, 7]
