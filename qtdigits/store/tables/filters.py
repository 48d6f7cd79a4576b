"""Which samples are meant: a filter as a value, and as a WHERE clause."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from qtdigits.core.drawing.samples import Origin, Verdict
from qtdigits.store.tables.rows import milliseconds_of


class FilterFields(TypedDict, total=False):
    """The fields of `SampleFilter`, for functions that take them as keywords."""

    writer: str | None
    label: str | None
    verdict: Verdict | None
    model: str | None
    origin: Origin | None
    held_out: bool | None
    is_suspect: bool | None
    after: datetime | None
    before: datetime | None
    is_deleted: bool
    ids: tuple[int, ...] | None
    newer_than: int | None
    not_newer_than: int | None


@dataclass(frozen=True)
class SampleFilter:
    """None: all of them. `verdict` and `model` are those of the sample's judgement; `after` is inclusive, `before` is not.

    `is_deleted` looks into the trash instead of at what is there; `ids`: of these samples only;
    `newer_than`: only those with a higher id; `not_newer_than`: only those without one.
    """

    writer: str | None = None
    label: str | None = None
    verdict: Verdict | None = None
    model: str | None = None
    origin: Origin | None = None
    held_out: bool | None = None
    is_suspect: bool | None = None
    after: datetime | None = None
    before: datetime | None = None
    is_deleted: bool = False
    ids: tuple[int, ...] | None = None
    newer_than: int | None = None
    not_newer_than: int | None = None


EVERYTHING = SampleFilter()


def where(chosen: SampleFilter) -> tuple[str, tuple[Any, ...]]:
    """A WHERE clause on `samples` without a join, and its values."""
    conditions: list[tuple[str, tuple[Any, ...]]] = [
        (f"samples.deleted_at IS {'NOT ' if chosen.is_deleted else ''}NULL", ())
    ]
    simple = {
        "samples.writer_id = (SELECT id FROM writers WHERE name = ?)": chosen.writer,
        "samples.class_id = (SELECT id FROM classes WHERE label = ?)": chosen.label,
        "samples.origin = ?": chosen.origin,
        "samples.held_out = ?": chosen.held_out,
        "samples.drawn_at >= ?": chosen.after and milliseconds_of(chosen.after),
        "samples.id > ?": chosen.newer_than,
        "samples.id <= ?": chosen.not_newer_than,
        "samples.drawn_at < ?": chosen.before and milliseconds_of(chosen.before),
    }
    conditions += [(condition, (value,)) for condition, value in simple.items() if value is not None]
    if chosen.is_suspect is not None:
        conditions.append((f"samples.suspicion IS {'NOT ' if chosen.is_suspect else ''}NULL", ()))
    judged = {"verdict = ?": chosen.verdict, "model = ?": chosen.model}
    if given := {condition: value for condition, value in judged.items() if value is not None}:
        trials = f"SELECT sample_id FROM trials WHERE sample_id IS NOT NULL AND {' AND '.join(given)}"
        conditions.append((f"samples.id IN ({trials})", tuple(given.values())))
    if chosen.ids is not None:
        conditions.append(("samples.id IN (SELECT value FROM json_each(?))", (json.dumps(chosen.ids),)))
    return (
        "WHERE " + " AND ".join(condition for condition, _ in conditions),
        tuple(value for _, values in conditions for value in values),
    )
