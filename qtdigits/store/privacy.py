"""Exporting a writer, and erasing one from every file of the data folder.

Erased are drawings, judgements, trash, set-aside rows, trainings of this hand alone and their models: in the store, in its log,
and in its backups. Runs and models of several people stay, without the pictures of these drawings that they have kept and without
the name; what a network has learned cannot be taken out of it.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from qtdigits.core.model import Golden, Model
from qtdigits.errors import InputError, QtDigitsError, StoreError
from qtdigits.store import backups, kept_files
from qtdigits.store.files import cannot_write, take_name, temporary_beside, write_file
from qtdigits.store.library import ModelLibrary
from qtdigits.store.locks import ProcessLock
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.programs import Programs
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.database import FILE_NAME, busy_error
from qtdigits.store.tables.repair import SET_ASIDE_NAME
from qtdigits.store.tables.samples import SampleStore

NOBODY = "somebody"
"""Stands where the name was."""
SHORTEST = 3
"""A shorter name is not looked for inside other texts: it could be part of any."""
MOST_BYTES = 64 << 20
"""Larger files are checkpoints, which hold no names."""


@dataclass(frozen=True)
class Wiped:
    """What was erased. `left` are files in which the name still stands, or that could not be looked into."""

    drawings: int
    judgements: int
    runs: int
    models: tuple[str, ...]
    backups: int
    left: tuple[Path, ...] = field(default=())


def export_writer(folder: Path, name: str, target: Path) -> int:
    """Write all that is stored of a writer into a store of its own, and return the number of drawings.

    It can be merged into another store. Raises `InputError`, `StoreError`.
    """
    with SampleStore.open_to_read(folder) as store, temporary_beside(target) as part:
        writers = store.writers()
        _require(name, writers)
        store.copy_to(part)
        with _raw(part) as db:
            db.execute("PRAGMA journal_mode = OFF")
            for other in writers:
                if other != name:
                    _erase_rows(db, _ids_of(db, {other}))
            for table in ("runs", "queue"):
                db.execute(f"DELETE FROM {table}")
            db.execute("VACUUM")
            n = db.execute("SELECT count(*) FROM samples").fetchone()[0]
        take_name(part, target)
    return int(n)


def wipe_writer(folder: Path, name: str, *, also: Iterable[Path] = ()) -> Wiped:
    """Erase a writer from the data folder, and from the rescue folders `also`. It cannot be undone.

    Raises `InputError` for an unknown writer or while a training runs, and `StoreError` when another program holds the store.
    """
    if ProcessLock(folder / "training.lock").is_taken():
        raise InputError("A training is running.", "Wait until it has ended, or cancel it.")
    with SampleStore.open(folder) as store:
        _require(name, store.writers())
        return _Wipe(folder, name, store, also).wipe()


class _Wipe:
    def __init__(self, folder: Path, name: str, store: SampleStore, also: Iterable[Path]) -> None:
        self._folder, self._name, self._store = folder, name, store
        self._programs = Programs(folder)
        self._folders = (folder, *(one for one in also if one.is_dir()))
        self._names = {name}
        self._words: list[str] = []
        self._rasters: set[bytes] = set()
        self._run_ids: list[str] = []

    def wipe(self) -> Wiped:
        path = self._store.path
        with _raw(path) as db:
            ids = _ids_of(db, self._names)
            # The first name stays in the store, and old backups may have it.
            self._names |= {row[0] for row in db.execute(f"SELECT key FROM writers WHERE id IN {_some(ids)}")}
            self._rasters = {
                bytes(row[0])
                for row in db.execute(f"SELECT raster FROM samples WHERE writer_id IN {_some(ids)}")
            }
        models = self._models()
        self._words = [*self._names, *models]
        self._run_ids = [*self._runs(), *self._queued()]
        with _raw(path) as db:
            n_drawings, n_judgements = self._erase(db, self._run_ids)
        for run_id in self._run_ids:
            RunFolder(self._folder, run_id).remove()
        n_backups = self._other_stores()
        self._other_files()
        return Wiped(
            n_drawings, n_judgements, len(self._run_ids), tuple(models), n_backups, tuple(self._left())
        )

    def _models(self) -> list[str]:
        """Remove the models of this hand, take the name and the drawings out of others, and return the names of the former."""
        own = sorted((self._folder / "models").glob("*.h5"))
        loaded: dict[Path, Model] = {}
        for path in own:
            with contextlib.suppress(QtDigitsError):
                loaded[path] = load_model(path)
        removed = [path for path, model in loaded.items() if model.scored_writer in self._names]
        self._words = [*self._names, *(path.stem for path in removed)]
        for path, model in loaded.items():
            if path in removed:
                self._programs.forget(model)
                _unlink(path)
            else:
                self._clean_model(path, model)
        ModelLibrary(self._folder).forget([f"models/{path.name}" for path in removed])
        return [path.stem for path in removed]

    def _clean_model(self, path: Path, model: Model) -> None:
        golden = model.golden
        is_other = np.array([image.tobytes() not in self._rasters for image in golden.images], bool)
        cleaned = replace(
            model,
            name=self._scrubbed(model.name),
            provenance=self._scrubbed(dict(model.provenance)),
            golden=Golden(golden.images[is_other], golden.probabilities[is_other]),
        )
        if not is_other.all() or (cleaned.name, cleaned.provenance) != (model.name, dict(model.provenance)):
            program = self._programs.of(model)
            self._programs.forget(model)
            save_model(cleaned, path)
            if program:
                self._programs.add(cleaned, b"" if program == model.flatbuffer else program)

    def _runs(self) -> list[str]:
        """Return the runs that trained on this hand alone, and remove what other runs kept of the drawings."""
        found = []
        for path in sorted((self._folder / "runs").glob("*")):
            if not path.is_dir():
                continue
            run = RunFolder(self._folder, path.name)
            with contextlib.suppress(QtDigitsError):
                if run.request().get("writer") in self._names:
                    found.append(path.name)
                    continue
            self._clean_run(path, run)
        return found

    def _queued(self) -> list[str]:
        """Return the runs of this hand that wait in the queue."""
        entries = self._store.queue.entries()
        return [entry.run_id for entry in entries if entry.request.get("writer") in self._names]

    def _clean_run(self, path: Path, run: RunFolder) -> None:
        readings = path / "readings.npz"
        try:
            images = [image for one in run.readings().values() for image in one.images]
        except QtDigitsError:
            _unlink(readings)  # nobody can tell what is in it
            return
        if any(image.tobytes() in self._rasters for image in images):
            _unlink(readings)

    def _erase(self, db: sqlite3.Connection, run_ids: list[str]) -> tuple[int, int]:
        """Erase the writer from an open store of any version, and from the free pages and the log of its file."""
        db.execute("PRAGMA secure_delete = ON")
        db.execute("BEGIN IMMEDIATE")
        try:
            numbers = _erase_rows(db, _ids_of(db, self._names))
            for table, column in (("runs", "id"), ("queue", "run_id")):
                if _has(db, table):
                    chosen = [(run_id,) for run_id in run_ids]
                    db.executemany(f"DELETE FROM {table} WHERE {column} = ?", chosen)
            self._scrub_tables(db)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        _compact(db)
        return numbers

    def _scrub_tables(self, db: sqlite3.Connection) -> None:
        for table, column in (
            *(("runs", column) for column in ("name", "note", "recipe", "model", "figures", "history")),
            ("queue", "request"),
            ("trials", "model"),
            ("trial_tally", "model"),
        ):
            if column not in _columns(db, table):
                continue
            for word in self._words:
                statement = (
                    f"SELECT DISTINCT {column} FROM {table} WHERE instr({column}, ?) OR instr({column}, ?)"
                )
                texts = db.execute(statement, (word, _escaped(word))).fetchall()
                for (text,) in texts:
                    changed = self._scrubbed_text(text)
                    if changed != text and table != "trial_tally":  # triggers keep the tally
                        db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (changed, text))
        if _has(db, "trial_tally"):
            db.execute("DELETE FROM trial_tally WHERE n = 0")

    def _other_stores(self) -> int:
        """Erase the writer from backups and rescued stores; one that cannot be opened is removed. Return how many there are."""
        found = [
            path
            for folder in self._folders
            for pattern in (f"{FILE_NAME}*", f"{backups.FOLDER}/*.db")
            for path in sorted(folder.glob(pattern))
            if path != self._store.path and path.is_file() and not path.name.endswith(("-wal", "-shm"))
        ]
        for path in found:
            try:
                with _raw(path) as db:
                    self._erase(db, self._run_ids)
                    db.execute("PRAGMA journal_mode = DELETE")
            except (sqlite3.Error, StoreError):
                for suffix in ("", "-wal", "-shm"):
                    _unlink(Path(f"{path}{suffix}"))
        return len(found)

    def _other_files(self) -> None:
        self._clean_set_aside()
        for folder in self._folders:
            for path in _files(folder):
                if path.suffix in {".json", ".damaged", ".log", ".ini", ".1"} and self._mentions(path):
                    self._clean_text(path)

    def _clean_set_aside(self) -> None:
        path = self._folder / SET_ASIDE_NAME
        with contextlib.suppress(FileNotFoundError):
            lines = path.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if _writer_of(line) not in self._names]
            if kept:
                write_file(path, b"".join(kept))
            else:
                _unlink(path)

    def _clean_text(self, path: Path) -> None:
        """Take the name out of a file of JSON or settings; a log or a matrix goes as a whole."""
        if path.suffix in {".log", ".1"} or path.name == kept_files.FILE_NAME:
            _unlink(path)
            return
        text = path.read_text("utf-8", errors="replace")
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            lines = text.splitlines(keepends=True)
            write_file(path, "".join(line for line in lines if self._scrubbed_text(line) == line).encode())
        else:
            write_file(path, json.dumps(self._scrubbed(values), ensure_ascii=False, indent=1).encode())

    def _left(self) -> Iterator[Path]:
        for folder in self._folders:
            for path in _files(folder):
                if self._mentions(path):
                    yield path

    def _mentions(self, path: Path) -> bool:
        """Whether the file has the name, as it is or as JSON writes it."""
        try:
            if path.stat().st_size > MOST_BYTES:
                return False
            content = path.read_bytes()
        except OSError:
            return True
        words = [word for word in self._names if len(word) >= SHORTEST]
        return any(form.encode() in content for word in words for form in {word, _escaped(word)})

    def _scrubbed(self, value: Any) -> Any:
        """Return a tree of JSON values without the name."""
        match value:
            case str():
                return self._scrubbed_text(value)
            case dict():
                return {self._scrubbed_text(key): self._scrubbed(one) for key, one in value.items()}
            case list() | tuple():
                return [self._scrubbed(one) for one in value]
        return value

    def _scrubbed_text(self, text: str) -> str:
        if text in self._words:
            return NOBODY
        for word in self._words:
            if len(word) >= SHORTEST:
                for form in (word, _escaped(word)):
                    text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", NOBODY, text)
        return text


def _erase_rows(db: sqlite3.Connection, ids: list[int]) -> tuple[int, int]:
    """Remove the rows of some writers; return how many drawings and judgements there were."""
    chosen = _some(ids)
    n_judgements = db.execute(f"DELETE FROM trials WHERE writer_id IN {chosen}").rowcount
    n_drawings = db.execute(f"DELETE FROM samples WHERE writer_id IN {chosen}").rowcount
    for tally in ("trial_tally", "sample_tally"):
        if _has(db, tally):
            db.execute(f"DELETE FROM {tally} WHERE writer_id IN {chosen}")
    db.execute(f"DELETE FROM writers WHERE id IN {chosen}")
    return n_drawings, n_judgements


def _compact(db: sqlite3.Connection) -> None:
    """Write the file anew, without free pages, and empty its log."""
    for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
        row = db.execute(statement).fetchone()
    if row is not None and row[0]:
        raise StoreError(
            "Another window reads the store, so that its log cannot be emptied.", "Close it and try again."
        )


def _ids_of(db: sqlite3.Connection, names: set[str]) -> list[int]:
    marks = ", ".join("?" * len(names))
    statement = f"SELECT id FROM writers WHERE name IN ({marks}) OR key IN ({marks})"
    return [int(row[0]) for row in db.execute(statement, (*names, *names))]


@contextlib.contextmanager
def _raw(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a store of any version, which is not migrated. Raises `StoreBusyError` where another program holds it."""
    db = sqlite3.connect(path, timeout=10.0, isolation_level=None)
    db.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        yield db
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode & 0xFF) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise busy_error(path) from error
        raise
    finally:
        db.close()


def _columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


def _has(db: sqlite3.Connection, table: str) -> bool:
    return bool(_columns(db, table))


def _some(ids: Iterable[int]) -> str:
    return f"({', '.join(str(int(i)) for i in ids)})"


def _require(name: str, writers: list[str]) -> None:
    if name not in writers:
        raise InputError(f"There is no writer {name!r}.", f"Writers: {', '.join(writers) or 'none yet'}.")


def _escaped(word: str) -> str:
    """As JSON writes it in ASCII."""
    return json.dumps(word)[1:-1]


def _writer_of(line: bytes) -> object:
    try:
        return json.loads(line).get("writer")
    except (ValueError, AttributeError):
        return None


def _files(folder: Path) -> list[Path]:
    skipped = {f"{FILE_NAME}-shm"}
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in skipped]


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
