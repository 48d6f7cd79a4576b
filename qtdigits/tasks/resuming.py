"""From a run that was begun before to the request by which it goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qtdigits.errors import InputError
from qtdigits.store.run.run_folders import RunFolder, taken
from qtdigits.store.tables.runs import CANCELLED, INTERRUPTED, RUNNING, RunRecord, RunTable
from qtdigits.tasks.request import RetrainRequest

UNFINISHED = frozenset({RUNNING, INTERRUPTED, CANCELLED, "stopped", "failed"})
"""How a run may have ended that has epochs before it: it can go on as it was planned."""

EXTENDABLE = frozenset({"completed", "converged", "stopped"})


def is_under_way(data_dir: Path, run: RunRecord) -> bool:
    """Whether a process is at it. One that is "running" without one was interrupted, by whatever ended the program."""
    return run.state == RUNNING and RunFolder(data_dir, run.id).lock.is_taken()


def as_it_stands(data_dir: Path, run: RunRecord) -> RunRecord:
    """The run with the state that it is really in: "running" only while a process is at it."""
    if run.state != RUNNING or is_under_way(data_dir, run):
        return run
    return replace(run, state=INTERRUPTED)


def is_any_under_way(runs: RunTable, data_dir: Path) -> bool:
    """Whether a process trains in this data folder. Raises `StoreError`."""
    return any(is_under_way(data_dir, run) for run in runs.running())


def can_go_on(data_dir: Path, run: RunRecord) -> bool:
    """Whether there is something left of the run to do, and what it takes, and nobody is at it."""
    folder = RunFolder(data_dir, run.id)
    return run.state in UNFINISHED and folder.has_request and not folder.lock.is_taken()


def can_be_extended(data_dir: Path, run: RunRecord) -> bool:
    """Whether the run has come to its end, is kept so that it can be trained further, and nobody is at it."""
    folder = RunFolder(data_dir, run.id)
    return run.state in EXTENDABLE and folder.has_checkpoint and not folder.lock.is_taken()


def resumed(data_dir: Path, run: RunRecord, *, champion: str = "") -> RetrainRequest:
    """The request by which an unfinished run goes on as it was planned. Raises `InputError` and `StoreError`."""
    request = _request_of(data_dir, run)
    if run.state not in UNFINISHED:
        raise InputError(
            f"The run {run.id} has ended ({run.state}).",
            "Say by how many epochs to extend it, such as --more-epochs 5.",
        )
    return replace(request, resumes=True, champion=champion)


def extended(data_dir: Path, run: RunRecord, more_epochs: int, *, champion: str = "") -> RetrainRequest:
    """The request by which a run that has ended goes on for `more_epochs`. Its model becomes a new one, unless it was to have a
    certain name. Raises `InputError` and `StoreError`.
    """
    request = _request_of(data_dir, run)
    if run.state not in EXTENDABLE:
        raise InputError(
            f"The run {run.id} has not come to its end ({run.state}).", "Let it go on, or train anew."
        )
    kept = RunFolder(data_dir, run.id).latest()
    if kept is None:
        raise InputError(
            f"What was kept of the run {run.id} is not there any more.",
            "Train by the same recipe, with more epochs, anew.",
        )
    stages = request.stages or ((0, request.recipe.epochs),)
    recipe = request.recipe.with_values(epochs=kept.epochs + more_epochs)
    stages = (*stages, (kept.epochs, recipe.epochs))
    return replace(request, resumes=True, recipe=recipe, stages=stages, champion=champion)


def _request_of(data_dir: Path, run: RunRecord) -> RetrainRequest:
    folder = RunFolder(data_dir, run.id)
    if folder.lock.is_taken():
        raise taken(run.id)
    # The data folder may have been moved meanwhile.
    return replace(RetrainRequest.from_json(folder.request()), data_dir=str(data_dir))
