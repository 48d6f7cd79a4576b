"""Model files: a trained model with all that reading, further training and checking it take.

A model file is an HDF5 file; docs/model-file.md describes it for other programs:

    attributes of the root
        format = "qtdigits-model"       format_version = 1          preprocessing_version
        name                            network (JSON)              recipe (JSON)
        labels (JSON)                   scores (JSON)               provenance (JSON)
        best_epoch                      digests (JSON)              sha256
        undecided_below, unlike_below (JSON), only where they are not 0
    litert                              uint8 (n,)                  the LiteRT flatbuffer
    golden/images                       uint8 (n, 28, 28)           drawings …
    golden/probabilities                float32 (n, k)              … and what the model must answer
    class_means                         float32 (k, d)              only where unlike_below is not 0
    history/batches/<column>            float64 (n,)                as in core.run.history
    history/epochs/<column>             float64 (n,)
    weights/<index>_<layer>/<i>         float16 where that is       arrays of each layer, in order
                                        exact, otherwise float32

`digests` holds a SHA-256 for every dataset, `sha256` one of all other attributes, so that any damage is noticed. They
are no signature: whoever changes a file on purpose can compute them again. Therefore nothing in a file is ever executed:
the network is rebuilt from its spec, every value of which is checked.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import h5py
import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from qtdigits.core.drawing.labels import Class, LabelSet, clean_label
from qtdigits.core.model import NO_MEANS, Golden, LayerWeights, Model
from qtdigits.core.network_spec import NetworkSpec
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.history import History
from qtdigits.core.score.metrics import ScoreValues
from qtdigits.errors import ModelFileError
from qtdigits.limits import EARLIEST, GOLDEN, LATEST
from qtdigits.store.files import write_file
from qtdigits.store.hdf5 import (
    Attribute,
    UntrustedFile,
    damaged,
    digest_of_array,
    digest_of_attributes,
    open_untrusted,
)
from qtdigits.untrusted import Count, Share, Text, check_plain, converted, decoded

FORMAT = "qtdigits-model"
FORMAT_VERSION = 1

_JSON = {"network", "recipe", "labels", "scores", "provenance", "digests", "undecided_below", "unlike_below"}
_WEIGHT_KINDS = ("<f2", "<f4")

Arrays = Mapping[str, NDArray[Any]]


def save_model(model: Model, path: Path) -> Model:
    """Write `model` to `path`, whole or not at all, and return it with its path. Raises `StoreError`."""
    write_file(path, _file_image(_attributes(model), _arrays(model)))
    return model.stored_at(path)


def load_model(path: Path, *, weights: bool = True) -> Model:
    """Load the model at `path`; without `weights`, and then without history too, it can only read, and loads fast.

    Raises `ModelFileError` when the file is missing, truncated, foreign, changed, or from a newer version.
    """
    with open_untrusted(path) as file:
        attributes = _checked_attributes(path, file)
        header, fields = _read_header(attributes)
        digests, label_set, network = header.digests, fields["label_set"], fields["network"]
        return Model(
            **fields,
            weights=_weights(file, digests, network.n_parameters(len(label_set))) if weights else {},
            flatbuffer=_array(file, digests, "litert", "u1", 1).tobytes(),
            golden=_golden(file, digests, len(label_set)),
            class_means=_class_means(file, digests) if header.unlike_below else NO_MEANS,
            unlike_below=header.unlike_below,
            history=_history(file, digests, header.best_epoch) if weights else History(),
            path=path,
        )


def load_header(path: Path) -> Model:
    """Load name, recipe, labels, scores and provenance, for lists. Raises `ModelFileError` as `load_model`."""
    with open_untrusted(path) as file:
        _, fields = _read_header(_checked_attributes(path, file))
        nothing = Golden(np.empty((0, 28, 28), np.uint8), np.empty((0, len(fields["label_set"])), np.float32))
        return Model(**fields, weights={}, flatbuffer=b"", golden=nothing, path=path)


def is_model_file(path: Path) -> bool:
    """Return whether the file says that it is one, damaged or not."""
    try:
        with open_untrusted(path) as file:
            return _attribute(file, "format") == FORMAT
    except ModelFileError:
        return False


def check_model(path: Path) -> Model:
    """Load the model with all its parts, and check that the file holds nothing else. Raises `ModelFileError`."""
    model = load_model(path)
    with open_untrusted(path) as file:
        expected = {name.partition("/")[0] for name in _arrays(model)}
        if unknown := sorted(set(file.names("")) - expected):
            raise damaged(path, f"it also holds {unknown[0]!r}")
    return model


def _attributes(model: Model) -> dict[str, Attribute]:
    arrays = _arrays(model)
    thresholds = {"undecided_below": model.undecided_below, "unlike_below": model.unlike_below}
    return {
        **{name: _text(value) for name, value in thresholds.items() if value},
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "preprocessing_version": model.preprocessing_version,
        "name": model.name,
        "network": _text(model.network.to_json()),
        "recipe": _text(model.recipe.to_json()),
        "labels": _text(model.label_set.to_json()),
        "scores": _text(dict(model.scores)),
        "provenance": _text(dict(model.provenance)),
        "best_epoch": model.history.best_epoch,
        "digests": _text({name: digest_of_array(array) for name, array in arrays.items()}),
    }


def _arrays(model: Model) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "litert": np.frombuffer(model.flatbuffer, np.uint8),
        "golden/images": model.golden.images,
        "golden/probabilities": model.golden.probabilities.astype("<f4", copy=False),
    }
    arrays |= {f"history/{name}": column for name, column in model.history.arrays().items()}
    if len(model.class_means):
        arrays["class_means"] = model.class_means.astype("<f4", copy=False)
    for index, (layer, weights) in enumerate(model.weights.items()):
        for number, array in enumerate(weights):
            arrays[f"weights/{index:02d}_{layer}/{number}"] = _halved_if_exact(array)
    return arrays


def _halved_if_exact(array: NDArray[np.float32]) -> NDArray[Any]:
    """Return weights in half precision if that loses nothing: those of shipped models were rounded to it."""
    with np.errstate(over="ignore"):
        half = array.astype("<f2")
    return half if np.array_equal(half, array) else array.astype("<f4", copy=False)


def _file_image(attributes: Mapping[str, Attribute], arrays: Arrays) -> bytes:
    """Return the bytes of the HDF5 file. Its version 1.8 layout has check sums, which the older default lacks."""
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("v108", "v108")) as file:
        for name, value in {**attributes, "sha256": digest_of_attributes(attributes)}.items():
            if isinstance(value, int):
                file.attrs.create(name, value, dtype="<i8")
            else:
                text = value.encode()
                file.attrs.create(name, text, dtype=h5py.string_dtype("utf-8", max(len(text), 1)))
        for name, array in arrays.items():
            file.create_dataset(name, data=np.ascontiguousarray(array))
    return image.getvalue()


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _checked_attributes(path: Path, file: UntrustedFile) -> dict[str, Attribute]:
    if _attribute(file, "format") != FORMAT:
        raise ModelFileError(
            f"{path} is an HDF5 file, but not a model of QtDigits.", "Choose a model that QtDigits made."
        )
    version = file.attribute("format_version")
    if not isinstance(version, int):
        raise damaged(path, "the field 'format_version' is missing")
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} was made by a newer version of QtDigits "
            f"(its format is {version}, this version knows {FORMAT_VERSION}).",
            "Update QtDigits, or use another model.",
        )
    attributes = file.attributes()
    expected = attributes.pop("sha256", None)
    if version < 1 or digest_of_attributes(attributes) != expected:
        raise damaged(path, "its header does not match its check sum")
    return attributes


class _Class(msgspec.Struct):
    id: Text
    label: Text

    def __post_init__(self) -> None:
        for text in (self.id, self.label):
            clean_label(text)


class _Drawings(msgspec.Struct):
    n: Count = 0
    last_sample: Count | None = None
    writer: Text | None = None


class _Source(msgspec.Struct):
    name: Text
    sha256: Text | None = None


class _Provenance(msgspec.Struct):
    """What is read of a provenance; the rest is only shown."""

    created_at: datetime | None = None
    base: Text | None = None
    sources: list[_Source] = []
    drawings: _Drawings | None = None

    def __post_init__(self) -> None:
        if self.created_at and not EARLIEST.year <= self.created_at.year <= LATEST.year:
            raise ValueError(f"it was not made in the year {self.created_at.year}")


class _Header(msgspec.Struct):
    """The attributes of a model file, those of JSON decoded. The thresholds are missing in the first files."""

    name: Text
    network: dict[Text, Any]
    recipe: dict[Text, Any]
    labels: Annotated[list[_Class], Meta(min_length=1)]
    scores: dict[Text, ScoreValues]
    provenance: _Provenance
    preprocessing_version: Count
    best_epoch: Count
    digests: dict[Text, Text]
    undecided_below: Share = 0.0
    unlike_below: Annotated[float, Meta(ge=-1, le=1)] = 0.0


def _read_header(attributes: Mapping[str, Attribute]) -> tuple[_Header, dict[str, Any]]:
    """Return the attributes, checked, and the fields of a `Model` that are stored in them. Raises `InputError`."""
    values = {
        name: decoded(value, object, what=name) if isinstance(value, str) and name in _JSON else value
        for name, value in attributes.items()
    }
    for name in _JSON & values.keys():
        check_plain([values[name]], name)
    header = converted(values, _Header)
    return header, {
        "name": header.name,
        "network": NetworkSpec.from_json(header.network),
        "recipe": recipe_of(header.recipe),
        "label_set": LabelSet(tuple(Class(one.id, one.label) for one in header.labels)),
        "preprocessing_version": header.preprocessing_version,
        "scores": values["scores"],
        "provenance": values["provenance"],
        "undecided_below": header.undecided_below,
    }


def _class_means(file: UntrustedFile, digests: Mapping[str, str]) -> NDArray[np.float32]:
    means = _array(file, digests, "class_means", "<f4", 2)
    if not np.isfinite(means).all():
        raise ValueError("the means of its classes are not finite")
    return means.astype(np.float32, copy=False)


def _golden(file: UntrustedFile, digests: Mapping[str, str], k: int) -> Golden:
    images = _array(file, digests, "golden/images", "u1", 3)
    probabilities = _array(file, digests, "golden/probabilities", "<f4", 2)
    if images.shape[1:] != (28, 28) or probabilities.shape != (len(images), k) or not len(images):
        raise ValueError("its golden drawings have the wrong shape")
    GOLDEN.check(len(images), "it")
    return Golden(images, probabilities)


def _history(file: UntrustedFile, digests: Mapping[str, str], best_epoch: int) -> History:
    stored = {
        f"{part}/{column}" for part in file.names("history") for column in file.names(f"history/{part}")
    }

    def column(name: str) -> NDArray[Any] | None:
        return _array(file, digests, f"history/{name}", "<f8", 1) if name in stored else None

    return History.of_arrays(column, best_epoch)


def _weights(file: UntrustedFile, digests: Mapping[str, str], n_parameters: int) -> dict[str, LayerWeights]:
    weights: dict[str, LayerWeights] = {}
    for folder in file.names("weights"):
        index, _, layer = folder.partition("_")
        if not layer or index != f"{len(weights):02d}":
            raise ValueError(f"{folder!r} is not the name of layer {len(weights)}")
        arrays = file.names(f"weights/{folder}")
        names = [f"weights/{folder}/{number}" for number in range(len(arrays))]
        read = (_array(file, digests, name, _WEIGHT_KINDS, None) for name in names)
        weights[layer] = tuple(array.astype(np.float32, copy=False) for array in read)
    found = sum(array.size for arrays in weights.values() for array in arrays)
    if found != n_parameters:
        raise ValueError(f"it holds {found:,} weights where its network has {n_parameters:,}")
    return weights


def _array(
    file: UntrustedFile,
    digests: Mapping[str, str],
    name: str,
    dtype: str | tuple[str, ...],
    dimensions: int | None,
) -> NDArray[Any]:
    array = file.array(name, dtype, dimensions=dimensions)
    if digest_of_array(array) != digests.get(name):
        raise ValueError(f"{name} does not match its check sum")
    return array


def _attribute(file: UntrustedFile, name: str) -> Attribute | None:
    """Return an attribute of any HDF5 file; None for a type that no model file has."""
    try:
        return file.attribute(name)
    except ValueError:
        return None
