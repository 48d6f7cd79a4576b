"""What the commands that learn hands share: with which model they begin, what is rehearsed, and by which recipe."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtdigits.cli.output import say
from qtdigits.errors import InputError

if TYPE_CHECKING:
    from qtdigits.core.samples import Dataset
    from qtdigits.store.mnist import Mnist
    from qtdigits.tasks.personal import Learner


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
        "--mnist", metavar="FILE", type=Path, help="mnist.npz (default: searched for; else synthetic ink)"
    )


def mnist_of(args: argparse.Namespace, folder: Path) -> Mnist | None:
    from qtdigits.store.mnist import find_mnist, load_mnist

    path = find_mnist(explicit=args.mnist, folder=folder)
    return None if path is None else load_mnist(path)


def learner_of(args: argparse.Namespace, mnist: Mnist | None) -> Learner:
    """Raises `InputError` for a recipe that learns no hand. Loads TensorFlow, without its greetings."""
    from qtdigits.core.recipes import load_recipe
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
