"""Why an engine that is gone has ended, in words, as far as one can tell from outside."""

from __future__ import annotations

import signal

NO_MEMORY = (
    "The training engine ended because it had not enough memory. A smaller batch or network needs less."
)
KILLED = (
    "The training engine was killed. That is what the system does when memory runs out; "
    "then a smaller batch or network helps."
)
NATIVE_CRASHES = frozenset({"SIGSEGV", "SIGABRT", "SIGBUS"})
"""How TensorFlow's native parts end, too, when they get no memory: seen with `prlimit --as` and a batch of 8,000."""
SIGKILL = int(getattr(signal, "SIGKILL", 9))
SIGNS_OF_NO_MEMORY = (
    "std::bad_alloc",
    "MemoryError",
    "ResourceExhaustedError",
    "Cannot allocate memory",
    "out of memory",
    "OOM when allocating",
    "RESOURCE_EXHAUSTED",
)
"""What C++, Python, TensorFlow and the C library say last when they get none."""


def farewell(code: int, last_words: str) -> str:
    """`code` as of `Popen.returncode`, below 0 a signal; `last_words` is the end of the engine's log."""
    if code and any(sign.casefold() in last_words.casefold() for sign in SIGNS_OF_NO_MEMORY):
        return NO_MEMORY
    if code == -SIGKILL:
        return KILLED
    if code < 0:
        name = _name_of(-code)
        maybe = " Lack of memory can be the reason; then a smaller batch or network helps."
        return f"The training engine crashed ({name}).{maybe if name in NATIVE_CRASHES else ''}"
    lines = last_words.strip().splitlines()
    said = f" It said last: {lines[-1].strip()}" if lines and code > 0 else ""
    return f"The training engine stopped (exit code {code}).{said}"


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
