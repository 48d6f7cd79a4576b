"""The options by which commands choose among the stored drawings."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from qtdigits.cli.loading import require_writer
from qtdigits.cli.options import data_folder
from qtdigits.errors import InputError

if TYPE_CHECKING:
    from qtdigits.store.tables.filters import SampleFilter


def add_filter_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which drawings (all of these must hold; default: every one)")
    group.add_argument("--writer", metavar="NAME", help="only this writer's")
    group.add_argument("--label", metavar="LABEL", help="only this class")
    group.add_argument("--verdict", choices=("confirmed", "corrected"), help="read right, or misread")
    group.add_argument("--model", metavar="NAME", help="only what this model read when it was judged")
    group.add_argument(
        "--origin", metavar="ORIGIN", help='only of this origin: "drawn", "ink file", "image", "csv pair"'
    )
    for flags, summary in (
        (("--held-out", "--not-held-out"), "only held-out drawings, or only the others"),
        (("--suspect", "--not-suspect"), "only drawings whose label is doubted, or only the others"),
    ):
        pair = group.add_mutually_exclusive_group()
        name = flags[0].lstrip("-").replace("-", "_")
        pair.add_argument(flags[0], dest=name, action="store_const", const=True, help=summary)
        pair.add_argument(flags[1], dest=name, action="store_const", const=False, help=argparse.SUPPRESS)
    group.add_argument("--after", metavar="DATE", help="drawn on this day or later, such as 2026-05-01")
    group.add_argument("--before", metavar="DATE", help="drawn before this day or time")
    group.add_argument("--deleted", action="store_true", help="look into the trash instead")


def filter_of(args: argparse.Namespace) -> SampleFilter:
    """Raises `InputError` for an origin or a date that cannot be, and for a writer or a label that the store does not know."""
    from qtdigits.core.drawing.samples import Origin, Verdict
    from qtdigits.store.tables.filters import SampleFilter

    if args.origin and args.origin not in list(Origin):
        raise InputError(
            f"There is no origin {args.origin!r}.", f"Choose one of {', '.join(map(repr, map(str, Origin)))}."
        )
    if args.writer is not None or args.label is not None:
        _require_known(args)
    return SampleFilter(
        writer=args.writer,
        label=args.label,
        verdict=Verdict(args.verdict) if args.verdict else None,
        model=args.model,
        origin=Origin(args.origin) if args.origin else None,
        held_out=args.held_out,
        is_suspect=args.suspect,
        after=_moment(args.after, "--after"),
        before=_moment(args.before, "--before"),
        is_deleted=args.deleted,
    )


def _require_known(args: argparse.Namespace) -> None:
    """A name that was mistyped must not pass for one without drawings."""
    from qtdigits.store.tables.samples import SampleStore

    with SampleStore.open_to_read(data_folder(args)) as store:
        if args.writer is not None:
            require_writer(store, args.writer)
        if args.label is not None and args.label not in (labels := store.classes().labels):
            raise InputError(f"There is no class {args.label!r}.", f"Classes: {' '.join(labels)}.")


def _moment(text: str | None, option: str) -> datetime | None:
    """A day or a time, in local time where no zone is given; "today" and "yesterday" too."""
    if text is None:
        return None
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    days_ago = {"today": 0, "yesterday": 1}
    if text in days_ago:
        return midnight - timedelta(days=days_ago[text])
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise InputError(
            f"{option} {text!r} is not a date.", "Write it as 2026-05-01, or as 2026-05-01T13:30."
        ) from error
