"""One drawing through the default model: LiteRT on one thread beside Keras's two ways, and with much remembered."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.common import Row, finish, medians, run_child

N_READINGS = 400
N_WARM = 20
WAYS = ("litert", "predict", "call")
TIMES = 2
REMEMBERED = {1_000: "≤ 1 ms", 10_000: "≤ 2 ms", 100_000: "≤ 8 ms"}
N_DIFFERENT, SPREAD = 2_000, 0.02
"""Remembered drawings: synthetic ones, and copies of these that differ a little."""


def measure() -> list[Row]:
    rounds = [{way: run_child("reading", way) for way in WAYS} for _ in range(TIMES)]
    figures = {way: medians([each[way] for each in rounds]) for way in WAYS}
    beside = {"predict": "`model.predict`, one drawing", "call": "`model(x)`, one drawing"}
    with_memory = {n: run_child("reading", str(n))["median_ms"] for n in REMEMBERED}
    alone = figures["litert"]["median_ms"]
    return [
        Row(
            f"one reading with {n:,} remembered, median",
            with_memory[n],
            alone,
            "ms",
            "without memory",
            target,
        )
        for n, target in REMEMBERED.items()
    ] + [
        Row(f"one reading, {what}", figures["litert"][key], figures[way][key], "ms", text, target)
        for way, text in beside.items()
        for what, key, target in (("median", "median_ms", ""), ("p99", "p99_ms", "≤ 1 ms"))
    ]


def child(way: str) -> None:
    from qtdigits.core.drawing.raster import render_many
    from qtdigits.core.drawing.synthetic import synthetic_digits

    images = render_many(synthetic_digits(N_READINGS, seed=1)[0])
    read = _reading(way)
    spent = []
    for number, image in enumerate((*images[:N_WARM], *images)):
        started = time.perf_counter()
        read(image)
        if number >= N_WARM:
            spent.append(1000 * (time.perf_counter() - started))
    finish(median_ms=float(np.median(spent)), p99_ms=float(np.percentile(spent, 99)))


def _reading_with_memory(n: int) -> Callable[[Any], object]:
    from qtdigits.core.drawing.raster import render_many
    from qtdigits.core.drawing.synthetic import synthetic_digits
    from qtdigits.core.memory import Memory
    from qtdigits.reader import Reader

    reader, memory, rng = Reader.open("default"), Memory(), np.random.default_rng(1)
    inks, labels = synthetic_digits(N_DIFFERENT, seed=2)
    different = reader.embed(render_many(inks))
    for i in range(n):
        embedding = different[i % N_DIFFERENT] + rng.normal(0, SPREAD, different.shape[1])
        memory.add(embedding, labels[i % N_DIFFERENT])
    return lambda image: reader.read(image, memory)


def _reading(way: str) -> Callable[[Any], object]:
    if way.isdecimal():
        return _reading_with_memory(int(way))
    from qtdigits.paths import shipped_models_dir
    from qtdigits.store.model_files import load_model

    model = load_model(shipped_models_dir() / "default.h5")
    if way == "litert":
        from qtdigits.reader import Reader

        return Reader(model).probabilities
    import keras

    from qtdigits.ml.models import from_model

    keras.utils.disable_interactive_logging()
    network = from_model(model)
    if way == "predict":
        return lambda image: network.predict((image / np.float32(255))[None, ..., None], verbose=0)
    return lambda image: np.asarray(network((image / np.float32(255))[None, ..., None], training=False))


if __name__ == "__main__":
    child(sys.argv[1])
