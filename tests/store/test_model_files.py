from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtdigits.core.drawing.labels import LabelSet
from qtdigits.core.model import Golden, Model
from qtdigits.errors import ModelFileError, StoreError
from qtdigits.store.hdf5 import digest_of_array, digest_of_attributes
from qtdigits.store.model_files import check_model, load_header, load_model, save_model
from tests.store.values import a_model, same_model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.h5"


def test_that_a_saved_model_comes_back_equal(path: Path) -> None:
    model = a_model()
    saved = save_model(model, path)
    assert saved.path == path
    assert same_model(load_model(path), model)
    assert same_model(check_model(path), model)


def test_that_labels_of_any_script_and_long_provenance_come_back(path: Path) -> None:
    # 64 KiB is where HDF5 changes the way it stores attributes.
    model = a_model(labels=LabelSet.of(["π", "日", "10", '"']), provenance={"files": ["ж" * 100] * 1000})
    save_model(model, path)
    assert same_model(load_model(path), model)


@pytest.mark.parametrize("undecided_below", [0.0, 0.4321, 1.0])
def test_that_the_threshold_of_not_sure_comes_back(path: Path, undecided_below: float) -> None:
    model = a_model(undecided_below=undecided_below)
    save_model(model, path)
    assert same_model(load_model(path), model)
    assert load_header(path).undecided_below == undecided_below


def test_that_a_model_that_is_always_sure_has_the_fields_of_the_first_files(path: Path) -> None:
    save_model(a_model(), path)
    with h5py.File(path) as file:
        assert not {"undecided_below", "unlike_below"} & set(file.attrs)
        assert "class_means" not in file


def test_that_the_means_of_the_classes_come_back_also_without_the_weights(path: Path) -> None:
    model = a_model(unlike_below=0.4321, class_means=np.random.default_rng(2).random((10, 3), np.float32))
    save_model(model, path)
    assert same_model(check_model(path), model)
    read = load_model(path, weights=False)
    assert read.unlike_below == 0.4321
    assert np.array_equal(read.class_means, model.class_means)


@pytest.mark.parametrize("means", [np.ones((9, 3)), np.ones(30), np.full((10, 3), np.nan)])
def test_that_means_that_cannot_be_are_refused(path: Path, means: np.ndarray) -> None:
    save_model(a_model(unlike_below=0.5, class_means=np.ones((10, 3), np.float32)), path)
    with h5py.File(path, "r+") as file:
        del file["class_means"]
        file["class_means"] = means.astype("<f4")
        digests = json.loads(file.attrs["digests"]) | {"class_means": digest_of_array(means.astype("<f4"))}
    _tamper(path, digests=json.dumps(digests))
    with pytest.raises(ModelFileError, match="damaged or has been changed"):
        load_model(path, weights=False)


@pytest.mark.parametrize("value", ["1.5", "-0.1", "NaN", '"0.5"', "true", "[0.5]", "half", "1" + "0" * 400])
@pytest.mark.parametrize("name", ["undecided_below", "unlike_below"])
def test_that_a_threshold_that_cannot_be_is_refused(path: Path, name: str, value: str) -> None:
    save_model(a_model(undecided_below=0.5, unlike_below=0.5, class_means=np.ones((10, 3), np.float32)), path)
    _tamper(path, **{name: value})
    with pytest.raises(ModelFileError, match="damaged or has been changed"):
        load_model(path, weights=False)


def test_that_reading_does_not_look_at_the_weights(path: Path) -> None:
    model = a_model()
    save_model(model, path)
    _change(path, "weights/00_dense/0", lambda array: array + 1)
    read = load_model(path, weights=False)
    assert read.flatbuffer == model.flatbuffer
    assert read.label_set == model.label_set
    assert not read.weights
    with pytest.raises(ModelFileError, match="weights/00_dense/0 does not match its check sum"):
        load_model(path)


def test_that_a_header_tells_what_a_list_shows(path: Path) -> None:
    model = a_model()
    save_model(model, path)
    header = load_header(path)
    assert (header.name, header.recipe, header.scores) == (model.name, model.recipe, model.scores)
    assert header.flatbuffer == b""


def test_that_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"There is no file .*model\.h5"):
        load_model(path)


def test_that_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is a folder"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "is empty"), (b"PK\x03\x04 zip", "is not a model file")]
)
def test_that_a_file_of_another_kind_is_refused(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        load_model(path)


def test_that_the_hdf5_file_of_another_program_is_refused(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "3.0"
        file.attrs["format"] = ["some", "array"]
    with pytest.raises(ModelFileError, match="not a model of QtDigits"):
        load_model(path)


def test_that_a_file_of_a_newer_version_asks_for_an_update(path: Path) -> None:
    save_model(a_model(), path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
    with pytest.raises(ModelFileError, match=r"newer version .*Update QtDigits"):
        load_model(path)


@pytest.mark.parametrize("name", ["name", "network", "recipe", "labels", "scores", "preprocessing_version"])
def test_that_a_missing_field_is_named(path: Path, name: str) -> None:
    save_model(a_model(), path)
    _tamper(path, **{name: None})
    with pytest.raises(ModelFileError, match=f"missing required field `{name}`"):
        load_model(path, weights=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", '{"blocks": [], "dense": [{"neurons": 1000000000}]}'),
        ("network", '{"blocks": [], "dense": [], "lambda": "import os"}'),
        ("network", "[1"),
        ("network", "[" * 100_000),
        ("recipe", '{"epochs": "many"}'),
        ("labels", "[]"),
        ("labels", '[{"id": "7"}]'),
        ("labels", '[{"id": "7", "label": "7"}]'),
        ("scores", '{"pendigits": 1}'),
        ("digests", "{}"),
    ],
)
def test_that_a_field_that_cannot_be_is_refused(path: Path, name: str, value: str) -> None:
    save_model(a_model(), path)
    _tamper(path, **{name: value})
    with pytest.raises(ModelFileError, match="damaged or has been changed"):
        load_model(path)


def test_that_a_changed_header_is_noticed(path: Path) -> None:
    save_model(a_model(), path)
    with h5py.File(path, "r+") as file:
        file.attrs["preprocessing_version"] = 77
    with pytest.raises(ModelFileError, match="header does not match its check sum"):
        load_model(path, weights=False)


@pytest.mark.parametrize("name", ["litert", "golden/images", "golden/probabilities"])
def test_that_a_change_of_what_reading_takes_is_noticed(path: Path, name: str) -> None:
    save_model(a_model(), path)
    _change(path, name, lambda array: array[::-1].copy())
    with pytest.raises(ModelFileError, match=f"{name} does not match its check sum"):
        load_model(path, weights=False)


def test_that_a_file_that_claims_to_be_huge_takes_no_memory(path: Path) -> None:
    save_model(a_model(), path)
    with h5py.File(path, "r+") as file:
        del file["litert"]
        file.create_dataset("litert", shape=(100 << 30,), dtype="u1")
    with pytest.raises(ModelFileError, match="litert is not as large as it says"):
        load_model(path, weights=False)


def test_that_packed_data_is_refused(path: Path) -> None:
    save_model(a_model(), path)
    with h5py.File(path, "r+") as file:
        del file["litert"]
        file.create_dataset("litert", data=np.zeros(1 << 20, np.uint8), compression="gzip")
    with pytest.raises(ModelFileError, match="litert does not lie in the file as it is"):
        load_model(path, weights=False)


@pytest.mark.parametrize("link", [h5py.SoftLink("/golden/images"), h5py.ExternalLink("other.h5", "/litert")])
def test_that_links_are_not_followed(path: Path, link: object) -> None:
    save_model(a_model(), path)
    save_model(a_model(), path.with_name("other.h5"))
    with h5py.File(path, "r+") as file:
        del file["litert"]
        file["litert"] = link
    with pytest.raises(ModelFileError, match="litert is a link to somewhere else"):
        load_model(path, weights=False)


def test_that_objects_are_refused(path: Path) -> None:
    save_model(a_model(), path)
    with h5py.File(path, "r+") as file:
        del file["litert"]
        file.create_dataset("litert", data=np.array(["a", "b"], object), dtype=h5py.string_dtype())
        file.attrs["name"] = "of variable length"
    with pytest.raises(ModelFileError, match=r"name is neither text nor a whole number"):
        load_model(path, weights=False)


def test_that_weights_that_do_not_fit_the_network_are_refused(path: Path) -> None:
    model = a_model()
    save_model(a_model(weights={"dense": model.weights["dense"]}), path)
    with pytest.raises(ModelFileError, match="it holds 2,355 weights where its network has 2,395"):
        load_model(path)


def test_that_golden_drawings_of_another_shape_are_refused(path: Path) -> None:
    golden = Golden(np.zeros((2, 28, 28), np.uint8), np.zeros((2, 9), np.float32))
    save_model(a_model(golden=golden), path)
    with pytest.raises(ModelFileError, match="golden drawings have the wrong shape"):
        load_model(path, weights=False)


def test_that_a_thorough_check_finds_what_does_not_belong(path: Path) -> None:
    save_model(a_model(), path)
    with h5py.File(path, "r+") as file:
        file["code"] = np.zeros(3)
    load_model(path)
    with pytest.raises(ModelFileError, match="it also holds 'code'"):
        check_model(path)


def test_that_every_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    save_model(a_model(), path)
    whole = path.read_bytes()
    for length in [*range(0, 200, 7), *range(200, len(whole), 301), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            load_model(path, weights=False)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, Model]:
    path = tmp_path_factory.mktemp("flipped") / "model.h5"
    model = a_model()
    save_model(model, path)
    return path, path.read_bytes(), model


@settings(max_examples=150, deadline=None)
@given(
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4)
)
def test_that_flipped_bytes_are_noticed_or_make_no_difference(
    saved: tuple[Path, bytes, Model], flips: list[tuple[float, int]]
) -> None:
    path, whole, model = saved
    content = bytearray(whole)
    for place, change in flips:
        content[int(place * len(content))] ^= change
    path.write_bytes(content)
    try:
        loaded = load_model(path)
    except ModelFileError:
        return
    assert same_model(loaded, model)


def test_that_a_failed_save_keeps_the_old_model(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = a_model(seed=1)
    save_model(old, path)

    def fsync(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(StoreError, match="disk is full"):
            save_model(a_model(seed=2), path)
    assert same_model(load_model(path), old)
    assert list(path.parent.iterdir()) == [path]


def _change(path: Path, name: str, change: object) -> None:
    """Change a dataset without touching its check sum."""
    with h5py.File(path, "r+") as file:
        file[name][...] = change(file[name][...])


def _tamper(path: Path, **values: str | None) -> None:
    """Change or (None) remove attributes as somebody would who knows the format: with the right check sums."""
    with h5py.File(path, "r+") as file:
        del file.attrs["sha256"]
        for name, value in values.items():
            del file.attrs[name]
            if value is not None:
                kind = h5py.string_dtype("utf-8", len(value))
                file.attrs.create(name, value.encode(), dtype=kind)
        present = {
            name: value.decode() if isinstance(value, bytes) else int(value)
            for name, value in file.attrs.items()
        }
        file.attrs.create(
            "sha256", digest_of_attributes(present).encode(), dtype=h5py.string_dtype("utf-8", 64)
        )


def test_that_the_check_sum_of_an_array_knows_its_shape() -> None:
    flat = np.arange(6, dtype=np.float32)
    assert digest_of_array(flat.reshape(2, 3)) != digest_of_array(flat)


@pytest.mark.parametrize("is_half", [True, False])
def test_that_the_digest_of_the_weights_can_be_found_from_outside(path: Path, is_half: bool) -> None:
    """As docs/model-file.md says."""
    model = a_model()
    if is_half:
        rounded = {n: tuple(a.astype("<f2").astype("<f4") for a in w) for n, w in model.weights.items()}
        model = replace(model, weights=rounded)
    save_model(model, path)
    digest = hashlib.sha256()
    kinds = set()
    with h5py.File(path) as file:
        for layer in file["weights"].values():
            for name in sorted(layer, key=int):
                kinds.add(layer[name].dtype.str)
                array = layer[name][()].astype("<f4")
                digest.update(f"{array.shape}{array.dtype.str}".encode() + array.tobytes())
    assert ("<f4" in kinds) is not is_half
    assert load_model(path).weights_sha256 == digest.hexdigest()
