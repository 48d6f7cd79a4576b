"""What it costs a training that it is watched: the program's whole run beside a plain `fit` on the same batches.

The program's side tells every batch as a line of JSON, scores the person's hold-out after each epoch, keeps the best weights,
records the run and writes checkpoints; the plain one has no callbacks at all. Both sides take turns,
each in a process of its own; the time is that of the training alone, the first batch and its compilation included.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common import Row, alternate, finish

if TYPE_CHECKING:
    from qtdigits.core.run.events import Event
    from qtdigits.training.jobs import TrainingJob

ROUNDS = 3
N_HELD_OUT_OF = 1000
"""Drawings in the store: about a fifth of them are held out."""
TRAININGS = {"cnn-32-64": ("20000", "2"), "mlp-50-50": ("60000", "6")}
"""Images of MNIST and epochs, by recipe."""


def measure() -> list[Row]:
    rows = []
    for recipe, amount in TRAININGS.items():
        ours, plain = alternate(ROUNDS, "reporting", ("ours", recipe, *amount), ("plain", recipe, *amount))
        beside = "fit on the same batches, no callbacks"
        rows.append(
            Row(f"training by {recipe}, all reporting live", ours["s"], plain["s"], "s", beside, "≤ 1.05")
        )
    return rows


def child(side: str, recipe: str, images: str, epochs: str) -> None:
    from qtdigits.core.recipe_files import load_recipe
    from qtdigits.training.jobs import TrainingJob

    with tempfile.TemporaryDirectory(prefix="qtdigits-reporting-") as folder:
        _fill(Path(folder))
        chosen = replace(load_recipe(recipe), mnist_images=int(images), epochs=int(epochs))
        request = TrainingJob.new(chosen, data_dir=folder)
        seconds = _ours(request) if side == "ours" else _plain(request)
    finish(s=seconds)


def _fill(folder: Path) -> None:
    from qtdigits.core.drawing.raster import render_many
    from qtdigits.core.drawing.samples import DEFAULT_WRITER, Sample
    from qtdigits.core.drawing.synthetic import synthetic_digits
    from qtdigits.store.tables.samples import SampleStore

    inks, labels = synthetic_digits(N_HELD_OUT_OF, seed=1)
    with SampleStore.open(folder) as store:
        store.add_samples(
            Sample(str(label), raster, DEFAULT_WRITER, ink)
            for ink, label, raster in zip(inks, labels, render_many(inks), strict=True)
        )


def _ours(request: TrainingJob) -> float:
    """From the event that a run has begun to that of its last epoch."""
    from qtdigits.core.run.control import Control
    from qtdigits.core.run.events import EpochEnded, RunFinished, RunStarted, encode_event
    from qtdigits.training.train import train_job

    times: dict[type[Event], float] = {}
    with Path(os.devnull).open("w", encoding="utf-8") as window:

        def emit(event: Event) -> None:
            print(encode_event(event), file=window, flush=True)
            times[type(event)] = time.perf_counter()

        train_job(request, emit=emit, control=Control())
    assert RunFinished in times, "the run did not come to its end"
    return times[EpochEnded] - times[RunStarted]


def _plain(request: TrainingJob) -> float:
    from qtdigits.core.run.control import Control
    from qtdigits.ml.batches import training_batches, validation_batches
    from qtdigits.ml.networks import build_network, compile_network
    from qtdigits.training.data_cache import DataCache
    from qtdigits.training.gather import gather

    recipe = request.recipe
    gathered = gather(request, cache=DataCache(), control=Control(), progress=lambda *_: None)
    data, n_classes = gathered.data, len(gathered.label_set)
    steps = data.steps_per_epoch(recipe.batch_size)
    network = build_network(recipe.network, n_classes)
    compile_network(network, recipe, steps_per_epoch=steps)
    started = (
        time.perf_counter()
    )  # as on the other side: the network stands, its batches are still to be made
    batches = training_batches(data, n_classes=n_classes, batch_size=recipe.batch_size, seed=recipe.seed)
    validation = validation_batches(data, n_classes=n_classes)
    network.fit(
        batches,
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        validation_data=validation,
        shuffle=False,
        verbose=0,
    )
    return time.perf_counter() - started


if __name__ == "__main__":
    child(*sys.argv[1:])
