"""Opening models and data by what a person types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qtdigits.cli.output import say
from qtdigits.errors import InputError

if TYPE_CHECKING:
    from qtdigits.core.drawing.samples import Dataset
    from qtdigits.core.models import Model
    from qtdigits.reader.reader import Reader
    from qtdigits.store.tables.samples import SampleStore


def open_model(name_or_path: str, *, folder: Path, weights: bool = True) -> Model:
    """The model of a file or of a name in the library. Raises `InputError` with the names that there are."""
    from qtdigits.store.model.library import CHAMPION, ModelLibrary
    from qtdigits.store.model.model_files import load_model

    if name_or_path == CHAMPION:
        return _champion(folder, weights=weights)
    return load_model(ModelLibrary(folder).find(name_or_path), weights=weights)


def find_model(name_or_path: str, *, folder: Path) -> Path:
    """The file of a model. Raises `InputError` with the names that there are."""
    from qtdigits.store.model.library import CHAMPION, ModelLibrary

    if name_or_path == CHAMPION:
        return champion_path(folder)
    return ModelLibrary(folder).find(name_or_path)


def champion_path(folder: Path) -> Path:
    """The file of the model in use. Raises `ModelFileError` when there is none."""
    model = _champion(folder, weights=False)
    assert model.path is not None  # it was read from a file
    return model.path


def _champion(folder: Path, *, weights: bool) -> Model:
    """The model in use. When it is another than the chosen one, as that is gone or damaged, it is said."""
    from qtdigits.store.model.library import ModelLibrary

    model, notice = ModelLibrary(folder).load_champion(weights=weights)
    if notice:
        say(notice)
    return model


def open_reader(name_or_path: str, *, folder: Path) -> Reader:
    """A reader that has given its golden answers; TensorFlow has no part in it."""
    from qtdigits.reader.reader import Reader

    return Reader(open_model(name_or_path, folder=folder, weights=False))


def require_writer(store: SampleStore, writer: str) -> None:
    """Raises `InputError` with the writers that there are."""
    if writer not in (writers := store.writers()):
        raise InputError(f"There is no writer {writer!r}.", f"Writers: {', '.join(writers) or 'none yet'}.")


def open_dataset(
    what: str, *, labels: Path | None, mnist: Path | None, folder: Path, progress: Callable[[int, int], None]
) -> Dataset:
    """Drawings to score a model on: MNIST's test set for "mnist", otherwise a file of any kind that can be read."""
    if what != "mnist":
        from qtdigits.store.data.datasets import read_dataset

        return read_dataset(Path(what), labels=labels)
    if labels:
        raise InputError("MNIST has its own labels.", "Leave out --labels.")
    return _mnist_test_set(mnist, folder, progress)


def _mnist_test_set(explicit: Path | None, folder: Path, progress: Callable[[int, int], None]) -> Dataset:
    from qtdigits.store.data.mnist import find_mnist, load_mnist
    from qtdigits.tasks.fetching import fetch_mnist

    path = find_mnist(explicit=explicit, folder=folder)
    if path is None:
        say("MNIST is not on this machine, so it is downloaded.")
        path = fetch_mnist(folder, progress=progress)
    return load_mnist(path).test
