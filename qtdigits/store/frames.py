"""Tables as pandas frames and as CSV, with their columns. pandas is imported within the functions only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qtdigits.core.run.events import BATCH_COLUMNS, BATCH_EXTRAS, EPOCH_COLUMNS, EPOCH_EXTRAS

if TYPE_CHECKING:
    import pandas as pd

    from qtdigits.core.run.history import History
    from qtdigits.core.score.writers import WriterMatrix

TEXT, WHOLE, KNOWN_WHOLE, NUMBER, TRUTH, TIME = "string", "Int64", "int64", "float64", "bool", "time"
"""The kinds of columns. A missing text or `WHOLE` is <NA>, a missing number NaN, a missing time NaT; times are in UTC."""

SAMPLE_COLUMNS: Mapping[str, str] = {
    "id": KNOWN_WHOLE,
    "label": TEXT,
    "writer": TEXT,
    "origin": TEXT,  # "drawn", "ink file", "image", "csv pair"
    "device": TEXT,
    "drawn_at": TIME,
    "has_ink": TRUTH,
    "held_out": TRUTH,
    "weight": KNOWN_WHOLE,  # how often the sample counts in a training
    "reviewed": TRUTH,  # a person has looked at the label and accepted it
    "doubted": TRUTH,  # the label is probably wrong, and nobody has looked at it yet
    "suspicion": NUMBER,  # 0 to 1, of a doubted label
    "suggestion": TEXT,  # the label that a doubted one should be
    "deleted": TRUTH,  # in the trash
}
TRIAL_COLUMNS: Mapping[str, str] = {
    "id": KNOWN_WHOLE,
    "writer": TEXT,
    "model": TEXT,
    "answer": TEXT,
    "truth": TEXT,  # missing where the drawing was skipped
    "verdict": TEXT,  # "confirmed", "corrected", "skipped"
    "probability": NUMBER,  # of the answer, 0 to 1
    "judged_at": TIME,
    "sample_id": WHOLE,  # missing where there is no drawing any more
}
RUN_COLUMNS: Mapping[str, str] = {
    "id": TEXT,
    "name": TEXT,
    "note": TEXT,
    "state": TEXT,
    "started_at": TIME,
    "ended_at": TIME,
    "epochs": KNOWN_WHOLE,
    "best_epoch": WHOLE,
    "val_loss": NUMBER,
    "val_accuracy": NUMBER,
    "hold_out_accuracy": NUMBER,
    "elapsed_s": NUMBER,
    "n_parameters": KNOWN_WHOLE,
    "model": TEXT,
    "deleted": TRUTH,
}
CURVE_COLUMNS = (
    "run",
    "kind",
    *dict.fromkeys((*EPOCH_COLUMNS, *EPOCH_EXTRAS, *BATCH_COLUMNS, *BATCH_EXTRAS)),
)
MATRIX_COLUMNS = (
    *("learned_from", "drawings_learned", "read", "n", "correct", "accuracy", "low", "high"),
    *("correct_before", "fixed", "broken", "p_value", "mark"),
)


def frame_of(rows: Iterable[Sequence[Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a frame of `rows`, with values in the order of `columns` (name to kind). Times are milliseconds since 1970."""
    import pandas as pd

    table = pd.DataFrame(list(map(tuple, rows)), columns=list(columns), dtype=object)
    return pd.DataFrame({name: _typed(table[name], kind) for name, kind in columns.items()})


def with_columns(frame: pd.DataFrame, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the frame with the columns of `rows`, one for each of its own; what a row lacks is missing."""
    import pandas as pd

    more = pd.DataFrame(list(rows)) if rows else pd.DataFrame()
    return pd.concat([frame, more.convert_dtypes()], axis=1)


def curves_frame(runs: Iterable[tuple[str, History]]) -> pd.DataFrame:
    """Return a row for each batch point and each epoch of the runs (name, history), in the order of their steps.

    `kind` is "batch" or "epoch"; figures that are unknown are NaN.
    """
    import pandas as pd

    tables = [
        pd.DataFrame({"place": place, "run": run, "kind": kind, **{c: part[c] for c in part.kept_names}})
        for place, (run, history) in enumerate(runs)
        for kind, part in (("batch", history.batches), ("epoch", history.epochs))
        if len(part)
    ]
    points = pd.concat(tables) if tables else pd.DataFrame(columns=["place", "step", "kind"])
    points = points.sort_values(["place", "step", "kind"], kind="stable", ignore_index=True)
    return points.reindex(columns=list(CURVE_COLUMNS)).astype({"epoch": WHOLE, "step": WHOLE})


def matrix_frame(matrix: WriterMatrix) -> pd.DataFrame:
    """Return a row for each cell, with shares from 0 to 1; `correct_before` counts what the base model read right."""
    import pandas as pd

    return pd.DataFrame(
        [
            (
                *(row.name, row.learned_from, writer, cell.n, cell.after),
                *(cell.tally_after.accuracy, *cell.tally_after.interval),
                *(cell.before, cell.n_fixed, cell.n_broken, cell.p_value, matrix.mark(cell)),
            )
            for row in matrix.rows
            for writer, cell in row.cells.items()
        ],
        columns=list(MATRIX_COLUMNS),
    )


def csv_of(frame: pd.DataFrame) -> str:
    """Return the frame as CSV with a header; what is missing stays empty."""
    return frame.to_csv(index=False, lineterminator="\n")


def _typed(column: pd.Series[Any], kind: str) -> pd.Series[Any]:
    import pandas as pd

    if kind == TIME:
        return pd.to_datetime(column.astype("Int64"), unit="ms", utc=True)
    return column.astype(kind)  # type: ignore[call-overload, no-any-return]
