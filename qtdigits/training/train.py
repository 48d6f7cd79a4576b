"""From a training job to a stored, scored model."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.classes import AS_TRAINED
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import MY_HOLD_OUT, STORED_SOURCES, VALIDATION, Dataset, now
from qtdigits.core.model import Model
from qtdigits.core.recipe import FIELD_BY_NAME, Recipe, recipe_of
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.checkpoints import Checkpoint, Continuation
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import (
    Event,
    Notice,
    Progress,
    RunCancelled,
    RunContinued,
    RunFailed,
    RunFinished,
    RunPaused,
    Terminal,
)
from qtdigits.core.run.history import History
from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.errors import CancelledError, InputError, QtDigitsError, TrainingError
from qtdigits.ml.training_data import TrainingData
from qtdigits.paths import user_data_dir
from qtdigits.reader import Reader
from qtdigits.store.tables.classes import classes_of
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.checkpoints import RunCheckpoints, last_sample_id
from qtdigits.training.compare import NO_DRAWINGS, Drawings, Rivals, root_ancestor
from qtdigits.training.consolidate import FOLDS, read_out_of_fold
from qtdigits.training.data_cache import DataCache
from qtdigits.training.evaluate import answers_of
from qtdigits.training.gather import REHEARSAL_NOTICE, TrainingInputs, gather
from qtdigits.training.jobs import TrainingJob, run_to_ending
from qtdigits.training.label_review import review_before_training
from qtdigits.training.model_upgrade import readable
from qtdigits.training.run_record import RunRecorder, keep_result, library_of, model_path_for, store_model
from qtdigits.training.thresholds import with_thresholds
from qtdigits.version import __version__

if TYPE_CHECKING:
    from qtdigits.ml.training import TrainedNetwork


Emit = Callable[[Event], None]


def train(
    recipe: str | os.PathLike[str] | Recipe = "quick",
    *,
    data_dir: str | os.PathLike[str] | None = None,
    on_event: Emit = lambda event: None,
    control: Control | None = None,
    **settings: Any,
) -> RunFinished:
    """Train a model in this process, and return how the run came out: `model` is the path of the new one, `scores` its scores.

    `recipe` is a name ("quick", "my-hand", …) or a path of a TOML file. `settings` are fields of the recipe (`epochs=2`) and of
    `TrainingJob` (`base`, `writer`, `ink_files`, `out`, …). Models, runs and drawings are those of `data_dir`, by default the
    person's. `on_event` is called in this thread; `control` stops, cancels or pauses from another one. Raises `InputError` for
    what cannot be trained on, `CancelledError`, and `TrainingError` for whatever else ends the run without a model.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(os.fspath(recipe))
    changed = {name: settings.pop(name) for name in FIELD_BY_NAME if name in settings}
    recipe = recipe_of({**recipe.to_json(), **changed})
    if unknown := sorted(set(settings) - {f.name for f in fields(TrainingJob)}):
        raise InputError(f"There is no setting {unknown[0]!r}.", "Use fields of Recipe or TrainingJob.")
    endings: list[Event] = []

    def emit(event: Event) -> None:
        endings[:] = [event]
        on_event(event)

    folder = user_data_dir(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    train_job(TrainingJob.new(recipe, data_dir=folder, **settings), emit=emit, control=control or Control())
    match endings:
        case [RunFinished() as finished]:
            return finished
        case [RunFailed() as failed]:
            raise TrainingError(failed.message, failed.remedy)
    raise CancelledError("The training was cancelled.")


def train_job(job: TrainingJob, *, emit: Emit, control: Control, cache: DataCache | None = None) -> None:
    """Gather the data, train, score and store a model, in this thread; report all of it to `emit`.

    Never raises, and ends with exactly one terminal event; the traceback of an unexpected error goes to stderr. A model is stored
    whole or not at all. `cache` keeps MNIST for the next run of this process.
    """
    run = _Run(job, emit, control, cache or DataCache())
    ending = run_to_ending(
        run.result,
        cancelled=lambda: RunCancelled(job.id, control.is_interrupted),
        failed=lambda error: RunFailed.of(job.id, error),
    )
    run.end(ending)


class _Run:
    """A training run in progress."""

    def __init__(self, job: TrainingJob, emit: Emit, control: Control, cache: DataCache) -> None:
        self._job, self._send, self._control, self._cache = job, emit, control, cache
        self._classes = classes_of(Path(job.data_dir), job.class_set)
        self._history = History()
        self._began = perf_counter()
        self._paused_at = 0.0
        self._readings: dict[str, ReadDrawings] = {}
        self._recorder = RunRecorder(job, notice=self._notice)
        self._checkpoints = RunCheckpoints(job, notice=self._notice)

    def result(self) -> RunFinished:
        """Train and store the model."""
        out = model_path_for(self._job)
        self._checkpoints.claim()
        self._recorder.begin(prepare=self._write_job)
        base = self._load_base()
        checkpoint = self._load_checkpoint()
        inputs = self._gather(base, is_resumed=checkpoint is not None)
        models = () if base is None else (base, root_ancestor(base, library_of(self._job)))
        self._recorder.set_data(self._checkpoints.check(checkpoint, inputs, models, self._history))
        self._write_job()
        data, trained = self._train(inputs, models, checkpoint)
        self._control.raise_if_cancelled()
        exported = self._export(inputs, trained, name=self._job.name or out.stem)
        model, reader = self._score(inputs, exported, trained, base)
        self._control.raise_if_cancelled()
        comparison = self._compare(replace(inputs, data=data), models, model, reader)
        self._control.raise_if_cancelled()
        path = store_model(model, self._job, out).path
        finished = RunFinished(
            run=self._job.id,
            outcome=trained.outcome,
            model=str(path),
            epochs=trained.epochs,
            best_epoch=trained.best_epoch,
            elapsed_s=self._elapsed_s,
            scores=model.scores,
            comparison=comparison,
        )
        keep_result(self._job, finished, self._readings, notice=self._notice)
        return finished

    def end(self, ending: Terminal) -> None:
        """Record and report the ending."""
        self._recorder.end(ending, self._history)
        if isinstance(ending, RunFinished):
            self._checkpoints.trim()
        self._checkpoints.end()
        self._send(ending)

    @property
    def _elapsed_s(self) -> float:
        """Time without pauses."""
        return perf_counter() - self._began

    def _emit(self, event: Event) -> None:
        match event:
            case RunPaused():
                self._paused_at = perf_counter()
            case RunContinued():
                self._began += perf_counter() - self._paused_at
        self._history.apply(event)
        self._recorder.on_event(event, self._history)
        self._send(event)

    def _progress(self, what: str, done: int = 0, total: int = 0) -> None:
        self._send(Progress(self._job.id, what, done, total))

    def _notice(self, message: str) -> None:
        self._send(Notice(self._job.id, message))

    def _write_job(self) -> None:
        self._checkpoints.write_job(self._job)

    def _load_base(self) -> Model | None:
        """Load the model that the training starts from, None when it starts from scratch.

        The recipe takes over its network, and the job its path, which becomes part of the provenance.
        """
        if not self._job.recipe.is_personal:
            return None
        path = Path(self._job.base) if self._job.base else library_of(self._job).champion_path()
        base = readable(path, Path(self._job.data_dir))
        base = replace(base, label_set=self._classes.current(base.label_set))
        recipe = self._job.recipe.on_network_of(base.recipe)
        self._job = replace(self._job, base=str(path), recipe=recipe)
        return base

    def _load_checkpoint(self) -> Checkpoint | None:
        """Load the checkpoint of a resumed run. A new run is written down with what is settled by now, and returns None."""
        checkpoint = self._checkpoints.latest(self._job)
        if checkpoint is None:
            self._write_job()
        else:
            self._job = replace(self._job, newest_sample=last_sample_id(checkpoint))
            self._began -= checkpoint.elapsed_s
        return checkpoint

    def _gather(self, base: Model | None, *, is_resumed: bool) -> TrainingInputs:
        if not is_resumed and self._job.use_drawings and self._job.recipe.drawings_weight:
            review_before_training(
                Path(self._job.data_dir),
                cache=self._cache,
                control=self._control,
                progress=self._progress,
                notice=self._notice,
            )
        inputs = gather(
            self._job,
            cache=self._cache,
            control=self._control,
            progress=self._progress,
            known=base.label_set if base else self._classes.current(DIGITS),
            among=self._classes.among,
        )
        if inputs.data.is_rehearsal:
            self._notice(REHEARSAL_NOTICE)
        return inputs

    def _train(
        self, inputs: TrainingInputs, models: tuple[Model, ...], checkpoint: Checkpoint | None
    ) -> tuple[TrainingData, TrainedNetwork]:
        """Train from `models`, the base and the teacher of the rehearsal, or none; return what was trained on, too."""
        if "qtdigits.ml.training" not in sys.modules:
            self._progress("Loading TensorFlow")
        from qtdigits.ml.backend import versions
        from qtdigits.ml.resuming import with_teacher_answers
        from qtdigits.ml.training import train as train_network

        self._control.raise_if_stopping()
        self._checkpoints.check_libraries(checkpoint, versions())
        recipe, data = self._job.recipe, inputs.data
        base, teacher = models or (None, None)
        if teacher is not None:
            data = with_teacher_answers(teacher, data, recipe, inputs.label_set)
        trained = train_network(
            recipe,
            inputs.label_set,
            data,
            run=self._job.id,
            emit=self._emit,
            control=self._control,
            base=base,
            continuation=Continuation(checkpoint, self._checkpoints, self._job.stages),
        )
        if trained.outcome == "diverged":
            self._notice(
                f"The training diverged after epoch {trained.epochs}: the loss is not a number any more. The weights of epoch "
                f"{trained.best_epoch}, the last good ones, are kept. A smaller learning rate or another optimizer may help."
            )
        return data, trained

    def _export(self, inputs: TrainingInputs, trained: TrainedNetwork, *, name: str) -> Model:
        from qtdigits.ml.models import to_model

        self._progress("Exporting the model")
        return to_model(
            trained,
            name=name,
            images=inputs.data.images,
            targets=inputs.data.targets,
            history=self._history,
            provenance={},
        )

    def _score(
        self, inputs: TrainingInputs, model: Model, trained: TrainedNetwork, base: Model | None
    ) -> tuple[Model, Reader]:
        """Return the model with its thresholds, scores and provenance, and its reader.

        The first reader checks the golden drawings; only the thresholds change after that.
        """
        data, labels = inputs.data, inputs.label_set.labels
        model = with_thresholds(model, Reader(model), data, base=base)
        reader = Reader(model, check=False)
        images = data.images[data.validation]
        truth = tuple(labels[target] for target in data.targets[data.validation])
        validation = answers_of(
            reader, Dataset(VALIDATION, images, truth), progress=self._scoring(VALIDATION)
        )
        scores: dict[str, Mapping[str, Any]] = {VALIDATION: validation.score.to_json()}
        self._readings[VALIDATION] = validation.readings(images).selection_to_store()
        for name, dataset in inputs.tests.items():
            # Elsewhere, what was merged or retired here still counts.
            reader.show_as(self._classes if name == MY_HOLD_OUT else AS_TRAINED)
            found = answers_of(reader, dataset, progress=self._scoring(name))
            scores[name] = found.score.to_json()
            self._readings[name] = found.readings(dataset.images).selection_to_store()
        provenance = _provenance(self._job, inputs, trained, elapsed_s=self._elapsed_s)
        reader.show_as(AS_TRAINED)
        return replace(model, scores=scores, provenance={**provenance, **model.provenance}), reader

    def _scoring(self, name: str) -> Callable[[int, int], None]:
        def progress(done: int, total: int) -> None:
            if self._control.is_paused:
                self._emit(RunPaused(self._job.id))
                self._control.wait_while_paused()
                self._emit(RunContinued(self._job.id))
            self._control.raise_if_cancelled()
            self._progress(f"Scoring: {name}", done, total)

        return progress

    def _compare(
        self, inputs: TrainingInputs, models: tuple[Model, ...], model: Model, reader: Reader
    ) -> Mapping[str, Any]:
        """Compare the new model with the champion; an unreadable champion is no reason to lose the new model."""
        if not self._job.champion:
            return {}
        self._progress("Comparing with the model in use")
        base = models[0] if models else None
        try:
            old = library_of(self._job).load(Path(self._job.champion))
            rivals = Rivals(old, model, base, self._drawings())
            out_of_fold = self._read_out_of_fold(inputs, base, rivals) if base else None
            found = rivals.compare(reader, guard=inputs.guard or NO_DRAWINGS, out_of_fold=out_of_fold)
        except QtDigitsError as error:
            self._control.raise_if_cancelled()
            self._notice(f"The new model could not be compared with the one in use: {error.message}")
            return {}
        return found.to_json()

    def _drawings(self) -> Drawings:
        """Read what the writer has drawn up to now, if drawings are used at all."""
        if not self._job.use_drawings:
            return Drawings(NO_DRAWINGS, np.empty(0, bool), np.empty(0, str))
        with SampleStore.open(Path(self._job.data_dir)) as store:
            return Drawings.of(store, writer=self._job.writer or None, class_set=self._job.class_set)

    def _read_out_of_fold(
        self, inputs: TrainingInputs, base: Model, rivals: Rivals
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
        """Read what the new model has learned from by trainings without it. None if somebody has ended the run before."""
        from qtdigits.ml.training import tidy_up
        from qtdigits.ml.training import train as train_network

        def train_on(data: TrainingData, fold: int) -> TrainedNetwork:
            self._progress("Checking on drawings left out", fold - 1, FOLDS)
            tidy_up()
            self._control.raise_if_stopping()
            trained = train_network(
                self._job.recipe,
                inputs.label_set,
                data,
                run=self._job.id,
                emit=lambda event: self._emit(event) if isinstance(event, RunPaused | RunContinued) else None,
                control=self._control,
                base=base,
            )
            self._control.raise_if_stopping()  # an interrupted training says nothing
            return trained

        try:
            return read_out_of_fold(
                rivals.drawings.dataset,
                rivals.are_learned,
                inputs.data,
                own_ids=inputs.own_ids,
                train_on=train_on,
                classes=rivals.drawings.classes,
            )
        except CancelledError:
            self._control.raise_if_cancelled()
            return None


def _provenance(
    job: TrainingJob, inputs: TrainingInputs, trained: TrainedNetwork, *, elapsed_s: float
) -> dict[str, Any]:
    """Return how the model was trained, and on what, without a path of this machine: model files are passed on."""
    from qtdigits.ml.backend import versions

    return {
        "program": f"QtDigits {__version__}",
        "created_at": now().isoformat(),
        "command": job.command,
        "run": job.id,
        "outcome": trained.outcome,
        "epochs": trained.epochs,
        "elapsed_s": round(elapsed_s, 1),
        "is_rehearsal": inputs.data.is_rehearsal,
        "sources": inputs.records,
        **_learned_from(job, inputs),
        "libraries": {"python": platform.python_version(), **versions()},
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _learned_from(job: TrainingJob, inputs: TrainingInputs) -> dict[str, Any]:
    """Return which stored drawings the model has learned from, so that it is not scored on them by mistake."""
    learned: dict[str, Any] = {}
    if inputs.last_sample:
        n = sum(record["n_training"] for record in inputs.records if record["name"] in STORED_SOURCES)
        learned["drawings"] = {"last_sample": inputs.last_sample, "n": n, "writer": job.writer}
    if job.base:
        learned["base"] = Path(job.base).name
    return learned
