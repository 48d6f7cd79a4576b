"""Training a network from a request to a stored, scored model."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from qtdigits import __version__
from qtdigits.core.drawing.labels import DIGITS
from qtdigits.core.drawing.samples import MY_HOLD_OUT, OF_THE_STORE, VALIDATION, Dataset, now
from qtdigits.core.model import Model
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
)
from qtdigits.core.run.history import History
from qtdigits.core.score.calibration import Confidence, choose_threshold, measure_threshold
from qtdigits.core.score.metrics import ReadDrawings
from qtdigits.errors import QtDigitsError
from qtdigits.ml.training_data import TrainingData
from qtdigits.reader import Reader
from qtdigits.store.model_files import load_model
from qtdigits.training.checkpoints import RunCheckpoints, last_sample_id
from qtdigits.training.compare import NO_DRAWINGS, compare_with, drawn_since, root_ancestor
from qtdigits.training.data_cache import DataCache
from qtdigits.training.evaluate import answers_of
from qtdigits.training.gather import REHEARSAL_NOTICE, TrainingInputs, gather
from qtdigits.training.jobs import TrainingJob, run_to_ending
from qtdigits.training.label_review import review_before_training
from qtdigits.training.run_record import RunRecorder, keep_result, library_of, model_path_for, store_model

if TYPE_CHECKING:
    from qtdigits.ml.training import TrainedNetwork


def provenance_of(
    request: TrainingJob, gathered: TrainingInputs, trained: TrainedNetwork, *, elapsed_s: float
) -> dict[str, Any]:
    """What the model was trained on and with. No path of the machine: model files are passed on."""
    from qtdigits.ml.backend import versions

    return {
        "program": f"QtDigits {__version__}",
        "created_at": now().isoformat(),
        "command": request.command,
        "run": request.id,
        "outcome": trained.outcome,
        "epochs": trained.epochs,
        "elapsed_s": round(elapsed_s, 1),
        "is_rehearsal": gathered.data.is_rehearsal,
        "sources": gathered.records,
        **_learned_from(request, gathered),
        "libraries": {"python": platform.python_version(), **versions()},
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _learned_from(request: TrainingJob, gathered: TrainingInputs) -> dict[str, Any]:
    """Which stored drawings the model has seen, so that nobody scores it on them unawares."""
    seen: dict[str, Any] = {}
    if gathered.last_sample:
        n = sum(record["n_training"] for record in gathered.records if record["name"] in OF_THE_STORE)
        seen["drawings"] = {"last_sample": gathered.last_sample, "n": n, "writer": request.writer}
    if request.base:
        seen["base"] = Path(request.base).name
    return seen


ENOUGH_OUTLIERS = 200
UNDECIDED = "undecided"
"""The entry of the provenance: the threshold, and what it costs and catches on what the model was not trained on."""


def with_threshold(
    model: Model, reader: Reader, data: TrainingData, *, digits: Confidence, base: Model | None
) -> Model:
    """`model` with the threshold of what it went on from, else the one chosen on `digits` and the outliers of `data`.

    `digits` `(n,)` are the highest probabilities that `reader` gave what was validated on. Without outliers none is chosen. A
    hand keeps its base's: a few drawings are not enough to choose one by, and its owner is used to how the base behaves. Only a
    training with `ENOUGH_OUTLIERS` of them chooses anew.
    """
    if base is None and not data.has_outliers:
        return model
    others = reader.read_many(data.images[data.outliers]).max(axis=1)
    if base is not None and len(others) < ENOUGH_OUTLIERS:
        found = measure_threshold(base.undecided_below, digits, others)
    else:
        found = choose_threshold(digits, others)
    return replace(
        model,
        undecided_below=found.undecided_below,
        provenance={**model.provenance, UNDECIDED: found.to_json()},
    )


Emit = Callable[[Event], None]


def train(request: TrainingJob, *, emit: Emit, control: Control, cache: DataCache | None = None) -> None:
    """Gather the data, train, score, store; tell all of it to `emit`, in this thread.

    Never raises, but ends with exactly one terminal event, whatever happens; the trace of what nobody expected goes to stderr.
    A model is stored whole or not at all. `cache` keeps MNIST for the next run of this process.
    """
    run = request.id
    job = _Job(request, emit, control, cache or DataCache())
    ending = run_to_ending(
        lambda: _run(job),
        cancelled=lambda: RunCancelled(run, control.is_interrupted),
        failed=lambda error: RunFailed.of(run, error),
    )
    job.recorder.end(ending, job.history)
    if isinstance(ending, RunFinished):
        job.standing.trim()
    job.standing.end()
    emit(ending)


@dataclass(eq=False)
class _Job:
    """A run under way."""

    request: TrainingJob
    send: Emit
    control: Control
    cache: DataCache
    history: History = field(default_factory=History)
    began: float = field(default_factory=perf_counter)
    readings: dict[str, ReadDrawings] = field(default_factory=dict)
    paused_at: float = 0.0

    def __post_init__(self) -> None:
        self.recorder = RunRecorder(self.request, notice=self.notice)
        self.standing = RunCheckpoints(self.request, notice=self.notice)

    @property
    def elapsed_s(self) -> float:
        """Without the time in which the run waited."""
        return perf_counter() - self.began

    def emit(self, event: Event) -> None:
        match event:
            case RunPaused():
                self.paused_at = perf_counter()
            case RunContinued():
                self.began += perf_counter() - self.paused_at
        self.history.apply(event)
        self.recorder.on_event(event, self.history)
        self.send(event)

    def progress(self, what: str, done: int = 0, total: int = 0) -> None:
        self.send(Progress(self.request.id, what, done, total))

    def notice(self, message: str) -> None:
        self.send(Notice(self.request.id, message))


def _run(job: _Job) -> RunFinished:
    out = model_path_for(job.request)
    job.standing.claim(job.request)
    job.recorder.begin(prepare=lambda: job.standing.write_request(job.request))
    base = _base_of(job)
    kept = _taken_up(job)
    if kept is None and job.request.use_drawings and job.request.recipe.drawings_weight:
        folder = Path(job.request.data_dir)
        review_before_training(
            folder, cache=job.cache, control=job.control, progress=job.progress, notice=job.notice
        )
    gathered = gather(
        job.request,
        cache=job.cache,
        control=job.control,
        progress=job.progress,
        known=base.label_set if base else DIGITS,
    )
    if gathered.data.is_rehearsal:
        job.notice(REHEARSAL_NOTICE)
    models = _models_learned_from(job, base)
    mark = job.standing.check(kept, gathered, models, job.history)
    job.recorder.set_data(mark)
    job.standing.write_request(job.request)
    trained = _train(job, gathered, models, kept)
    if trained.outcome == "diverged":
        job.notice(
            f"The training diverged after epoch {trained.epochs}: the loss is not a number any more. The weights of epoch "
            f"{trained.best_epoch}, the last good ones, are kept. A smaller learning rate or another optimizer may help."
        )
    job.control.raise_if_cancelled()
    exported = _exported(job, gathered, trained, name=job.request.name or out.stem)
    model, reader = _scored(job, gathered, exported, trained, base)
    job.control.raise_if_cancelled()
    comparison = _compared(job, gathered, model, reader)
    job.control.raise_if_cancelled()
    path = store_model(model, job.request, out).path
    finished = RunFinished(
        run=job.request.id,
        outcome=trained.outcome,
        model=str(path),
        epochs=trained.epochs,
        best_epoch=trained.best_epoch,
        elapsed_s=job.elapsed_s,
        scores=model.scores,
        comparison=comparison,
    )
    keep_result(job.request, finished, job.readings, notice=job.notice)
    return finished


def _base_of(job: _Job) -> Model | None:
    """The model that the run goes on from, None when it starts from scratch; the recipe takes over its network.

    One that was not named is named from here on, in the model's provenance too.
    """
    if not job.request.recipe.is_personal:
        return None
    path = Path(job.request.base) if job.request.base else library_of(job.request).champion_path()
    base = load_model(path)
    job.request = replace(job.request, base=str(path), recipe=job.request.recipe.on_network_of(base.recipe))
    return base


def _models_learned_from(job: _Job, base: Model | None) -> tuple[Model, ...]:
    """The model that the run goes on from, and the one whose answers are rehearsed; none when it starts from scratch."""
    return () if base is None else (base, root_ancestor(base, library_of(job.request)))


def _taken_up(job: _Job) -> Checkpoint | None:
    """Where the run stands that goes on, None when it begins: then what is asked for, as is settled by now, is written down."""
    kept = job.standing.begin(job.request)
    if kept is not None:
        job.request = replace(job.request, newest_sample=last_sample_id(kept))
        job.began -= kept.elapsed_s
    else:
        job.standing.write_request(job.request)
    return kept


def _train(
    job: _Job, gathered: TrainingInputs, models: tuple[Model, ...], kept: Checkpoint | None
) -> TrainedNetwork:
    if "qtdigits.ml.training" not in sys.modules:
        job.progress("Loading TensorFlow")
    from qtdigits.ml.backend import versions
    from qtdigits.ml.resuming import with_teacher_answers
    from qtdigits.ml.training import train

    job.control.raise_if_stopping()
    job.standing.check_libraries(kept, versions())
    recipe, data = job.request.recipe, gathered.data
    base, teacher = models or (None, None)
    if teacher is not None:
        data = with_teacher_answers(teacher, data, recipe, gathered.label_set)
    return train(
        recipe,
        gathered.label_set,
        data,
        run=job.request.id,
        emit=job.emit,
        control=job.control,
        base=base,
        continuation=Continuation(kept, job.standing, job.request.stages),
    )


def _exported(job: _Job, gathered: TrainingInputs, trained: TrainedNetwork, *, name: str) -> Model:
    from qtdigits.ml.models import to_model

    job.progress("Exporting the model")
    return to_model(
        trained,
        name=name,
        images=gathered.data.images,
        targets=gathered.data.targets,
        history=job.history,
        provenance={},
    )


def _scored(
    job: _Job, gathered: TrainingInputs, model: Model, trained: TrainedNetwork, base: Model | None
) -> tuple[Model, Reader]:
    """The model with its threshold, scores and provenance, and the reader that they come from.

    The first reader checks the golden drawings; nothing but the threshold changes after that.
    """
    reader = Reader(model)
    data, labels = gathered.data, gathered.label_set.labels
    truth = tuple(labels[target] for target in data.targets[data.validation])
    validation = answers_of(
        reader,
        Dataset(VALIDATION, data.images[data.validation], truth),
        progress=_scoring(job, VALIDATION),
    )
    model = with_threshold(model, reader, data, digits=validation.confidence, base=base)
    validation = replace(validation, undecided_below=model.undecided_below)
    reader = Reader(model, check=False)
    scores: dict[str, Mapping[str, Any]] = {VALIDATION: validation.score.to_json()}
    job.readings[VALIDATION] = validation.readings(data.images[data.validation]).selection_to_store()
    for name, dataset in gathered.tests.items():
        found = answers_of(reader, dataset, progress=_scoring(job, name))
        scores[name] = found.score.to_json()
        job.readings[name] = found.readings(dataset.images).selection_to_store()
    provenance = provenance_of(job.request, gathered, trained, elapsed_s=job.elapsed_s)
    return replace(model, scores=scores, provenance={**provenance, **model.provenance}), reader


def _scoring(job: _Job, name: str) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if job.control.is_paused:
            job.emit(RunPaused(job.request.id))
            job.control.wait_while_paused()
            job.emit(RunContinued(job.request.id))
        job.control.raise_if_cancelled()
        job.progress(f"Scoring: {name}", done, total)

    return progress


def _compared(job: _Job, gathered: TrainingInputs, model: Model, reader: Reader) -> Mapping[str, Any]:
    """The new model beside the one in use; a champion that cannot be read is no reason to lose the new one."""
    if not job.request.champion:
        return {}
    job.progress("Comparing with the model in use")
    last, folder = gathered.last_sample, Path(job.request.data_dir)
    try:
        found = compare_with(
            Path(job.request.champion),
            model,
            reader,
            hold_out=gathered.tests.get(MY_HOLD_OUT, NO_DRAWINGS),
            guard=gathered.guard or NO_DRAWINGS,
            # A model that was trained on none of them does not say what its base has learned.
            drawn=drawn_since(folder, last, writer=job.request.writer) if last else NO_DRAWINGS,
        )
    except QtDigitsError as error:
        job.notice(f"The new model could not be compared with the one in use: {error.message}")
        return {}
    return found.to_json()
