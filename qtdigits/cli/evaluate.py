"""`qtdigits evaluate`: score a model on a set of drawings."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qtdigits.cli.loading import open_dataset, open_to_read
from qtdigits.cli.options import (
    MNIST_HELP,
    MODEL_HELP,
    Subparsers,
    add_command,
    add_json_option,
    data_folder,
    file_path,
)
from qtdigits.cli.output import print_json, print_table, say, show, working
from qtdigits.core.drawing.samples import Dataset
from qtdigits.core.formatting import counted, not_counted, percent, percent_range
from qtdigits.core.model import Model
from qtdigits.core.score.metrics import Score, Tally, class_figures
from qtdigits.errors import InputError
from qtdigits.reader import Reader
from qtdigits.store.data.image_files import write_gallery
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.classes import classes_of
from qtdigits.store.tables.database import FILE_NAME
from qtdigits.training.compare import Parts, headers_of, n_doubted_in, parts_of_file
from qtdigits.training.evaluate import (
    Answers,
    answers_of,
    answers_with_memory,
    are_first_of_class,
    scores_by_writer,
)

if TYPE_CHECKING:
    NamedTally = tuple[str, Tally]
    """A class or a writer, and its figures."""

MOST_IN_GALLERY = 600
OF_FILE, ALL = "file", "all"
"""The classes to answer with when drawings are read with memory."""


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "evaluate",
        run=run,
        examples=(
            "qtdigits evaluate cnn-32-64 --on mnist",
            "qtdigits evaluate my.h5 --on drawings.jsonl.gz --by-writer --json",
            "qtdigits evaluate my.h5 --on images.csv --labels labels.csv",
            "qtdigits evaluate default --on letters.jsonl.gz --remember 1",
        ),
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument(
        "--on",
        metavar="mnist|FILE",
        required=True,
        help="MNIST's 10,000 test images; or a file: ink .jsonl[.gz], UNIPEN, .npz (x, y), images.csv, IDX, "
        "samples.db, a folder of PNGs",
    )
    parser.add_argument(
        "--labels", metavar="FILE", type=file_path, help="labels of a CSV or IDX file (default: beside it)"
    )
    parser.add_argument("--mnist", metavar="FILE", type=file_path, help=MNIST_HELP)
    parser.add_argument("--by-writer", action="store_true", help="also the accuracy for each writer")
    parser.add_argument("--by-class", action="store_true", help="also the accuracy for each class")
    parser.add_argument(
        "--remember",
        metavar="K",
        type=_not_negative,
        help="read with a memory of the first K drawings of each class by each writer, which are not counted",
    )
    parser.add_argument(
        "--among",
        choices=(OF_FILE, ALL),
        help="with --remember: answer with one of the classes of the file (default), or of all that model or memory know",
    )
    parser.add_argument(
        "--gallery",
        metavar="FILE.png",
        type=file_path,
        help="write a picture of the misread drawings, the most confident errors first",
    )
    add_json_option(parser, "the figures")


def _not_negative(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of drawings")
    return int(text)


def run(args: argparse.Namespace) -> int:
    if not args.on:
        raise InputError("--on is empty.", "Give mnist or a file.")
    if args.among and args.remember is None:
        raise InputError("--among is about reading with memory.", "Say --remember K too.")
    folder = data_folder(args)
    model = open_to_read(args.model, folder=folder)
    reader = Reader(model, classes=classes_of(folder))
    with working(f"Reading {args.on} …") as progress:
        dataset = open_dataset(
            args.on, labels=args.labels, mnist=args.mnist, folder=folder, progress=progress
        )
    with working(f"Scoring {len(dataset):,} drawings …") as progress:
        dataset, answers, remembered = _answers(reader, dataset, args, progress)
    score = answers.score
    parts = _parts(model, dataset, answers, on=args.on, folder=folder) if dataset.ids else None
    n_doubted = n_doubted_in(Path(args.on)) if dataset.ids else 0
    by_writer = _writer_tallies(scores_by_writer(answers, dataset)) if args.by_writer else []
    if args.gallery:
        _write_gallery(args.gallery, dataset, answers)
    by_class = _class_tallies(score) if args.by_class else []
    if args.json:
        sections: dict[str, object] = {"by_writer": _figures(by_writer)} if args.by_writer else {}
        sections |= {"parts": parts.to_json()} if parts is not None else {}
        sections |= {"by_class": _figures(by_class)} if args.by_class else {}
        about: dict[str, object] = {"model": model.name, "path": str(model.path), "on": dataset.name}
        about |= {} if remembered is None else {"remembered": remembered}
        about |= {"doubted": n_doubted} if dataset.ids else {}
        as_one = {"look_alikes_as_one": score.look_alikes_as_one.to_json()}
        print_json({**about, **score.to_json(), **as_one, **sections})
    else:
        _print_score(model.name, dataset, score, remembered)
        _print_parts(parts)
        if n_doubted:
            show(f"\n{not_counted(n_doubted)}.")
        _print_tallies("class", by_class)
        _print_tallies("writer", sorted(by_writer, key=lambda named: named[1].accuracy))
    return 0


def _answers(
    reader: Reader, dataset: Dataset, args: argparse.Namespace, progress: Callable[[int, int], None]
) -> tuple[Dataset, Answers, int | None]:
    """Return the drawings that were read, the answers, and how many drawings were remembered, None if there is no memory."""
    if args.remember is None:
        return dataset, answers_of(reader, dataset, progress=progress), None
    first = are_first_of_class(dataset, args.remember)
    among_all = args.among == ALL
    answers = answers_with_memory(reader, dataset, first, among_all=among_all, progress=progress)
    return dataset.take(np.flatnonzero(~first)), answers, int(first.sum())


def _parts(model: Model, dataset: Dataset, answers: Answers, *, on: str, folder: Path) -> Parts:
    """Split the drawings of a store by whether the model can have learned from them."""
    return parts_of_file(
        model,
        dataset,
        answers.is_right,
        path=Path(on),
        own_store=folder / FILE_NAME,
        header_of=headers_of(ModelLibrary(folder)),
    )


def _write_gallery(path: Path, dataset: Dataset, answers: Answers) -> None:
    chosen = answers.misread[:MOST_IN_GALLERY]
    write_gallery(path, dataset.images[chosen], [answers.caption(int(index)) for index in chosen])
    say(f"{len(chosen):,} of {len(answers.misread):,} misread drawings are in {path}.")


def _writer_tallies(scores: dict[str, Score]) -> list[NamedTally]:
    return [(name, score.tally) for name, score in scores.items()]


def _class_tallies(score: Score) -> list[NamedTally]:
    return [(found.label, Tally(found.drawn, found.correct)) for found in class_figures(score)]


def _figures(tallies: Iterable[NamedTally]) -> dict[str, object]:
    return {name: tally.to_json() for name, tally in tallies}


def _print_score(model: str, dataset: Dataset, score: Score, remembered: int | None) -> None:
    if remembered is not None:
        show(f"{counted(remembered, 'drawing')} remembered and not counted.")
        if not score.n:
            show("No other drawings are left to read.")
            return
    show(
        f"{model} on {dataset.name}: {percent(score.accuracy, 2)} correct "
        f"({score.correct:,} of {score.n:,}; 95% interval {percent_range(*score.interval)})"
    )
    as_one = score.look_alikes_as_one
    if as_one.correct > score.correct:
        show(f"With look-alikes such as 0 and O as one: {percent(as_one.accuracy, 2)}.")
    if score.calibration_error is not None:
        show(
            f"Expected calibration error {score.calibration_error:.4f}: the mean gap between confidence and accuracy."
        )
    if score.undecided:
        show(
            f"Not sure about {score.undecided:,}, which count with their most probable class; "
            f"of the other {score.decided:,}, {percent(score.decided_accuracy, 2)} are correct."
        )
    worst = (
        f"{truth} read as {answer} ({count:,} times)" for truth, answer, count in score.worst_confusions()
    )
    if text := ", ".join(worst):
        show(f"Most often confused: {text}.")
    _print_confusion(score)


def _print_parts(parts: Parts | None) -> None:
    if parts is None:
        return
    named = {
        "held out: never trained on": parts.hold_out,
        "not learned by this model": parts.not_learned,
        "learned, or possibly learned": parts.learned,
        "imported, possibly from a file that it has learned": parts.of_files,
    }
    _print_tallies("drawings", [(name, part) for name, part in named.items() if part.n])
    if parts.learned.n or parts.of_files.n:
        show("\nHow a model reads what it has learned from says little about the next drawing.")


def _print_confusion(score: Score) -> None:
    """Print the confusion matrix, without classes that were never drawn or never answered."""
    matrix: list[list[int]] = score.confusion.tolist()
    drawn = [i for i, row in enumerate(matrix) if any(row)]
    read = [i for i in range(len(matrix)) if any(row[i] for row in matrix)]
    show("\nConfusion matrix: label (rows), answer (columns)\n")
    rows = ((score.classes[t], *(f"{matrix[t][a]:,}" if matrix[t][a] else "·" for a in read)) for t in drawn)
    print_table(("", *(score.classes[a] for a in read)), rows)


def _print_tallies(what: str, tallies: list[NamedTally]) -> None:
    if not tallies:
        return
    rows = (
        (
            name,
            f"{tally.n:,}",
            f"{tally.correct:,}",
            percent(tally.accuracy, 2),
            percent_range(*tally.interval),
        )
        for name, tally in tallies
    )
    show()
    print_table((what, "drawings", "correct", "accuracy", "95% interval"), rows)
