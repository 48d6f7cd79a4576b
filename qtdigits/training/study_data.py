"""The data of a study: written down when it is created, and checked by every worker."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.study import HOLD_OUT, StudySpec
from qtdigits.errors import DataMissingError, InputError
from qtdigits.store.data.datasets import Kind, kind_of
from qtdigits.store.tables.samples import SampleStore

INK_VARIABLE = "QTDIGITS_INK"
"""A folder of ink files; those of ready-made studies are looked for in it."""


def with_data(spec: StudySpec, data_dir: Path) -> StudySpec:
    """Return a new study with the digests of its data. Raises `InputError` for what is missing, and for a test set."""
    found = {name: find_file(name, data_dir) for name in _files_of(spec)}
    spec = _with_paths(spec, {name: str(path) for name, path in found.items()})
    files = {path.name: _digest(path) for path in found.values()}
    if spec.has_file:
        _check_objective(Path(spec.objective), spec.ink_files, files)
    newest, digest = 0, ""
    if spec.use_drawings:
        with SampleStore.open(data_dir) as store:
            everything = store.dataset()
            hold_out = store.dataset(held_out=True, writer=spec.writer or None)
        newest, digest = max((*everything.ids, 0)), _digest_of(hold_out)
        if spec.objective == HOLD_OUT and not len(hold_out):
            raise InputError(
                "No drawings are held out yet.",
                "Draw and judge some, or choose --objective validation or a file.",
            )
    elif spec.objective == HOLD_OUT:
        raise InputError(
            "Without drawings there is no hold-out.", "Leave out --no-drawings, or choose another objective."
        )
    return replace(spec, files=files, newest_sample=newest, hold_out=digest).checked()


def checked_data(spec: StudySpec, data_dir: Path) -> StudySpec:
    """Return the study with the paths that its files have on this machine. Raises `InputError` for other data."""
    found = {name: find_file(name, data_dir, sha256=spec.files) for name in _files_of(spec)}
    if spec.objective == HOLD_OUT:
        with SampleStore.open(data_dir) as store:
            hold_out = store.dataset(
                held_out=True, writer=spec.writer or None, not_newer_than=spec.newest_sample or None
            )
        if _digest_of(hold_out) != spec.hold_out:
            raise InputError(
                f"The drawings held out in {data_dir} are not those that the study began with.",
                "Work on it with the data folder it began with, or begin a new study.",
            )
    return _with_paths(spec, {name: str(path) for name, path in found.items()})


def find_file(name: str, data_dir: Path, *, sha256: Mapping[str, str] | None = None) -> Path:
    """Return a file by its path; else by its name in this folder, the data folder or `QTDIGITS_INK`.

    With `sha256`, by name, only a file with that content. Raises `InputError`.
    """
    path = Path(name).expanduser()
    folders = [Path(), data_dir, *map(Path, filter(None, [os.environ.get(INK_VARIABLE)]))]
    others = []
    for candidate in (path, *(folder / path.name for folder in folders)):
        if candidate.exists():
            if sha256 is None or _digest(candidate) == sha256.get(path.name):
                return candidate.absolute()
            others.append(candidate)
    if others:
        raise InputError(
            f"{others[0]} is not the file that the study began with.", "Take the same file on all machines."
        )
    raise DataMissingError(
        f"There is no file {name}.",
        f"Check the path, or put it into {data_dir}, or into a folder that {INK_VARIABLE} names.",
    )


def _check_objective(file: Path, ink_files: Iterable[str], digests: dict[str, str]) -> None:
    if not file.is_dir() and kind_of(file) is Kind.NPZ:
        with np.load(file, allow_pickle=False) as arrays:
            if "x_test" in arrays:
                raise InputError(
                    f"{file} holds a test set, which must not choose anything.",
                    "Choose --objective validation instead.",
                )
    if digests[file.name] in {digests[Path(one).name] for one in ink_files}:
        raise InputError(
            f"{file} is trained on, so it cannot rank the trials.", "Give drawings by other writers."
        )


def _files_of(spec: StudySpec) -> list[str]:
    objective = [spec.objective] if spec.has_file else []
    return [*objective, *spec.ink_files, *filter(None, (spec.model, spec.base, spec.mnist))]


def _with_paths(spec: StudySpec, paths: dict[str, str]) -> StudySpec:
    def here(name: str) -> str:
        return paths.get(name, name)

    return replace(
        spec,
        objective=here(spec.objective),
        ink_files=tuple(map(here, spec.ink_files)),
        model=here(spec.model),
        base=here(spec.base),
        mnist=here(spec.mnist),
    )


def _digest(path: Path) -> str:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _digest_of(drawings: Dataset) -> str:
    digest = hashlib.sha256(drawings.images.tobytes())
    digest.update("\0".join(drawings.labels).encode())
    return digest.hexdigest()
