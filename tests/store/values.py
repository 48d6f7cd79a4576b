"""Small values for the tests of the store, and how to tell that two are the same."""

from __future__ import annotations

import itertools
from datetime import datetime

import numpy as np

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.drawing.raster import PREPROCESSING_VERSION, render
from qtdigits.core.drawing.samples import Sample, Trial, Verdict
from qtdigits.core.model import Golden, LayerWeights, Model
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.checkpoints import Checkpoint
from qtdigits.core.run.events import BatchEnded, EpochEnded
from qtdigits.core.run.history import History


class StandingClock(datetime):
    """In the place of `datetime`: it is noon, and stays so."""

    @classmethod
    def now(cls, tz: object = None) -> StandingClock:
        assert tz is None
        return cls(2024, 5, 1, 12)


NOON = StandingClock.now().astimezone()

_counter = itertools.count(1)


def an_ink() -> Ink:
    """Ink that no other call has given."""
    number = next(_counter)
    return Ink.of([[(10, 10, 0, 0.5), (40 + number, 30, 12, 0.75)], [(5, 5 + number)]])


def a_sample(label: str = "7", writer: str = "Ada", **values: object) -> Sample:
    ink = an_ink()
    return Sample(
        **{"label": label, "writer": writer, "raster": render(ink), "ink": ink, "device": "mouse"} | values
    )


def an_image(label: str = "7", writer: str = "Ada", **values: object) -> Sample:
    return a_sample(label, writer, ink=None, **values)


def a_trial(truth: str | None = "7", writer: str = "Ada", *, model: str = "mlp", answer: str = "7") -> Trial:
    verdict = (
        Verdict.SKIPPED if truth is None else Verdict.CONFIRMED if truth == answer else Verdict.CORRECTED
    )
    probabilities = tuple(0.9 if label == answer else 0.1 / 9 for label in DIGITS.labels)
    return Trial(writer, model, answer, verdict, truth, DIGITS.labels, probabilities)


def same_sample(a: Sample, b: Sample) -> bool:
    """Whether all but id and hold-out, which the store decides, are equal."""
    names = ("label", "writer", "ink", "origin", "device", "drawn_at")
    return all(getattr(a, name) == getattr(b, name) for name in names) and np.array_equal(a.raster, b.raster)


def a_model(*, labels: LabelSet = DIGITS, name: str = "tiny", seed: int = 1, **values: object) -> Model:
    """A network of one hidden layer of three neurons, never trained, and arbitrary bytes for its LiteRT program."""
    rng = np.random.default_rng(seed)
    recipe = recipe_of({"dense": "3", "epochs": 2}, name=name)
    k = len(labels)
    weights: dict[str, LayerWeights] = {
        "dense": (_floats(rng, 784, 3), _floats(rng, 3)),
        "classes": (_floats(rng, 3, k), _floats(rng, k)),
    }
    golden = Golden(rng.integers(0, 256, (4, 28, 28), np.uint8), _floats(rng, 4, k))
    given = {
        "name": name,
        "network": recipe.network,
        "recipe": recipe,
        "label_set": labels,
        "weights": weights,
        "flatbuffer": rng.bytes(5000),
        "golden": golden,
        "preprocessing_version": PREPROCESSING_VERSION,
        "history": a_history(),
        "scores": {"pendigits": {"accuracy": 0.875, "n": 8}},
        "provenance": {"trained on": "nothing", "letters": "π"},
    }
    return Model(**given | values)


def a_history() -> History:
    history = History()
    history.apply(BatchEnded("run", 10, 1, 0.5, 0.75, 1.25, 3.0, 900.0))
    history.apply(BatchEnded("run", 20, 1, 0.25, 0.8, 2.5, 1.0, 900.0))
    history.apply(EpochEnded("run", 1, 20, 0.3, 0.78, 0.35, 0.77, True, 2.5, 2.5))
    return history


def same_model(a: Model, b: Model) -> bool:
    plain = (
        "name",
        "network",
        "recipe",
        "label_set",
        "flatbuffer",
        "preprocessing_version",
        "scores",
        "provenance",
        "undecided_below",
        "unlike_below",
    )
    return (
        all(getattr(a, name) == getattr(b, name) for name in plain)
        and list(a.weights) == list(b.weights)
        and a.weights_sha256 == b.weights_sha256
        and np.array_equal(a.class_means, b.class_means)
        and np.array_equal(a.golden.images, b.golden.images)
        and np.array_equal(a.golden.probabilities, b.golden.probabilities)
        and a.history.to_json() == b.history.to_json()
    )


def _floats(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.random(shape, np.float32)


def a_checkpoint(step: int = 9) -> Checkpoint:
    """After one epoch; another `step` has other weights."""
    rng = np.random.default_rng(step)
    return Checkpoint(
        network=(rng.random((3, 4), np.float32), np.array([1, 2], np.uint32)),
        optimizer=(np.int64(step), np.float32(0.1 + 0.2), rng.random(4, np.float32)),
        metrics=(np.float32(2.5),),
        best=(rng.random((3, 4), np.float32),),
        step=step,
        epochs=1,
        best_epoch=1,
        best_loss=0.1 + 0.2,
        elapsed_s=2.5,
        history=a_history(),
        facts={"data": {"classes": ["π"]}},
    )
