"""What happens during a job, as values: one frozen class per event, one union, one JSON line each.

The engine sends them, the window and the command line read the same stream. Every job ends with **exactly one** event: a training
with `RunFinished`, `RunCancelled` or `RunFailed`, any other with `JobFinished`, `JobCancelled` or `JobFailed`. `EngineLost` is
made by the client side when the engine is gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from qtdigits.core.score.metrics import ScoreValues
from qtdigits.errors import InputError, QtDigitsError
from qtdigits.untrusted import Count, Text, converted, parsed

EpochNumber = Annotated[float, Meta(ge=1, le=2**53)]
Numbers = list[float]
Extras = list[float | None] | None


class _Table(msgspec.Struct):
    def __post_init__(self) -> None:
        columns = [column for column in msgspec.structs.astuple(self) if column is not None]
        if len(set(map(len, columns))) > 1:
            raise ValueError("the columns of a history are equally long")


class _Batches(_Table):
    step: Numbers
    loss: Numbers
    accuracy: Numbers
    elapsed_s: Numbers
    images_per_s: Extras = None
    learning_rate: Extras = None
    clock_s: Extras = None


class _Epochs(_Table):
    epoch: list[EpochNumber]
    step: Numbers
    loss: Numbers
    accuracy: Numbers
    val_loss: Numbers
    val_accuracy: Numbers
    elapsed_s: Numbers
    hold_out_loss: Extras = None
    hold_out_accuracy: Extras = None
    val_auc: Extras = None
    clock_s: Extras = None


class HistoryValues(msgspec.Struct):
    """A `History.to_json()`."""

    batches: _Batches
    epochs: _Epochs
    best_epoch: Count


BATCH_COLUMNS, BATCH_EXTRAS, EPOCH_COLUMNS, EPOCH_EXTRAS = (
    tuple(field.name for field in msgspec.structs.fields(table) if field.required == is_required)
    for table in (_Batches, _Epochs)
    for is_required in (True, False)
)
"""The columns of a history. Extras are those that not every run has: NaN where a figure is unknown, not stored where all are."""


@dataclass(frozen=True)
class EngineReady:
    """The engine has loaded its libraries and waits for a command."""

    pid: Count
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """Work within a run that is not training: loading, downloading, exporting. `total` 0: unknown."""

    run: str
    what: str
    done: Count = 0
    total: Count = 0


@dataclass(frozen=True)
class Notice:
    """Something the person should know, though the run continues."""

    run: str
    message: str


@dataclass(frozen=True)
class RunStarted:
    """Data and network are ready; the first batch follows.

    `data` counts what is trained on by source, such as {"MNIST": 55000, "drawings": 40}. `is_rehearsal` is true when
    synthetic ink stands in for MNIST.
    """

    run: str
    recipe: Mapping[str, Any]
    classes: tuple[str, ...]
    data: Mapping[str, Count]
    n_training: Count
    n_validation: Count
    steps_per_epoch: Count
    epochs: Count
    n_parameters: Count
    is_rehearsal: bool = False


@dataclass(frozen=True)
class RunResumed:
    """The run continues from its checkpoint: after `epochs` epochs and `step` batches. Comes after its `RunStarted`.

    `history` is a `History.to_json()`: the curves up to there.
    """

    run: str
    epochs: Count
    step: Count
    history: Mapping[str, Any]


@dataclass(frozen=True)
class RunPaused:
    """The run waits, between two batches; a checkpoint has been written."""

    run: str


@dataclass(frozen=True)
class RunContinued:
    """The run that was paused continues."""

    run: str


@dataclass(frozen=True)
class BatchEnded:
    """Loss and accuracy (0 to 1) over the batches since the last such event; `step` counts batches of the whole run.

    `remaining_s` and `images_per_s` are 0 with the first batch, where they are unknown. `learning_rate` is that of the last
    of those batches. `clock_s`: when that was, in seconds since 1970. None where it is not known.
    """

    run: str
    step: Count
    epoch: Count
    loss: float
    accuracy: float
    elapsed_s: float
    remaining_s: float
    images_per_s: float
    learning_rate: float | None = None
    clock_s: float | None = None


@dataclass(frozen=True)
class EpochEnded:
    """One epoch, counted from 1. `is_best`: the validation loss is the lowest so far.

    `hold_out_loss` and `hold_out_accuracy` are those of the person's own hold-out, in a trial of a study those of its
    objective, None where it was not scored. `val_auc` is the area under the ROC curve on (part of) the validation part, each
    class against the rest, the mean over the classes. `clock_s`: when the epoch ended, in seconds since 1970.
    """

    run: str
    epoch: Annotated[int, Meta(ge=1, le=2**53)]
    step: Count
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    is_best: bool
    elapsed_s: float
    remaining_s: float
    hold_out_loss: float | None = None
    hold_out_accuracy: float | None = None
    val_auc: float | None = None
    clock_s: float | None = None


@dataclass(frozen=True)
class RunFinished:
    """A model came out and is stored at `model`.

    `outcome` is "completed", "stopped", "converged" (patience ran out) or "diverged" (the loss stopped being a number after
    `best_epoch`, whose weights were kept). `epochs` counts the `EpochEnded` events: of a run that was stopped before its
    first epoch was over it is 1, for the part that was trained and validated.

    `scores` maps the name of each set ("validation", "MNIST test", "my hold-out") to a `Score.to_json()`. `comparison` is a
    `Comparison.to_json()` with the model that was in use, empty where there was none to compare with.
    """

    run: str
    outcome: str
    model: str
    epochs: Count
    best_epoch: Count
    elapsed_s: float
    scores: Mapping[str, Mapping[str, Any]]
    comparison: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunCancelled:
    """The run was cancelled; or it was interrupted, and can be resumed from its checkpoint."""

    run: str
    is_interrupted: bool = False


@dataclass(frozen=True)
class RunFailed:
    """The run ended without a model; `message` and `remedy` are for the person."""

    run: str
    kind: str
    message: str
    remedy: str = ""

    @classmethod
    def of(cls, run: str, error: BaseException) -> RunFailed:
        if isinstance(error, MemoryError):
            return cls(
                run,
                "memory",
                "There is not enough memory for this run.",
                "Choose a smaller batch or network.",
            )
        return cls(run, *_described(error))


@dataclass(frozen=True)
class JobProgress:
    """`kind` is that of the job, such as "label review". `total` 0: unknown."""

    id: str
    kind: str
    what: str
    done: Count = 0
    total: Count = 0


@dataclass(frozen=True)
class JobFinished:
    """`result` has the form that the job's own class names."""

    id: str
    kind: str
    result: Mapping[str, Any]


@dataclass(frozen=True)
class JobCancelled:
    id: str
    kind: str


@dataclass(frozen=True)
class JobFailed:
    """`error` is the kind of error, as `RunFailed.kind`; `message` and `remedy` are for the person."""

    id: str
    kind: str
    error: str
    message: str
    remedy: str = ""

    @classmethod
    def of(cls, job: str, kind: str, error: BaseException) -> JobFailed:
        return cls(job, kind, *_described(error))


def _described(error: BaseException) -> tuple[str, str, str]:
    """Kind, message and remedy."""
    if isinstance(error, QtDigitsError):
        return error.kind, error.message, error.remedy
    return type(error).__name__, f"{type(error).__name__}: {error}", "The log has the details."


@dataclass(frozen=True)
class EngineLost:
    """The engine process is gone without having been asked to go."""

    message: str
    exit_code: int | None = None


Terminal = RunFinished | RunCancelled | RunFailed
JobEvent = JobProgress | JobFinished | JobCancelled | JobFailed
Ending = Terminal | JobFinished | JobCancelled | JobFailed
"""Exactly one ends every job."""
Steered = RunResumed | RunPaused | RunContinued
Event = (
    EngineReady
    | Progress
    | Notice
    | RunStarted
    | Steered
    | BatchEnded
    | EpochEnded
    | Terminal
    | JobEvent
    | EngineLost
)

_TYPES: tuple[type[Any], ...] = (
    *(EngineReady, Progress, Notice, RunStarted, BatchEnded, EpochEnded),
    *(RunResumed, RunPaused, RunContinued),
    *(RunFinished, RunCancelled, RunFailed, EngineLost),
    *(JobProgress, JobFinished, JobCancelled, JobFailed),
)


_TAGS_KEPT: Mapping[type[Any], str] = {Progress: "progressed", Notice: "noticed"}
"""Classes that were renamed since `train --events` and `result.json` have their tags. The other job events are never stored."""


def tag_of(event_type: type[Any]) -> str:
    """The name of an event on the wire: `BatchEnded` is `batch_ended`, unless it is one of `_TAGS_KEPT`."""
    return _TAGS_KEPT.get(event_type) or re.sub(r"(?<!^)(?=[A-Z])", "_", event_type.__name__).lower()


_BY_TAG = {tag_of(t): t for t in _TYPES}


def encode_event(event: Event) -> str:
    """One JSON object without line breaks: {"event": tag, …fields}."""
    return json.dumps({"event": tag_of(type(event)), **asdict(event)}, ensure_ascii=False)


def decode_event(line: str) -> Event:
    """The inverse of `encode_event`. Unknown fields are ignored. Raises `InputError` for anything that is no event."""
    values = parsed(line, what="Not an event")
    tag = values.get("event")
    if not isinstance(tag, str) or tag not in _BY_TAG:
        raise InputError(f"Not an event: {line[:80]!r}.")
    event: Event = converted(values, _BY_TAG[tag], what="Not an event")
    if isinstance(event, RunFinished):
        converted(event.scores, dict[Text, ScoreValues], what="Not an event")
    if isinstance(event, RunResumed) and event.history:
        converted(event.history, HistoryValues, what="Not an event")
    return event
