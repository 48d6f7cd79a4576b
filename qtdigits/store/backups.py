"""Backups of the store, in `backups` of the data folder: one for each day of use, and one before a store is replaced.

The copies that are made before a migration, `samples.db.before-vN`, are backups too. Old ones go by themselves.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from qtdigits.errors import DamagedStoreError, InputError
from qtdigits.store.files import cannot_write, make_folder
from qtdigits.store.tables.database import FILE_NAME, Database
from qtdigits.store.tables.salvage import set_file_aside
from qtdigits.store.tables.samples import SampleStore

FOLDER = "backups"
DAILY, BEFORE_RESTORING, BY_HAND = "daily", "before-restoring", "by-hand"
DAYS_KEPT = 7
OTHERS_KEPT = 5
MOST_BYTES = 2 << 30
"""Of all backups in the folder; the latest is kept whatever its size."""


@dataclass(frozen=True)
class Backup:
    """`why` is one of the kinds above, or "before-v7"."""

    path: Path
    made_at: datetime
    n_bytes: int
    why: str

    @property
    def is_daily(self) -> bool:
        return self.why == DAILY


@dataclass(frozen=True)
class Restored:
    """The store has `n` drawings now. `kept` is where the one before lies; None where there was none."""

    n: int
    kept: Path | None


def backups(folder: Path) -> list[Backup]:
    """Return the backups in a data folder, the latest first."""
    found = [_backup(path, path.stem.split("-", 3)[-1]) for path in (folder / FOLDER).glob("samples-*.db")]
    before = f"{FILE_NAME}.before-v"
    found += [_backup(path, path.name[len(FILE_NAME) + 1 :]) for path in folder.glob(f"{before}*")]
    return sorted((one for one in found if one is not None), key=lambda one: one.made_at, reverse=True)


def find_backup(folder: Path, name: str) -> Backup:
    """Return the backup of this name, or the latest one from that day such as 2026-05-01. Raises `InputError`."""
    known = backups(folder)
    for one in known:
        if name in {one.path.name, str(one.path), f"{one.made_at.astimezone():%Y-%m-%d}"}:
            return one
    names = ", ".join(one.path.name for one in known[:5]) or "none yet"
    raise InputError(f"There is no backup {name!r}.", f"Backups: {names}.")


def back_up_today(path: Path) -> Path | None:
    """Back up the store at `path` unless that was done today, and return the copy. Raises `StoreError`."""
    if not path.is_file() or any(one.is_daily and _is_of_today(one) for one in backups(path.parent)):
        return None
    return back_up(path, DAILY)


def back_up(store_path: Path, why: str = BY_HAND) -> Path:
    """Back up the store at `store_path` and return the copy. Raises `StoreError`."""
    with contextlib.closing(Database.open_read_only(store_path)) as database:
        return _copy(database, why)


def restore(folder: Path, backup: Path) -> Restored:
    """Put the content of a backup, or of any store, in the place of the store in `folder`, which is kept as a backup first.

    Who has it open sees that at once. A damaged store is moved aside. Raises `StoreError`.
    """
    with (
        contextlib.closing(Database.open_read_only(backup, is_foreign=True)) as source,
        contextlib.ExitStack() as closing,
    ):
        kept = None
        try:
            store = SampleStore.open(folder)
        except DamagedStoreError:
            kept = set_file_aside(folder / FILE_NAME)
            store = SampleStore.open(folder)
        closing.callback(store.close)
        if kept is None and (store.count() or store.writers() or store.runs.records(most=1)):
            kept = back_up(store.path, BEFORE_RESTORING)
        store.replace_by(source)
        return Restored(store.count(), kept)


def _copy(database: Database, why: str) -> Path:
    folder = database.path.parent / FOLDER
    make_folder(folder)
    moment = datetime.now().astimezone()
    target = folder / f"samples-{moment:%Y%m%d-%H%M%S}-{why}.db"
    if target.exists():
        target = folder / f"samples-{moment:%Y%m%d-%H%M%S%f}-{why}.db"
    database.copy_to(target)
    _remove_old(database.path.parent)
    return target


def _remove_old(folder: Path) -> None:
    """Those beside the store, of migrations, stay: there is one for each version."""
    own = [one for one in backups(folder) if one.path.parent.name == FOLDER]
    daily = [one for one in own if one.is_daily][:DAYS_KEPT]
    kept = {one.path for one in (*daily, *[one for one in own if not one.is_daily][:OTHERS_KEPT])}
    total = 0
    for i, one in enumerate(own):
        total += one.n_bytes
        if one.path not in kept or (i and total > MOST_BYTES):
            try:
                one.path.unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(one.path, error) from error


def _backup(path: Path, why: str) -> Backup | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return Backup(path, datetime.fromtimestamp(status.st_mtime, UTC), status.st_size, why)


def _is_of_today(one: Backup) -> bool:
    return one.made_at.astimezone().date() == datetime.now().astimezone().date()
