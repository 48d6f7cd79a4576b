"""New studies: ready-made ones, and what is taken where nothing is said."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from qtdigits.core.recipe import recipe_of
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.search import DEFAULT_SEARCH, MOST_VALUES, Search
from qtdigits.core.study import GRID, HOLD_OUT, MEDIAN, NO_PRUNER, TPE, VALIDATION, StudySpec
from qtdigits.paths import recipes_dir
from qtdigits.store.tables.samples import SampleStore


def ready_made(group: str = "") -> list[str]:
    """Return the names of the ready-made studies, or of those of a group such as "report"; empty where there is none."""
    folder = recipes_dir() / "studies"
    names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.toml"))
    return [name for name in names if not group or name.startswith(f"{group}/")]


def definition_of(name: str) -> Mapping[str, Any]:
    """Return what a ready-made study is defined by, {} for any other name."""
    path = recipes_dir() / "studies" / f"{name}.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}


def new_spec(
    values: Mapping[str, Any], *, default_recipe: str, data_dir: Path, champion: Callable[[], str]
) -> StudySpec:
    """Return a study from options as in a definition; `model` is a path, `champion` gives that of the model in use.

    Raises `InputError` and `StoreError`.
    """
    recipe = values.get("recipe", default_recipe)
    if isinstance(recipe, Mapping):
        recipe = recipe_of({**load_recipe(recipe["name"]).to_json(), **recipe})
    else:
        recipe = load_recipe(recipe)
    use_drawings = not values.get("no_drawings", False)
    writer = values.get("writer", "")
    objective = values.get("objective") or default_objective(data_dir, writer, use_drawings=use_drawings)
    spec = StudySpec(
        recipe,
        tuple(Search.parse(text) for text in values.get("search", DEFAULT_SEARCH)),
        sampler=values.get("sampler", TPE),
        objective=objective,
        second=values.get("second", ""),
        seeds=values.get("seeds", 1),
        model=values.get("model", ""),
        base=champion() if recipe.is_personal else "",
        mnist=values.get("mnist", ""),
        ink_files=tuple(values.get("ink", ())),
        leave_out=tuple(values.get("leave_out", ())),
        use_drawings=use_drawings,
        writer=writer,
    )
    is_planned = spec.sampler == GRID or spec.second or spec.reads_itself
    trials = values.get("trials", MOST_VALUES if spec.sampler == GRID else 20)
    if spec.sampler == GRID:
        trials = min(trials, spec.grid_size)
    pruner = values.get("pruner", NO_PRUNER if is_planned else MEDIAN)
    return replace(spec, pruner=pruner, trials=trials).checked()


def default_objective(data_dir: Path, writer: str, *, use_drawings: bool) -> str:
    """Return the hold-out if there is one, else the validation part. Raises `StoreError`."""
    if use_drawings:
        with SampleStore.open(data_dir) as store:
            if len(store.dataset(held_out=True, writer=writer or None)):
                return HOLD_OUT
    return VALIDATION
