"""Runs beside one another: figures, recipe, data and environment, and of those only what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qtdigits.core.drawing.samples import MY_HOLD_OUT, VALIDATION
from qtdigits.core.formatting import UNKNOWN, duration, percent
from qtdigits.core.recipe import FIELD_BY_NAME, Value
from qtdigits.core.run.figures import BEST, data_text, differing, figures_at, ordered, recipe_values
from qtdigits.errors import QtDigitsError
from qtdigits.store.model_files import load_header
from qtdigits.store.tables.runs import RUNNING, RunRecord, RunTable
from qtdigits.training.runs import model_of

FIGURES, RECIPE, DATA, ENVIRONMENT = "", "recipe", "data", "environment"
"""What a row belongs to."""
ENDINGS = {RUNNING: "interrupted"}


@dataclass(frozen=True)
class Row:
    """One thing of each run, as text; `name` is that of a field in the groups after the figures."""

    group: str
    name: str
    values: tuple[str, ...]

    @property
    def title(self) -> str:
        if self.group == RECIPE:
            return FIELD_BY_NAME[self.name].title if self.name in FIELD_BY_NAME else "Recipe"
        return self.name


def at_epoch(table: RunTable, runs: Sequence[RunRecord], epoch: str) -> list[RunRecord]:
    """Return the runs with their figures after an epoch, see `figures_at`. Raises `StoreError`."""
    if epoch == BEST:
        return list(runs)
    return [replace(run, figures=figures_at(run.figures, table.history(run.id), epoch)) for run in runs]


def compared(
    runs: Sequence[RunRecord], *, epoch: str = BEST, environments: Sequence[Mapping[str, str]] = ()
) -> list[Row]:
    """Return the rows in which runs differ, the most important first; of a single run all that is known.

    `epoch` is what their figures are of, as in `at_epoch`; `environments` are what `environment_of` says of each.
    """
    rows = [*_figures(runs, epoch), *_recipe(runs), *_data(runs), *_environment(environments)]
    return [
        row for row in rows if set(row.values) != {UNKNOWN} and (len(runs) == 1 or len(set(row.values)) > 1)
    ]


def environment_of(folder: Path, run: RunRecord) -> dict[str, str]:
    """Return program, machine and libraries by which a run's model was made; {} where there is none to ask."""
    path = model_of(folder, run)
    try:
        provenance: Mapping[str, Any] = load_header(path).provenance if path else {}
    except QtDigitsError:
        return {}
    return versions_in(provenance)


def versions_in(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Return program, machine and libraries, as far as a model's provenance names them."""
    libraries = provenance.get("libraries")
    known = {name: provenance[name] for name in ("program", "machine") if name in provenance}
    known |= libraries if isinstance(libraries, Mapping) else {}
    return {name: str(value) for name, value in known.items()}


def _figures(runs: Sequence[RunRecord], epoch: str) -> Iterator[Row]:
    which = f"epoch {epoch}" if epoch.isdigit() else f"{epoch} epoch"
    yield _row("Ended", [ENDINGS.get(run.state, run.state) for run in runs])
    for name in ordered(dict.fromkeys(name for run in runs for name in run.figures.scores)):
        found = [run.figures.scores.get(name) for run in runs]
        yield _row(name, [f"{percent(f[0], 2)} of {f[1]:,}" if f else "" for f in found])
    for title, name, values in (
        ("Validation", VALIDATION, [run.figures.val_accuracy for run in runs]),
        ("Hold-out", MY_HOLD_OUT, [run.figures.hold_out_accuracy for run in runs]),
    ):
        if not all(name in run.figures.scores for run in runs):  # else it stands there with its number
            yield _row(f"{title}, {which}", [percent(value, 2) for value in values])
    losses = [run.figures.val_loss for run in runs]
    yield _row(f"Validation loss, {which}", ["" if loss is None else f"{loss:.4f}" for loss in losses])
    yield _row("Epochs, best", [f"{run.figures.epochs}, {run.figures.best_epoch}" for run in runs])
    yield _row("Time", [duration(run.figures.elapsed_s) for run in runs])
    weights = [run.figures.n_parameters for run in runs]
    yield _row("Weights", [f"{n:,}" if n else "" for n in weights])
    yield _row("Why there is no model", [run.figures.message for run in runs])
    yield _row("Note", [run.note for run in runs])


def _recipe(runs: Sequence[RunRecord]) -> Iterator[Row]:
    recipes = [run.recipe for run in runs]
    found = differing(recipes)
    if len(runs) == 1:
        found = {name: (value,) for name, value in recipe_values(recipes[0]).items()}
    for name, values in found.items():
        yield _row(name, [_text(name, value) for value in values], RECIPE)


def _data(runs: Sequence[RunRecord]) -> Iterator[Row]:
    yield _row("Trained on", [data_text(run.figures.data) for run in runs], DATA)
    yield _row("Data fingerprint", [run.figures.data_sha256 for run in runs], DATA)
    for name in dict.fromkeys(name for run in runs for name in run.figures.digests):
        yield _row(f"SHA-256 of {name}", [run.figures.digests.get(name, "") for run in runs], DATA)


def _environment(environments: Sequence[Mapping[str, str]]) -> Iterator[Row]:
    """Runs without a model have no say."""
    for name in dict.fromkeys(name for found in environments for name in found):
        values = [found.get(name, UNKNOWN) for found in environments]
        if len(set(values) - {UNKNOWN}) > 1 or len(environments) == 1:
            yield Row(ENVIRONMENT, name, tuple(values))


def _row(name: str, values: Sequence[str], group: str = FIGURES) -> Row:
    return Row(group, name, tuple(value or UNKNOWN for value in values))


def _text(name: str, value: Value) -> str:
    return FIELD_BY_NAME[name].value_text(value) if name in FIELD_BY_NAME else str(value)
