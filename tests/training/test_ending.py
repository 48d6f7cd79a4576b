from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest

from qtdigits.errors import CancelledError, InputError
from qtdigits.training.jobs import run_to_ending


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def work() -> NoReturn:
        raise error

    return work


def ending(work: Callable[[], object]) -> object:
    return run_to_ending(work, cancelled=lambda: "cancelled", failed=lambda error: error)


def test_that_work_that_comes_to_its_end_gives_what_it_made() -> None:
    assert ending(lambda: "made") == "made"


@pytest.mark.parametrize("error", [CancelledError("given up"), KeyboardInterrupt()])
def test_that_what_was_given_up_is_no_failure(error: BaseException) -> None:
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
