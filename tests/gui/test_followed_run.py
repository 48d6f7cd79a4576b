"""What the training panel knows of its run, without any widget."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui.fake_engine import batch, started
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.events import EngineLost, RunCancelled, RunFailed
from qtdigits.gui.training.followed_run import CANCELLING, STOPPING, FollowedRun
from qtdigits.training.jobs import TrainingJob


@pytest.fixture
def run() -> FollowedRun:
    """One that has begun and had its first batch."""
    run = FollowedRun()
    run.begin()
    run.start(started())
    run.batch_ended(batch(1))
    return run


@pytest.fixture
def request_of_it(tmp_path: Path) -> TrainingJob:
    return TrainingJob.new(load_recipe("quick"), data_dir=tmp_path)


def test_that_there_is_nothing_to_keep_before_the_first_batch(run: FollowedRun) -> None:
    assert run.can_stop
    run.begin()
    assert run.is_preparing
    assert (run.can_stop, run.can_cancel) == (False, True)


def test_that_a_run_that_is_stopped_can_still_be_given_up_but_not_the_other_way_round(
    run: FollowedRun,
) -> None:
    run.asked = STOPPING
    assert (run.can_stop, run.can_cancel) == (False, True)
    run.asked = CANCELLING
    assert (run.can_stop, run.can_cancel) == (False, False)


def test_that_what_was_asked_for_stands_before_the_figures_or_alone(run: FollowedRun) -> None:
    assert run.text(is_paused=True).startswith("paused · epoch 1")
    assert run.text(is_paused=False, other_recipe="best").startswith("best · epoch 1")
    run.asked = STOPPING
    assert run.text(is_paused=True).startswith(f"{STOPPING} · epoch 1")
    run.batch = None
    assert run.text(is_paused=True) == f"{STOPPING} …"


def test_that_a_lost_run_goes_on_and_a_failed_one_is_repeated(
    run: FollowedRun, request_of_it: TrainingJob
) -> None:
    assert run.end(EngineLost("It is gone."), last=request_of_it)
    assert run.to_go_on is not None
    assert (run.to_go_on.id, run.to_go_on.resumes) == (request_of_it.id, True)
    assert run.to_repeat is None
    run.begin()
    assert run.end(RunFailed("run", "input", "A bad file."), last=request_of_it)
    assert (run.to_go_on, run.to_repeat) == (None, request_of_it.recipe)
    run.begin()
    assert run.end(RunCancelled("run"), last=request_of_it)
    assert (run.to_go_on, run.to_repeat) == (None, None)


def test_that_an_idle_engine_takes_no_run_with_it(run: FollowedRun, request_of_it: TrainingJob) -> None:
    run.end(RunCancelled("run"), last=request_of_it)
    assert not run.end(EngineLost("It is gone."), last=request_of_it)
    assert run.to_go_on is None
