"""The files of a run, in `runs/<id>` of the data folder.

    request.json          the training job, as the engine has it
    lock                  held by the process that trains
    result.json           the event `run_finished`
    readings.npz          the drawings behind the scores
    checkpoint-<step>.npz the last two checkpoints; plain arrays, each with a check sum of its own

Every file is written whole or not at all. A checkpoint that cannot be read is skipped for the one before.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qtdigits.core.run.checkpoints import Arrays, Checkpoint
from qtdigits.core.run.events import RunFinished, decode_event, encode_event
from qtdigits.core.run.history import History
from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.errors import InputError, StoreError
from qtdigits.limits import JSON_BYTES
from qtdigits.store.data.arrays import NpzArrays, open_npz
from qtdigits.store.files import make_folder, write_file, writing
from qtdigits.store.locks import ProcessLock
from qtdigits.untrusted import parsed, read_file

CHECKPOINT_FORMAT_VERSION = DRAWINGS_FORMAT_VERSION = 1
N_CHECKPOINTS = 2
MOST_BYTES = 1 << 30
"""How much checkpoints of ended runs may take, the latest runs first: they only serve to extend them."""

_NAME = re.compile(r"checkpoint-(\d{10})\.npz")
_PARTS = ("network", "optimizer", "metrics", "best")
_NUMBERS = ("step", "epochs", "best_epoch")
_ARRAYS = ("images", "truth", "answer", "confidence")


def in_use_error(run: str) -> StoreError:
    """Return the error for a run that another process trains."""
    return StoreError(
        f"The run {run} is being trained in another window or terminal.", "Wait until it has ended there."
    )


class RunFolder:
    """The folder of one run, created with its first file. Raises `InputError` for an id that is no plain name."""

    def __init__(self, data_dir: Path, run_id: str) -> None:
        if run_id in {"", "..", "."} or Path(run_id).name != run_id:
            raise InputError(
                f"{run_id!r} cannot be the id of a run.", "Look at the list: qtdigits runs list."
            )
        self.path = data_dir / "runs" / run_id
        self.lock = ProcessLock(self.path / "lock")
        self._request = self.path / "request.json"
        self._result = self.path / "result.json"
        self._readings = self.path / "readings.npz"

    @property
    def has_checkpoint(self) -> bool:
        return bool(self._checkpoints())

    @property
    def has_request(self) -> bool:
        return self._request.is_file()

    def write_request(self, values: Mapping[str, Any]) -> None:
        """Raises `StoreError`."""
        make_folder(self.path)
        write_file(
            self._request, json.dumps(values, ensure_ascii=False, indent=1).encode(errors="surrogateescape")
        )

    def request(self) -> Mapping[str, Any]:
        """Raises `InputError` when it is missing or cannot be read."""
        try:
            return parsed(_text(self._request), what=str(self._request))
        except InputError as error:
            raise InputError(
                f"What was asked of the run {self.path.name} is not known any more.",
                "Train again by the same recipe.",
            ) from error

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint and keep the one before. Raises `StoreError`; then the earlier ones are still there."""
        make_folder(self.path)
        with writing(self.path / f"checkpoint-{checkpoint.step:010d}.npz") as stream:
            np.savez(stream, **_arrays(checkpoint))
        self._remove_after(N_CHECKPOINTS)

    def latest_checkpoint(self) -> Checkpoint | None:
        """Return the latest checkpoint that can be read."""
        for path in self._checkpoints():
            with contextlib.suppress(InputError), open_npz(path) as file:
                return _checkpoint(file)
        return None

    def trim_checkpoints(self) -> None:
        """Keep one checkpoint: enough to extend a run that has ended."""
        self._remove_after(1)

    def remove_checkpoints(self) -> None:
        """Remove the checkpoints, unless the run is being trained. Those that cannot be removed stay."""
        if not self.lock.is_taken():
            self._remove_after(0)

    def checkpoints_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._checkpoints())

    def save_readings(self, sets: Mapping[str, ReadDrawings]) -> None:
        """Save the read drawings by the name of their set. Raises `StoreError`."""
        make_folder(self.path)
        told = [{"name": name, "classes": list(found.classes)} for name, found in sets.items()]
        text = json.dumps({"format_version": DRAWINGS_FORMAT_VERSION, "sets": told}, ensure_ascii=False)
        arrays: dict[str, Any] = {"told": np.frombuffer(text.encode(errors="surrogateescape"), np.uint8)}
        for number, found in enumerate(sets.values()):
            arrays |= {f"{number}/{name}": getattr(found, name) for name in _ARRAYS}
        with writing(self._readings) as stream:
            np.savez_compressed(stream, **arrays)

    def readings(self) -> dict[str, ReadDrawings]:
        """Return the read drawings by the name of their set, empty when none were saved. Raises `InputError`."""
        if not self._readings.is_file():
            return {}
        with open_npz(self._readings) as file:
            try:
                told = file["told"].tobytes().decode(errors="surrogateescape")
                sets = enumerate(parsed(told, what=str(self._readings))["sets"])
                return {str(one["name"]): _read_drawings(file, i, one["classes"]) for i, one in sets}
            except (ValueError, KeyError, TypeError) as error:
                raise _damaged(self._readings) from error

    def save_result(self, finished: RunFinished) -> None:
        """Raises `StoreError`."""
        make_folder(self.path)
        write_file(self._result, encode_event(finished).encode(errors="surrogateescape"))

    def result(self) -> RunFinished | None:
        """Return the result of the run; None where none was saved. Raises `InputError` when it cannot be read."""
        if not self._result.is_file():
            return None
        try:
            found = decode_event(_text(self._result))
        except InputError as error:
            raise _damaged(self._result) from error
        if not isinstance(found, RunFinished):
            raise _damaged(self._result)
        return found

    def total_bytes(self) -> int:
        with contextlib.suppress(OSError):
            return sum(path.stat().st_size for path in self.path.iterdir())
        return 0

    def remove(self) -> bool:
        """Remove the folder with its files, unless the run is being trained; return whether it is gone."""
        if not self.path.exists():
            return True
        if self.lock.is_taken():
            return False
        shutil.rmtree(self.path, ignore_errors=True)
        return not self.path.exists()

    def remove_if_empty(self) -> None:
        """Remove a folder that holds no more than the lock."""
        with contextlib.suppress(OSError):
            if not {path.name for path in self.path.iterdir()} - {self.lock.path.name}:
                self.lock.path.unlink(missing_ok=True)
                self.path.rmdir()

    def _remove_after(self, n_kept: int) -> None:
        for path in self._checkpoints()[n_kept:]:
            with contextlib.suppress(OSError):
                path.unlink()

    def _checkpoints(self) -> list[Path]:
        """The latest checkpoint first."""
        try:
            names = [path for path in self.path.iterdir() if _NAME.fullmatch(path.name)]
        except OSError:
            return []
        return sorted(names, key=lambda path: path.name, reverse=True)


def prune_checkpoints(data_dir: Path, *, ended: Collection[str], most_bytes: int = MOST_BYTES) -> None:
    """Keep the checkpoints of the runs in `ended`, the latest first, as far as `most_bytes` reach; remove the others."""
    total = 0
    for run_id in ended:
        with contextlib.suppress(OSError, InputError):
            folder = RunFolder(data_dir, run_id)
            total += folder.checkpoints_bytes()
            if total > most_bytes:
                folder.remove_checkpoints()


def _arrays(checkpoint: Checkpoint) -> dict[str, Any]:
    parts = {part: getattr(checkpoint, part) for part in _PARTS}
    arrays: dict[str, Any] = {
        f"{part}/{number:03d}": array for part, found in parts.items() for number, array in enumerate(found)
    }
    arrays |= {f"history/{name}": column for name, column in checkpoint.history.arrays().items()}
    told = {
        "format_version": CHECKPOINT_FORMAT_VERSION,
        "counts": {part: len(found) for part, found in parts.items()},
        **{name: getattr(checkpoint, name) for name in _NUMBERS},
        "history_best_epoch": checkpoint.history.best_epoch,
        "facts": dict(checkpoint.facts),
    }
    arrays["told"] = np.frombuffer(json.dumps(told, ensure_ascii=False).encode(), np.uint8)
    # As arrays: JSON would keep neither an infinity nor every bit.
    arrays["best_loss"] = np.float64(checkpoint.best_loss)
    arrays["elapsed_s"] = np.float64(checkpoint.elapsed_s)
    return arrays


def _checkpoint(file: NpzArrays) -> Checkpoint:
    """Raises `InputError` when anything is missing."""
    try:
        told = json.loads(file["told"].tobytes())
        if told["format_version"] != CHECKPOINT_FORMAT_VERSION:
            raise InputError("The checkpoint is of another version of QtDigits.")
        best_of_history = int(told["history_best_epoch"])
        history = History.of_arrays(lambda name: file.get(f"history/{name}"), best_of_history)
        network, optimizer, metrics, best = (_part(file, part, told["counts"][part]) for part in _PARTS)
        step, epochs, best_epoch = (int(told[name]) for name in _NUMBERS)
        return Checkpoint(
            *(network, optimizer, metrics, best),
            *(step, epochs, best_epoch),
            best_loss=float(file["best_loss"]),
            elapsed_s=float(file["elapsed_s"]),
            history=history,
            facts=dict(told["facts"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("The checkpoint is damaged.") from error


def _part(file: NpzArrays, part: str, count: int) -> Arrays:
    return tuple(file[f"{part}/{number:03d}"] for number in range(count))


def _read_drawings(file: NpzArrays, number: int, classes: list[str]) -> ReadDrawings:
    found = ReadDrawings(tuple(map(str, classes)), *(file[f"{number}/{name}"] for name in _ARRAYS))
    n = len(found)
    places = np.concatenate([found.truth, found.answer])
    if found.images.shape != (n, 28, 28) or found.images.dtype != np.uint8:
        raise ValueError("the images have another shape")
    if any(part.shape != (n,) for part in (found.truth, found.answer, found.confidence)):
        raise ValueError("not every image was read")
    if n and not (places.min() >= 0 and places.max() < len(classes)):
        raise ValueError("there is no such class")
    return found


def _text(path: Path) -> str:
    return read_file(path, JSON_BYTES).decode(errors="surrogateescape")


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} is damaged.", "Train again by the same recipe.")
