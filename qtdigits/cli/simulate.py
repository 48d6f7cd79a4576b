"""`qtdigits simulate`: real writers replayed as simulated users."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from qtdigits.cli.loading import (
    CANCELLING,
    add_learning_options,
    learner_of,
    mnist_of,
    open_to_read,
    warn_of_known_drawings,
)
from qtdigits.cli.options import Subparsers, add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import print_json, print_table, say, show
from qtdigits.cli.training_run import obeying_signals
from qtdigits.core.formatting import UNKNOWN, counted, percent, percent_range
from qtdigits.core.run.control import Control
from qtdigits.core.score.metrics import wilson_interval
from qtdigits.core.score.writers import (
    AFTER,
    Plan,
    SimulatedStep,
    SimulatedWriter,
    Simulation,
    chosen_writers,
)
from qtdigits.store.data.datasets import read_dataset
from qtdigits.training.simulate import simulate

MEMORY, TRAINING, BOTH, NONE = LEARNING = ("memory", "training", "both", "none")
STOPPING = "Stopping: complete writers are kept. Press Ctrl+C again to cancel and keep nothing."


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "simulate",
        run=run,
        examples=(
            "qtdigits simulate strangers.jsonl.gz",
            "qtdigits simulate strangers.jsonl.gz --learn memory",
            "qtdigits simulate strangers.jsonl.gz --model my.h5 --writers 5 --json",
            "qtdigits simulate strangers.jsonl.gz --after 20 40 60 80 100 120 140 160 180 200",
            "qtdigits simulate images.csv --after 800 --last 400",
        ),
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        type=file_path,
        help="drawings in the order of drawing: ink with writers, .jsonl[.gz], or a CSV pair of one writer",
    )
    parser.add_argument(
        "--labels", metavar="FILE", type=file_path, help="labels of FILE (default: beside it)"
    )
    parser.add_argument(
        "--learn",
        choices=LEARNING,
        default=TRAINING,
        help="memory: remember every judged drawing, train nothing; training: retrain, no memory (default); both; none",
    )
    parser.add_argument(
        "--writers", metavar="N", type=_positive, help="number of writers, chosen at random (default: all)"
    )
    parser.add_argument(
        "--seed", metavar="S", type=int, default=1, help="seed of that choice (default: %(default)s)"
    )
    parser.add_argument(
        "--after",
        metavar="N",
        type=_positive,
        nargs="+",
        help="retrain after so many judged drawings (default: 20 50 100 200)",
    )
    parser.add_argument(
        "--last",
        metavar="N",
        type=_positive,
        help="count errors on the last N drawings of each writer only (default: on all later ones)",
    )
    add_learning_options(
        parser, about_model="the model that each writer starts with; not trained on these drawings"
    )
    add_json_option(parser, "the counts")


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return value


def run(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    trains = args.learn in (TRAINING, BOTH)
    base = open_to_read(args.model, folder=folder, weights=trains)
    drawings = read_dataset(args.file, labels=args.labels).with_default_writer(args.file.stem)
    mnist = mnist_of(args, folder) if trains else None
    after = (0, *sorted(set(args.after))) if args.after else AFTER
    learner = learner_of(args, mnist) if trains else None
    warn_of_known_drawings(base, drawings, folder)
    control = Control()
    with obeying_signals(control, stopping=STOPPING, cancelling=CANCELLING):
        found = simulate(
            drawings,
            base=base,
            learner=learner,
            mnist_test=mnist.test if mnist else None,
            writers=chosen_writers(drawings.writers, args.writers, args.seed, more_than=after[1]),
            plan=Plan(after, args.last, remembers=args.learn in (MEMORY, BOTH)),
            progress=_report,
            control=control,
        )
    if args.json:
        print_json(found.to_json())
    else:
        _print(found)
    return 0


def _report(writer: SimulatedWriter, done: int, total: int) -> None:
    last = writer.steps[-1]
    say(
        f"{done} of {total}: {writer.writer}, {writer.drawings} drawings; "
        f"after {last.after} judged: {last.errors_without} → {last.errors_with} errors in {last.later.n} that follow"
    )


def _print(found: Simulation) -> None:
    show(
        f"{found.model}, {counted(len(found.writers), 'simulated writer')}; errors on drawings not yet learned from:\n"
    )
    _print_steps(found.steps)
    if (every := found.all) is not None:
        show(
            f"\nEvery drawing from the first one on, each read before it is remembered: {every.n - every.after:,} errors in "
            f"{every.n:,}, {every.n - every.before:,} without learning. "
            f"Writers with more errors than without: {', '.join(found.writers_worse) or 'none'}."
        )
    if found.mnist_before is not None and found.mnist_after is not None:
        show(
            f"\nMNIST's test set: {percent(found.mnist_before, 2)} before, {percent(found.mnist_after, 2)} after on average, "
            f"{percent(found.lowest_mnist, 2)} at worst."
        )
    if not found.is_whole:
        show("\nThe simulation was stopped: the other writers are missing.")
    worst = [w for w in found.writers if w.steps[-1].errors_with > w.steps[-1].errors_without]
    for writer in found.writers:
        show(f"\n{writer.writer}, {writer.drawings} drawings")
        _print_steps(writer.steps)
    if worst:
        show(f"\nMore errors than without learning: {', '.join(writer.writer for writer in worst)}.")


def _print_steps(steps: Iterable[SimulatedStep]) -> None:
    def rate(errors: int, n: int) -> str:
        within = percent_range(*wilson_interval(errors, n), 2)
        return f"{errors} ({percent(errors / n, 2)}, {within})" if n else UNKNOWN

    rows = (
        (
            f"{step.after}",
            f"{step.later.n:,}",
            rate(step.errors_without, step.later.n),
            rate(step.errors_with, step.later.n),
            f"{step.later.n_fixed}",
            f"{step.later.n_broken}",
            percent(step.fewer, 0),
        )
        for step in steps
    )
    print_table(
        ("judged", "later", "errors without learning", "with learning", "fixed", "broken", "fewer"), rows
    )
