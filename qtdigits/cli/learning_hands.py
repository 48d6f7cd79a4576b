"""What the commands that learn hands share: with which model they begin, what is rehearsed, and by which recipe."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtdigits.cli.options import file_path
from qtdigits.cli.output import say
from qtdigits.errors import InputError

if TYPE_CHECKING:
    from qtdigits.core.drawing.samples import Dataset
    from qtdigits.core.models import Model
    from qtdigits.store.data.mnist import Mnist
    from qtdigits.tasks.personal import Learner

GIVING_UP = "Giving all up: nothing is kept."
"""At the second Ctrl+C."""


def add_learning_options(parser: argparse.ArgumentParser, *, about_model: str) -> None:
    """`about_model` says what `--model` is here."""
    parser.add_argument(
        "--model", metavar="MODEL", default="champion", help=f"{about_model} (default: the champion)"
    )
    parser.add_argument(
        "--recipe",
        metavar="NAME|FILE",
        default="my-hand",
        help="how a hand is learned (default: %(default)s)",
    )
    parser.add_argument(
        "--mnist",
        metavar="FILE",
        type=file_path,
        help="mnist.npz (default: searched for; else synthetic ink)",
    )


def warn_of_known_drawings(base: Model, drawings: Dataset, folder: Path) -> None:
    """Say so where the figures flatter a model that was trained on what it is to read."""
    from qtdigits.store.model.library import ModelLibrary
    from qtdigits.tasks.lineage import headers_of, was_trained_on

    if was_trained_on(base, drawings, headers_of(ModelLibrary(folder))):
        say(
            f"{base.name} was trained on {drawings.name}: what it reads of that says little. "
            "For figures to trust, give a --model that was not."
        )


def mnist_of(args: argparse.Namespace, folder: Path) -> Mnist | None:
    from qtdigits.store.data.mnist import find_mnist, load_mnist

    path = find_mnist(explicit=args.mnist, folder=folder)
    return None if path is None else load_mnist(path)


def learner_of(args: argparse.Namespace, mnist: Mnist | None) -> Learner:
    """Raises `InputError` for a recipe that learns no hand. Loads TensorFlow, without its greetings."""
    from qtdigits.core.recipe.recipes import load_recipe
    from qtdigits.quiet import quiet
    from qtdigits.tasks.personal import Learner

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
    """MNIST's training images, or the synthetic ink that stands in for them."""
    if mnist is not None:
        return replace(mnist.training, name="MNIST")
    from qtdigits.tasks.data_cache import DataCache

    say("MNIST is not on this machine, so the rehearsal is on synthetic ink.")
    return DataCache().rehearsal(lambda done, total: None)
