"""`qtdigits writers matrix`: models that learned from one writer's drawings, read by each writer's."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from qtdigits.cli.learning_hands import (
    GIVING_UP,
    add_learning_options,
    learner_of,
    mnist_of,
    warn_of_known_drawings,
)
from qtdigits.cli.loading import open_model
from qtdigits.cli.options import add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import percent, print_json, print_table, say
from qtdigits.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qtdigits.cli.options import Subparsers
    from qtdigits.core.drawing.samples import Dataset
    from qtdigits.core.score.writer_matrix import MatrixRow, WriterMatrix

STOPPING = "Stopping: the rows that are whole are kept. Ctrl+C once more gives all up."


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "matrix",
        summary="learn from each writer's drawings in turn, and count how each of the models reads each writer's",
        examples=(
            "qtdigits writers matrix",
            "qtdigits writers matrix --on friends.jsonl.gz --model my.h5 --json",
        ),
    )
    parser.add_argument(
        "--on",
        metavar="FILE",
        type=file_path,
        help="ink with writers, each in the order of drawing (default: the stored drawings)",
    )
    add_learning_options(
        parser, about_model="the model that they all begin with; best one not trained on these drawings"
    )
    add_json_option(parser, "the counts, with their intervals,")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from qtdigits.cli.training_run import obeying_signals
    from qtdigits.core.run.control import Control
    from qtdigits.tasks.writer_matrix import writer_matrix

    folder = data_folder(args)
    drawings, held_out, not_to_learn = _stored(folder) if args.on is None else _of_file(args.on)
    base = open_model(args.model, folder=folder)
    if args.on is None and base.has_learned_from_stored:
        say(
            f"{base.name} itself was trained on stored drawings: what it reads of those it learned from says little. "
            "For figures to compare, give a --model that was not."
        )
    learner = learner_of(args, mnist_of(args, folder))
    if args.on is not None:
        warn_of_known_drawings(base, drawings, folder)
    control = Control()
    with obeying_signals(control, stopping=STOPPING, giving_up=GIVING_UP):
        found = writer_matrix(
            drawings,
            held_out=held_out,
            not_to_learn=not_to_learn,
            base=base,
            learner=learner,
            progress=_tell,
            control=control,
        )
    if args.json:
        print_json(found.to_json())
    else:
        _print(found)
    return 0


def _stored(folder: Path) -> tuple[Dataset, NDArray[np.bool_], NDArray[np.bool_]]:
    """All drawings; which of them are held out; which are not to be learned from, because their labels are doubted."""
    from qtdigits.tasks.stored_writer_matrix import StoredHands

    hands = StoredHands.of(folder)
    return hands.drawings, hands.held_out, hands.doubted


def _of_file(path: Path) -> tuple[Dataset, NDArray[np.bool_], None]:
    from qtdigits.store.data.datasets import read_dataset
    from qtdigits.tasks.personal import held_out_by_order

    drawings = read_dataset(path)
    if not drawings.writers:
        raise InputError(f"{path} does not say who wrote what.", "Choose ink with writers.")
    return drawings, held_out_by_order(drawings), None


def _tell(what: str, done: int, total: int) -> None:
    say(f"{done} of {total}: learning from {what}" if what else f"{done} of {total} trainings are over.")


def _print(found: WriterMatrix) -> None:
    print(f"{found.model}, and what became of it by learning from one writer; each reads the drawings of:\n")
    print_table(("learned from", "drawings", *found.writers), (_cells(found, row) for row in found.rows))
    print(
        "\nA writer's own model is scored on what is held out of the writer's drawings, all others on all of them."
    )
    print("+ better and - worse than the first row on the same drawings (p < 0.05, McNemar's test);")
    print("++ and -- also when it is reckoned with that so many were compared (Holm).")
    if not found.is_whole:
        print("It was stopped: rows are missing.")


def _cells(found: WriterMatrix, row: MatrixRow) -> tuple[str, ...]:
    name = {"base": "nobody here", "all others": "all but the one read"}.get(row.kind, row.name)
    texts = []
    for writer in found.writers:
        cell = row.cell(writer)
        texts.append("" if cell is None else f"{percent(cell.accuracy)} of {cell.n:,} {found.mark(cell):<2}")
    return (name, f"{row.learned_from:,}" if row.learned_from else "", *texts)
