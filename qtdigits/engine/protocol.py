"""What can be said to the engine: one JSON line per command. What it answers is in `core.run.events`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from qtdigits.errors import InputError
from qtdigits.training.jobs import Job, job_from_json

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
    try:
        values = json.loads(line)
        name = values["command"]
        if name == RUN_JOB:
            return RunJob(job_from_json(values["job"]))
        return ControlCommand(name)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"Not a command: {line[:80]!r}.") from error
