"""Models, data and learners by what a person types, and the options of commands that learn hands."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from qtdigits.cli.options import file_path
from qtdigits.cli.output import say
from qtdigits.core.drawing.samples import MNIST, Dataset
from qtdigits.core.model import Model
from qtdigits.core.recipe_files import load_recipe
from qtdigits.errors import DamagedStoreError, InputError, StoreError
from qtdigits.quiet import quiet
from qtdigits.reader import Reader
from qtdigits.store.backups import back_up_today
from qtdigits.store.data.datasets import read_dataset
from qtdigits.store.data.mnist import Mnist, find_mnist, load_mnist
from qtdigits.store.library import CHAMPION, ModelLibrary
from qtdigits.store.tables.classes import classes_of
from qtdigits.store.tables.database import FILE_NAME
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import headers_of, was_trained_on
from qtdigits.training.consolidate import RECIPE, Learner
from qtdigits.training.data_cache import DataCache, fetch_mnist
from qtdigits.training.model_upgrade import readable

MOST_NAMED = 5
"""Damaged rows that a list names."""


def open_model(name_or_path: str, *, folder: Path, weights: bool = True) -> Model:
    """Load a model by file or by name in the library. Raises `InputError` with the existing names."""
    if name_or_path == CHAMPION:
        return _champion(folder, weights=weights)
    library = ModelLibrary(folder)
    return library.load(library.find(name_or_path), weights=weights)


def open_to_read(name_or_path: str, *, folder: Path, weights: bool = False) -> Model:
    """Load a model to read many drawings with: a program is built for it where its own comes from elsewhere."""
    model = open_model(name_or_path, folder=folder, weights=weights)
    if model.flatbuffer or model.path is None:
        return model
    say(f"{model.name} comes from elsewhere, so its program is built anew from its weights.")
    return readable(model.path, folder)


def find_model(name_or_path: str, *, folder: Path) -> Path:
    """Return the file of a model. Raises `InputError` with the existing names."""
    if name_or_path == CHAMPION:
        return champion_path(folder)
    return ModelLibrary(folder).find(name_or_path)


def champion_path(folder: Path) -> Path:
    """Return the file of the model in use. Raises `ModelFileError` when there is none."""
    model = _champion(folder, weights=False)
    assert model.path is not None  # it was read from a file
    return model.path


def _champion(folder: Path, *, weights: bool) -> Model:
    """Load the model in use, and say so when it is not the chosen one because that is missing or damaged."""
    model, notice = ModelLibrary(folder).load_champion(weights=weights)
    if notice:
        say(notice)
    return model


def open_reader(name_or_path: str, *, folder: Path) -> Reader:
    return Reader(open_model(name_or_path, folder=folder, weights=False), classes=classes_of(folder))


def require_writer(store: SampleStore, writer: str) -> None:
    """Raise `InputError` with the existing writers when there is no such writer."""
    if writer not in (writers := store.writers()):
        raise InputError(f"There is no writer {writer!r}.", f"Writers: {', '.join(writers) or 'none yet'}.")


def open_to_change(folder: Path) -> SampleStore:
    """Open the store in `folder`, after the day's backup of it. Raises `StoreError`."""
    try:
        back_up_today(folder / FILE_NAME)
    except DamagedStoreError:
        pass  # opening or checking says it
    except StoreError as error:
        say(f"There is no backup of today. {error}")
    return SampleStore.open(folder)


def say_damaged(store: SampleStore) -> None:
    """Name the damaged rows that were left out, if there were any."""
    for what, why in list(store.damaged.items())[:MOST_NAMED]:
        say(f"{what[0].upper()}{what[1:]} is damaged and left out: {why}.")
    if store.damaged:
        say("To set damaged rows aside: qtdigits samples check --repair")


def open_dataset(
    what: str, *, labels: Path | None, mnist: Path | None, folder: Path, progress: Callable[[int, int], None]
) -> Dataset:
    """Load drawings to score a model on: MNIST's test set for "mnist", otherwise a file of any supported kind."""
    if what != "mnist":
        return read_dataset(Path(what), labels=labels)
    if labels:
        raise InputError("MNIST has its own labels.", "Leave out --labels.")
    return _mnist_test_set(mnist, folder, progress)


def _mnist_test_set(explicit: Path | None, folder: Path, progress: Callable[[int, int], None]) -> Dataset:
    path = find_mnist(explicit=explicit, folder=folder)
    if path is None:
        say("MNIST was not found and is being downloaded.")
        path = fetch_mnist(folder, progress=progress)
    return load_mnist(path).test


CANCELLING = "Cancelling: nothing is kept."
"""At the second Ctrl+C."""


def add_learning_options(parser: argparse.ArgumentParser, *, about_model: str) -> None:
    """`about_model` says what `--model` is here."""
    parser.add_argument(
        "--model", metavar="MODEL", default="champion", help=f"{about_model} (default: the champion)"
    )
    parser.add_argument(
        "--recipe",
        metavar="NAME|FILE",
        default=RECIPE,
        help="recipe of the training (default: %(default)s)",
    )
    parser.add_argument(
        "--mnist",
        metavar="FILE",
        type=file_path,
        help="mnist.npz (default: searched for; else synthetic ink)",
    )


def warn_of_known_drawings(base: Model, drawings: Dataset, folder: Path) -> None:
    """Say so when the model was trained on the drawings that it is to read."""
    if was_trained_on(base, drawings, headers_of(ModelLibrary(folder))):
        say(
            f"{base.name} was trained on {drawings.name}, so its accuracy on it proves little. "
            "For a fair figure, give a --model that was not."
        )


def mnist_of(args: argparse.Namespace, folder: Path) -> Mnist | None:
    path = find_mnist(explicit=args.mnist, folder=folder)
    return None if path is None else load_mnist(path)


def learner_of(args: argparse.Namespace, mnist: Mnist | None) -> Learner:
    """Return the learner of the recipe, and load TensorFlow. Raises `InputError` for a recipe that starts from scratch."""
    recipe = load_recipe(args.recipe)
    if not recipe.is_personal:
        raise InputError(
            f"The recipe {recipe.name} starts from scratch.", 'Choose one with start = "champion".'
        )
    learner = Learner(recipe, _rehearsal(mnist))
    with quiet():
        from qtdigits.ml import training as _  # noqa: F401
    return learner


def _rehearsal(mnist: Mnist | None) -> Dataset:
    """Return MNIST's training images, or the synthetic ink that replaces them."""
    if mnist is not None:
        return replace(mnist.training, name=MNIST)

    say("MNIST was not found, so the rehearsal uses synthetic ink.")
    return DataCache().rehearsal(lambda done, total: None)
