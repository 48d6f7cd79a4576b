"""What can be said to the engine: one frozen class per command, one JSON line each. What it answers is in `core.events`."""

from __future__ import annotations

import json
from dataclasses import dataclass

from qtdigits.errors import InputError
from qtdigits.tasks.errand import Errand, errand_of
from qtdigits.tasks.request import RetrainRequest

__all__ = [
    "Cancel",
    "Command",
    "GoOn",
    "Pause",
    "Quit",
    "RetrainRequest",
    "Run",
    "Stop",
    "Train",
    "decode_command",
    "encode_command",
]


@dataclass(frozen=True)
class Train:
    """Begin a run. While another one goes on, the answer is a `RunFailed` of the kind "busy"."""

    request: RetrainRequest


@dataclass(frozen=True)
class Run:
    """Begin an errand. While something else goes on, the answer is an `ErrandFailed` of the kind "busy"."""

    errand: Errand


@dataclass(frozen=True)
class Stop:
    """Finish the batch and keep the best weights of the run that goes on, or what an errand has so far.

    Without one, nothing happens.
    """


@dataclass(frozen=True)
class Cancel:
    """Give up the run or errand that goes on; without one, nothing happens."""


@dataclass(frozen=True)
class Pause:
    """Wait after this batch; without a run that trains, nothing happens. It is answered with `RunPaused`."""


@dataclass(frozen=True)
class GoOn:
    """Go on with the run that waits. It is answered with `RunContinued`."""


@dataclass(frozen=True)
class Quit:
    """Write down where the run stands that goes on, and end the process. The end of the input means the same."""


Plain = Stop | Cancel | Pause | GoOn | Quit
Command = Train | Run | Plain

_PLAIN: dict[str, type[Plain]] = {
    "stop": Stop,
    "cancel": Cancel,
    "pause": Pause,
    "go_on": GoOn,
    "quit": Quit,
}
_NAMES = {kind: name for name, kind in _PLAIN.items()}


def encode_command(command: Command) -> str:
    """One JSON object without line breaks: {"command": name, …}."""
    if isinstance(command, Train | Run):
        values: dict[str, object] = {"command": type(command).__name__.lower()}
    else:
        values = {"command": _NAMES[type(command)]}
    if isinstance(command, Train):
        values["request"] = command.request.to_json()
    elif isinstance(command, Run):
        values["errand"] = command.errand.to_json()
    return json.dumps(values, ensure_ascii=False)


def decode_command(line: str) -> Command:
    """The inverse of `encode_command`. Raises `InputError` for anything that is no command."""
    try:
        values = json.loads(line)
        name = values["command"]
        if name == "train":
            return Train(RetrainRequest.from_json(values["request"]))
        if name == "run":
            return Run(errand_of(values["errand"]))
        return _PLAIN[name]()
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"Not a command: {line[:80]!r}.") from error
