"""In what precision a network is computed while it is trained. What comes out is float32 in any case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qtdigits.ml.backend import keras


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 by itself. Without that, TensorFlow emulates it, many times slower."""
    try:
        flags = Path("/proc/cpuinfo").read_text("ascii", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Networks that are built within compute in `precision`: "float32", or "auto": bfloat16 where the processor has it."""
    previous: Any = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "auto" and has_bfloat16() else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)
