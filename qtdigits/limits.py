"""The limits of everything that is read from outside. They are checked before memory is taken; SECURITY.md quotes `TABLE`.

No real file meets them. What is above one is refused in one line, with exit code 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from qtdigits.errors import InputError


@dataclass(frozen=True)
class Limit:
    """At most `most` of something. `what` completes "more than 10 …"; `why` says why no real file has more."""

    most: int
    what: str
    why: str

    def check(self, found: int, where: str) -> None:
        """Raise `InputError` when `found` is above the limit; `where` names the file or the part of it."""
        if found > self.most:
            raise InputError(
                f"{where} has more than {self.most:,} {self.what}.", "Use a smaller one, or split it."
            )


EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)
"""Such times can be shown in every time zone, on every system."""

DATA_BYTES: Final = Limit(4 << 30, "bytes of data", "EMNIST, the largest set of its kind, has 0.6 GB")
UNPACKING: Final = Limit(
    200, "times its size, unpacked", "ink unpacks to 3 to 5 times its size, MNIST to 5 times"
)
FREE_BYTES: Final = Limit(
    1 << 20, "bytes before the ratio of unpacking counts", "small files of one value pack very well"
)
MEMBERS: Final = Limit(4096, "arrays", "a checkpoint of the deepest network has about 700")
DRAWINGS: Final = Limit(2_000_000, "drawings", "EMNIST has 0.8 million")
TEXT_LINES: Final = Limit(100_000_000, "lines", "a UNIPEN file has 70 lines for a drawing")
LINE_BYTES: Final = Limit(4 << 20, "bytes in a line", "the longest line of ink that was measured has 9 kB")
ROW_BYTES: Final = Limit(64 << 10, "bytes in a row", "784 grey levels take 4 kB")
STROKES: Final = Limit(1000, "strokes in a drawing", "the most that was measured is 29")
POINTS: Final = Limit(100_000, "points in a drawing", "the most that was measured is 808")
PIXELS: Final = Limit(50_000_000, "pixels", "a scanned page has 35 million at 600 dots per inch")
SIDE_PIXELS: Final = Limit(20_000, "pixels along a side", "a scanned page has 7,000 at 600 dots per inch")
SCANS: Final = Limit(100, "scans in a JPEG picture", "a progressive JPEG has about 10")
PICTURE_BYTES: Final = Limit(
    256 << 20, "bytes in a picture", "50 million pixels without compression take 200 MB"
)
RECIPE_BYTES: Final = Limit(64 << 10, "bytes in a recipe", "a recipe with all its comments has 7 kB")
RECIPE_LINE: Final = Limit(2048, "bytes in a line of a recipe", "the longest, with its comment, has 200")
JSON_BYTES: Final = Limit(16 << 20, "bytes of JSON", "the longest request of a training has a few kB")
TEXT: Final = Limit(4096, "characters in a text", "a path has 4,096 at most, a label 32")
NESTING: Final = Limit(8, "levels of nesting", "a model's scores have 5")
MODEL_BYTES: Final = Limit(1 << 30, "bytes in a model file", "the largest that is shipped has 10 MB")
KERAS_BYTES: Final = Limit(256 << 20, "bytes in a Keras model", "the report's networks have 10 MB")
GOLDEN: Final = Limit(1000, "golden drawings", "a model file has 20")

TABLE: Final[dict[str, Limit]] = {
    name: value for name, value in globals().items() if isinstance(value, Limit)
}
"""All limits by name."""
