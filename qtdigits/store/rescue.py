"""When the store cannot be opened: keep drawings in a rescue folder, and import them once it can."""

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

IMPORTED_NAME = f"{FILE_NAME}.taken-in"


@dataclass(frozen=True)
class Opened:
    """`folder` holds `store`: the data folder, or a rescue folder, and then `problem` says why.

    `n_imported` drawings came from rescue folders; `notice` is the message about that.
    """

    store: SampleStore
    folder: Path
    problem: StoreError | None = None
    n_imported: int = 0
    notice: str = ""


def open_or_rescue(folder: Path, *, rescue_folders: Iterable[Path]) -> Opened:
    """Open the store in `folder` and import what was rescued; else open the first rescue folder that can be written.

    Where nothing can be written at all, the store is one that refuses every change: a drawing then stays on the canvas.
    """
    rescue_folders = tuple(rescue_folders)
    try:
        store = SampleStore.open(folder)
    except StoreError as error:
        return _rescued(folder, rescue_folders, error)
    n_imported, notices = 0, []
    for rescue in rescue_folders:
        if (rescue / FILE_NAME).is_file():
            try:
                n_imported += _import_rescued(store, rescue)
            except QtDigitsError as error:
                notices.append(f"Drawings are kept in {rescue}, but cannot be imported: {error}")
    if n_imported:
        notices.append(
            f"{counted(n_imported, 'drawing')} from the time when the store could not be opened "
            f"{'was' if n_imported == 1 else 'were'} imported."
        )
    return Opened(store, folder, n_imported=n_imported, notice=" ".join(notices))


def _rescued(folder: Path, rescue_folders: tuple[Path, ...], error: StoreError) -> Opened:
    for rescue in rescue_folders:
        try:
            store = SampleStore.open(rescue)
        except StoreError:
            continue
        until = f"Until then, drawings are kept in {rescue}, and imported when the store can be opened again."
        return Opened(store, rescue, StoreError(error.message, f"{error.remedy} {until}".strip()))
    nothing = "Then restart QtDigits; until then nothing can be stored, and a drawing that you judge stays on the canvas."
    problem = StoreError(error.message, f"{error.remedy} {nothing}".strip())
    return Opened(SampleStore.unavailable(folder / FILE_NAME, problem), folder, problem)


def _import_rescued(store: SampleStore, rescue: Path) -> int:
    """Import the drawings and models of a rescue folder, and return the number of drawings. Raises `StoreError`.

    Its store is renamed then. While another window has it open, it stays and is imported again later: known drawings are
    skipped.
    """
    path = rescue / FILE_NAME
    SampleStore.open(rescue).close()  # so that its log is written into the file
    merged = store.merge_store(path, skip_damaged=True)
    library = ModelLibrary(store.path.parent)
    for model in sorted((rescue / "models").glob("*.h5")):
        _move(model, library.new_path(model.stem))
    if not is_in_use(path):
        take_name(path, rescue / IMPORTED_NAME)
    return merged.added


def _move(path: Path, target: Path) -> None:
    """Move a file whole or not at all, to another disk too."""
    try:
        write_file(target, path.read_bytes())
        path.unlink()
    except OSError as error:
        raise StoreError(f"{path} cannot be moved: {error.strerror}.", "Move it by hand.") from error
