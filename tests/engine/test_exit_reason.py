"""What is said of an engine that is gone."""

from __future__ import annotations

import signal

import pytest

from qtdigits.engine.client import KILLED, NO_MEMORY, exit_reason

CRASHED = "The training engine crashed (SIGSEGV). Lack of memory can be the reason; then a smaller batch or network helps."
ABORTED = "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\nFatal Python error\n"


@pytest.mark.parametrize(
    ("code", "log_tail", "said"),
    [
        (-signal.SIGKILL, "", KILLED),
        (-signal.SIGABRT, ABORTED, NO_MEMORY),
        (1, "Traceback …\nMemoryError\n", NO_MEMORY),
        (-signal.SIGKILL, ABORTED, NO_MEMORY),
        (
            -signal.SIGSEGV,
            "Fatal Python error",
            CRASHED,
        ),
        (-99, "", "The training engine crashed (signal 99)."),
        (3, "first\nlast words\n", "The training engine stopped (exit code 3). It said last: last words"),
        (3, "", "The training engine stopped (exit code 3)."),
        (0, "bye", "The training engine stopped (exit code 0)."),
        (0, "MemoryError", "The training engine stopped (exit code 0)."),
    ],
)
def test_that_the_reason_is_said_in_words(code: int, log_tail: str, said: str) -> None:
    assert exit_reason(code, log_tail) == said
