"""Studies: what is searched, by what it is ranked, and what came out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from qtdigits.core.network_spec import format_layers
from qtdigits.core.recipe import FIELD_BY_NAME, Recipe, Value, recipe_of
from qtdigits.core.score.metrics import wilson_interval
from qtdigits.core.search import (
    CORRECTIONS,
    MOST_VALUES,
    NETWORK_FIELDS,
    READING_FIELDS,
    Point,
    Search,
    changed_layers,
)
from qtdigits.errors import InputError

GRID, RANDOM, TPE = SAMPLERS = ("grid", "random", "tpe")
MEDIAN, HYPERBAND, NO_PRUNER = PRUNERS = ("median", "hyperband", "none")
HOLD_OUT, VALIDATION = "hold-out", "validation"
"""Objectives, beside the path of a file of drawings by people that nothing is trained on."""
TIME, SIZE = SECOND_OBJECTIVES = ("time", "size")
SECOND_AXES = {SIZE: ("size of the model file in kB", 1000.0), TIME: ("time of a reading in ms", 1.0)}
"""What the axis of a second objective says, and by what its values are divided for it."""


@dataclass(frozen=True)
class StudySpec:
    """All that a worker who joins a study must know; saved with the study.

    `objective` is "hold-out", "validation", or a file of drawings; `second` is "", "time" (of a reading) or "size" (of the
    model file). Each point is trained with `seeds` seeds, from the recipe's on. `model` is a model that is not trained at all,
    when only what it is read with is searched. `mnist` to `base` are as in `TrainingJob`. `files` has the SHA-256 of every file
    by its name, `hold_out` that of the held-out drawings with ids up to `newest_sample`.
    """

    recipe: Recipe
    search: tuple[Search, ...]
    sampler: str = TPE
    trials: int = 20
    objective: str = VALIDATION
    second: str = ""
    pruner: str = NO_PRUNER
    seeds: int = 1
    model: str = ""
    mnist: str = ""
    ink_files: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    use_drawings: bool = True
    writer: str = ""
    base: str = ""
    newest_sample: int = 0
    hold_out: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def titles(self) -> dict[str, str]:
        """The titles of the searched fields, by their names."""
        return {one.name: one.title for one in self.search}

    def to_json(self) -> dict[str, Any]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        search = {one.name: one.text for one in self.search}
        tuples = {
            "ink_files": list(self.ink_files),
            "leave_out": list(self.leave_out),
            "files": dict(self.files),
        }
        return {**values, **tuples, "recipe": self.recipe.to_json(), "search": search}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> StudySpec:
        """The inverse of `to_json`. Raises `InputError` for anything that is no study."""
        try:
            known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
            known["recipe"] = recipe_of(known["recipe"])
            known["search"] = tuple(Search.parse(f"{name}={spec}") for name, spec in known["search"].items())
            known |= {name: tuple(map(str, known.get(name, ()))) for name in ("ink_files", "leave_out")}
            known["files"] = {str(name): str(digest) for name, digest in known.get("files", {}).items()}
            return cls(**known).checked()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"Not a study: {error}.", "It was made by another program, or a newer version."
            ) from error

    def checked(self) -> StudySpec:
        """Return this study. Raises `InputError` for what does not go together, and for points that are no recipe."""
        for what, given, choices in (
            ("sampler", self.sampler, SAMPLERS),
            ("pruner", self.pruner, PRUNERS),
            ("second objective", self.second, ("", *SECOND_OBJECTIVES)),
        ):
            if given not in choices:
                known = ", ".join(filter(None, choices))
                raise InputError(f"There is no {what} {given!r}.", f"Choose one of {known}.")
        if not 1 <= self.trials <= MOST_VALUES or not 1 <= self.seeds <= 100:
            raise InputError(
                f"A study has 1 to {MOST_VALUES:,} trials and 1 to 100 seeds for each.",
                "Give other numbers, or a smaller grid.",
            )
        if self.second and self.pruner != NO_PRUNER:
            raise InputError(
                "With two objectives no trial can be pruned.", "Leave out --pruner, or the second objective."
            )
        names = {one.name for one in self.search}
        if not names or len(names) < len(self.search):
            raise InputError(
                "A study searches one or more fields, each once.", "Give --search FIELD=SPEC for each."
            )
        self._check_fields(names)
        for one in self.search:
            for value in one.ends:
                self.recipe_at({other.name: other.ends[0] for other in self.search} | {one.name: value})
        return self

    def _check_fields(self, names: set[str]) -> None:
        if not self.has_file and (needs := names & {*READING_FIELDS, CORRECTIONS}):
            raise InputError(
                f"{min(needs)} is measured on drawings by people, with {self.objective} it cannot be searched.",
                "Give a file of drawings by unseen writers as --objective.",
            )
        if self.model and (trained := names - READING_FIELDS.keys()):
            raise InputError(
                f"{min(trained)} is a field of a training, and {self.model} is not trained.",
                "Leave out --model.",
            )
        if self.recipe.is_personal and (of_network := names & NETWORK_FIELDS):
            raise InputError(
                f"{min(of_network)}: the recipe {self.recipe.name} takes over the network of the model that it starts from.",
                "Search other fields, or choose a recipe that starts from scratch.",
            )

    @property
    def has_file(self) -> bool:
        """Whether the objective is a file of drawings."""
        return self.objective not in (HOLD_OUT, VALIDATION)

    @property
    def reads_itself(self) -> bool:
        """Whether models are read in another way than a training reads them at its end."""
        return bool(self.model) or any(one.name in {*READING_FIELDS, CORRECTIONS} for one in self.search)

    def points(self) -> list[dict[str, Value]]:
        """Return the points of a grid or a random search, each training once; empty where TPE chooses them as it goes."""
        if self.sampler == TPE:
            return []
        if self.sampler == RANDOM:
            rng = np.random.default_rng(self.recipe.seed)
            return [{one.name: one.random(rng) for one in self.search} for _ in range(self.trials)]
        return list(itertools.islice(self._grid(), self.trials))

    @property
    def grid_size(self) -> int:
        """Return how many different points the grid has. Raises `InputError` for too many."""
        if math.prod(len(one.values) for one in self.search) > MOST_VALUES:
            raise InputError(
                f"The grid has more than {MOST_VALUES:,} points.", "Name fewer values, as a|b|c."
            )
        return sum(1 for _ in self._grid())

    def _grid(self) -> Iterator[dict[str, Value]]:
        # What models are read with varies last: by then the trainings that such points share have ended.
        search = sorted(self.search, key=lambda one: one.name not in READING_FIELDS)
        seen: set[object] = set()
        for values in itertools.product(*(one.values for one in search)):
            point = dict(zip((one.name for one in search), values, strict=True))
            same = (self.recipe_at(point), *(point.get(name) for name in (*READING_FIELDS, CORRECTIONS)))
            if same not in seen:
                seen.add(same)
                yield point

    def recipe_at(self, point: Point, *, number: int = 0) -> Recipe:
        """Return the recipe at a point, with the seed of its training `number`. Raises `InputError`."""
        of_recipe = {name: value for name, value in point.items() if name in FIELD_BY_NAME}
        recipe = self.recipe.with_values(**of_recipe, seed=self.recipe.seed + number)
        network = recipe.network
        dense = changed_layers(network.dense, point, are_blocks=False)
        blocks = changed_layers(network.blocks, point, are_blocks=True)
        return recipe.with_values(dense=format_layers(dense), blocks=format_layers(blocks))


@dataclass(frozen=True)
class Figures:
    """What the trainings of a trial came to: correct readings of `n` drawings, once for each seed, and their models.

    `runs` are the ids of the runs, `models` the paths of the models on the machine that trained them. `second` is the mean of
    the second objective, None without one.
    """

    n: int
    correct: tuple[int, ...]
    runs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    second: float | None = None

    @property
    def value(self) -> float:
        """The mean accuracy over the seeds."""
        return sum(self.correct) / (self.n * len(self.correct))

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, at 95 %, for the mean: several seeds read the same drawings, so they do not make it narrower."""
        return wilson_interval(round(sum(self.correct) / len(self.correct)), self.n)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Figures:
        tuples = {name: tuple(values[name]) for name in ("correct", "runs", "models")}
        return cls(**{**values, **tuples})
