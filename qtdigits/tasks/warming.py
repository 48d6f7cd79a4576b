"""What an idle engine does so that the first training begins at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from qtdigits.core.recipe.recipes import load_recipe, recipe_names
from qtdigits.errors import QtDigitsError
from qtdigits.tasks.data_cache import DataCache


def load_libraries() -> dict[str, str]:
    """Import everything that a training needs, which takes seconds; returns the versions of the libraries."""
    import qtdigits.ml.models
    import qtdigits.tasks.retrain  # noqa: F401
    from qtdigits.ml.backend import versions

    return versions()


def warm_up(cache: DataCache, *, data_dir: Path, goes_on: Callable[[], bool]) -> None:
    """Load MNIST and try the networks of the named recipes, for as long as `goes_on()`; a step takes a second or two."""
    from qtdigits.ml.warming import warm_up as warm_up_network

    if goes_on():
        # the run that wants it says what is wrong with it
        with suppress(QtDigitsError):
            cache.mnist(folder=data_dir)
    for name in recipe_names():
        if goes_on():
            warm_up_network(load_recipe(name))


def tidy_up() -> None:
    """After a run, when nobody waits: let go of what the libraries have kept of it."""
    from qtdigits.ml.warming import tidy_up as tidy_up_networks

    tidy_up_networks()
