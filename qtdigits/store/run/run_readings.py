"""How a run's model read what it was scored on: `runs/<id>/readings.npz` in the data folder, for looking at drawings later.

told            uint8: JSON, {"format_version": 1, "sets": [{"name": …, "classes": […]}, …]}
<i>/images      uint8 (n, 28, 28)       of the i-th set
<i>/truth       int64 (n,)              <i>/answer      int64 (n,)      <i>/confidence  float32 (n,)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qtdigits.core.score.readings import Readings
from qtdigits.errors import InputError
from qtdigits.store.data.arrays import NpzArrays, open_npz
from qtdigits.store.files import make_folder, writing
from qtdigits.store.run.run_folders import RunFolder

FORMAT_VERSION = 1
_ARRAYS = ("images", "truth", "answer", "confidence")


def save_readings(data_dir: Path, run: str, sets: Mapping[str, Readings]) -> None:
    """Raises `StoreError`."""
    path = _path(data_dir, run)
    make_folder(path.parent)
    told = [{"name": name, "classes": list(found.classes)} for name, found in sets.items()]
    text = json.dumps({"format_version": FORMAT_VERSION, "sets": told}, ensure_ascii=False)
    arrays: dict[str, Any] = {"told": np.frombuffer(text.encode(), np.uint8)}
    for number, found in enumerate(sets.values()):
        arrays |= {f"{number}/{name}": getattr(found, name) for name in _ARRAYS}
    with writing(path) as stream:
        np.savez_compressed(stream, **arrays)


def load_readings(data_dir: Path, run: str) -> dict[str, Readings]:
    """By the name of the set; empty when none were kept. Raises `InputError` when the file cannot be used."""
    path = _path(data_dir, run)
    if not path.is_file():
        return {}
    with open_npz(path) as file:
        try:
            told = json.loads(file["told"].tobytes())
            return {
                str(one["name"]): _readings(file, i, one["classes"]) for i, one in enumerate(told["sets"])
            }
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is damaged.", "Train by the same recipe anew.") from error


def _path(data_dir: Path, run: str) -> Path:
    return RunFolder(data_dir, run).path / "readings.npz"


def _readings(file: NpzArrays, number: int, classes: list[str]) -> Readings:
    found = Readings(tuple(map(str, classes)), *(file[f"{number}/{name}"] for name in _ARRAYS))
    n = len(found)
    places = np.concatenate([found.truth, found.answer])
    if found.images.shape != (n, 28, 28) or found.images.dtype != np.uint8:
        raise ValueError("the images have another shape")
    if any(part.shape != (n,) for part in (found.truth, found.answer, found.confidence)):
        raise ValueError("not every image was read")
    if n and not (places.min() >= 0 and places.max() < len(classes)):
        raise ValueError("there is no such class")
    return found
