"""Jobs: what the engine can be asked for, as values that travel to it. Nothing here leads to `ml`: the window uses it too.

To add a kind of job: a class here, in `JOB_TYPES`, and its work in `training.run_job`.
"""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from msgspec import Meta

from qtdigits.core.recipe import FIELD_BY_NAME, Recipe, differences, recipe_of
from qtdigits.core.recipe_files import load_recipe, recipe_names
from qtdigits.core.run.checkpoints import Stages
from qtdigits.errors import CancelledError, InputError, QtDigitsError
from qtdigits.untrusted import Text, converted


@dataclass(frozen=True)
class _Job:
    """`id` is one that no other job has."""

    id: Annotated[Text, Meta(min_length=1)]
    data_dir: Text

    kind: ClassVar[str]

    @classmethod
    def new(cls, *values: Any, data_dir: str | Path, **others: Any) -> Self:
        return cls(new_job_id(), str(data_dir), *values, **others)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class LabelReviewJob(_Job):
    """Look for labels that are probably wrong, and mark those drawings for review. `writer` "": of everybody.

    Result: {"n": drawings looked through, "waiting": drawings that are to be reviewed now}.
    """

    kind = "label review"

    writer: str = ""


@dataclass(frozen=True)
class WriterMatrixJob(_Job):
    """The writer matrix of the stored drawings, with models that began with the one at `model`.

    Result: {"matrix": `WriterMatrix.to_json()`}.
    """

    kind = "writer matrix"

    model: str = ""


@dataclass(frozen=True)
class ModelUpgradeJob(_Job):
    """Give the model file at `model`, one of the person's own, a LiteRT program that has the embedding too.

    Result: {"has_embedding": whether the file gives the embedding now}. False where the file cannot be written or used: the
    model reads as before.
    """

    kind = "model upgrade"

    model: str = ""


@dataclass(frozen=True)
class TrainingJob(_Job):
    """One training: a recipe, the data beside MNIST, and where the model goes. Its id is that of the run.

    `out` is the path of the model, "" for a new one in the library; `mnist` the path of `mnist.npz`, "" to search for it.
    `csv_pairs` are (images, labels), with `csv_is_raw` trained on as they are, not normalised. `not_digits` are ink files of
    other signs: what is not shaped like a digit teaches the network to be unsure. `characters` are ink files that the second
    head alone learns from, `turned_characters` those that it learns turned and mirrored, as eight characters each. Writers of
    files whose names match a pattern of `leave_out` ("aga-*") are only scored. The model is scored on the files of `score_on`
    and never trained on them. With `watches_file` the first of them is scored after each epoch, too, in place of the
    hold-out. `name` is the model's, "" to take it from the file or the recipe. `base` is the path of the model that a recipe
    with the start "champion" starts from, "" for the champion itself; `writer` is whose hand it learns and whose hold-out
    counts, "" for everybody's. `champion` is the path of the model in use that the new one is compared with, "" for none.
    Hold-out and comparison are about the classes of the set `class_set`, "" for all.

    `resumes`: the run was begun before and continues from its checkpoint; `stages` are those of a run that was extended, as in
    `core.run.checkpoints`. Drawings with an id above `newest_sample` came after it had begun (0: there is no such limit).
    """

    kind = "training"

    recipe: Recipe
    out: str = ""
    mnist: str = ""
    csv_pairs: tuple[tuple[str, str], ...] = ()
    csv_is_raw: bool = False
    ink_files: tuple[str, ...] = ()
    not_digits: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    turned_characters: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    use_drawings: bool = True
    score_on: tuple[str, ...] = ()
    watches_file: bool = False
    name: str = ""
    base: str = ""
    writer: str = ""
    champion: str = ""
    class_set: str = ""
    resumes: bool = False
    stages: Stages = ()
    newest_sample: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "recipe": self.recipe.to_json()}

    @classmethod
    def from_json(cls, values: object) -> TrainingJob:
        """The inverse of `to_json`, every value checked. Earlier versions called the id `run`.

        Raises `InputError` for anything that is no training.
        """
        given = converted(values, dict[str, Any], what="Not a training")
        earlier = {"id": given["run"]} if "run" in given else {}
        job = converted({**earlier, **given, "recipe": {}}, cls, what="Not a training")
        return replace(job, recipe=recipe_of(given.get("recipe")))

    @property
    def all_characters(self) -> tuple[str, ...]:
        return (*self.characters, *self.turned_characters)

    @property
    def command(self) -> str:
        """The command line that asks for the same. Files are named without their folders, which are private."""
        words = ["qtdigits", "train", *_recipe_words(self.recipe)]
        for images, labels in self.csv_pairs:
            words += ["--csv", Path(images).name, Path(labels).name]
        for flag, files in (
            ("--ink", self.ink_files),
            ("--not-digits", self.not_digits),
            ("--characters", self.characters),
            ("--turned-characters", self.turned_characters),
            ("--score-on", self.score_on),
        ):
            words += [flag, *(Path(file).name for file in files)] if files else []
        words += ["--leave-out", *self.leave_out] if self.leave_out else []
        words += [] if self.use_drawings else ["--no-drawings"]
        words += ["--base", Path(self.base).name] if self.base else []
        words += ["--writer", self.writer] if self.writer else []
        words += ["--out", Path(self.out).name] if self.out else []
        return shlex.join(words)


def new_job_id() -> str:
    """Return an id such as "20260131-154500-3fa9c1d07e", which sorts by local time and is unique."""
    return f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{os.urandom(5).hex()}"


def _recipe_words(recipe: Recipe) -> list[str]:
    """Return the named recipe and the settings in which `recipe` differs from it."""
    name = recipe.name if recipe.name in recipe_names() else Recipe.name
    changed = differences(load_recipe(name), recipe)
    settings = (
        (FIELD_BY_NAME[field].flag, str(value)) for field, (_, value) in changed.items() if field != "name"
    )
    return ["--recipe", name, *(word for setting in settings for word in setting)]


@dataclass(frozen=True)
class StudyJob(_Job):
    """Work on the study of that name in the data folder, until all of its trials have ended or an end is asked for.

    `spec` is a `StudySpec.to_json()`: what the study is created by if it is not there. Result: {}.
    """

    kind = "study"

    name: Text = ""
    spec: dict[str, Any] = field(default_factory=dict)


Finished = TypeVar("Finished")
Cancelled = TypeVar("Cancelled")
Failed = TypeVar("Failed")


def run_to_ending(
    work: Callable[[], Finished],
    *,
    cancelled: Callable[[], Cancelled],
    failed: Callable[[BaseException], Failed],
) -> Finished | Cancelled | Failed:
    """Return what `work` does, `cancelled()` if it was cancelled, or `failed(error)` for anything else that it raises.

    Never raises; the traceback of an unexpected error goes to stderr.
    """
    try:
        return work()
    except (CancelledError, KeyboardInterrupt):
        return cancelled()
    except QtDigitsError as error:
        return failed(error)
    except BaseException as error:  # noqa: BLE001 - the person must hear of whatever it is, as an event
        traceback.print_exc(file=sys.stderr)
        return failed(error)


Job = TrainingJob | LabelReviewJob | WriterMatrixJob | ModelUpgradeJob | StudyJob
JOB_TYPES: Mapping[str, type[Job]] = {
    job.kind: job for job in (TrainingJob, LabelReviewJob, WriterMatrixJob, ModelUpgradeJob, StudyJob)
}


def job_from_json(values: object) -> Job:
    """The inverse of `to_json`. Raises `InputError` for anything that is no job."""
    given = converted(values, dict[str, Any], what="Not a job")
    job_type = JOB_TYPES.get(str(given.get("kind")))
    if job_type is None:
        raise InputError("Not a job: there is no such kind.")
    return (
        TrainingJob.from_json(given)
        if job_type is TrainingJob
        else converted(given, job_type, what="Not a job")
    )
