"""PNG and JPEG files: read one or a folder of them, write a contact sheet."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.images import window_of_ink
from qtdigits.core.drawing.labels import clean_label
from qtdigits.errors import InputError
from qtdigits.limits import PICTURE_BYTES, PIXELS, SCANS, SIDE_PIXELS
from qtdigits.store.files import write_file
from qtdigits.untrusted import read_file

if TYPE_CHECKING:
    from PIL.Image import Image

_JPEG, _SCAN = b"\xff\xd8", b"\xff\xda"
_DAMAGED = (
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    OSError,
    struct.error,
    AssertionError,
)
"""What Pillow raises for damaged files."""
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""How a picture is put upright, by its orientation in EXIF."""

SUFFIXES = {".png", ".jpg", ".jpeg"}
WORKING_PIXELS = 2_500_000
STRIP_PIXELS = 1_000_000
THUMBNAIL_PX = 84
CAPTION_PX = 18
GAP_PX = 8
GALLERY_COLUMNS = 12


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a PNG or JPEG as grey levels `(height, width) uint8`; transparent pixels are white. Raises `InputError`.

    A picture of more than `WORKING_PIXELS` is reduced by a whole factor, or cut down to where its ink is.
    """
    from PIL import Image, UnidentifiedImageError

    content = read_file(path, PICTURE_BYTES)
    SCANS.check(content.count(_SCAN) if content.startswith(_JPEG) else 0, str(path))
    try:
        with warnings.catch_warnings():
            # Pillow warns of very large pictures; those are refused below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as image:
                PIXELS.check(image.width * image.height, str(path))
                SIDE_PIXELS.check(max(image.size), str(path))
                return np.asarray(_upright(_with_small_ink(image, _reduced(image)), image))
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} is too large: {error}.", "Make it smaller.") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is not a PNG or JPEG picture.", "Save it as PNG.") from error
    except _DAMAGED as error:
        raise InputError(f"{path} is a damaged picture: {error}.", "Save it again.") from error


def read_image_folder(path: Path) -> tuple[list[NDArray[np.uint8]], tuple[str, ...]]:
    """Read the pictures of a folder, in the order of their paths, each of its own size, and their labels.

    The label of a picture is the name of its sub-folder, else the part of its own name before the first `_` or `-`. Raises
    `InputError`.
    """
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise InputError(
            f"{path} holds no PNG or JPEG pictures.", "Choose the folder that the pictures are in."
        )
    labels = tuple(_label(path, file) for file in files)
    return [read_image(file) for file in files], labels


def write_gallery(path: Path, images: NDArray[np.uint8], captions: Sequence[str]) -> None:
    """Write `(n, 28, 28) uint8` rasters (ink 255) with `n` captions to a PNG, dark on light. Raises `StoreError`."""
    from PIL import Image, ImageDraw, ImageFont

    width, height = THUMBNAIL_PX + GAP_PX, THUMBNAIL_PX + CAPTION_PX + GAP_PX
    rows = max(1, -(-len(images) // GALLERY_COLUMNS))
    sheet = Image.new("L", (GALLERY_COLUMNS * width + GAP_PX, rows * height + GAP_PX), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(number, GALLERY_COLUMNS)
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


def png_of(raster: NDArray[np.uint8]) -> bytes:
    """Return a `(28, 28) uint8` raster (ink 255) as a PNG: black ink on nothing, so that it suits every ground."""
    from PIL import Image

    content = BytesIO()
    Image.fromarray(np.stack([np.zeros_like(raster), raster], axis=-1), "LA").save(content, "PNG")
    return content.getvalue()


def _reduced(image: Image) -> Image:
    """Return a picture of grey levels, strip by strip, so that a large picture is in memory only once."""
    from PIL import Image as Pillow

    factor = max(1, math.ceil(math.sqrt(image.width * image.height / WORKING_PIXELS)))
    image.load()
    if factor == 1:
        return _grey(image)
    reduced = Pillow.new("L", (-(-image.width // factor), -(-image.height // factor)))
    height = factor * max(1, STRIP_PIXELS // (image.width * factor))
    for top in range(0, image.height, height):
        strip = image.crop((0, top, image.width, min(top + height, image.height)))
        reduced.paste(_grey(strip).reduce(factor), (0, top // factor))
    return reduced


def _with_small_ink(image: Image, reduced: Image) -> Image:
    """Return the part of a picture that holds its ink, where that is small and would be lost in the reduced one."""
    factor = math.ceil(image.width / reduced.width)
    window = window_of_ink(np.asarray(reduced)) if factor > 1 else None
    if window is None:
        return reduced
    rows, columns = window
    right, bottom = min(columns.stop * factor, image.width), min(rows.stop * factor, image.height)
    return _reduced(image.crop((columns.start * factor, rows.start * factor, right, bottom)))


def _grey(image: Image) -> Image:
    from PIL import Image as Pillow

    if image.mode.startswith(("I", "F")):
        # 16 bits a pixel; Pillow's own conversion would cut off, not scale.
        levels = np.asarray(image).astype(np.float64) / 257.0
        return Pillow.fromarray(np.rint(np.clip(levels, 0, 255)).astype(np.uint8))
    if image.has_transparency_data:
        paper = Pillow.new("RGBA", image.size, "white")
        image = Pillow.alpha_composite(paper, image.convert("RGBA"))
    return image.convert("L")


def _upright(grey: Image, original: Image) -> Image:
    """Turn a picture as the camera noted that it was held; leave it as it is where the notes cannot be read."""
    from PIL import ExifTags
    from PIL import Image as Pillow

    try:
        turn = _TURNS.get(original.getexif().get(ExifTags.Base.Orientation, 1))
    except _DAMAGED:
        turn = None
    return grey.transpose(Pillow.Transpose[turn]) if turn else grey


def _label(folder: Path, file: Path) -> str:
    text = file.parent.name if file.parent != folder else file.stem.replace("-", "_").partition("_")[0]
    try:
        return clean_label(text)
    except InputError as error:
        raise InputError(
            f"{file} does not say what it shows.",
            "Put it into a folder named after its label, or name it 7_001.png.",
        ) from error
