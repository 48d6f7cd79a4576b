"""`qtdigits writers`: the people who draw, and the matrix of how well models read whom."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.cli.loading import (
    CANCELLING,
    add_learning_options,
    learner_of,
    mnist_of,
    open_model,
    open_to_change,
    require_writer,
    warn_of_known_drawings,
)
from qtdigits.cli.options import (
    Subparsers,
    add_command,
    add_group,
    add_json_option,
    add_output_options,
    data_folder,
    file_path,
)
from qtdigits.cli.output import print_csv, print_json, print_table, say, show, working
from qtdigits.cli.training_run import obeying_signals
from qtdigits.core.drawing.classes import AS_TRAINED, Classes
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.formatting import counted, not_counted, percent
from qtdigits.core.run.control import Control
from qtdigits.core.score.writers import MatrixRow, WriterMatrix
from qtdigits.errors import InputError
from qtdigits.paths import rescue_dirs
from qtdigits.store.data.datasets import read_dataset
from qtdigits.store.frames import csv_of, matrix_frame
from qtdigits.store.privacy import export_writer, wipe_writer
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.consolidate import held_out_by_order
from qtdigits.training.writer_matrix import WriterDrawings, writer_matrix

STOPPING = "Stopping: complete rows are kept. Press Ctrl+C again to cancel and keep nothing."


def add_parser(subparsers: Subparsers) -> None:
    group = add_group(
        subparsers,
        "writers",
        examples=("qtdigits writers list", "qtdigits writers add Ada", "qtdigits writers rename me Ada"),
    )
    listing = add_command(
        group,
        "list",
        run=run_list,
        summary="list the writers and their samples",
        examples=("qtdigits writers list --json",),
    )
    add_json_option(listing, "the list")
    adding = add_command(
        group, "add", run=run_add, summary="add a writer", examples=("qtdigits writers add Ada",)
    )
    adding.add_argument("name", metavar="NAME")
    renaming = add_command(
        group,
        "rename",
        run=run_rename,
        summary="give a writer another name",
        examples=("qtdigits writers rename me Ada",),
    )
    renaming.add_argument("old", metavar="OLD")
    renaming.add_argument("new", metavar="NEW")
    add_matrix_parser(group)
    exporting = add_command(
        group,
        "export",
        run=run_export,
        summary="write all that is stored of a writer into a samples.db of its own, which samples merge reads",
        examples=("qtdigits writers export Ada ada.db",),
    )
    exporting.add_argument("name", metavar="NAME")
    exporting.add_argument("file", metavar="FILE", type=file_path)
    deleting = add_command(
        group,
        "delete",
        run=run_delete,
        summary="remove a writer; with --wipe also all drawings, judgements, trainings and models of this hand, for good",
        examples=("qtdigits writers delete Ada --wipe",),
    )
    deleting.add_argument("name", metavar="NAME")
    deleting.add_argument(
        "--wipe", action="store_true", help="erase what is stored, in backups too; it cannot be undone"
    )
    add_json_option(deleting, "the numbers")
    merging = add_command(
        group,
        "merge",
        run=run_merge,
        summary="merge two writers: all drawings and judgements of the first become the second's",
        examples=("qtdigits writers merge me Ada",),
    )
    merging.add_argument("source", metavar="SOURCE", help="the writer to remove")
    merging.add_argument("into", metavar="INTO", help="the writer to keep")
    add_json_option(merging, "the numbers")


def add_matrix_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "matrix",
        run=run_matrix,
        summary="train a model on each writer in turn, and count how well each model reads each writer",
        examples=(
            "qtdigits writers matrix",
            "qtdigits writers matrix --on friends.jsonl.gz --model my.h5 --json",
        ),
    )
    parser.add_argument(
        "--on",
        metavar="FILE",
        type=file_path,
        help="ink with writers, in the order of drawing (default: the stored drawings)",
    )
    add_learning_options(
        parser,
        about_model="the model that all trainings start from; preferably not trained on these drawings",
    )
    add_output_options(
        parser,
        json="the counts, with their intervals,",
        csv="the counts, a line for each model and writer,",
    )


def run_list(args: argparse.Namespace) -> int:
    with SampleStore.open_to_read(data_folder(args)) as store:
        rows = [
            (name, store.count(writer=name), store.count(writer=name, held_out=True))
            for name in store.writers()
        ]
    if args.json:
        print_json({"writers": [{"name": name, "samples": n, "held_out": held} for name, n, held in rows]})
    else:
        print_table(("writer", "samples", "held out"), rows)
    return 0


def run_add(args: argparse.Namespace) -> int:
    with open_to_change(data_folder(args)) as store:
        store.add_writer(args.name)
    say(f"Added the writer {args.name}.")
    return 0


def run_rename(args: argparse.Namespace) -> int:
    with open_to_change(data_folder(args)) as store:
        store.rename_writer(args.old, args.new)
    say(f"{args.old} is now called {args.new}.")
    return 0


def run_export(args: argparse.Namespace) -> int:
    with working(f"Writing {args.file} …"):
        n = export_writer(data_folder(args), args.name, args.file)
    say(f"{counted(n, 'drawing')} of {args.name}, with the judgements, are in {args.file}.")
    return 0


def run_delete(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with SampleStore.open_to_read(folder) as store:
        require_writer(store, args.name)
        n = store.count(writer=args.name) + store.count(writer=args.name, is_deleted=True)
        n += next((1 for _ in store.trials(writer=args.name)), 0)
    if n and not args.wipe:
        raise InputError(
            f"{args.name} has drawings or judgements.", "To erase them for good, in backups too, add --wipe."
        )
    with working(f"Erasing {args.name} …"):
        done = wipe_writer(folder, args.name, also=rescue_dirs(folder))
    if args.json:
        print_json({**asdict(done), "left": [str(path) for path in done.left]})
        return 1 if done.left else 0
    say(
        f"Erased {args.name}: {counted(done.drawings, 'drawing')}, {counted(done.judgements, 'judgement')}, "
        f"{counted(done.runs, 'training')}, {counted(len(done.models), 'model')}; {counted(done.backups, 'backup')} cleaned."
    )
    for path in done.left:
        say(f"The name still stands in {path}.")
    return 1 if done.left else 0


def run_merge(args: argparse.Namespace) -> int:
    """Held-out drawings of both stay held out."""
    with open_to_change(data_folder(args)) as store:
        merged = store.merge_writers(args.source, args.into)
    if args.json:
        print_json(asdict(merged))
        return 0
    say(f"{merged.moved:,} drawings of {args.source} now belong to {args.into}; {args.source} is removed.")
    if merged.doubles:
        say(f"{merged.doubles:,} that both had are kept once; the duplicates are in the trash.")
    return 0


def run_matrix(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    drawings, held_out, classes = _stored(folder) if args.on is None else _of_file(args.on)
    base = open_model(args.model, folder=folder)
    if args.on is None and base.has_learned_from_stored:
        say(
            f"{base.name} itself was trained on stored drawings, so its accuracy on those proves little. "
            "For a fair comparison, give a --model that was not."
        )
    learner = learner_of(args, mnist_of(args, folder))
    if args.on is not None:
        warn_of_known_drawings(base, drawings, folder)
    control = Control()
    with obeying_signals(control, stopping=STOPPING, cancelling=CANCELLING):
        found = writer_matrix(
            drawings,
            held_out=held_out,
            base=base,
            learner=learner,
            progress=_report,
            control=control,
            classes=classes,
        )
    if args.csv:
        print_csv(csv_of(matrix_frame(found)))
    elif args.json:
        print_json(found.to_json())
    else:
        _print(found)
    return 0


def _stored(folder: Path) -> tuple[Dataset, NDArray[np.bool_], Classes]:
    """Return all drawings that count, which are held out, and their classes; say how many do not count."""
    stored = WriterDrawings.of(folder)
    if stored.n_doubted:
        say(f"{not_counted(stored.n_doubted)}.")
    return stored.drawings, stored.held_out, stored.classes


def _of_file(path: Path) -> tuple[Dataset, NDArray[np.bool_], Classes]:
    drawings = read_dataset(path)
    if not drawings.writers:
        raise InputError(f"{path} does not say who wrote what.", "Choose ink with writers.")
    return drawings, held_out_by_order(drawings), AS_TRAINED


def _report(what: str, done: int, total: int) -> None:
    say(f"{done} of {total}: learning from {what}" if what else f"{done} of {total} trainings done.")


def _print(found: WriterMatrix) -> None:
    show(
        f"{found.model}, and models trained from it on one writer (rows), reading the drawings of each writer (columns):\n"
    )
    print_table(("learned from", "drawings", *found.writers), (_cells(found, row) for row in found.rows))
    show(
        "\nA writer's own model is scored on the writer's hold-out, all others on all of the writer's drawings."
    )
    show("+ better, - worse than the first row on the same drawings (p < 0.05, McNemar's test);")
    show("++, -- also after correction for the number of comparisons (Holm).")
    if not found.is_whole:
        show("The measurement was stopped: rows are missing.")


def _cells(found: WriterMatrix, row: MatrixRow) -> tuple[str, ...]:
    name = {"base": "nobody", "all others": "everybody else"}.get(row.kind, row.name)
    texts = []
    for writer in found.writers:
        cell = row.cells.get(writer)
        texts.append(
            ""
            if cell is None
            else f"{percent(cell.tally_after.accuracy, 2)} of {cell.n:,} {found.mark(cell):<2}"
        )
    return (name, f"{row.learned_from:,}" if row.learned_from else "", *texts)
