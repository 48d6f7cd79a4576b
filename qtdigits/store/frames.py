"""Tables as pandas frames, and as CSV. pandas is imported when a table is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray


def csv_of_columns(columns: Mapping[str, NDArray[Any]]) -> str:
    """CSV text with a row for each entry of the columns, all `(n,)`; unknown figures (NaN) stay empty.

    Whole numbers are written without a point where a column has no others.
    """
    import pandas as pd

    frame = pd.DataFrame(dict(columns))
    return frame.convert_dtypes().to_csv(index=False, lineterminator="\n")
