"""Control: what is asked for in one thread is seen in the other."""

from collections.abc import Callable
from threading import Thread

import pytest

from qtdigits.core.run.control import Control, StudyControl
from qtdigits.errors import CancelledError

PATIENCE_S = 60.0


def test_that_nothing_is_asked_for_at_first() -> None:
    control = Control()
    control.raise_if_cancelled()
    control.raise_if_stopping()
    assert not control.is_stopping
    assert not control.is_cancelled


def test_that_a_stop_is_no_cancel() -> None:
    control = Control()
    control.stop()
    control.raise_if_cancelled()
    assert control.is_stopping
    assert not control.is_cancelled


def test_that_a_cancel_is_a_stop_too() -> None:
    control = Control()
    control.cancel()
    assert control.is_stopping
    with pytest.raises(CancelledError):
        control.raise_if_cancelled()


def test_that_a_stop_before_training_gives_up_because_there_is_nothing_to_keep() -> None:
    control = Control()
    control.stop()
    with pytest.raises(CancelledError):
        control.raise_if_stopping()


def test_that_a_paused_run_waits_until_it_is_let_go() -> None:
    control = Control()
    control.pause()
    assert control.is_paused
    waiting = Thread(target=control.wait_while_paused)
    waiting.start()
    assert waiting.is_alive()
    control.resume()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()
    assert not control.is_paused


@pytest.mark.parametrize("ask", [Control.stop, Control.cancel, Control.interrupt])
def test_that_a_paused_run_hears_every_request_to_end(ask: Callable[[Control], None]) -> None:
    control = Control()
    control.pause()
    ask(control)
    control.wait_while_paused()
    assert control.is_stopping
    control.pause()
    assert not control.is_paused


def test_that_an_interruption_is_a_cancel_to_go_on_from_unless_it_was_given_up_before() -> None:
    control, given_up = Control(), Control()
    control.interrupt()
    assert control.is_interrupted
    assert control.is_cancelled
    given_up.cancel()
    given_up.interrupt()
    assert not given_up.is_interrupted


def test_that_a_study_passes_on_what_is_asked_of_it_also_to_the_next_training() -> None:
    study = StudyControl()
    training = study.for_training()
    study.pause()
    assert training.is_paused
    assert study.for_training().is_paused
    study.resume()
    study.stop()
    later = study.for_training()
    assert later.is_interrupted
    assert not later.is_paused
    study.wait(60)  # at once
