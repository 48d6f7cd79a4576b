"""Models in other formats, read by the runtimes that these formats are for."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.raster import render_many
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.core.model import Model
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.history import History
from qtdigits.errors import InputError, QtDigitsError
from qtdigits.litert import METADATA
from qtdigits.quiet import quiet
from qtdigits.reader import Reader
from qtdigits.store.model_files import load_model, save_model
from qtdigits.training.export import onnx_format
from qtdigits.training.export.export_model import EMBEDDING_TOLERANCE, TOLERANCE, export_model
from qtdigits.training.export.formats import FORMATS, format_of
from tiny_training import tiny_model

pytestmark = pytest.mark.tensorflow

NETWORKS = {
    "normalised, embedding layer": {
        "blocks": "6:5:2:0:relu:valid:batch, 8:4:1:0.2:gelu:same:batch:2, 8:3:1:0:silu:same",
        "dense": "12:tanh, 10:linear",
    },
    "whitened average": {"blocks": "6:3:2:0:leaky_relu:same:none:2, 9:3", "dense": "", "pooling": "average"},
    "half precision does not fit": {"blocks": "4:3:2:0:selu", "dense": "9:selu, 9:linear, 12:selu"},
    "every activation": {
        "blocks": "",
        "dense": "9:relu, 9:elu, 9:gelu, 9:leaky_relu, 9:sigmoid, 9:silu, 9:softplus, 9:tanh, 9:linear, 9:gelu",
    },
    "no layer": {"blocks": "", "dense": ""},
}
SEED = 1
"""With it, LiteRT rounds a bias otherwise than the file, in a layer whose bias it also moves into the next one."""
SUFFIXES = tuple(one.suffix for one in FORMATS)
needs_extra = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for one in FORMATS for name in one.packages),
    reason="the extra [export] is not installed",
)


def drawings() -> NDArray[np.uint8]:
    return render_many(synthetic_digits(50, 8)[0])


@pytest.fixture(scope="module", params=NETWORKS)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of a network with random weights, statistics of batch normalisation among them."""
    import keras

    from qtdigits.ml.models import to_model
    from qtdigits.ml.networks import build_network
    from qtdigits.ml.training import TrainedNetwork

    keras.utils.set_random_seed(SEED)
    recipe = recipe_of(NETWORKS[request.param])
    network, rng = build_network(recipe.network, len(DIGITS)), np.random.default_rng(3)
    weights = network.get_weights()
    network.set_weights(
        [np.abs(w + rng.normal(0.3, 0.1, w.shape)) if w.ndim == 1 else 1.3 * w for w in weights]
    )
    images, targets = drawings(), np.arange(50) % 10
    trained = TrainedNetwork(network, recipe, DIGITS, "completed", 1, 1)
    model = to_model(
        trained, name="random", images=images, targets=targets, history=History(), provenance={"made": "here"}
    )
    path = tmp_path_factory.mktemp("model") / "random.h5"
    save_model(model, path)
    return path


@needs_extra
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_that_every_format_answers_as_the_model(
    suffix: str, path: Path, tmp_path: Path, data_dir: Path
) -> None:
    done = export_model(path, tmp_path / f"taken{suffix}", data_dir=data_dir)
    assert done.difference <= TOLERANCE
    probabilities, embedding = Reader(load_model(path)).read_and_embed(drawings())
    found = outputs_of(done.path, drawings())
    assert np.abs(found[0] - probabilities).max() <= TOLERANCE
    assert (found[0].argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert np.abs(found[1] - embedding).max() <= EMBEDDING_TOLERANCE


@needs_extra
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_that_a_file_tells_what_it_is(suffix: str, path: Path, tmp_path: Path, data_dir: Path) -> None:
    model = load_model(path)
    facts = facts_of(export_model(path, tmp_path / f"taken{suffix}", data_dir=data_dir).path)
    assert facts["name"] == "random"
    assert facts["classes"] == list("0123456789")
    assert facts["recipe"] == model.recipe.to_json()
    assert facts["provenance"] == {"made": "here"}
    assert facts["preprocessing"]["version"] == model.preprocessing_version
    assert "20x20" in facts["preprocessing"]["rule"]
    assert set(facts["outputs"]) == {"probabilities", "embedding"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tiny_model(), tmp_path_factory.mktemp("tiny"))


def test_that_an_export_that_answers_otherwise_is_refused_and_leaves_nothing(
    tiny: Path, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*_: object) -> tuple[NDArray[np.float32], ...]:
        probabilities, embedding = Reader(load_model(tiny)).read_and_embed(load_model(tiny).golden.images)
        return probabilities + np.float32(2e-5), embedding

    monkeypatch.setattr("qtdigits.ml.keras_files.read", other)
    with pytest.raises(QtDigitsError, match=r"does not answer as it does; a probability differs by 2\.0e-05"):
        export_model(tiny, tmp_path / "taken.keras", data_dir=data_dir)
    assert list(tmp_path.glob("taken*")) == []


def test_that_a_model_is_not_overwritten_by_its_export(tiny: Path, data_dir: Path) -> None:
    before = tiny.read_bytes()
    for out in (tiny, data_dir / "models" / "taken.h5"):
        with pytest.raises(InputError, match="among the models"):
            export_model(tiny, out, format_name="h5", data_dir=data_dir)
    assert tiny.read_bytes() == before


def test_that_a_missing_package_is_named(
    tiny: Path, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs onnx and onnxruntime\..*pip install onnx onnxruntime"):
        export_model(tiny, tmp_path / "taken.onnx", data_dir=data_dir)


def test_that_the_ending_of_the_file_chooses_the_format() -> None:
    assert {format_of(Path(f"x{one.suffix}")).name for one in FORMATS} == {one.name for one in FORMATS}
    assert format_of(Path("x.bin"), "onnx").name == "onnx"
    with pytest.raises(InputError, match=r"x\.bin stands for no format.*onnx \(\.onnx\)"):
        format_of(Path("x.bin"))


def saved(model: Model, folder: Path) -> Path:
    save_model(model, folder / "tiny.h5")
    return folder / "tiny.h5"


def outputs_of(path: Path, images: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Probabilities and embedding from the format's own runtime, without QtDigits where that has one."""
    given = (images / np.float32(255))[..., np.newaxis]
    match path.suffix:
        case ".onnx":
            assert onnx_format.OPSET == 17
            import onnxruntime

            session = onnxruntime.InferenceSession(path)
            probabilities, embedding = session.run(["probabilities", "embedding"], {"image": given})
        case ".tflite":
            from ai_edge_litert.interpreter import Interpreter

            with quiet():
                run = Interpreter(model_path=str(path), num_threads=1).get_signature_runner()
                rows = [run(image=image[np.newaxis]) for image in given]
            probabilities, embedding = (
                np.concatenate([row[name] for row in rows]) for name in ("output_0", "output_1")
            )
        case ".safetensors":
            from qtdigits.training.export import safetensors_format

            probabilities, embedding = safetensors_format.read(path, images)
        case _:
            from qtdigits.ml.backend import keras

            found = keras.models.load_model(path, compile=False).predict(given, verbose=0)
            probabilities, embedding = found["probabilities"], found["embedding"]
    return probabilities, embedding


def metadata_of(program: bytes) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(program, 0)
    (entry,) = [entry for entry in model.metadata if entry.name in {METADATA, METADATA.encode()}]
    return json.loads(bytes(model.buffers[entry.buffer].data))


def facts_of(path: Path) -> Any:
    match path.suffix:
        case ".onnx":
            import onnx

            return json.loads(onnx.load(path).metadata_props[0].value)
        case ".tflite":
            return metadata_of(path.read_bytes())
        case ".safetensors":
            from safetensors import safe_open

            with safe_open(path, framework="numpy") as file:
                return json.loads(file.metadata()["qtdigits"])
        case ".keras":
            with zipfile.ZipFile(path) as file:
                return json.loads(file.read("metadata.json"))["qtdigits"]
    with h5py.File(path) as file:
        return json.loads(file.attrs["qtdigits"])
