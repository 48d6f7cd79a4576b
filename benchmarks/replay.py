"""A model on every stored drawing, beside rendering and reading them one by one."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.common import Row
from qtdigits import paths
from qtdigits.core.drawing.raster import render, render_many
from qtdigits.core.drawing.samples import Sample
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.reader import Reader
from qtdigits.store.model_files import load_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import Drawings, replay

N = 20_000
ROUNDS = 3
DISTINCT = 2_000
"""So many drawings are made; the store gets them by ten writers."""


def measure() -> list[Row]:
    """Drawings a second, the store read anew each time; the best of some rounds, both ways in turn."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder))
        for name in ("default", "cnn-32-64"):
            path = paths.shipped_models_dir() / f"{name}.h5"
            ours, theirs = zip(
                *((_rate_of_replay(Path(folder), path), _rate_one_by_one(path)) for _ in range(ROUNDS)),
                strict=True,
            )
            beside = "render and read, one by one"
            rows.append(
                Row(f"replay with {name}", max(ours), max(theirs), "drawings/s", beside, "≥ 5,000 on 2 cores")
            )
    return rows


def _fill(folder: Path) -> None:
    inks, labels = synthetic_digits(DISTINCT, seed=1)
    rasters = render_many(inks)
    with SampleStore.open(folder) as store:
        for writer in range(N // DISTINCT):
            store.add_samples(
                Sample(label, raster, f"writer {writer}", ink)
                for ink, label, raster in zip(inks, labels, rasters, strict=True)
            )


def _rate_of_replay(folder: Path, path: Path) -> float:
    started = time.perf_counter()
    with SampleStore.open(folder) as store:
        drawings = Drawings.of(store)
    replay([path], drawings, header_of=lambda _name: None)
    return len(drawings) / (time.perf_counter() - started)


def _rate_one_by_one(path: Path) -> float:
    inks, _ = synthetic_digits(1000, seed=2)
    started = time.perf_counter()
    reader = Reader(load_model(path, weights=False))
    for ink in inks:
        reader.read(render(ink))
    return len(inks) / (time.perf_counter() - started)
