"""What can be said to the engine: one JSON line per command. What it answers is in `core.run.events`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import msgspec

from qtdigits.training.jobs import Job, job_from_json
from qtdigits.untrusted import converted, parsed

RUN_JOB = "run_job"


@dataclass(frozen=True)
class RunJob:
    """Begin a job. While another one is at work, the answer is a `RunFailed` or `JobFailed` with the error "busy"."""

    job: Job


class ControlCommand(StrEnum):
    """For the job at work. Without one nothing happens."""

    STOP = "stop"
    """Finish the batch and keep the best weights of a training, or what another job has so far."""
    CANCEL = "cancel"
    """Discard the job."""
    PAUSE = "pause"
    """Wait after this batch. Only trainings do, and answer with `RunPaused`."""
    RESUME = "resume"
    """Continue the paused training. It answers with `RunContinued`."""
    QUIT = "quit"
    """Write a checkpoint of the running training and end the process. The end of the input means the same."""


class _Line(msgspec.Struct):
    command: Literal["run_job", "stop", "cancel", "pause", "resume", "quit"]
    job: dict[str, Any] = {}


Command = RunJob | ControlCommand


def encode_command(command: Command) -> str:
    """One JSON object without line breaks: {"command": name, …}."""
    match command:
        case RunJob(job):
            values: dict[str, object] = {"command": RUN_JOB, "job": job.to_json()}
        case ControlCommand():
            values = {"command": command}
    return json.dumps(values, ensure_ascii=False)


def decode_command(line: str) -> Command:
    """The inverse of `encode_command`. Raises `InputError` for anything that is no command."""
    given = converted(parsed(line, what="Not a command"), _Line, what="Not a command")
    if given.command == RUN_JOB:
        return RunJob(job_from_json(given.job))
    return ControlCommand(given.command)
