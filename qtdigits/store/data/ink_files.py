"""Files of ink: ink JSONL, the project's exchange form, and UNIPEN files of the pendigits kind.

Ink JSONL (plain or gzip) holds one drawing a line: `{"label": "7", "writer": "w01", "strokes": [[[x, y], …], …]}`,
y pointing down, any unit; a point may carry time in ms and pressure 0 to 1 as third and fourth number. Other keys are
kept.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
from msgspec import Meta

from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import clean_label
from qtdigits.core.drawing.samples import Sample
from qtdigits.errors import InputError
from qtdigits.limits import DRAWINGS, LINE_BYTES, POINTS, ROW_BYTES, STROKES, TEXT_LINES
from qtdigits.store.files import writing
from qtdigits.untrusted import decoded, lines, open_plain_or_gzip

_REMEDY = 'A line is such as {"label": "7", "writer": "w01", "strokes": [[[10, 20], [11, 25]]]}.'
_QUOTED = re.compile(r'"([^"]*)"\s*$')


@dataclass(frozen=True, eq=False)
class LabelledInk:
    """A drawing in a file; `writer` is empty where nobody is named, `extra` holds the other keys of its line."""

    label: str
    writer: str
    ink: Ink
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, sample: Sample) -> LabelledInk | None:
        """Return a stored sample for a file, with time and device; None for an image without ink."""
        if sample.ink is None:
            return None
        extra = {"drawn_at": sample.drawn_at.astimezone(UTC).isoformat(timespec="milliseconds")}
        return cls(
            sample.label,
            sample.writer,
            sample.ink,
            extra | ({"device": sample.device} if sample.device else {}),
        )


def read_ink_jsonl(path: Path) -> Iterator[LabelledInk]:
    """Yield the drawings of a `.jsonl` or `.jsonl.gz` file; blank lines are skipped.

    A drawing may be blank: empty strokes occur in real files. Raises `InputError` that names file and line.
    """
    with open_plain_or_gzip(path) as stream:
        for number, line in lines(path, stream, LINE_BYTES, DRAWINGS):
            if not line.isspace():
                yield _drawing(path, number, line)


def write_ink_jsonl(path: Path, drawings: Iterable[LabelledInk]) -> int:
    """Write drawings to `path`, whole or not at all, packed when its name ends in `.gz`; return how many. Raises `StoreError`."""
    count = 0
    with writing(path) as plain, _packing(plain, path) as stream:
        for drawing in drawings:
            named = {"writer": drawing.writer} if drawing.writer else {}
            line = {"label": drawing.label, **named, **drawing.extra, "strokes": drawing.ink.to_lists()}
            stream.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            count += 1
    return count


def read_unipen(path: Path) -> Iterator[LabelledInk]:
    """Yield the drawings of a UNIPEN file of the pendigits kind, with y pointing down.

    Each `.SEGMENT` starts a drawing and names its label; the second number of its `.COMMENT` is the writer. Raises
    `InputError` that names file and line.
    """
    with open_plain_or_gzip(path) as stream:
        segment: _Segment | None = None
        for number, line in lines(path, stream, ROW_BYTES, TEXT_LINES):
            keyword, _, rest = line.decode("latin-1").strip().partition(" ")
            if keyword == ".SEGMENT":
                if segment is not None:
                    yield segment.drawing()
                segment = _Segment(path, number, rest)
            elif segment is not None:
                segment.take(number, keyword, rest)
        if segment is None:
            raise InputError(
                f"{path} has no .SEGMENT.", "Use a UNIPEN file of the kind of pendigits-orig.tra."
            )
        yield segment.drawing()


class _Line(msgspec.Struct):
    """A line of ink JSONL."""

    label: str | int | float
    strokes: Annotated[list[list[list[float]]], Meta(max_length=STROKES.most)]
    writer: str | int = ""


class _Segment:
    """The drawing of a UNIPEN file that is being read."""

    def __init__(self, path: Path, number: int, rest: str) -> None:
        quoted = _QUOTED.search(rest)
        if quoted is None:
            raise InputError(
                f'{path}, line {number}: .SEGMENT names no label such as "7".', "Correct the line."
            )
        self._where = f"{path}, line {number}"
        self._path, self._first = path, number
        self._label = quoted[1]
        self._writer = ""
        self._strokes: list[list[tuple[float, float]]] = []
        self._is_down = False

    def take(self, number: int, keyword: str, rest: str) -> None:
        match keyword:
            case ".COMMENT":
                numbers = rest.split()
                self._writer = self._writer or (numbers[1] if len(numbers) > 1 else "")
            case ".PEN_DOWN":
                self._is_down = True
                self._strokes.append([])
                STROKES.check(len(self._strokes), self._where)
            case ".PEN_UP":
                self._is_down = False
            case _ if self._is_down and keyword and not keyword.startswith("."):
                self._strokes[-1].append(self._point(number, keyword, rest))
                if number - self._first > POINTS.most:
                    POINTS.check(number - self._first, self._where)

    def drawing(self) -> LabelledInk:
        try:
            return LabelledInk(clean_label(self._label), self._writer, Ink.of(self._strokes))
        except InputError as error:
            raise InputError(f"{self._where}: {error.message}", error.remedy) from error

    def _point(self, number: int, x: str, rest: str) -> tuple[float, float]:
        try:
            return float(x), -float(rest.split(maxsplit=1)[0])
        except (ValueError, IndexError) as error:
            message = f"{self._path}, line {number}: {f'{x} {rest}'.strip()[:40]!r} is not a point."
            raise InputError(message, "A point is two numbers, x and y.") from error


def _drawing(path: Path, number: int, text: bytes) -> LabelledInk:
    try:
        line, others = decoded(text, _Line), decoded(text, dict[str, msgspec.Raw])
        POINTS.check(sum(map(len, line.strokes)), "it")
        extra = {
            key: decoded(value, object) for key, value in others.items() if key not in _Line.__struct_fields__
        }
        return LabelledInk(clean_label(str(line.label)), str(line.writer), Ink.of(line.strokes), extra)
    except InputError as error:
        raise InputError(f"{path}, line {number}: {error.message}", error.remedy or _REMEDY) from error


def _packing(plain: BinaryIO, path: Path) -> Any:
    """Return `plain`, or a gzip stream into it, without a time: equal drawings make equal files."""
    if path.suffix != ".gz":
        return nullcontext(plain)
    return gzip.GzipFile(filename="", fileobj=plain, mode="wb", mtime=0)
