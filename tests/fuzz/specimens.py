"""Small valid files of every kind that the program reads."""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image

from qtdigits.core.drawing.ink import encode_ink
from qtdigits.core.model import Model
from qtdigits.core.recipe import Recipe
from qtdigits.core.recipe_files import load_recipe, recipe_toml
from qtdigits.core.run.events import BatchEnded, EpochEnded, RunFinished, RunResumed, encode_event
from qtdigits.core.run.figures import figures_of
from qtdigits.core.run.history import History
from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.core.search import Search
from qtdigits.core.study import StudySpec
from qtdigits.engine.protocol import ControlCommand, RunJob, encode_command
from qtdigits.paths import shipped_models_dir
from qtdigits.store.data.csv_pair import write_csv_pair
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import LabelReviewJob, TrainingJob
from qtdigits.training.study_storage import create_or_join
from tests.store.values import a_checkpoint, a_history, a_model, a_sample, a_trial, an_image

Files = tuple[tuple[str, bytes], ...]
"""Names, with folders, and contents."""

SCORES = {"my hold-out": {"accuracy": 0.97, "n": 34, "correct": 33, "interval": [0.9, 1.0]}}
JOB = TrainingJob(
    "20240501-120000-aa", "data", Recipe(), csv_pairs=(("a.csv", "b.csv"),), ink_files=("i.jsonl",)
)
FINISHED = RunFinished("run", "completed", "m.h5", 2, 1, 3.5, SCORES, {})

INK_LINES = (
    {
        "label": "7",
        "writer": "w01",
        "drawn_at": "2024-05-01T12:00:00+00:00",
        "device": "pen",
        "strokes": [[[10, 20], [30.5, 40]], [[1, 2, 3, 0.5], [4, 5, 6, 1]]],
    },
    {"label": 3, "strokes": [[[0, 0]], [], [[5, 5], [5, 5]]], "source": {"a": [1]}},
)
INK = b"".join(json.dumps(line).encode() + b"\n" for line in INK_LINES)
UNIPEN = b"""\
.VERSION 1.0
.SEGMENT DIGIT 0-1 ? "7"
.COMMENT 7 12
.PEN_DOWN
 20 30
 25 35
.PEN_UP
.DT 100
.PEN_DOWN
 1 2
.PEN_UP
.SEGMENT DIGIT 2 ? "3"
.PEN_DOWN
 5 6
.PEN_UP
"""
IDX_IMAGES = struct.pack(">4I", 0x803, 2, 28, 28) + bytes(range(196)) * 8
IDX_LABELS = struct.pack(">2I", 0x801, 2) + b"\x07\x03"
SETTINGS = rb"""[General]
theme=dark
promotion=never
guided_half_width=0.05
key_alone_corrects=true
retrain_after=20
writer=Ada
curves="{\"smoothing\": 0.5}"
geometry=@ByteArray(\x1\xd9\xd0\xcb)
"""
_POOLED = 98
KERAS_WEIGHTS = {
    "conv2d": {"kernel": (3, 3, 1, 2), "bias": (2,)},
    "batch_normalization": {"gamma": (2,), "beta": (2,), "moving_mean": (2,), "moving_variance": (2,)},
    "dense": {"kernel": (_POOLED, 10), "bias": (10,)},
}
KERAS_LAYERS = (
    ("InputLayer", "input_layer", {"batch_shape": [None, 28, 28]}),
    ("Rescaling", "rescaling", {"scale": 1.0, "offset": 0.0}),
    ("Reshape", "reshape", {"target_shape": [28, 28, 1]}),
    (
        *("Conv2D", "conv2d"),
        {
            "filters": 2,
            "kernel_size": [3, 3],
            "strides": [1, 1],
            "padding": "same",
            "groups": 1,
            "dilation_rate": [1, 1],
            "data_format": "channels_last",
            "activation": "relu",
            "use_bias": True,
        },
    ),
    (
        "BatchNormalization",
        "batch_normalization",
        {"axis": -1, "epsilon": 0.001, "center": True, "scale": True},
    ),
    ("MaxPooling2D", "max_pooling2d", {"pool_size": [4, 4], "padding": "valid", "strides": [4, 4]}),
    ("Flatten", "flatten", {"data_format": "channels_last"}),
    ("Dropout", "dropout", {"rate": 0.2}),
    ("Dense", "dense", {"units": 10, "activation": "softmax", "use_bias": True}),
)
_TURNED = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"


def npz(*, names: tuple[str, ...]) -> bytes:
    """Two images and their labels, as often as `names` has such a pair."""
    arrays = (np.full((2, 28, 28), 99, np.uint8), np.array([7, 3])) * (len(names) // 2)
    content = io.BytesIO()
    np.savez_compressed(content, **dict(zip(names, arrays, strict=True)))
    return content.getvalue()


def pngs() -> tuple[bytes, ...]:
    return tuple(_picture("PNG", mode) for mode in ("L", "RGBA", "P", "1", "LA", "I;16"))


def jpeg() -> bytes:
    return _picture("JPEG", "RGB", exif=_TURNED)


def _picture(kind: str, mode: str, **options: Any) -> bytes:
    content = io.BytesIO()
    grey = Image.fromarray(np.arange(30 * 24, dtype=np.uint8).reshape(30, 24))
    grey.convert(mode).save(content, kind, **options)
    return content.getvalue()


def keras_config() -> str:
    layers = [
        {
            "module": "keras.layers",
            "class_name": kind,
            "config": {"name": name, **settings},
            "registered_name": None,
        }
        for kind, name, settings in KERAS_LAYERS
    ]
    return json.dumps({"class_name": "Sequential", "config": {"name": "theirs", "layers": layers}})


def keras_zip() -> bytes:
    """As Keras 3 writes a model, by hand: TensorFlow's threads and a fork do not go together."""
    names = {
        f"layers/{layer}/vars/{number}": shape
        for layer, arrays in KERAS_WEIGHTS.items()
        for number, shape in enumerate(arrays.values())
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", keras_config())
        archive.writestr("model.weights.h5", _hdf5(names))
    return content.getvalue()


def keras_legacy() -> bytes:
    """As Keras 2 writes a model."""
    names = {
        f"model_weights/{layer}/{layer}/{name}:0": shape
        for layer, arrays in KERAS_WEIGHTS.items()
        for name, shape in arrays.items()
    }
    return _hdf5(names, model_config=keras_config())


def _hdf5(names: dict[str, tuple[int, ...]], **attributes: str) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, shape in names.items():
            file.create_dataset(name, data=np.full(shape, 0.125, np.float32))
        for name, value in attributes.items():
            file.attrs[name] = value
    return content.getvalue()


def ink_blobs() -> tuple[bytes, ...]:
    return encode_ink(a_sample().ink), encode_ink(a_sample().ink)


def recipes() -> tuple[bytes, ...]:
    return recipe_toml(Recipe()).encode(), recipe_toml(load_recipe("default")).encode()


def commands() -> bytes:
    said = (RunJob(JOB), RunJob(LabelReviewJob("x", "data", "me")), ControlCommand.PAUSE)
    return b"".join(encode_command(command).encode() + b"\n" for command in said)


def events() -> bytes:
    batch = BatchEnded("run", 10, 1, 0.5, 0.75, 1.25, 3.0, 900.0)
    epoch = EpochEnded("run", 1, 20, 0.3, 0.78, 0.35, 0.77, True, 2.5, 2.5)
    said = (batch, epoch, FINISHED, RunResumed("run", 1, 20, a_history().to_json()))
    return b"".join(encode_event(event).encode() + b"\n" for event in said)


@cache
def real_model() -> Model:
    """The smallest that is shipped: its LiteRT program runs."""
    return load_model(shipped_models_dir() / "mlp-50-50.h5")


@cache
def empty_store() -> bytes:
    return dict(_written(lambda folder: SampleStore.open(folder).close()))["samples.db"]


@cache
def store() -> bytes:
    return dict(_written(_make_store))["samples.db"]


@cache
def csv_pair() -> Files:
    rasters = np.full((2, 28, 28), 9, np.uint8)
    return _written(lambda f: write_csv_pair(f / "images.csv", f / "labels.csv", rasters, ["7", "3"]))


@cache
def run_files() -> Files:
    return _written(_make_run)


@cache
def model_files() -> Files:
    return _written(_make_models)


@cache
def study_files() -> Files:
    spec = StudySpec(Recipe(), (Search.parse("learning_rate=0.001|0.002"),), "grid", trials=2)
    return _written(lambda folder: create_or_join("mine", spec, data_dir=folder))


def _written(write: Callable[[Path], object]) -> Files:
    """What `write` leaves in a folder."""
    with tempfile.TemporaryDirectory() as name:
        write(folder := Path(name))
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return tuple((path.relative_to(folder).as_posix(), path.read_bytes()) for path in files)


def _make_store(folder: Path) -> None:
    with SampleStore.open(folder) as opened:
        for label, truth in (("7", "7"), ("1", "1"), ("3", None)):
            opened.judge(a_sample(label) if truth else None, a_trial(truth, answer="7"))
        opened.add_samples([an_image("5", "Bob"), a_sample("4", "Bob"), a_sample("8")])
        opened.delete_samples(opened.ids().tolist()[-1:])
        for run in ("20240501-120000-aa", "20240501-120001-bb"):
            opened.runs.add(RunRecord(run, Recipe().to_json(), note="a note"))
            opened.queue.add(run, JOB.to_json())
        figures = figures_of(a_history(), SCORES)
        opened.runs.end(run, state="completed", model="m.h5", history=a_history(), figures=figures)


def _make_run(folder: Path) -> None:
    run = RunFolder(folder, "run")
    run.write_request(JOB.to_json())
    run.save_result(FINISHED)
    run.write_checkpoint(a_checkpoint())
    images, confidence = np.zeros((2, 28, 28), np.uint8), np.array([0.5, 0.75])
    found = ReadDrawings(("0", "1"), images, np.array([0, 1]), np.array([1, 1]), confidence)
    run.save_readings({"my hold-out": found})


def _make_models(folder: Path) -> None:
    for name in ("models/a", "models/b", "shipped/s"):
        (folder / name).parent.mkdir(exist_ok=True)
        save_model(a_model(name=name[-1], history=History()), folder / f"{name}.h5")
    library = ModelLibrary(folder, shipped=folder / "shipped")
    library.promote(folder / "models" / "a.h5")
    library.promote(folder / "models" / "b.h5")
    library.use_class_set("mine")
    library.promote(folder / "models" / "a.h5")
