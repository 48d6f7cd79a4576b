"""What can be said to the engine: one JSON line per command. What it answers is in `core.run.events`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from qtdigits.errors import InputError

if TYPE_CHECKING:
    from qtdigits.training.jobs import Errand, RetrainRequest


@dataclass(frozen=True)
class Train:
    """Begin a run. While another one goes on, the answer is a `RunFailed` of the kind "busy"."""

    request: RetrainRequest


@dataclass(frozen=True)
class Run:
    """Begin an errand. While something else goes on, the answer is an `ErrandFailed` of the kind "busy"."""

    errand: Errand


class Plain(StrEnum):
    """What its name says all of. Where nothing goes on that it could be meant for, nothing happens."""

    STOP = "stop"
    """Finish the batch and keep the best weights of the run, or what an errand has so far."""
    CANCEL = "cancel"
    """Give up the run or errand."""
    PAUSE = "pause"
    """Wait after this batch. It is answered with `RunPaused`."""
    GO_ON = "go_on"
    """Go on with the run that waits. It is answered with `RunContinued`."""
    QUIT = "quit"
    """Write down where the run stands that goes on, and end the process. The end of the input means the same."""


Command = Train | Run | Plain


def encode_command(command: Command) -> str:
    """One JSON object without line breaks: {"command": name, …}."""
    match command:
        case Train(request):
            values: dict[str, object] = {"command": "train", "request": request.to_json()}
        case Run(errand):
            values = {"command": "run", "errand": errand.to_json()}
        case Plain():
            values = {"command": command}
    return json.dumps(values, ensure_ascii=False)


def decode_command(line: str) -> Command:
    """The inverse of `encode_command`. Raises `InputError` for anything that is no command."""
    from qtdigits.training.jobs import RetrainRequest, errand_of

    try:
        values = json.loads(line)
        name = values["command"]
        if name == "train":
            return Train(RetrainRequest.from_json(values["request"]))
        if name == "run":
            return Run(errand_of(values["errand"]))
        return Plain(name)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"Not a command: {line[:80]!r}.") from error
