"""`qtdigits samples review`: which stored labels are probably wrong."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from qtdigits.cli.loading import require_writer
from qtdigits.cli.options import add_command, add_json_option, data_folder
from qtdigits.cli.output import print_json, print_table, say, working

if TYPE_CHECKING:
    from qtdigits.cli.options import Subparsers
    from qtdigits.core.drawing.samples import Sample


def add_review_parser(group: Subparsers) -> None:
    parser = add_command(
        group,
        "review",
        summary="look for labels that are probably wrong; they wait, and are not trained on until you have looked",
        examples=("qtdigits samples review", "qtdigits samples review --writer Ada --json"),
    )
    parser.add_argument("--writer", metavar="NAME", help="this person's drawings only")
    add_json_option(parser, "what waits, with suggestions and reasons")
    parser.set_defaults(run=run_review)


def run_review(args: argparse.Namespace) -> int:
    from qtdigits.core.run.control import Control
    from qtdigits.store.tables.samples import SampleStore
    from qtdigits.store.witness_file import load_witness
    from qtdigits.tasks.label_guard import review

    folder = data_folder(args)
    with SampleStore.open(folder) as store:
        if args.writer is not None:
            require_writer(store, args.writer)
        with working("Looking through the labels …"):
            found = review(store, load_witness(), Control(), writer=args.writer)
        waiting = list(store.samples(ids=found.doubted)) if found.doubted else []
    if args.json:
        print_json({"n": found.n, "waiting": [_to_json(sample) for sample in waiting]})
        return 0
    if waiting:
        print_table(("id", "label", "writer", "perhaps", "why"), map(_row, waiting), numbers_from=9)
        print()
    wait = "1 waits" if len(waiting) == 1 else f"{len(waiting):,} wait"
    say(f"{found.n:,} drawings of digits were looked through; {wait} for you to look.")
    if waiting:
        say(
            "Put right: qtdigits samples relabel LABEL ID… · Right as they are: accept them in the Drawings tab."
        )
    return 0


def _row(sample: Sample) -> tuple[str, ...]:
    doubt = sample.suspicion
    perhaps, why = (doubt.suggestion, doubt.reason) if doubt else ("", "")
    return (str(sample.id), sample.label, sample.writer, perhaps, why)


def _to_json(sample: Sample) -> dict[str, object]:
    doubt = asdict(sample.suspicion) if sample.suspicion else {}
    return {"id": sample.id, "label": sample.label, "writer": sample.writer, **doubt}
