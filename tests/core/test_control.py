"""Control: what is asked for in one thread is seen in the other."""

import pytest

from qtdigits.core.control import Control
from qtdigits.errors import CancelledError


def test_that_nothing_is_asked_for_at_first() -> None:
    control = Control()
    control.check()
    control.check_before_training()
    assert not control.is_stopping
    assert not control.is_cancelled


def test_that_a_stop_is_no_cancel() -> None:
    control = Control()
    control.stop()
    control.check()
    assert control.is_stopping
    assert not control.is_cancelled


def test_that_a_cancel_is_a_stop_too() -> None:
    control = Control()
    control.cancel()
    assert control.is_stopping
    with pytest.raises(CancelledError):
        control.check()


def test_that_a_stop_before_training_gives_up_because_there_is_nothing_to_keep() -> None:
    control = Control()
    control.stop()
    with pytest.raises(CancelledError):
        control.check_before_training()
