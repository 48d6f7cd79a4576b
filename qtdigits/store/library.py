"""The shipped models and the person's own, and which of them is the champion.

`champion.json` in the data folder names the champion and those before it, of each set of classes that has one of its own, and the
set that is in use. Its references are `shipped:NAME.h5` or `models/NAME.h5` where possible, so that the program and the data
folder may move.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from qtdigits import paths
from qtdigits.core.model import Model
from qtdigits.errors import InputError, ModelFileError, StoreError
from qtdigits.limits import JSON_BYTES
from qtdigits.store.files import make_folder, remove_abandoned, write_file
from qtdigits.store.locks import PATIENCE_S, held
from qtdigits.store.model_files import load_header, load_model, save_model
from qtdigits.store.programs import Programs
from qtdigits.untrusted import Text, cannot_read, decoded, read_file

MOST_CHAMPIONS = 50
MOST_BYTES_OF_NAME = 120
"""File systems allow 255; endings, numbers and the names of temporary files need some of them."""
CHAMPION = "champion"
"""The name that stands for the model in use."""
DRAWN_SCORE = "pendigits"
"""The score by which shipped models are ranked: drawings by people that no model was trained on."""
DEFAULT = "default.h5"
"""The shipped model to begin with, by name: a start need not read the headers of all models to rank them."""

_SHIPPED = "shipped:"


@dataclass(frozen=True)
class ModelEntry:
    """A model in a list. `error` says why a file cannot be read, otherwise it is empty.

    `created_at` is that of the provenance, else the time of the file. `writer` is whose hold-out it was scored on, "" if unknown.
    """

    path: Path
    name: str
    title: str
    is_shipped: bool
    created_at: datetime
    labels: tuple[str, ...]
    scores: Mapping[str, Mapping[str, Any]]
    is_champion: bool
    error: str = ""
    writer: str = ""


class _Chosen(msgspec.Struct):
    champion: Text
    before: tuple[Text, ...]


class _ChampionFile(msgspec.Struct):
    """What is read of `champion.json`."""

    champion: Text | None = None
    class_set: Text | None = None
    sets: dict[Text, _Chosen] = {}


@dataclass(frozen=True)
class _Champions:
    """The references in `champion.json`, the latest of `before` last. `notice` is set when it is unreadable."""

    champion: str = ""
    before: tuple[str, ...] = field(default=())
    notice: str = ""

    @property
    def latest_first(self) -> Iterator[str]:
        yield from filter(None, (self.champion, *reversed(self.before)))

    def earlier_than(self, reference: str) -> tuple[str, ...]:
        """Return the champions before that one, the latest last; all of them where it is none of them."""
        line = tuple(reversed(list(self.latest_first)))
        places = [place for place, one in enumerate(line) if one == reference]
        return tuple(one for one in line[: places[-1] if places else len(line)] if one != reference)


class ModelLibrary:
    """The shipped models and those in the `models` folder of the data folder `folder`.

    The champion is that of the set of classes in use; a set that has none yet takes that of all classes.
    """

    def __init__(self, folder: Path, *, shipped: Path | None = None) -> None:
        self._folder = folder
        self._models = folder / "models"
        self._shipped = shipped or paths.shipped_models_dir()
        self._champion_file = folder / "champion.json"
        self._class_set: str | None = None
        self._patience_s = PATIENCE_S
        self.programs = Programs(folder)

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self._folder

    @property
    def class_set(self) -> str:
        """The name of the set of classes in use, "" for all classes. Another window's choice is not followed."""
        if self._class_set is None:
            try:
                file = decoded(read_file(self._champion_file, JSON_BYTES), _ChampionFile)
            except InputError:
                file = _ChampionFile()
            self._class_set = file.class_set or ""
        return self._class_set

    def use_class_set(self, name: str) -> None:
        """Raises `StoreError`."""
        with self._changing():
            self._save({**self._values(), "class_set": name})
        self._class_set = name

    def wait_at_most(self, seconds: float) -> None:
        """So long a change waits for another process that chooses a model, before it raises `StoreBusyError`."""
        self._patience_s = seconds

    def entries(self) -> list[ModelEntry]:
        """Return the shipped models, then the person's own, by name; unreadable files too, with their `error`."""
        champion = self._champion()
        files = self._files()
        if champion is not None and champion not in files:
            files.append(champion)
        return [self._entry(path, is_champion=path == champion) for path in files]

    def champion_path(self) -> Path:
        """Return the chosen model if its file exists, else the last one before it that does, else the best shipped one.

        The file may be damaged; `load_champion` skips such files. Raises `ModelFileError` when there is no model at all.
        """
        found = self._champion()
        if found is None:
            raise self._nothing_to_use()
        return found

    def shipped_default(self) -> Path | None:
        """Return the best shipped model, which has learned from nobody here; None where none can be read."""
        return next(self._shipped_best_first(), None)

    def load_champion(
        self, *, weights: bool = False, try_out: Callable[[Model], object] = lambda model: None
    ) -> tuple[Model, str]:
        """Load the champion; return it with a notice why it is another than the chosen one, or "".

        `try_out` raises `ModelFileError` for a model that cannot be used although its file is whole. A replacement becomes the
        champion, where that can be written, so that the notice comes once. Raises `ModelFileError` when no model is usable.
        """
        champions = self._read()
        notices = [champions.notice] if champions.notice else []
        chosen = map(self._path_of, champions.latest_first)
        for path in chain(chosen, self._defaults()):
            try:
                model = self.load(path, weights=weights)
                try_out(model)
            except ModelFileError as error:
                notices.append(error.message)
                continue
            if notices:
                notices.append(f"“{model.name}” is used instead.")
            if notices and not champions.notice:
                with contextlib.suppress(StoreError):
                    self.promote(path)
            return model, " ".join(notices)
        raise self._nothing_to_use()

    def promote(self, path: Path) -> None:
        """Make the model at `path` the champion. Raises `ModelFileError` when it is unusable, `StoreError`."""
        with self._changing():
            load_model(path, weights=False)
            champions = self._read()
            if champions.notice:
                self._set_aside()
            reference, present = self._reference(path), self._champion()
            before = champions.before
            if present is not None and reference != self._reference(present):
                before = (*before, self._reference(present))[-MOST_CHAMPIONS:]
            self._write(_Champions(reference, before))

    def roll_back(self, *, in_use: Path | None = None) -> Path:
        """Make the last usable champion before the present one the champion again, and return its path.

        `in_use`: before this one instead, where another window may have chosen the present one. Raises `StoreError` when there
        is none.
        """
        with self._changing():
            champions = self._read()
            present = champions.champion if in_use is None else self._reference(in_use)
            before = list(champions.earlier_than(present))
            while before:
                reference = before.pop()
                path = self._path_of(reference)
                try:
                    load_model(path, weights=False)
                except ModelFileError:
                    continue
                self._write(_Champions(reference, tuple(before)))
                return path
        raise StoreError("No model was in use before this one.", "Choose a model from the list instead.")

    def forget(self, references: Collection[str]) -> None:
        """Leave out models that are gone; where one is the champion, the one before it is champion again. Raises `StoreError`."""
        if not references or not self._champion_file.is_file():
            return
        with self._changing():
            values = self._values()
            sets = values.get("sets")
            of_sets = sets.values() if isinstance(sets, dict) else ()
            for chosen in (values, *(one for one in of_sets if isinstance(one, dict))):
                line = [*chosen.get("before", ()), chosen.get("champion", "")]
                kept = [one for one in line if one not in references]
                if kept != line:
                    chosen |= {"champion": kept.pop() if kept else "", "before": kept}
            self._save(values)

    def find(self, name_or_path: str) -> Path:
        """Return a model by path, by name (with or without `.h5`), or "champion". Raises `InputError` with the known names."""
        if _is_file(path := Path(name_or_path)):
            return path
        if name_or_path == CHAMPION:
            return self.champion_path()
        files = self._files()
        wanted = name_or_path.removesuffix(".h5")
        for file in reversed(files):
            if file.stem == wanted:
                return file
        if os.path.lexists(name_or_path):  # to be told what is wrong with it
            return path
        known = ", ".join(file.stem for file in files) or "none"
        raise InputError(
            f"There is no model {name_or_path!r}.", f"Known models: {known}; or give the path of a file."
        )

    def load(self, path: Path, *, weights: bool = False) -> Model:
        """Load a model to read with; a program that comes from elsewhere is left out. Raises `ModelFileError`."""
        return self.programs.load(path, weights=weights)

    def save(self, model: Model, path: Path) -> Model:
        """Save a model that this program has made, and return it with its path. Raises `StoreError`."""
        saved = save_model(model, path)
        self.programs.add(saved)
        return saved

    def is_own(self, path: Path) -> bool:
        """Whether the file is one of the person's own models: not one that is shipped, nor one that lies elsewhere."""
        return path.resolve().parent == self._models.resolve()

    def new_path(self, stem: str) -> Path:
        """Return a free file name in the data folder's `models`; create the folder. Raises `StoreError`."""
        make_folder(self._models)
        remove_abandoned(self._models)
        cleaned = "".join(c if c.isalnum() or c in "-_." else "-" for c in stem)
        cleaned = cleaned.encode()[:MOST_BYTES_OF_NAME].decode(errors="ignore").strip("-.") or "model"
        taken = {file.stem.casefold() for file in self._files()}
        number = 1
        while (name := cleaned if number == 1 else f"{cleaned}-{number}").casefold() in taken:
            number += 1
        return self._models / f"{name}.h5"

    def add(self, model: Model) -> Path:
        """Save the model under its name, or one like it that is free, and return its path. Raises `StoreError`."""
        with self.adding():
            path = self.new_path(model.name)
            self.save(replace(model, name=path.stem), path)
        return path

    def adding(self) -> AbstractContextManager[None]:
        """Lock out other processes between `new_path` and saving the model."""
        return held(self._folder / "models.lock")

    def _files(self) -> list[Path]:
        return [*self._shipped_files(), *self._own_files()]

    def _shipped_files(self) -> list[Path]:
        return sorted(self._shipped.glob("*.h5"))

    def _own_files(self) -> list[Path]:
        return sorted(self._models.glob("*.h5"))

    def _entry(self, path: Path, *, is_champion: bool) -> ModelEntry:
        is_shipped = path.parent == self._shipped
        entry = ModelEntry(path, path.stem, "", is_shipped, _file_time(path), (), {}, is_champion)
        try:
            header = load_header(path)
        except ModelFileError as error:
            return replace(entry, error=str(error))
        return replace(
            entry,
            name=header.name,
            title=header.network.title,
            created_at=header.created_at or _file_time(path),
            labels=header.label_set.labels,
            scores=header.scores,
            writer=header.scored_writer,
        )

    def _defaults(self) -> Iterator[Path]:
        """The shipped models, then the person's own, the best first."""
        yield from self._shipped_best_first()
        yield from self._by_score(self._own_files())

    def _shipped_best_first(self) -> Iterator[Path]:
        files = self._shipped_files()
        default = self._shipped / DEFAULT
        if default in files:
            files.remove(default)
            yield default
        yield from self._by_score(files)

    @staticmethod
    def _by_score(files: list[Path]) -> Iterator[Path]:
        """The readable ones, the best on drawings first; those without that score by their other scores."""
        ranks: dict[Path, tuple[bool, float]] = {}
        for path in files:
            try:
                ranks[path] = _rank(load_header(path).scores)
            except ModelFileError:
                continue
        yield from sorted(ranks, key=lambda path: ranks[path], reverse=True)

    def _champion(self) -> Path | None:
        chosen = map(self._path_of, self._read().latest_first)
        return next(chain(filter(_is_file, chosen), self._defaults()), None)

    def _path_of(self, reference: str) -> Path:
        if reference.startswith(_SHIPPED):
            return self._shipped / reference.removeprefix(_SHIPPED)
        return self._folder / reference

    def _reference(self, path: Path) -> str:
        path = path.resolve()
        if path.parent == self._shipped.resolve():
            return _SHIPPED + path.name
        folder = self._folder.resolve()
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)

    def _read(self) -> _Champions:
        if not os.path.lexists(self._champion_file):
            return _Champions()
        try:
            content = read_file(self._champion_file, JSON_BYTES)
        except InputError as error:
            return _Champions(notice=error.message)
        try:
            file = decoded(content, _ChampionFile)
            if self.class_set in file.sets:
                chosen = file.sets[self.class_set]
            elif (
                file.champion is None and file.class_set is not None
            ):  # a set was chosen, but no model for all classes
                return _Champions()
            else:
                chosen = decoded(content, _Chosen)
        except InputError:
            return _Champions(
                notice=f"{self._champion_file} is damaged, so the choice of the champion is lost."
            )
        return _Champions(chosen.champion, chosen.before)

    def _changing(self) -> AbstractContextManager[None]:
        """Lock out other processes between reading and writing `champion.json`."""
        return held(self._champion_file.with_suffix(".lock"), patience_s=self._patience_s)

    def _write(self, champions: _Champions) -> None:
        values = self._values()
        chosen = {"champion": champions.champion, "before": list(champions.before)}
        if self.class_set:
            values["sets"] = {**values.get("sets", {}), self.class_set: chosen}
            values.setdefault("class_set", self.class_set)  # it is missing where a damaged file was set aside
        else:
            values |= chosen
        self._save(values)

    def _values(self) -> dict[str, Any]:
        """Return what is in `champion.json`; nothing where it cannot be read."""
        try:
            return decoded(read_file(self._champion_file, JSON_BYTES), dict[str, Any])
        except InputError:
            return {}

    def _save(self, values: Mapping[str, Any]) -> None:
        make_folder(self._folder)
        values = {**values, "format": 1}
        write_file(self._champion_file, json.dumps(values, indent=1, ensure_ascii=False).encode())

    def _set_aside(self) -> None:
        """Rename an unreadable champion.json before a new one is written."""
        try:
            self._champion_file.replace(self._champion_file.with_suffix(".json.damaged"))
        except OSError as error:
            raise StoreError(cannot_read(self._champion_file, error), "Move the file away.") from error

    def _nothing_to_use(self) -> ModelFileError:
        return ModelFileError(
            f"There is no usable model in {self._shipped} or {self._models}.",
            "Train one with `qtdigits train`, or install QtDigits again.",
        )


def _rank(scores: Mapping[str, Mapping[str, Any]]) -> tuple[bool, float]:
    accuracies = {
        name: float(score["accuracy"])
        for name, score in scores.items()
        if isinstance(score.get("accuracy"), int | float)
    }
    if DRAWN_SCORE in accuracies:
        return True, accuracies[DRAWN_SCORE]
    return False, max(accuracies.values(), default=0.0)


def _is_file(path: Path) -> bool:
    """Whether it is one; a name that no file can have is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _file_time(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)
