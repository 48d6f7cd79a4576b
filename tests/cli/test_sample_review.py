from __future__ import annotations

from pathlib import Path

import numpy as np

from cli.running import Run
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGIT_LABELS
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.samples import Sample
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.store.tables.samples import SampleStore


def test_that_a_wrong_label_is_listed_and_waits(run: Run, data_dir: Path) -> None:
    inks, labels = synthetic_digits(10, 2)
    by_label = dict(zip(labels, inks, strict=True))
    with SampleStore.open(data_dir) as store:
        inks_in_turn = [leaning(by_label[DIGIT_LABELS[i % 10]], i / 200) for i in range(50)]
        store.add_samples(
            Sample("6" if i == 3 else DIGIT_LABELS[i % 10], render(ink), "Ada", ink, device=str(i))
            for i, ink in enumerate(inks_in_turn)
        )
        [doubted] = [i for i, sample in enumerate(store.samples(), 1) if sample.device == "3"]
    found = run("samples", "review", "--json").json
    assert [(row["id"], row["label"], row["suggestion"]) for row in found["waiting"]] == [(doubted, "6", "3")]
    assert "looks like a 3" in run("samples", "review", "--writer", "Ada").out
    assert "There is no writer 'Bo'" in run("samples", "review", "--writer", "Bo").err


def leaning(ink: Ink, lean: float) -> Ink:
    strokes = [np.array(stroke, np.float64) for stroke in ink.strokes]
    for stroke in strokes:
        stroke[:, 0] += stroke[:, 1] * lean
    return Ink.of(strokes)
