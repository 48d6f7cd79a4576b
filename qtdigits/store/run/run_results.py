"""How a run came out, in full: `runs/<id>/result.json` in the data folder, the `RunFinished` event as it was sent."""

from __future__ import annotations

from pathlib import Path

from qtdigits.core.run.events import RunFinished, decode_event, encode_event
from qtdigits.errors import InputError
from qtdigits.store.files import make_folder, write_file
from qtdigits.store.run.run_folders import RunFolder


def save_result(data_dir: Path, finished: RunFinished) -> None:
    """Raises `StoreError`."""
    path = _path(data_dir, finished.run)
    make_folder(path.parent)
    write_file(path, encode_event(finished).encode())


def load_result(data_dir: Path, run: str) -> RunFinished | None:
    """None where none was kept. Raises `InputError` when the file cannot be used."""
    path = _path(data_dir, run)
    if not path.is_file():
        return None
    try:
        found = decode_event(path.read_text("utf-8"))
    except (OSError, ValueError, InputError) as error:
        raise _damaged(path) from error
    if not isinstance(found, RunFinished):
        raise _damaged(path)
    return found


def _path(data_dir: Path, run: str) -> Path:
    return RunFolder(data_dir, run).path / "result.json"


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} is damaged.", "Train by the same recipe anew.")
