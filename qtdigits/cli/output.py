"""Output of the commands: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qtdigits.core.formatting import percent, percent_range, printable, printable_lines

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 10_000
"""Columns of a pipe or file, in which rich must not cut a path."""


def say(text: str) -> None:
    """Print a message for the person on stderr."""
    print(printable_lines(text), file=sys.stderr, flush=True)


def show(text: str = "") -> None:
    """Print a result on stdout."""
    print(printable_lines(text))


def print_csv(text: str) -> None:
    """Print a CSV file, as it is unless it goes to a terminal."""
    print(printable_lines(text) if sys.stdout.isatty() else text, end="")


def complain(text: str) -> None:
    """Print a message about an error that does not end the command."""
    say(f"qtdigits: {' '.join(text.split())}")


@contextlib.contextmanager
def working(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress on a terminal, and nothing elsewhere. Yields a function of done and total."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=24))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(text, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)


def print_json(value: object) -> None:
    """Print the one JSON object of `--json`, in ASCII so that no locale can corrupt it."""
    print(json.dumps(value, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers_from: int = 1) -> None:
    """Print a table on stdout; the columns from `numbers_from` on are aligned to the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(
            Text(printable(column)), justify="right" if i >= numbers_from else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    console = _console()
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_facts(facts: Sequence[tuple[str, object]]) -> None:
    """Print names and values, one pair per line."""
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        print(f"{name:<{width}}  {printable(str(value))}")


def print_scores(scores: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the scores of a model, one set per line."""
    rows = []
    for name, score in scores.items():
        low, high = score.get("interval", (0.0, 1.0))
        figures = (
            f"{score.get('n', 0):,}",
            f"{score.get('correct', 0):,}",
            percent(score.get("accuracy"), 2),
        )
        rows.append((name, *figures, percent_range(low, high)))
    print_table(("set", "drawings", "correct", "accuracy", "95% interval"), rows)


def _console() -> Console:
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, markup=False)
