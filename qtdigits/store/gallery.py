"""A contact sheet: drawings side by side, each with a line of text under it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.store.files import write_file

THUMBNAIL_PX = 84
CAPTION_PX = 18
GAP_PX = 8
COLUMNS = 12


def write_gallery(path: Path, images: NDArray[np.uint8], captions: Sequence[str]) -> None:
    """Write `(n, 28, 28) uint8` rasters, ink 255, as dark on light, with `n` captions, to a PNG. Raises `StoreError`."""
    from PIL import Image, ImageDraw, ImageFont

    width, height = THUMBNAIL_PX + GAP_PX, THUMBNAIL_PX + CAPTION_PX + GAP_PX
    rows = max(1, -(-len(images) // COLUMNS))
    sheet = Image.new("L", (COLUMNS * width + GAP_PX, rows * height + GAP_PX), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(number, COLUMNS)
        left, top = GAP_PX + column * width, GAP_PX + row * height
        thumbnail = Image.fromarray(255 - image).resize(
            (THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.NEAREST
        )
        sheet.paste(thumbnail, (left, top))
        pen.rectangle((left, top, left + THUMBNAIL_PX - 1, top + THUMBNAIL_PX - 1), outline=200)
        pen.text((left, top + THUMBNAIL_PX + 2), caption, fill=0, font=font)
    content = BytesIO()
    sheet.save(content, "PNG")
    write_file(path, content.getvalue())
