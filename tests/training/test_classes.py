"""A person's classes and what models make of them: really trained, on a few hundred synthetic digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import Class
from qtdigits.core.drawing.raster import render, render_many
from qtdigits.core.drawing.samples import Sample
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import RunFinished
from qtdigits.core.score.comparison import Comparison
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import check_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.train import train_job
from tiny_training import TINY_RECIPE, Recorder, write_tiny_mnist

pytestmark = pytest.mark.tensorflow


def finished(job: TrainingJob) -> RunFinished:
    emit = Recorder()
    train_job(job, emit=emit, control=Control())
    assert isinstance(emit.events[-1], RunFinished), emit.events[-1]
    return emit.events[-1]


def a_heart(number: int) -> Ink:
    """Two lines that meet below, wide as no digit is."""
    return Ink.of(
        [[(100, 300), (300 + 5 * number, 150), (500, 350)], [(500, 350), (700, 150), (900, 300 + number)]]
    )


def test_that_a_training_knows_classes_by_their_ids_and_reads_them_by_their_present_labels(
    data_dir: Path,
) -> None:
    write_tiny_mnist(data_dir / "mnist.npz")
    inks, labels = synthetic_digits(100, seed=3)
    with SampleStore.open(data_dir) as store:
        store.add_samples(
            Sample(label, raster, "me", ink)
            for ink, label, raster in zip(inks, labels, render_many(inks), strict=True)
        )
    first = finished(
        TrainingJob.new(TINY_RECIPE.with_values(epochs=6), data_dir=data_dir, use_drawings=False)
    )
    ModelLibrary(data_dir).promote(Path(first.model))
    with SampleStore.open(data_dir) as store:
        store.add_samples(Sample("hart", render(ink), "me", ink) for ink in map(a_heart, range(12)))
        store.class_table.rename("hart", "♥")
        store.class_table.rename("7", "seven")
        store.class_table.merge("1", "seven")
        store.class_table.retire("8")
        drawn = store.dataset()
    before = Reader.open(first.model, data_dir=data_dir)
    assert before.label_set.labels == ("0", "seven", "2", "3", "4", "5", "6", "9")

    personal = TINY_RECIPE.with_values(
        start="champion", keep="last", drawings_share=0.5, epochs=6, mnist_images=200
    )
    second = finished(TrainingJob.new(personal, data_dir=data_dir, writer="me", champion=first.model))
    model = check_model(Path(second.model))
    assert model.label_set.classes[:2] == (Class("0", "0"), Class("1", "1"))
    assert model.label_set.classes[7:] == (
        Class("7", "seven"),
        Class("8", "8"),
        Class("9", "9"),
        Class("hart", "♥"),
    )
    n_retired = int(np.sum(np.asarray(labels) == "8"))
    with SampleStore.open(data_dir) as store:
        held_out = store.count(held_out=True)
    assert model.provenance["drawings"]["n"] == 112 - n_retired - held_out
    found = Comparison.from_json(second.comparison)
    assert found.hold_out.n == held_out == second.scores["my hold-out"]["n"]
    assert "8" not in second.scores["my hold-out"]["classes"]
    assert second.scores["MNIST test"]["accuracy"] > 0.5

    after = Reader.open(second.model, data_dir=data_dir)
    assert after.label_set.labels == ("0", "seven", "2", "3", "4", "5", "6", "9", "♥")
    hearts = [place for place, label in enumerate(drawn.labels) if label == "♥"]
    read = after.read_many(drawn.images[hearts]).argmax(axis=1)
    assert np.mean([after.label_set.labels[i] == "♥" for i in read]) > 0.8
