"""`python -m benchmarks [NAME…] [--json]`: run the benchmarks and print one table.

The two sides of a row are measured alternately, so that a machine whose speed drifts is fair to both. Only the ratio is to be
quoted; run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks import (
    classes,
    elsewhere,
    gaps,
    latency,
    learning,
    memory,
    new_class,
    not_sure,
    one_shot,
    raster,
    reading,
    redraw,
    replay,
    reporting,
    runs,
    startup,
    steering,
    store,
    studies,
    study_cost,
    training,
)
from benchmarks.common import Row

ALL = {
    "startup": startup.measure,
    "latency": latency.measure,
    "gaps": gaps.measure,
    "memory": memory.measure,
    "raster": raster.measure,
    "store": store.measure,
    "redraw": redraw.measure,
    "runs": runs.measure,
    "replay": replay.measure,
    "steering": steering.measure,
    "studies": studies.measure,
    "reporting": reporting.measure,
    "learning": learning.measure,
    "reading": reading.measure,
    "elsewhere": elsewhere.measure,
    "one_shot": one_shot.measure,
    "new_class": new_class.measure,
    "classes": classes.measure,
    "not_sure": not_sure.measure,
    "study_cost": study_cost.measure,
    "training": training.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(ALL)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    options = parser.parse_args()
    if unknown := set(options.names) - set(ALL):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(ALL)}")
    rows: list[Row] = []
    for name in options.names or ALL:
        print(f"{name} …", file=sys.stderr, flush=True)
        measured = ALL[name]()
        for row in measured:  # a later benchmark that fails or is cut short takes no figure along
            print(f"  {row.what}: {row.ours:,.3f} {row.unit}{_beside(row)}", file=sys.stderr, flush=True)
        rows += measured
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=1))
    else:
        _print(rows)
    return 0


def _beside(row: Row) -> str:
    return f", {row.beside} {row.theirs:,.3f}" if row.theirs is not None else ""


def _print(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "QtDigits", "beside it", "the obvious way", "ratio", "target")
    for row in rows:
        ours = f"{row.ours:,.2f} {row.unit}"
        theirs = f"{row.theirs:,.2f} {row.unit}" if row.theirs is not None else ""
        ratio = f"{row.ours / row.theirs:.2f}" if row.theirs else ""
        table.add_row(row.what, ours, theirs, row.beside, ratio, row.target)
    Console(width=150).print(table)


if __name__ == "__main__":
    sys.exit(main())
