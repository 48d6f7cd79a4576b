"""Keras on TensorFlow, imported once, quietly, with a known number of threads.

Everything in `ml` takes `keras` and `tf` from here. The settings must be in the environment before they are imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from qtdigits.quiet import quiet

__all__ = ["computing_in", "has_bfloat16", "keras", "tf", "versions"]

THREADS_VARIABLE = "QTDIGITS_THREADS"
"""How many threads a network computes with; unset or 0: as many as there are processors."""

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

with quiet():
    import keras
    import tensorflow as tf


def versions() -> dict[str, str]:
    """Return the versions of the libraries that the result of a training depends on."""
    return {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware. TensorFlow's emulation is many times slower."""
    try:
        flags = Path("/proc/cpuinfo").read_text("ascii", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Let networks built within compute in `precision`: "float32", or "auto" for bfloat16 where the processor has it.

    The weights are float32 in any case.
    """
    previous: Any = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "auto" and has_bfloat16() else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def _use_threads(given: str) -> None:
    if given.isdecimal() and int(given) > 0:
        tf.config.threading.set_intra_op_parallelism_threads(int(given))
        tf.config.threading.set_inter_op_parallelism_threads(int(given))


# TensorFlow warns when a network is traced again, as in every run but the first.
tf.get_logger().setLevel("ERROR")
_use_threads(os.environ.get(THREADS_VARIABLE, ""))
