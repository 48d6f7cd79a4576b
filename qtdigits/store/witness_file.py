"""The label guard's witness as a file: `resources/witness.npz` travels with the program, as learning it takes a minute."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from qtdigits import paths
from qtdigits.core.drawing.label_guard import WITNESS_VERSION, Witness
from qtdigits.errors import InputError
from qtdigits.store.data.arrays import NpzArrays, open_npz
from qtdigits.store.files import write_file

_PLAIN = ("mean", "axes", "waves", "phases", "moments")


def save_witness(witness: Witness, path: Path) -> None:
    """In single precision, and of the symmetric Gram matrix one half: 2 MB. Raises `StoreError`."""
    arrays = {name: getattr(witness, name).astype(np.float32) for name in _PLAIN}
    half = witness.gram[np.triu_indices(len(witness.gram))]
    stream = BytesIO()
    np.savez_compressed(stream, version=WITNESS_VERSION, half_gram=half.astype(np.float32), **arrays)
    write_file(path, stream.getvalue())


def load_witness(path: Path | None = None) -> Witness:
    """The witness of a file, None: the one that travels with the program. Raises `InputError` for what is none."""
    path = path or paths.resources_dir() / "witness.npz"
    with open_npz(path) as arrays:
        version = arrays.get("version")
        if version is None or int(version) != WITNESS_VERSION:
            raise InputError(f"{path} is no witness that this version knows.", "Install QtDigits anew.")
        plain = {name: _array(arrays, name, path) for name in _PLAIN}
        half = _array(arrays, "half_gram", path)
    n = len(plain["moments"])
    gram = np.zeros((n, n))
    rows, columns = np.triu_indices(n)
    gram[rows, columns] = gram[columns, rows] = half
    return Witness(gram=gram, **plain)


def _array(arrays: NpzArrays, name: str, path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    found = arrays.get(name)
    if found is None:
        raise InputError(f"{path} is damaged: {name} is missing.", "Install QtDigits anew.")
    return found.astype(np.float64)
