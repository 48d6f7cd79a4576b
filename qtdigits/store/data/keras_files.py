"""Keras's own files, `.keras` and the older `.h5`, read without Keras: the configuration as JSON, the weights as arrays.

Nothing of such a file is run, and Keras never opens one.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
from numpy.typing import NDArray

from qtdigits.core.keras_config import KerasLayer
from qtdigits.errors import InputError
from qtdigits.limits import JSON_BYTES, KERAS_BYTES
from qtdigits.store.hdf5 import MAGIC, UNUSABLE, UntrustedFile
from qtdigits.untrusted import check_unpacking, decoded, open_file

FACTS = "qtdigits"
ZIP_MAGIC = b"PK\x03\x04"
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
FOLDERS = ("layers", "_layer_checkpoint_dependencies")
"""Where Keras 3 and Keras 2 put the weights of the layers."""
CLASSES = {"Dense": "dense", "Conv2D": "conv2d", "BatchNormalization": "batch_normalization"}
NAMES = ("kernel", "gamma", "beta", "bias", "moving_mean", "moving_variance")
"""Of the arrays of a layer, in Keras's order."""
FLOATS = ("<f2", "<f4", "<f8")
MOST_DEEP = 8

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class KerasFile:
    """An open file. `facts` are those that QtDigits wrote into it, {} where another program made it."""

    path: Path
    config: Mapping[str, Any]
    facts: Mapping[str, Any]
    _weights: UntrustedFile
    _is_legacy: bool

    def weights_of(self, layer: KerasLayer) -> list[Array]:
        """Return the arrays of a layer. Raises `InputError` for numbers that are none."""
        names = self._legacy_names(layer) if self._is_legacy else self._numbered_names(layer)
        arrays = [self._weights.array(name, FLOATS, dimensions=None).astype(np.float32) for name in names]
        if not all(np.isfinite(array).all() for array in arrays):
            layer.refuse("has weights that are not finite numbers")
        return arrays

    def _numbered_names(self, layer: KerasLayer) -> Sequence[str]:
        class_name = CLASSES[layer.kind]
        folder = f"{class_name}_{layer.place}" if layer.place else class_name
        top = next((top for top in FOLDERS if top in self._weights.names("")), FOLDERS[0])
        group = f"{top}/{folder}/vars"
        return [f"{group}/{number}" for number in range(len(self._weights.names(group)))]

    def _legacy_names(self, layer: KerasLayer) -> Sequence[str]:
        group = f"model_weights/{layer.name}"
        for _ in range(MOST_DEEP):
            members = {name.partition(":")[0]: name for name in self._weights.names(group)}
            found = [f"{group}/{members[name]}" for name in NAMES if name in members]
            if found or len(members) != 1:
                return found
            group = f"{group}/{next(iter(members.values()))}"
        return []


@contextmanager
def open_keras_file(path: Path) -> Iterator[KerasFile]:
    """Open a file of Keras's. Every error within the block becomes an `InputError` that names the file."""
    try:
        with open_file(path, KERAS_BYTES) as stream:
            start = stream.read(len(MAGIC))
            stream.seek(0)
            if start == MAGIC:
                with h5py.File(stream, "r") as file:
                    yield _legacy(path, UntrustedFile(file, path.stat().st_size))
            elif start.startswith(ZIP_MAGIC):
                with _zipped(path, stream) as found:
                    yield found
            else:
                raise InputError(
                    "It is neither a .keras file nor an HDF5 file.", "Save the model with Keras."
                )
    except InputError as error:
        is_named = str(path) in error.message
        raise error if is_named else InputError(f"{path}: {error.message}", error.remedy) from error
    except (*UNUSABLE, zipfile.BadZipFile, zlib.error, EOFError) as error:
        reason = str(error).rstrip(".") if isinstance(error, ValueError) else "its parts do not fit together"
        raise InputError(f"{path} is damaged: {reason}.", "Save the model again.") from error


def _legacy(path: Path, file: UntrustedFile) -> KerasFile:
    config = file.text("model_config")
    if config is None:
        raise InputError(
            "It holds no configuration of a Keras model.", "Save the whole model, not its weights."
        )
    facts = file.text(FACTS)
    return KerasFile(
        path, decoded(config, dict, what="model_config"), decoded(facts, dict) if facts else {}, file, True
    )


@contextmanager
def _zipped(path: Path, stream: BinaryIO) -> Iterator[KerasFile]:
    with zipfile.ZipFile(stream) as archive:
        config = decoded(_member(path, archive, CONFIG, JSON_BYTES.most), dict, what=CONFIG)
        metadata = decoded(_member(path, archive, METADATA, JSON_BYTES.most), dict, what=METADATA)
        weights = _member(path, archive, WEIGHTS, KERAS_BYTES.most)
    facts = metadata.get(FACTS)
    with h5py.File(io.BytesIO(weights), "r") as file:
        yield KerasFile(
            path, config, facts if isinstance(facts, dict) else {}, UntrustedFile(file, len(weights)), False
        )


def _member(path: Path, archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a member that is what the list of contents says, and not larger than `most` bytes."""
    found = [member for member in archive.infolist() if member.filename == name]
    if len(found) != 1:
        raise InputError(f"It holds {name} {len(found)} times, not once.", "Save the model again.")
    member = found[0]
    if member.flag_bits & 1 or member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise InputError(f"{name} is encrypted or packed in an unknown way.", "Save the model again.")
    if member.file_size > most:
        raise InputError(f"{name} has more than {most:,} bytes.", "Use a smaller model.")
    check_unpacking(path, member.compress_size, member.file_size)
    with archive.open(member) as stream:
        content = stream.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise InputError(f"{name} has another size than it says.", "Save the model again.")
    return content
