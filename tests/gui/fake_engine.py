"""A stand-in for the engine's client: no process, but the same order of events and the same blocking stream."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from typing import Any

from qtdigits.core.recipe import Recipe
from qtdigits.core.run.events import (
    BatchEnded,
    EngineLost,
    EngineReady,
    EpochEnded,
    Event,
    RunFinished,
    RunStarted,
)
from qtdigits.engine.protocol import Command, encode_command
from qtdigits.errors import EngineError
from qtdigits.training.jobs import TrainingJob

STEPS_PER_EPOCH = 10


class FakeEngine:
    """`say` makes it send an event, `die` ends it as kill -9 would. It remembers the commands it was sent."""

    pid = 1

    def __init__(self, *, is_ready: bool = True) -> None:
        self.commands: list[Command] = []
        self.was_killed = False
        self.was_closed = False
        self._is_ready_at_once = is_ready
        self._is_running = False
        self._stream: queue.Queue[Event | None] = queue.Queue()

    def start(self) -> None:
        self._is_running = True
        if self._is_ready_at_once:
            self.say(EngineReady(pid=1))

    def send(self, command: Command) -> None:
        if not self._is_running:
            raise EngineError("The engine is gone.")
        self.commands.append(command)

    def events(self) -> Iterator[Event]:
        while (event := self._stream.get()) is not None:
            yield event

    def close(self, timeout_s: float = 0) -> None:
        self.was_closed = True
        self._end()

    def kill(self) -> None:
        self.was_killed = True
        self.die()

    def say(self, *events: Event) -> None:
        for event in events:
            self._stream.put(event)

    def die(self) -> None:
        if self._is_running:
            self.say(EngineLost("The training engine was killed.", exit_code=-9))
        self._end()

    @property
    def command_names(self) -> list[str]:
        """As they go over the pipe."""
        return [json.loads(encode_command(command))["command"] for command in self.commands]

    def _end(self) -> None:
        self._is_running = False
        self._stream.put(None)


class FakeEngines:
    """Makes engines for a trainer and keeps them: `engines[-1]` is the newest."""

    def __init__(self, *, are_ready: bool = True) -> None:
        self.made: list[FakeEngine] = []
        self._are_ready = are_ready

    def __call__(self) -> FakeEngine:
        self.made.append(FakeEngine(is_ready=self._are_ready))
        return self.made[-1]

    def __getitem__(self, index: int) -> FakeEngine:
        return self.made[index]

    def __len__(self) -> int:
        return len(self.made)


def request(run: str = "run") -> TrainingJob:
    return TrainingJob(id=run, recipe=Recipe(), data_dir="")


def started(*, epochs: int = 3, is_rehearsal: bool = False) -> RunStarted:
    return RunStarted(
        run="run",
        recipe={},
        classes=tuple("0123456789"),
        data={"MNIST": 54_000, "drawings": 212},
        n_training=54_212,
        n_validation=6_000,
        steps_per_epoch=STEPS_PER_EPOCH,
        epochs=epochs,
        n_parameters=42_310,
        is_rehearsal=is_rehearsal,
    )


def batch(step: int = 1, *, loss: float = 0.5, accuracy: float = 0.8) -> BatchEnded:
    epoch = 1 + (step - 1) // STEPS_PER_EPOCH
    return BatchEnded("run", step, epoch, loss, accuracy, elapsed_s=14, remaining_s=62, images_per_s=12_340)


def epoch(number: int = 1, *, is_best: bool = True) -> EpochEnded:
    step = number * STEPS_PER_EPOCH
    return EpochEnded("run", number, step, 0.4, 0.85, 0.3, 0.9, is_best, elapsed_s=14, remaining_s=62)


def finished(*, scores: dict[str, Any] | None = None, model: str = "/models/new.h5") -> RunFinished:
    return RunFinished("run", "completed", model, epochs=3, best_epoch=2, elapsed_s=76, scores=scores or {})
