"""Events survive the way through a pipe, one line each, and anything else on the line is refused."""

import json
import math

import pytest

from qtdigits.core.run.events import (
    BatchEnded,
    EngineLost,
    EngineReady,
    EpochEnded,
    Event,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobProgress,
    Notice,
    Progress,
    RunCancelled,
    RunContinued,
    RunFailed,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    decode_event,
    encode_event,
    tag_of,
)
from qtdigits.core.run.history import History
from qtdigits.errors import InputError, ModelFileError

PAST = History()
PAST.apply(BatchEnded("r", 8, 1, 0.5, 0.75, 1.0, 2.0, 100.0))
PAST.apply(EpochEnded("r", 1, 8, 0.5, 0.75, 0.4, 0.8, is_best=True, elapsed_s=1.0, remaining_s=2.0))

EVENTS: list[Event] = [
    EngineReady(pid=7, versions={"keras": "3"}),
    Progress("r", "Loading MNIST", done=1, total=2),
    Notice("r", "first line\nsecond line"),
    RunStarted("r", {"epochs": 3}, ("0", "π"), {"MNIST": 90}, 90, 10, 9, 3, 1234, is_rehearsal=True),
    RunResumed("r", 1, 9, PAST.to_json()),
    RunPaused("r"),
    RunContinued("r"),
    BatchEnded("r", 1, 1, 2.3, 0.1, 0.5, 10.0, 1000.0),
    EpochEnded("r", 1, 9, 1.0, 0.5, 0.9, 0.6, is_best=True, elapsed_s=2.0, remaining_s=4.0),
    RunFinished("r", "stopped", "models/π.h5", 2, 1, 9.0, {"validation": {"accuracy": 0.9}}),
    RunCancelled("r"),
    RunFailed("r", "memory", "There is not enough memory.", "Choose a smaller batch."),
    EngineLost("It is gone.", exit_code=-9),
    JobProgress("e", "label review", "Checking the labels", done=1, total=2),
    JobFinished("e", "label review", {"n": 12, "waiting": 3}),
    JobCancelled("e", "label review"),
    JobFailed("e", "label review", "store", "The disk is full.", "Make some room."),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: tag_of(type(event)))
def test_that_an_event_comes_back_from_its_line_as_it_was(event: Event) -> None:
    line = encode_event(event)
    assert "\n" not in line
    assert decode_event(line) == event


def test_that_every_kind_of_event_is_among_those_tested() -> None:
    assert {type(event) for event in EVENTS} == set(Event.__args__)


def test_that_fields_of_a_newer_engine_are_ignored() -> None:
    assert decode_event('{"event": "run_cancelled", "run": "r", "mood": "sad"}') == RunCancelled("r")


def test_that_a_loss_that_is_no_number_gets_through() -> None:
    event = decode_event(encode_event(BatchEnded("r", 1, 1, math.nan, 0, 0, 0, 0)))
    assert isinstance(event, BatchEnded)
    assert math.isnan(event.loss)


@pytest.mark.parametrize(
    "line", ["", "hello", "[]", "{}", '{"event": "no_such"}', '{"event": "run_failed", "run": "r"}', "7"]
)
def test_that_a_line_that_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(InputError, match="Not an event"):
        decode_event(line)


def test_that_an_expected_error_keeps_its_words() -> None:
    failed = RunFailed.of("r", ModelFileError("a.h5 is damaged.", "Use another."))
    assert failed == RunFailed("r", "model file", "a.h5 is damaged.", "Use another.")


def test_that_lack_of_memory_is_put_into_words() -> None:
    assert RunFailed.of("r", MemoryError()).kind == "memory"


def test_that_an_unexpected_error_says_its_kind() -> None:
    assert "ZeroDivisionError: by zero" in RunFailed.of("r", ZeroDivisionError("by zero")).message


def test_that_tags_are_stable() -> None:
    tags = {json.loads(encode_event(event))["event"] for event in EVENTS}
    assert {"batch_ended", "epoch_ended", "run_started", "run_finished", "engine_lost"} < tags
    assert {"progressed", "noticed"} < tags  # of classes that were called so
