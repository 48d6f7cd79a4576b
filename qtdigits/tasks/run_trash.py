"""Emptying the trash of runs: what it would free, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qtdigits.errors import StoreError
from qtdigits.store.run.run_folders import RunFolder
from qtdigits.store.tables.samples import SampleStore


@dataclass(frozen=True)
class Trash:
    """Ids of the runs that can go, and what their folders take. One that waits in line, or trains, stays."""

    runs: tuple[str, ...]
    size_bytes: int

    @property
    def question(self) -> str:
        """What is asked before it is emptied."""
        many = len(self.runs) != 1
        runs, their = (f"{len(self.runs):,} runs", "Their") if many else ("1 run", "Its")
        return (
            f"Delete {runs} for good? {their} curves, figures and notes go, and what it takes to go on with "
            f"{'them' if many else 'it'}: {megabytes(self.size_bytes)} become free. "
            f"Models that came of {'them' if many else 'it'} stay. This cannot be undone."
        )


def look_into_trash(store: SampleStore, data_dir: Path) -> Trash:
    """Raises `StoreError`."""
    waiting = {entry.run_id for entry in store.queue.entries()}
    ids = [run.id for run in store.runs.records(in_trash=True) if run.id not in waiting]
    folders = [
        folder for folder in (RunFolder(data_dir, run_id) for run_id in ids) if not folder.lock.is_taken()
    ]
    return Trash(tuple(folder.path.name for folder in folders), sum(f.total_bytes() for f in folders))


def empty_trash(store: SampleStore, data_dir: Path, trash: Trash) -> tuple[str, ...]:
    """Delete those that are still in the trash, folder and record. Gives the ids of those that are gone.

    One whose folder cannot be removed keeps its record. Raises `StoreError`.
    """
    here = {run.id for run in store.runs.records(in_trash=True)}
    gone = [run_id for run_id in trash.runs if run_id in here and RunFolder(data_dir, run_id).remove()]
    store.runs.forget(gone)
    if left := len(here & set(trash.runs)) - len(gone):
        raise StoreError(
            f"{left} of the runs could not be removed from {data_dir / 'runs'}.",
            "See whether a training goes on there, and whether the folder may be written.",
        )
    return tuple(gone)


def megabytes(size_bytes: int) -> str:
    """Such as "3.4 MB"; below a tenth "less than 0.1 MB"."""
    size = size_bytes / 1e6
    return "less than 0.1 MB" if size < 0.1 else f"{size:,.1f} MB" if size < 100 else f"{size:,.0f} MB"
