"""What is shown of stored samples in a browser, read page by page and without their ink."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from qtdigits.core.drawing.samples import Origin, Raster, Suspicion, Verdict
from qtdigits.store.tables import rows
from qtdigits.store.tables.database import Database


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A sample at a glance. `raster` is as it was stored; `verdict` is None for a sample that was imported."""

    id: int
    label: str
    raster: Raster
    writer: str
    origin: Origin
    drawn_at: datetime
    held_out: bool
    weight: int
    suspicion: Suspicion | None
    verdict: Verdict | None
    is_deleted: bool


def thumbnails(db: Database, ids: Sequence[int]) -> list[Thumbnail]:
    """In the order of `ids`, without those that are not there."""
    wanted = [int(i) for i in ids]
    found = db.rows(
        f"""SELECT samples.id, classes.label, samples.raster, writers.name AS writer, samples.origin,
                samples.drawn_at, samples.held_out, samples.weight, samples.suspicion, samples.suggestion,
                samples.reason, samples.deleted_at,
                (SELECT verdict FROM trials WHERE sample_id = samples.id ORDER BY id DESC LIMIT 1) AS verdict
            FROM {rows.SAMPLE_TABLES} WHERE samples.id IN (SELECT value FROM json_each(?))""",
        (json.dumps(wanted),),
    )
    by_id = {
        row["id"]: Thumbnail(
            id=row["id"],
            label=row["label"],
            raster=np.frombuffer(row["raster"], np.uint8).reshape(28, 28),
            writer=row["writer"],
            origin=Origin(row["origin"]),
            drawn_at=rows.moment_of(row["drawn_at"]),
            held_out=bool(row["held_out"]),
            weight=row["weight"],
            suspicion=rows.suspicion_of(row),
            verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
            is_deleted=row["deleted_at"] is not None,
        )
        for row in found
    }
    return [by_id[i] for i in wanted if i in by_id]
