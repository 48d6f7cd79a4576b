"""Pictures from elsewhere: how much of a model's accuracy the way through a picture costs.

The same ink is drawn with Pillow as people's pictures show it (thin, thick, grey, shaded, framed, compressed …), goes through
`core.drawing.images`, and is read by the default model; beside it the accuracy on the ink rendered by MNIST's rule.
`python -m benchmarks.elsewhere [INK.jsonl.gz]` prints the table; without a file the ink is synthetic.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Row
from qtdigits.core.drawing.ink import Ink

N_DRAWINGS = 500

Picture = NDArray[np.float32]
"""Grey levels `(height, width)`, ink dark on light."""


def drawn(ink: Ink, side: int, pen_px: float, fills: float = 0.6) -> Picture:
    """Black on white with Pillow, drawn four times as large (at most 2,000 pixels) and shrunk; thinner lines are not smoothed."""
    from PIL import Image, ImageDraw

    times = 1 if pen_px <= 1 else max(1, min(4, 2000 // side))
    image = Image.new("L", (side * times, side * times), 255)
    pencil = ImageDraw.Draw(image)
    left, top, right, bottom = ink.bounds
    scale = side * times * fills / max(right - left, bottom - top, 1e-6)
    middle = np.array([left + right, top + bottom]) / 2
    width = max(1, round(pen_px * times))
    for stroke in ink.strokes:
        points = [(float(x), float(y)) for x, y in (stroke[:, :2] - middle) * scale + side * times / 2]
        pencil.line(points * (2 if len(points) == 1 else 1), fill=0, width=width, joint="curve")
        if width > 2:
            for x, y in (points[0], points[-1]):
                pencil.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=0)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX), np.float32)


def _shaded(picture: Picture, rng: np.random.Generator, noise: float = 4.0) -> Picture:
    """Lit from one side, a vignette, and grain, as by a telephone."""
    side = len(picture)
    y, x = np.mgrid[:side, :side].astype(np.float32) / side - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    light = 0.75 + 0.4 * (np.cos(angle) * x + np.sin(angle) * y) - 0.4 * (x * x + y * y)
    paper = (40 + picture * (200 / 255)) * light
    grained: Picture = np.clip(paper + rng.normal(0, noise, paper.shape), 0, 255).astype(np.float32)
    return grained


def _framed(picture: Picture, width: int, inset: int) -> Picture:
    """A line around the canvas, `inset` from the edge."""
    framed = picture.copy()
    for axis in (0, 1):
        sides = np.moveaxis(framed, axis, 0)
        span = slice(inset, len(picture) - inset)
        sides[inset : inset + width, span] = 90
        sides[len(picture) - inset - width : len(picture) - inset, span] = 90
    return framed


def _jpeg(picture: Picture, quality: int) -> Picture:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), np.float32)


def _on_desk(picture: Picture, rng: np.random.Generator) -> Picture:
    """The canvas in a screenshot or photo: paper that does not reach the edges of a darker surrounding."""
    side = len(picture)
    margin = side // 8
    whole = rng.normal(120, 3, (side + 2 * margin, side + 2 * margin)).astype(np.float32)
    whole[margin:-margin, margin:-margin] = picture
    return np.clip(whole, 0, 255)


def _cropped(picture: Picture) -> Picture:
    """Cut to the ink, which then touches all four sides."""
    rows, columns = (np.flatnonzero((picture < 128).any(axis=axis)) for axis in (1, 0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


CONDITIONS: dict[str, Callable[[Ink, np.random.Generator], Picture]] = {
    "280 px, pen 20 px": lambda ink, rng: drawn(ink, 280, 20),
    "light on dark": lambda ink, rng: 255 - drawn(ink, 280, 20),
    "one-pixel line, 280 px": lambda ink, rng: drawn(ink, 280, 1),
    "one-pixel line, 1,000 px": lambda ink, rng: drawn(ink, 1000, 1),
    "thick brush (a fifth of the digit)": lambda ink, rng: drawn(ink, 280, 34),
    "small in the corner of 600 px": lambda ink, rng: np.roll(drawn(ink, 600, 8, 0.2), (190, -150), (0, 1)),
    "tiny, 32 px": lambda ink, rng: drawn(ink, 32, 2.5, 0.7),
    "tiny, 20 px": lambda ink, rng: drawn(ink, 20, 1.6, 0.8),
    "huge, 2,000 px": lambda ink, rng: drawn(ink, 2000, 80),
    "grey on grey": lambda ink, rng: 110 + drawn(ink, 280, 16) * (50 / 255),
    "photo: shade and grain": lambda ink, rng: _shaded(drawn(ink, 320, 14), rng),
    "photo, light on dark": lambda ink, rng: 255 - _shaded(drawn(ink, 320, 14), rng),
    "frame of one pixel at the edge": lambda ink, rng: _framed(drawn(ink, 280, 16), 1, 0),
    "frame of three pixels, inset": lambda ink, rng: _framed(drawn(ink, 280, 16), 3, 8),
    "frame, one-pixel line": lambda ink, rng: _framed(drawn(ink, 280, 1), 1, 2),
    "photo of a frame": lambda ink, rng: _shaded(_framed(drawn(ink, 320, 14), 3, 10), rng),
    "paper on a grey desk": lambda ink, rng: _on_desk(drawn(ink, 280, 16), rng),
    "cropped to the ink, 160 px": lambda ink, rng: _cropped(drawn(ink, 280, 20)),
    "cropped to the ink, 16 px, light on dark": lambda ink, rng: 255 - _cropped(drawn(ink, 24, 2.5)),
    "JPEG, quality 20": lambda ink, rng: _jpeg(drawn(ink, 280, 14), 20),
    "photo as JPEG, quality 30": lambda ink, rng: _jpeg(_shaded(drawn(ink, 320, 12), rng), 30),
}


def accuracies(inks: list[Ink], labels: list[str], model: str = "default") -> tuple[float, dict[str, float]]:
    """The default model's accuracy on the ink, and on its pictures by condition."""
    from qtdigits.core.drawing.images import normalise_image
    from qtdigits.core.drawing.raster import render_many
    from qtdigits.paths import shipped_models_dir
    from qtdigits.reader import Reader
    from qtdigits.store.model_files import load_model

    reader = Reader(load_model(shipped_models_dir() / f"{model}.h5", weights=False))
    truth = np.array([reader.label_set.labels.index(label) for label in labels])

    def accuracy(images: NDArray[np.uint8]) -> float:
        return float((reader.read_many(images).argmax(axis=1) == truth).mean())

    found = {}
    for name, picture in CONDITIONS.items():
        rng = np.random.default_rng(1)
        found[name] = accuracy(np.stack([normalise_image(picture(ink, rng)) for ink in inks]))
    return accuracy(render_many(inks)), found


def measure(path: Path | None = None, n: int = N_DRAWINGS) -> list[Row]:
    inks, labels = _drawings(path, n)
    plain, found = accuracies(inks, labels)
    return [
        Row(f"read right: {name}", 100 * share, 100 * plain, "%", "the same ink, rendered", "loss ≤ 1")
        for name, share in found.items()
    ]


def _drawings(path: Path | None, n: int) -> tuple[list[Ink], list[str]]:
    if path is None:
        from qtdigits.core.drawing.synthetic import synthetic_digits

        inks, labels = synthetic_digits(n, seed=77)
        return list(inks), [str(label) for label in labels]
    from qtdigits.store.data.ink_files import read_ink_jsonl

    found = [
        drawing for drawing in read_ink_jsonl(path) if drawing.label.isdigit() and not drawing.ink.is_blank
    ]
    chosen = np.random.default_rng(1).permutation(len(found))[:n]
    return [found[i].ink for i in chosen], [found[i].label for i in chosen]


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for row in measure(given, int(sys.argv[2]) if len(sys.argv) > 2 else N_DRAWINGS):
        print(f"{row.what:55s} {row.ours:6.2f} {row.theirs:6.2f} {row.ours - (row.theirs or 0):+6.2f}")
