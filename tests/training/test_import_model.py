"""Models of Keras's own, rebuilt as ours; and files that only look like such models."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.embedding import reference_drawings
from qtdigits.errors import InputError
from qtdigits.limits import KERAS_BYTES
from qtdigits.paths import shipped_models_dir
from qtdigits.reader import Reader
from qtdigits.store.data import keras_files
from qtdigits.store.model_files import check_model, save_model
from qtdigits.training.export.export_model import export_model
from qtdigits.training.import_model import Task
from qtdigits.training.rebuild import rebuild

pytestmark = pytest.mark.tensorflow

SHIPPED = shipped_models_dir() / "mlp-50-50.h5"


def networks() -> dict[str, tuple[float, list[Any]]]:
    """Networks as reports and tutorials have them, each with the value of full ink."""
    from qtdigits.ml.backend import keras

    k = keras.layers
    return {
        "the report's MLP": (
            1,
            [
                keras.Input((784,)),
                k.Dense(20, activation="relu"),
                k.Dropout(0.2),
                k.Dense(16, activation="relu"),
                k.Dense(10, activation="softmax"),
            ],
        ),
        "the report's CNN": (
            1,
            [
                keras.Input((28, 28, 1)),
                k.Conv2D(4, (3, 3), activation="relu"),
                k.Conv2D(6, (3, 3), activation="relu"),
                k.MaxPooling2D((2, 2)),
                k.Dropout(0.25),
                k.Flatten(),
                k.Dense(12, activation="relu"),
                k.Dropout(0.5),
                k.Dense(10, activation="softmax"),
            ],
        ),
        "rescaling, logits": (
            255,
            [
                keras.Input((28, 28)),
                k.Rescaling(1 / 127.5, offset=-1),
                k.Flatten(),
                k.Dense(14, activation="tanh"),
                k.BatchNormalization(),
                k.Dense(10),
            ],
        ),
        "everything": (
            255,
            [
                keras.Input((28, 28)),
                k.Rescaling(1 / 255),
                k.Reshape((28, 28, 1)),
                k.Conv2D(4, 3, padding="same", strides=2, use_bias=False),
                k.BatchNormalization(scale=False),
                k.ReLU(),
                k.Conv2D(5, 3, activation="elu"),
                k.BatchNormalization(),
                k.MaxPooling2D(),
                k.SpatialDropout2D(0.1),
                k.Conv2D(6, 2),
                k.MaxPooling2D(2),
                k.Activation("relu"),
                k.BatchNormalization(),
                k.GlobalAveragePooling2D(),
                k.Dense(9),
                k.BatchNormalization(),
                k.Activation("gelu"),
                k.Dense(10),
                k.Softmax(),
            ],
        ),
    }


def keras_model(layers: list[Any]) -> Any:
    """With random weights, statistics of batch normalisation among them."""
    from qtdigits.ml.backend import keras

    model, rng = keras.Sequential(layers), np.random.default_rng(5)
    model.set_weights(
        [np.abs(w + rng.normal(0.4, 0.1, w.shape)) if w.ndim == 1 else w for w in model.get_weights()]
    )
    return model


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., tuple[dict[str, Any], Path]]:
    def imported(path: Path, **settings: Any) -> tuple[dict[str, Any], Path]:
        out = tmp_path / "imported.h5"
        return rebuild(Task(str(path), str(out), "brought", **settings)), out

    return imported


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", ["the report's MLP", "the report's CNN", "rescaling, logits", "everything"])
def test_that_a_keras_model_answers_as_before(
    name: str, suffix: str, tmp_path: Path, imported: Callable[..., tuple[dict[str, Any], Path]]
) -> None:
    highest, layers = networks()[name]
    model = keras_model(layers)
    model.save(path := tmp_path / f"theirs{suffix}")
    found, out = imported(path, highest=float(highest))
    assert found["difference"] < 0.01
    drawings = render_many(synthetic_digits(40, 9)[0])
    given = drawings.reshape(-1, *model.input_shape[1:]) * np.float32(highest / 255)
    expected = np.asarray(model(given, training=False))
    if name == "rescaling, logits":
        expected = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    ours = check_model(out)
    assert np.abs(Reader(ours).read_many(drawings) - expected).max() < 0.01
    assert ours.provenance["imported_from"] == f"theirs{suffix}"
    assert ours.network.n_parameters(10) > 100


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_that_an_exported_model_comes_back_with_its_classes(
    suffix: str, tmp_path: Path, data_dir: Path, imported: Callable[..., tuple[dict[str, Any], Path]]
) -> None:
    export_model(SHIPPED, out := tmp_path / f"taken{suffix}", format_name="", data_dir=data_dir)
    found, path = imported(out)
    assert found["title"] == "MLP 50-50"
    assert found["n_right"] > 400
    drawings = render_many(synthetic_digits(40, 9)[0])
    expected = Reader.open(SHIPPED).read_many(drawings)
    assert np.abs(Reader.open(path).read_many(drawings) - expected).max() < 1e-3


def test_that_a_model_of_qtdigits_is_checked_and_comes_as_it_is(
    tmp_path: Path, imported: Callable[..., tuple[dict[str, Any], Path]]
) -> None:
    (ours := tmp_path / "ours.h5").write_bytes(SHIPPED.read_bytes())
    found, path = imported(ours)
    assert found == {"title": "MLP 50-50", "has_new_program": False}
    assert check_model(path).name == "brought"
    assert check_model(path).flatbuffer == check_model(SHIPPED).flatbuffer
    with pytest.raises(InputError, match="which knows its classes"):
        imported(ours, classes=("a", "b"))
    ours.write_bytes(SHIPPED.read_bytes()[:-5000])
    with pytest.raises(InputError, match="damaged"):
        imported(ours)


def test_that_a_program_that_is_not_ours_is_built_anew_unseen(
    tmp_path: Path, imported: Callable[..., tuple[dict[str, Any], Path]]
) -> None:
    model = check_model(SHIPPED)
    theirs = replace(model, flatbuffer=model.flatbuffer + b"theirs")
    found, path = imported(save_model(theirs, tmp_path / "theirs.h5").path)
    assert not found["has_new_program"]
    assert not check_model(path).flatbuffer.endswith(b"theirs")


def test_that_a_program_of_another_network_is_built_anew(
    tmp_path: Path, imported: Callable[..., tuple[dict[str, Any], Path]]
) -> None:
    model, other = check_model(SHIPPED), check_model(shipped_models_dir() / "cnn-32-64.h5")
    swapped = replace(model, flatbuffer=other.flatbuffer, golden=other.golden)
    found, path = imported(save_model(swapped, tmp_path / "swapped.h5").path)
    assert found["has_new_program"]
    drawings = render_many(synthetic_digits(40, 9)[0])
    expected = Reader.open(SHIPPED).read_many(drawings)
    assert np.abs(Reader.open(path).read_many(drawings) - expected).max() < 1e-3


@pytest.mark.parametrize("highest", [1, 255])
def test_that_the_value_of_full_ink_is_found_out(
    highest: int, tmp_path: Path, imported: Callable[..., tuple[dict[str, Any], Path]]
) -> None:
    """The bias makes a network of one kind of images useless for the other."""
    from qtdigits.ml.backend import keras

    images, labels = reference_drawings()
    flat = images.reshape(len(images), -1) * np.float32(highest / 255)
    means = np.stack([flat[np.array(labels) == digit].mean(axis=0) for digit in DIGITS.labels], axis=1)
    scale = 0.3 / highest**2
    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax")])
    model.layers[-1].set_weights([scale * means, -scale / 2 * (means**2).sum(axis=0)])
    model.save(path := tmp_path / "nearest-mean.keras")
    found, _ = imported(path)
    assert found["images_from_0_to"] == highest
    assert found["n_right"] > 250


def test_that_the_layers_of_a_functional_model_may_be_a_chain(
    tmp_path: Path, imported: Callable[..., tuple[dict[str, Any], Path]]
) -> None:
    from qtdigits.ml.backend import keras

    image = keras.Input((28, 28))
    flow = keras.layers.Dense(8, activation="relu")(keras.layers.Flatten()(image))
    keras.Model(image, keras.layers.Dense(3, activation="softmax")(flow)).save(path := tmp_path / "f.keras")
    with pytest.raises(InputError, match="has 3 outputs, but there are 10 classes"):
        imported(path)
    found, out = imported(path, classes=("a", "b", "c"))
    assert found["classes"] == ["a", "b", "c"]
    assert check_model(out).label_set.labels == ("a", "b", "c")

    keras.Model(image, keras.layers.Add()([flow, flow])).save(path)
    with pytest.raises(InputError, match="has 2 inputs, not one"):
        imported(path)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A file to be spoilt."""
    _, layers = networks()["the report's CNN"]
    keras_model(layers).save(path := tmp_path / "theirs.keras")
    return path


def changed(path: Path, **members: Callable[[bytes], bytes]) -> Path:
    """Change members of the archive: `config`, `weights`."""
    names = {"config": "config.json", "weights": "model.weights.h5"}
    with zipfile.ZipFile(path) as given:
        content = {member.filename: given.read(member) for member in given.infolist()}
    for member, change in members.items():
        content[names[member]] = change(content[names[member]])
    with zipfile.ZipFile(path, "w") as made:
        for name, data in content.items():
            made.writestr(name, data)
    return path


def with_layer(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[bytes], bytes]:
    def changed_config(content: bytes) -> bytes:
        config = json.loads(content)
        change(config["config"]["layers"])
        return json.dumps(config).encode()

    return changed_config


LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "evil", "function": "x"}}
CUSTOM = {
    "module": "os",
    "class_name": "Dense",
    "registered_name": "Custom>Dense",
    "config": {"name": "mine"},
}


def rescaling(scale: float) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": "Rescaling", "config": {"name": "huge", "scale": scale}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda layers: layers.insert(1, LAMBDA), r"layer 'evil' \(Lambda\) is not allowed"),
        (lambda layers: layers.insert(1, CUSTOM), r"layer 'mine' \(Dense\) is not allowed"),
        (lambda layers: layers[1]["config"].update(dilation_rate=[2, 2]), r"\(Conv2D\) has dilation_rate"),
        (lambda layers: layers[1]["config"].update(filters=10**9), r"\(Conv2D\) has filters = 1000000000"),
        (lambda layers: layers[1]["config"].update(filters=5), r"\(Conv2D\) has weights of another shape"),
        (lambda layers: layers[1]["config"].update(activation={"x": 1}), "activation that is no plain name"),
        (lambda layers: layers[-1]["config"].update(activation="sigmoid"), "does not end in a softmax"),
        (lambda layers: layers[0]["config"].update(batch_shape=[None, 99, 99, 3]), "not 28x28 images"),
        (lambda layers: layers.insert(1, rescaling(1e300)), r"\(Rescaling\) has numbers that are too large"),
        (
            lambda layers: layers.insert(1, rescaling(10**400)),
            r"\(Rescaling\) has numbers that are too large",
        ),
        (lambda layers: layers.extend([layers[4]] * 200), "more than 128"),
        (lambda layers: layers.clear(), "does not end in a Dense layer"),
        (lambda layers: layers[1].clear(), "does not have the form"),
    ],
)
def test_that_what_is_not_allowed_is_named_in_one_line(
    change: Callable[[Any], object],
    message: str,
    theirs: Path,
    imported: Callable[..., tuple[dict[str, Any], Path]],
    tmp_path: Path,
) -> None:
    changed(theirs, config=with_layer(change))
    with pytest.raises(InputError, match=message) as refused:
        imported(theirs)
    assert str(theirs) in str(refused.value) or "theirs" in str(refused.value)
    assert not (tmp_path / "imported.h5").exists()


def weights(change: Callable[[Any], object]) -> Callable[[bytes], bytes]:
    def changed_weights(content: bytes) -> bytes:
        image = io.BytesIO(content)
        with h5py.File(image, "r+") as file:
            change(file)
        return image.getvalue()

    return changed_weights


def replaced(name: str, value: object) -> Callable[[Any], None]:
    def replace(file: Any) -> None:
        del file[name]
        file[name] = value

    return replace


KERNEL = "layers/dense/vars/0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (weights(replaced(KERNEL, h5py.ExternalLink("/etc/passwd", "/"))), "is a link to somewhere else"),
        (weights(replaced(KERNEL, h5py.SoftLink("/layers"))), "is a link to somewhere else"),
        (weights(replaced(KERNEL, np.zeros((3, 3), "S9"))), "is an array of another kind"),
        (
            weights(lambda file: file[KERNEL].write_direct(np.full(file[KERNEL].shape, np.nan, "f4"))),
            "not finite",
        ),
        (lambda content: content[: len(content) // 2], "is damaged"),
        (lambda content: b"no weights", "is damaged"),
    ],
)
def test_that_weights_that_are_not_what_they_should_be_are_refused(
    change: Callable[[bytes], bytes],
    message: str,
    theirs: Path,
    imported: Callable[..., tuple[dict[str, Any], Path]],
) -> None:
    changed(theirs, weights=change)
    with pytest.raises(InputError, match=message):
        imported(theirs)


def test_that_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    theirs: Path, imported: Callable[..., tuple[dict[str, Any], Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(theirs, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("config.json", b" " * (15 << 20))
        made.writestr("metadata.json", "{}")
        made.writestr("model.weights.h5", "")
    with pytest.raises(InputError, match="times its size, unpacked"):
        imported(theirs)
    monkeypatch.setattr(keras_files, "KERAS_BYTES", type(KERAS_BYTES)(100, "bytes", "a test"))
    with pytest.raises(InputError, match="more than 100 bytes"):
        imported(theirs)


def test_that_an_archive_with_two_configurations_is_refused(
    theirs: Path, imported: Callable[..., tuple[dict[str, Any], Path]]
) -> None:
    with zipfile.ZipFile(theirs, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("config.json", "{}")
    with pytest.raises(InputError, match=r"config\.json 2 times"):
        imported(theirs)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_that_other_files_are_refused_at_once(
    tmp_path: Path, imported: Callable[..., tuple[dict[str, Any], Path]]
) -> None:
    os.mkfifo(tmp_path / "pipe.keras")
    (tmp_path / "text.keras").write_text("nothing")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    for name, message in (
        ("pipe.keras", "is a pipe"),
        ("text.keras", "neither a .keras file nor an HDF5 file"),
        ("other.h5", "no configuration of a Keras model"),
        ("none.keras", "There is no file"),
    ):
        with pytest.raises(InputError, match=message) as refused:
            imported(tmp_path / name)
        assert name in str(refused.value)
