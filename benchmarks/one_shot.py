"""Omniglot's one-shot test: 20 characters of one alphabet by one drawer, each found among the same 20 by another drawer.

By the most similar embedding, of the ink and of pictures of it as the original set has them: 105x105, thin black lines on white.
`python -m benchmarks.one_shot omniglot.jsonl.gz --model default --alphabets Greek,Latin --drawers 4`; the last drawers count.
A fair figure needs alphabets and drawers that the model's training left out (Lake, Salakhutdinov, Tenenbaum, 2015).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Row
from qtdigits.core.drawing.ink import Ink
from qtdigits.store.data.ink_files import LabelledInk, read_ink_jsonl

WAYS = 20
RUNS = 200
SIDE_PX = 105
LINE_PX = 2


def drawn_as_in_omniglot(ink: Ink) -> NDArray[np.uint8]:
    """`(105, 105)`; Omniglot's coordinates are pixels of it."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (SIDE_PX, SIDE_PX), 255)
    pencil = ImageDraw.Draw(image)
    for stroke in ink.strokes:
        points = [(float(x), float(y)) for x, y in stroke[:, :2]]
        pencil.line(points * (2 if len(points) == 1 else 1), fill=0, width=LINE_PX, joint="curve")
    return np.asarray(image)


def error(embeddings: NDArray[np.float32], drawings: list[LabelledInk]) -> float:
    """The share of characters not found, over `RUNS` runs for each alphabet."""
    place = {(drawing.label, drawing.writer): i for i, drawing in enumerate(drawings)}
    rng = np.random.default_rng(1)
    found: list[NDArray[np.bool_]] = []
    for alphabet in sorted({alphabet_of(drawing) for drawing in drawings}):
        of_alphabet = [drawing for drawing in drawings if alphabet_of(drawing) == alphabet]
        characters = sorted({drawing.label for drawing in of_alphabet})
        drawers = sorted({drawing.writer for drawing in of_alphabet})
        for _ in range(RUNS):
            known, tried = rng.permutation(drawers)[:2]
            drawn = [c for c in characters if (c, known) in place and (c, tried) in place]
            chosen = rng.permutation(drawn)[:WAYS]
            prototypes = embeddings[[place[c, known] for c in chosen]]
            similarity = embeddings[[place[c, tried] for c in chosen]] @ prototypes.T
            found.append(similarity.argmax(axis=1) == np.arange(len(chosen)))
    return 1.0 - float(np.concatenate(found).mean())


def alphabet_of(drawing: LabelledInk) -> str:
    return drawing.label.split("/")[0]


def measure(
    path: Path | None = None, model: str = "default", alphabets: str = "", drawers: int | None = None
) -> list[Row]:
    from qtdigits.core.drawing.images import normalise_images
    from qtdigits.core.drawing.raster import render_many
    from qtdigits.reader import Reader

    path = path or Path(os.environ.get("QTDIGITS_INK", ".")) / "omniglot.jsonl.gz"
    if not path.is_file():
        print(f"  {path} is not there: set QTDIGITS_INK", file=sys.stderr)
        return []
    drawings = [
        one for one in read_ink_jsonl(path) if not alphabets or alphabet_of(one) in alphabets.split(",")
    ]
    if drawers:
        last = {
            a: sorted({d.writer for d in drawings if alphabet_of(d) == a})[-drawers:]
            for a in map(alphabet_of, drawings)
        }
        drawings = [one for one in drawings if one.writer in last[alphabet_of(one)]]
    reader = Reader.open(model)
    pictures = np.stack([drawn_as_in_omniglot(drawing.ink) for drawing in drawings])
    of_ink = error(reader.embed(render_many(drawing.ink for drawing in drawings)), drawings)
    of_pictures = error(reader.embed(normalise_images(pictures)), drawings)
    what = f"one-shot error of {model}, {WAYS} ways within an alphabet"
    return [Row(what, 100 * of_pictures, 100 * of_ink, "%", "the ink of the pictures", "≤ 5 %")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--alphabets", default="", help="a,b: only these")
    parser.add_argument("--drawers", type=int, help="only the last N drawers of each alphabet")
    options = parser.parse_args()
    for row in measure(options.file, options.model, options.alphabets, options.drawers):
        print(f"{row.what}: pictures {row.ours:.2f} %, ink {row.theirs:.2f} %")
