"""The sound rows of `samples.db`, declared once: what is read from a store, of ours or of others, is checked against them.

A row that is not sound is a `DamagedRowError`: it is named, and left out of what is read. `repair` finds all of them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from qtdigits.core.drawing.samples import Origin, Verdict
from qtdigits.core.recipe import FIELD_BY_NAME
from qtdigits.limits import EARLIEST, LATEST

T = TypeVar("T")
Row = TypeVar("Row", bound=msgspec.Struct)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
HEAVIEST = 100
"""How often a drawing may count in a training."""


def milliseconds_of(moment: datetime) -> int:
    """Return milliseconds since 1970 in UTC, rounded down; `moment` has a zone."""
    return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND


def moment_of(milliseconds: int) -> datetime:
    """The inverse of `milliseconds_of`, in UTC."""
    return _EPOCH + milliseconds * _MILLISECOND


Id = Annotated[int, Meta(ge=0)]
Flag = Literal[0, 1]
Time = Annotated[int, Meta(ge=milliseconds_of(EARLIEST), le=milliseconds_of(LATEST))]
Text = Annotated[str, Meta(max_length=10_000)]
Name = Annotated[str, Meta(min_length=1, max_length=1_000)]
Pixels = Annotated[bytes, Meta(min_length=784, max_length=784)]
Weight = Annotated[int, Meta(ge=1, le=HEAVIEST)]
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Share = Annotated[float, Meta(ge=0, le=1)]
RunId = Annotated[str, Meta(pattern=r"^[^/\\\x00-\x1f]{1,200}\Z")]


class SampleRow(msgspec.Struct, kw_only=True):
    """A drawing, with its writer and its class by name."""

    id: Id
    label: Name
    writer: Name
    origin: Origin
    held_out: Flag
    device: Text
    drawn_at: Time
    preprocessing: Id
    raster: Pixels
    ink: bytes | None
    weight: Weight
    reviewed: Flag
    suspicion: Share | None
    suggestion: Text | None
    reason: Text | None


class ThumbnailRow(msgspec.Struct, kw_only=True):
    """A drawing without its ink, with its latest verdict."""

    id: Id
    label: Name
    writer: Name
    origin: Origin
    held_out: Flag
    drawn_at: Time
    raster: Pixels
    weight: Weight
    suspicion: Share | None
    suggestion: Text | None
    reason: Text | None
    deleted_at: Time | None
    verdict: Verdict | None


class FrameRow(msgspec.Struct, kw_only=True):
    """A drawing without ink and pixels."""

    id: Id
    label: Name
    writer: Name
    origin: Origin
    device: Text
    drawn_at: Time
    has_ink: Flag
    held_out: Flag
    weight: Weight
    reviewed: Flag
    is_suspect: Flag
    suspicion: Share | None
    suggestion: Text | None
    is_deleted: Flag


class CopiedRow(SampleRow, kw_only=True):
    """A drawing that comes from another store."""

    ordinal: Id
    digest: Annotated[bytes, Meta(min_length=1, max_length=64)]
    given_label: Name | None


class TrialRow(msgspec.Struct, kw_only=True):
    """A judgement. `labels` is a JSON array, `probabilities` a float64 for each of them."""

    id: Id
    writer: Name
    model: Text
    answer: Text
    verdict: Verdict
    truth: Name | None
    network_answer: Text
    judged_at: Time
    labels: str
    probabilities: bytes
    sample_id: Id | None


class RunRow(msgspec.Struct, kw_only=True):
    """A run without its history. `recipe` and `figures` are JSON."""

    id: RunId
    name: Text
    note: Annotated[str, Meta(max_length=1_000_000)]
    recipe: str
    state: Annotated[str, Meta(max_length=100)]
    started_at: Time
    ended_at: Time | None
    model: Text
    figures: str
    deleted_at: Time | None


class QueueRow(msgspec.Struct, kw_only=True):
    run_id: RunId
    request: str
    is_known: Flag


class DamagedRowError(Exception):
    """`what` names the row, such as "drawing 17"; `why` says what is wrong with it."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what[0].upper()}{what[1:]} is damaged: {why}.")
        self.what = what
        self.why = why


def sound(kind: type[Row], row: sqlite3.Row, what: str) -> Row:
    """Return the row as a value. Raises `DamagedRowError`; `what` it is, its first column says which."""
    try:
        return msgspec.convert(dict(row), kind)
    except msgspec.ValidationError as error:
        raise DamagedRowError(f"{what} {row[0]}", _in_words(error)) from error


def is_a(kind: Any, value: object) -> bool:
    """Return whether a single value is of one of the kinds above."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def from_json(text: str, kind: type[T], *, column: str) -> T:
    """Return what a column holds as JSON. Raises `ValueError` that names the column."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"its {column}: {_in_words(error)}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise ValueError(f"its {column} is not JSON") from error


Recipe = dict[str, Whole | float | str | None]


def recipe_from_json(text: str) -> Recipe:
    """Return a stored recipe of any version. Raises `ValueError`."""
    values = from_json(text, Recipe, column="recipe")
    for name, value in values.items():
        known = FIELD_BY_NAME.get(name)
        is_odd = known is not None and isinstance(value, str) != isinstance(known.default, str)
        if is_odd and value is not None:
            raise ValueError(f"its recipe: {name} is {value!r:.40}")
    return values


def those_sound(
    make: Callable[[sqlite3.Row], T], rows: Iterable[sqlite3.Row], damaged: MutableMapping[str, str]
) -> Iterator[T]:
    """Yield what `make` makes of the sound rows; what is wrong with the others goes into `damaged`."""
    for row in rows:
        try:
            made = make(row)
        except DamagedRowError as error:
            damaged[error.what] = error.why
        else:
            yield made


def _in_words(error: Exception) -> str:
    """Such as "its drawn_at is not valid (expected `int` <= 1)"."""
    what, _, where = str(error).partition(" - at `$")
    named = re.match(r"\.(\w+)", where)
    expected = what[:1].lower() + what[1:]
    return f"its {named[1]} is not valid ({expected})" if named else expected
