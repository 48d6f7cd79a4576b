"""Ink → 28x28, and an image of a canvas → 28x28."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Row, drawings
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.raster import render


def measure() -> list[Row]:
    inks = [Ink.of(strokes) for strokes in drawings(300)]
    ours, theirs = _alternately(inks, render, _drawn_large_and_shrunk)
    beside = "drawn at 280x280 with Pillow and shrunk"
    return [Row("ink → raster, a drawing", 1000 * ours, 1000 * theirs, "ms", beside, "< 1 ms")]


def _alternately(
    inks: list[Ink], a: Callable[[Ink], object], b: Callable[[Ink], object]
) -> tuple[float, float]:
    """Median seconds a call, both in turn over the same drawings, five rounds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(5):
        for ink in inks:
            for function, taken in zip((a, b), times, strict=True):
                started = time.perf_counter()
                function(ink)
                taken.append(time.perf_counter() - started)
    return float(np.median(times[0])), float(np.median(times[1]))


def _drawn_large_and_shrunk(ink: Ink) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw

    left, top, right, bottom = ink.bounds
    scale = 180 / max(right - left, bottom - top, 1e-9)
    image = Image.new("L", (280, 280))
    pen = ImageDraw.Draw(image)
    for stroke in ink.strokes:
        points = [((x - left) * scale + 50, (y - top) * scale + 50) for x, y in stroke[:, :2].tolist()]
        pen.line(points, fill=255, width=24, joint="curve")
    return np.asarray(image.resize((28, 28), Image.Resampling.LANCZOS))
