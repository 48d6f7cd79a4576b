"""Jobs: as JSON and back, as a command line, and to their one ending."""

import json
from collections.abc import Callable
from typing import NoReturn

import pytest

from qtdigits.core.recipe_files import load_recipe
from qtdigits.errors import CancelledError, InputError
from qtdigits.training.jobs import TrainingJob, new_job_id, run_to_ending
from tiny_training import TINY_RECIPE

REQUEST = TrainingJob(
    id="r1",
    recipe=load_recipe("cnn-32-64").with_values(epochs=3),
    data_dir="/home/me/data",
    out="/home/me/out/new model.h5",
    csv_pairs=(("/home/me/images.csv", "/home/me/labels.csv"),),
    ink_files=("/home/me/a.jsonl", "/home/me/b.jsonl.gz"),
    use_drawings=False,
    score_on=("/home/me/pendigits.jsonl.gz",),
)


def test_that_a_request_comes_back_from_json() -> None:
    assert TrainingJob.from_json(json.loads(json.dumps(REQUEST.to_json()))) == REQUEST


def test_that_a_training_that_an_earlier_version_put_into_the_queue_is_read() -> None:
    """Those have no kind, and their id is called `run`."""
    values = REQUEST.to_json()
    earlier = {"run": values.pop("id"), **values}
    del earlier["kind"]
    assert TrainingJob.from_json(json.loads(json.dumps(earlier))) == REQUEST


def test_that_its_command_line_has_the_settings_but_no_folders() -> None:
    assert REQUEST.command == (
        "qtdigits train --recipe cnn-32-64 --epochs 3 --csv images.csv labels.csv --ink a.jsonl b.jsonl.gz "
        "--score-on pendigits.jsonl.gz --no-drawings --out 'new model.h5'"
    )


def test_that_a_recipe_of_ones_own_is_spelled_out() -> None:
    command = TrainingJob.new(TINY_RECIPE, data_dir="d").command
    assert (
        command
        == "qtdigits train --recipe mlp-50-50 --dense 16 --learning-rate 0.01 --epochs 2 --batch-size 20"
    )


def test_that_no_two_runs_have_the_same_id() -> None:
    assert len({new_job_id() for _ in range(1000)}) == 1000


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def work() -> NoReturn:
        raise error

    return work


def ending(work: Callable[[], object]) -> object:
    return run_to_ending(work, cancelled=lambda: "cancelled", failed=lambda error: error)


def test_that_work_that_comes_to_its_end_gives_what_it_made() -> None:
    assert ending(lambda: "made") == "made"


@pytest.mark.parametrize("error", [CancelledError("cancelled"), KeyboardInterrupt()])
def test_that_what_was_cancelled_is_no_failure(error: BaseException) -> None:
    assert ending(raising(error)) == "cancelled"


@pytest.mark.parametrize(
    ("error", "trace"),
    [
        (InputError("A bad file."), ""),
        (ZeroDivisionError("a bug"), "ZeroDivisionError: a bug"),
        (SystemExit(3), "SystemExit"),
    ],
)
def test_that_only_what_nobody_expected_leaves_a_trace(
    capfd: pytest.CaptureFixture[str], error: BaseException, trace: str
) -> None:
    assert ending(raising(error)) is error
    told = capfd.readouterr().err
    assert trace in told
    assert bool(told) == bool(trace)
