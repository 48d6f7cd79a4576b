from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.label_review import LabelClassifier
from qtdigits.core.drawing.labels import DIGIT_LABELS
from qtdigits.core.drawing.raster import render, render_many
from qtdigits.core.drawing.samples import Sample, Suspicion
from qtdigits.core.drawing.synthetic import synthetic_digits, synthetic_ink
from qtdigits.core.formatting import awaiting_review
from qtdigits.core.run.control import Control
from qtdigits.errors import CancelledError
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import label_review as label_guard
from qtdigits.training.data_cache import DataCache
from qtdigits.training.label_review import Review, review, review_before_training


@pytest.fixture(scope="module")
def witness() -> LabelClassifier:
    inks, labels = synthetic_digits(600, 1)
    return LabelClassifier.of(render_many(inks), labels)


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
    store: SampleStore, witness: LabelClassifier
) -> None:
    assert review(store, witness, Control()) == Review(83, (4,))
    [doubted] = store.samples(is_suspect=True)
    assert doubted.suspicion is not None
    assert (doubted.suspicion.suggestion, doubted.label) == ("3", "6")
    assert doubted.suspicion.reason == "looks like a 3, and like your own 3s"


def test_that_what_has_been_reviewed_is_never_doubted_again(
    store: SampleStore, witness: LabelClassifier
) -> None:
    store.accept_labels([4])
    assert review(store, witness, Control(), writer="Ada") == Review(80, ())


def test_that_a_doubt_goes_with_its_cause(store: SampleStore, witness: LabelClassifier) -> None:
    store.mark_suspects({20: Suspicion(0.9, "1", "an older rule said so")})
    assert review(store, witness, Control()).doubted == (4,)


def test_that_only_the_writer_who_was_asked_for_is_looked_at(
    store: SampleStore, witness: LabelClassifier
) -> None:
    assert review(store, witness, Control(), writer="Bo") == Review(3, ())
    assert store.count(is_suspect=True) == 0


def test_that_nothing_is_written_where_nothing_has_changed(
    store: SampleStore, witness: LabelClassifier
) -> None:
    review(store, witness, Control())
    with SampleStore.open(store.path.parent) as another:
        before = another.revision
        assert review(store, witness, Control()) == Review(83, (4,))
        assert another.revision == before


def test_that_a_hand_that_was_looked_through_is_looked_through_again_when_it_has_changed(
    store: SampleStore, witness: LabelClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []
    judge = label_guard.find_suspects

    def watched(witness: LabelClassifier, images: np.ndarray, labels: Sequence[str]) -> dict[int, Suspicion]:
        looked_at.append(len(images))
        return judge(witness, images, labels)

    monkeypatch.setattr(label_guard, "find_suspects", watched)
    known: dict[tuple[Path, str], bytes] = {}
    review(store, witness, Control(), reviewed=known)
    assert review(store, witness, Control(), reviewed=known) == Review(83, (4,))
    assert looked_at == [80, 3]
    store.relabel([81], "3")
    review(store, witness, Control(), reviewed=known)
    assert looked_at == [80, 3, 3]


def test_that_a_stop_ends_the_look(store: SampleStore, witness: LabelClassifier) -> None:
    control = Control()
    control.stop()
    with pytest.raises(CancelledError):
        review(store, witness, control)


class Cache(DataCache):
    """With a witness that was learned in a moment."""

    def __init__(self, witness: LabelClassifier) -> None:
        super().__init__()
        self._witness = witness


def test_that_before_a_training_somebody_is_told_how_many_wait(
    store: SampleStore, witness: LabelClassifier, tmp_path: Path
) -> None:
    said: list[str] = []
    review_before_training(
        tmp_path,
        cache=Cache(witness),
        control=Control(),
        progress=lambda what, done, total: None,
        notice=said.append,
    )
    held_out = bool(store.count(ids=(4,), held_out=True))
    assert not held_out
    assert said == [awaiting_review(1)]
    assert 4 not in store.dataset(held_out=False).ids


def test_that_only_what_would_be_trained_on_is_told_of(
    store: SampleStore, witness: LabelClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubt = Suspicion(0.9, "1", "looks like a 1")
    monkeypatch.setattr(
        label_guard,
        "find_suspects",
        lambda _witness, images, _labels: dict.fromkeys(range(len(images)), doubt),
    )
    said: list[str] = []
    review_before_training(
        store.path.parent,
        cache=Cache(witness),
        control=Control(),
        progress=lambda what, done, total: None,
        notice=said.append,
    )
    assert store.count(is_suspect=True) == 83
    assert said == [awaiting_review(83 - store.count(held_out=True))]


def test_that_without_drawings_nothing_is_said_and_no_witness_is_needed(tmp_path: Path) -> None:
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
