from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGIT_LABELS
from qtdigits.core.drawing.raster import render, render_many
from qtdigits.core.drawing.samples import Dataset, Sample, Suspicion
from qtdigits.core.drawing.synthetic import synthetic_digits, synthetic_ink
from qtdigits.core.formatting import awaiting_review
from qtdigits.core.run.control import Control
from qtdigits.errors import CancelledError
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.data_cache import DataCache
from qtdigits.training.label_review import (
    LabelReviewer,
    Review,
    review,
    review_before_training,
    shipped_reviewer,
)


@pytest.fixture(scope="module")
def reviewer() -> LabelReviewer:
    return shipped_reviewer()


class Watched(LabelReviewer):
    """Notes how many drawings it looked through, and doubts what it is told to."""

    def __init__(self, *, doubt: Suspicion | None = None) -> None:
        self.looked_at: list[int] = []
        self._doubt = doubt

    def suspects(self, drawings: Dataset) -> dict[int, Suspicion]:
        self.looked_at.append(len(drawings))
        return dict.fromkeys(range(len(drawings)), self._doubt) if self._doubt else {}


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
    store: SampleStore, reviewer: LabelReviewer
) -> None:
    assert review(store, Control(), reviewer=reviewer) == Review(83, (4,))
    [doubted] = store.samples(is_suspect=True)
    assert doubted.suspicion is not None
    assert (doubted.suspicion.suggestion, doubted.label) == ("3", "6")
    assert doubted.suspicion.reason == "looks like a 3, and like your own 3s"


def test_that_what_has_been_reviewed_is_never_doubted_again(
    store: SampleStore, reviewer: LabelReviewer
) -> None:
    store.accept_labels([4])
    assert review(store, Control(), reviewer=reviewer, writer="Ada") == Review(80, ())


def test_that_a_doubt_goes_with_its_cause(store: SampleStore, reviewer: LabelReviewer) -> None:
    store.mark_suspects({20: Suspicion(0.9, "1", "an older rule said so")})
    assert review(store, Control(), reviewer=reviewer).doubted == (4,)


def test_that_only_the_writer_who_was_asked_for_is_looked_at(
    store: SampleStore, reviewer: LabelReviewer
) -> None:
    assert review(store, Control(), reviewer=reviewer, writer="Bo") == Review(3, ())
    assert store.count(is_suspect=True) == 0


def test_that_nothing_is_written_where_nothing_has_changed(
    store: SampleStore, reviewer: LabelReviewer
) -> None:
    review(store, Control(), reviewer=reviewer)
    with SampleStore.open(store.path.parent) as another:
        before = another.revision
        assert review(store, Control(), reviewer=reviewer) == Review(83, (4,))
        assert another.revision == before


def test_that_a_hand_that_was_looked_through_is_looked_through_again_when_it_has_changed(
    store: SampleStore,
) -> None:
    watched = Watched()
    known: dict[tuple[Path, str], bytes] = {}
    review(store, Control(), reviewer=watched, reviewed=known)
    assert review(store, Control(), reviewer=watched, reviewed=known) == Review(83, ())
    assert watched.looked_at == [80, 3]
    store.relabel([81], "3")
    review(store, Control(), reviewer=watched, reviewed=known)
    assert watched.looked_at == [80, 3, 3]


def test_that_a_stop_ends_the_look(store: SampleStore, reviewer: LabelReviewer) -> None:
    control = Control()
    control.stop()
    with pytest.raises(CancelledError):
        review(store, control, reviewer=reviewer)


def test_that_before_a_training_somebody_is_told_how_many_wait(
    store: SampleStore, reviewer: LabelReviewer, tmp_path: Path
) -> None:
    said: list[str] = []
    review_before_training(
        tmp_path,
        cache=DataCache(),
        reviewer=reviewer,
        control=Control(),
        progress=lambda what, done, total: None,
        notice=said.append,
    )
    held_out = bool(store.count(ids=(4,), held_out=True))
    assert not held_out
    assert said == [awaiting_review(1)]
    assert 4 not in store.dataset(held_out=False).ids


def test_that_only_what_would_be_trained_on_is_told_of(store: SampleStore) -> None:
    said: list[str] = []
    review_before_training(
        store.path.parent,
        cache=DataCache(),
        control=Control(),
        progress=lambda what, done, total: None,
        notice=said.append,
        reviewer=Watched(doubt=Suspicion(0.9, "1", "looks like a 1")),
    )
    assert store.count(is_suspect=True) == 83
    assert said == [awaiting_review(83 - store.count(held_out=True))]


def test_that_without_drawings_nothing_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    SampleStore.open(tmp_path / "empty").close()
    review_before_training(
        tmp_path / "empty",
        cache=DataCache(),
        control=Control(),
        progress=lambda what, done, total: None,
        notice=said.append,
    )
    assert said == []


def test_that_the_shipped_reviewer_finds_a_planted_label(reviewer: LabelReviewer) -> None:
    inks, labels = synthetic_digits(200, 7)
    planted = labels.index("7")
    wrong = (*labels[:planted], "3", *labels[planted + 1 :])
    found = reviewer.suspects(Dataset("digits", render_many(inks), wrong))
    assert found[planted].suggestion == "7"
    assert set(labels) == set(DIGIT_LABELS)
