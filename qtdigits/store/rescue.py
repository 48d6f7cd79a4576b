"""When the store cannot be opened: drawings are kept in a folder of their own until it can, and then taken in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qtdigits.core.formatting import counted
from qtdigits.errors import QtDigitsError, StoreError
from qtdigits.store.files import take_name, write_file
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.database import FILE_NAME, is_in_use
from qtdigits.store.tables.samples import SampleStore

TAKEN_IN = f"{FILE_NAME}.taken-in"


@dataclass(frozen=True)
class Opened:
    """`folder` is where `store` is: the data folder, or a rescue folder, and then `problem` says why.

    `taken_in` drawings came from a rescue folder; `notice` is what a person should know of that.
    """

    store: SampleStore
    folder: Path
    problem: StoreError | None = None
    taken_in: int = 0
    notice: str = ""


def open_or_rescue(folder: Path, *, rescue_folders: Iterable[Path]) -> Opened:
    """The store in `folder`, with what was rescued meanwhile; else the first rescue folder that can be written.

    Where nothing can be written at all, a store that holds nothing and takes nothing: a drawing stays on the canvas then.
    """
    rescue_folders = tuple(rescue_folders)
    try:
        store = SampleStore.open(folder)
    except StoreError as error:
        return _rescued(folder, rescue_folders, error)
    taken_in, notices = 0, []
    for rescue in rescue_folders:
        if (rescue / FILE_NAME).is_file():
            try:
                taken_in += insert_rescued(store, rescue)
            except QtDigitsError as error:
                notices.append(f"Drawings wait in {rescue}, but cannot be taken in: {error}")
    if taken_in:
        notices.append(
            f"{counted(taken_in, 'drawing')} that were kept elsewhere while the store could not be opened are here now."
        )
    return Opened(store, folder, taken_in=taken_in, notice=" ".join(notices))


def insert_rescued(store: SampleStore, rescue: Path) -> int:
    """Take the drawings and models of a rescue folder in; how many drawings that were. What was taken is kept under another name.

    While another window still has it open, it stays as it is and is taken in again later: what is known is skipped.
    Raises `StoreError`.
    """
    path = rescue / FILE_NAME
    SampleStore.open(rescue).close()  # so that what its log has is in the file
    merged = store.merge_store(path)
    library = ModelLibrary(store.path.parent)
    for model in sorted((rescue / "models").glob("*.h5")):
        _move(model, library.new_path(model.stem))
    if not is_in_use(path):
        take_name(path, rescue / TAKEN_IN)
    return merged.added


def _move(path: Path, target: Path) -> None:
    """Also to another disk, whole or not at all."""
    try:
        write_file(target, path.read_bytes())
        path.unlink()
    except OSError as error:
        raise StoreError(f"{path} cannot be moved: {error.strerror}.", "Move it by hand.") from error


def _rescued(folder: Path, rescue_folders: tuple[Path, ...], error: StoreError) -> Opened:
    for rescue in rescue_folders:
        try:
            store = SampleStore.open(rescue)
        except StoreError:
            continue
        until = f"Until then, drawings are kept in {rescue}, and taken in when the store can be opened again."
        return Opened(store, rescue, StoreError(error.message, f"{error.remedy} {until}".strip()))
    nothing = "Then start QtDigits anew; until then nothing can be stored, and a drawing that you judge stays on the canvas."
    problem = StoreError(error.message, f"{error.remedy} {nothing}".strip())
    return Opened(SampleStore.unavailable(folder / FILE_NAME, problem), folder, problem)
