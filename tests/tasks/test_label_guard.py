from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.control import Control
from qtdigits.core.ink import Ink
from qtdigits.core.label_guard import DIGIT_LABELS, Witness
from qtdigits.core.raster import render, render_many
from qtdigits.core.samples import Sample, Suspicion
from qtdigits.core.synthetic import synthetic_digits, synthetic_ink
from qtdigits.store.samples import SampleStore
from qtdigits.tasks.label_guard import Review, review


@pytest.fixture(scope="module")
def witness() -> Witness:
    inks, labels = synthetic_digits(600, 1)
    return Witness.of(render_many(inks), labels)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    """Ada's digits in turn, each eight times; her 4th one, a 3, is labelled 6, and Bo has a few scribbled 3s."""
    rng = np.random.default_rng(2)
    ways = [synthetic_ink(label, rng) for label in DIGIT_LABELS]
    with SampleStore.open(tmp_path) as opened:
        opened.add_samples(
            Sample(label="6" if i == 3 else DIGIT_LABELS[i % 10], raster=render(ink), writer="Ada", ink=ink)
            for i, ink in enumerate(leaning(ways[i % 10], rng) for i in range(80))
        )
        bo = [synthetic_ink("3", rng) for _ in range(3)]
        opened.add_samples(Sample(label="6", raster=render(ink), writer="Bo", ink=ink) for ink in bo)
        yield opened


def leaning(ink: Ink, rng: np.random.Generator) -> Ink:
    lean = rng.normal(0.0, 0.08)
    strokes = [np.array(stroke, np.float64) for stroke in ink.strokes]
    for stroke in strokes:
        stroke[:, 0] += stroke[:, 1] * lean
    return Ink.of(strokes)


def test_that_a_doubted_drawing_waits_with_a_suggestion_and_a_reason(
    store: SampleStore, witness: Witness
) -> None:
    assert review(store, witness, Control()) == Review(83, (4,))
    [doubted] = store.samples(is_suspect=True)
    assert doubted.suspicion is not None
    assert (doubted.suspicion.suggestion, doubted.label) == ("3", "6")
    assert doubted.suspicion.reason == "looks like a 3, and like your own 3s"


def test_that_what_has_been_reviewed_is_never_doubted_again(store: SampleStore, witness: Witness) -> None:
    store.accept_labels([4])
    assert review(store, witness, Control(), writer="Ada") == Review(80, ())


def test_that_a_doubt_goes_with_its_cause(store: SampleStore, witness: Witness) -> None:
    store.mark_suspects({20: Suspicion(0.9, "1", "an older rule said so")})
    assert review(store, witness, Control()).doubted == (4,)


def test_that_only_the_writer_who_was_asked_for_is_looked_at(store: SampleStore, witness: Witness) -> None:
    assert review(store, witness, Control(), writer="Bo") == Review(3, ())
    assert store.count(is_suspect=True) == 0
