"""`qtdigits runs`: list, show, compare, name and delete training runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from qtdigits.cli.loading import open_to_change
from qtdigits.cli.options import Subparsers, add_command, add_group, add_output_options, data_folder
from qtdigits.cli.output import print_csv, print_facts, print_json, print_table, say, show
from qtdigits.core.drawing.samples import MY_HOLD_OUT, VALIDATION
from qtdigits.core.formatting import counted, percent
from qtdigits.core.run.figures import BEST, differing, epoch_choice
from qtdigits.core.run.history import History
from qtdigits.errors import InputError
from qtdigits.store.frames import csv_of, curves_frame
from qtdigits.store.tables.runs import RunRecord, runs_frame
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.run_comparison import DATA, ENVIRONMENT, FIGURES, at_epoch, compared, environment_of
from qtdigits.training.runs import (
    can_be_extended,
    can_be_resumed,
    empty_trash,
    inspect_trash,
    is_running,
    megabytes,
    with_current_state,
)

RUN_HELP = "id of a run, the beginning of the id, or the name of the run"


def add_parser(subparsers: Subparsers) -> None:
    group = add_group(
        subparsers,
        "runs",
        examples=("qtdigits runs list", "qtdigits runs compare 3f2a 81bc"),
    )
    listing = add_command(
        group,
        "list",
        run=run_list,
        summary="list the runs, the latest first",
        examples=("qtdigits runs list --json",),
    )
    listing.add_argument("--deleted", action="store_true", help="list those in the trash instead")
    _add_epoch_option(listing)
    add_output_options(listing, json="the list", csv="the list, with recipes and figures,")
    showing = add_command(
        group,
        "show",
        run=run_show,
        summary="show a run and its epochs",
        examples=("qtdigits runs show 3f2a",),
    )
    showing.add_argument("wanted", metavar="RUN", help=RUN_HELP)
    add_output_options(showing, json="the run with its whole history", csv="its curves")
    comparing = add_command(
        group,
        "compare",
        run=run_compare,
        summary="show in what runs differ: figures, recipes, data, environment",
        examples=("qtdigits runs compare 3f2a 81bc",),
    )
    comparing.add_argument("wanted", nargs="+", metavar="RUN", help=RUN_HELP)
    _add_epoch_option(comparing)
    add_output_options(comparing, json="the comparison", csv="the comparison, a line for each run,")
    _add_changes(group)


def _add_epoch_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--at",
        metavar="EPOCH",
        default=BEST,
        type=_epoch,
        help="validation and hold-out accuracy after which epoch: best (default), last or a number",
    )


def _epoch(text: str) -> str:
    try:
        return epoch_choice(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _add_changes(group: Subparsers) -> None:
    naming = add_command(
        group,
        "rename",
        run=run_rename,
        summary="name a run",
        examples=('qtdigits runs rename 3f2a "twice as wide"',),
    )
    naming.add_argument("wanted", metavar="RUN", help=RUN_HELP)
    naming.add_argument("name", metavar="NAME", help='"" restores the name of the recipe')
    noting = add_command(
        group,
        "note",
        run=run_note,
        summary="add a note to a run",
        examples=('qtdigits runs note 3f2a "too slow"',),
    )
    noting.add_argument("wanted", metavar="RUN", help=RUN_HELP)
    noting.add_argument("note", metavar="TEXT", help='"" removes the note')
    for name, run, summary in (
        ("delete", run_delete, "move runs to the trash; their models stay"),
        ("restore", run_restore, "restore runs from the trash"),
    ):
        command = add_command(group, name, run=run, summary=summary, examples=(f"qtdigits runs {name} 3f2a",))
        command.add_argument("wanted", nargs="+", metavar="RUN", help=RUN_HELP)
    emptying = add_command(
        group,
        "empty-trash",
        run=run_empty_trash,
        summary="delete the runs in the trash for good; their models stay",
        examples=("qtdigits runs empty-trash", "qtdigits runs empty-trash --yes"),
    )
    emptying.add_argument(
        "--yes", action="store_true", help="really delete them; otherwise only say what would be deleted"
    )


def run_list(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with SampleStore.open_to_read(folder) as store:
        found = [with_current_state(folder, run) for run in store.runs.records(in_trash=args.deleted)]
        runs = at_epoch(store.runs, found, args.at)
    if args.csv:
        print_csv(csv_of(runs_frame(runs)))
    elif args.json:
        print_json({"runs": [_as_json(run) for run in runs]})
    else:
        columns = ("run", "name", "started", "ended", "epochs", "best", VALIDATION, MY_HOLD_OUT)
        print_table(columns, [_row(run) for run in runs], numbers_from=4)
    return 0


def run_show(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with SampleStore.open_to_read(folder) as store:
        run = with_current_state(folder, store.runs.find(args.wanted))
        history = store.runs.history(run.id)
    if args.csv:
        print_csv(csv_of(curves_frame([] if history is None else [(run.title, history)])))
        return 0
    if args.json:
        print_json({**_as_json(run), "history": None if history is None else _finite(history.to_json())})
        return 0
    facts: list[tuple[str, object]] = [
        ("run", run.id),
        ("name", run.title),
        ("started", f"{run.started_at.astimezone():%d %b %Y %H:%M}"),
        ("ended", run.state),
        ("model", run.model or "none"),
    ]
    facts += _ways_to_continue(run, folder)
    facts += _trained_on(run)
    if run.figures.message:
        facts.append(("reason", run.figures.message))
    if run.note:
        facts.append(("note", " ".join(run.note.split())))
    facts += [(f"recipe {name}", value) for name, value in run.recipe.items() if name != "name"]
    print_facts(facts)
    if history is not None:
        _print_epochs(history)
    return 0


def run_compare(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with SampleStore.open_to_read(folder) as store:
        found = [with_current_state(folder, store.runs.find(wanted)) for wanted in args.wanted]
        runs = at_epoch(store.runs, found, args.at)
    recipes = differing([run.recipe for run in runs])
    if args.csv:
        print_csv(csv_of(runs_frame(runs, recipe_fields=recipes)))
        return 0
    rows = compared(runs, epoch=args.at, environments=[environment_of(folder, run) for run in runs])
    if args.json:
        told = {
            group: {row.name: row.values for row in rows if row.group == group}
            for group in (DATA, ENVIRONMENT)
        }
        print_json({"runs": [_as_json(run) for run in runs], "differing": recipes, **told})
        return 0
    print_table(
        ("", *(f"{run.title} ({run.id[-6:]})" for run in runs)),
        [
            (row.name if row.group in (FIGURES, DATA) else f"{row.group} {row.name}", *row.values)
            for row in rows
        ],
    )
    if not recipes:
        say("Their recipes are the same.")
    return 0


def run_rename(args: argparse.Namespace) -> int:
    with open_to_change(data_folder(args)) as store:
        run = store.runs.find(args.wanted)
        store.runs.rename(run.id, args.name)
        say(f"The run {run.id} is now called {store.runs.find(run.id).title}.")
    return 0


def run_note(args: argparse.Namespace) -> int:
    with open_to_change(data_folder(args)) as store:
        run = store.runs.find(args.wanted)
        store.runs.set_note(run.id, args.note)
    say(
        f"The note of the run {run.id} is saved."
        if args.note.strip()
        else f"The run {run.id} has no note any more."
    )
    return 0


def run_delete(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with open_to_change(folder) as store:
        runs = {run.id: run for run in map(store.runs.find, args.wanted)}
        if running := [run.id for run in runs.values() if is_running(folder, run)]:
            raise InputError(
                f"The run {running[0]} is running.", "Stop it first, in the window or terminal where it runs."
            )
        ids = list(runs)
        store.runs.delete(ids)
    say(f"Moved to the trash: {', '.join(ids)}. To undo it: qtdigits runs restore {' '.join(ids)}")
    return 0


def run_restore(args: argparse.Namespace) -> int:
    with open_to_change(data_folder(args)) as store:
        ids = list(dict.fromkeys(store.runs.find(wanted, in_trash=True).id for wanted in args.wanted))
        store.runs.restore(ids)
    say(f"Restored: {', '.join(ids)}.")
    return 0


def run_empty_trash(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with open_to_change(folder) as store:
        trash = inspect_trash(store, folder)
        if not trash.runs:
            say("The trash holds no run that can be deleted.")
            return 0
        if not args.yes:
            raise InputError(trash.question, "To confirm: qtdigits runs empty-trash --yes")
        gone = empty_trash(store, folder, trash)
    say(f"Deleted for good: {counted(len(gone), 'run')}, {megabytes(trash.size_bytes)}.")
    return 0


def _trained_on(run: RunRecord) -> list[tuple[str, object]]:
    figures = run.figures
    facts: list[tuple[str, object]] = []
    if figures.data:
        facts.append(("trained on", " + ".join(f"{name} {n:,}" for name, n in figures.data.items())))
    if figures.data_sha256:
        facts.append(("data fingerprint", f"SHA-256 {figures.data_sha256}"))
    return facts + [(f"data of {name}", f"SHA-256 {digest}") for name, digest in figures.digests.items()]


def _ways_to_continue(run: RunRecord, folder: Path) -> list[tuple[str, object]]:
    resume = f"qtdigits train --resume {run.id}"
    if can_be_resumed(folder, run):
        return [("to resume it", resume)]
    return [("to extend it", f"{resume} --more-epochs N")] if can_be_extended(folder, run) else []


def _row(run: RunRecord) -> tuple[object, ...]:
    figures = run.figures
    own = _score(run, MY_HOLD_OUT)
    return (
        run.id,
        run.title,
        f"{run.started_at.astimezone():%Y-%m-%d %H:%M}",
        run.state,
        figures.epochs,
        figures.best_epoch or "-",
        percent(figures.val_accuracy, 2),
        percent(own if own is not None else figures.hold_out_accuracy, 2),
    )


def _as_json(run: RunRecord) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "note": run.note,
        "recipe": dict(run.recipe),
        "state": run.state,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "model": run.model,
        **run.figures.to_json(),
    }


def _print_epochs(history: History) -> None:
    epochs = history.epochs
    rows = [
        (
            f"{row + 1}{' best' if row + 1 == history.best_epoch else ''}",
            *(f"{epochs[name][row]:.4f}" for name in ("loss", "val_loss")),
            *(percent(float(epochs[name][row]), 2) for name in ("accuracy", "val_accuracy")),
            percent(float(epochs["hold_out_accuracy"][row]), 2),
            percent(float(epochs["val_auc"][row]), 2),
        )
        for row in range(len(epochs))
    ]
    show()
    print_table(("epoch", "loss", "val. loss", "accuracy", "val. accuracy", MY_HOLD_OUT, "AUC"), rows)


def _score(run: RunRecord, name: str) -> float | None:
    return run.figures.scores[name][0] if name in run.figures.scores else None


def _finite(values: Any) -> Any:
    """Replace NaN and infinity, which JSON does not have, by None."""
    if isinstance(values, dict):
        return {name: _finite(value) for name, value in values.items()}
    if isinstance(values, list):
        return [_finite(value) for value in values]
    is_odd = isinstance(values, float) and values - values != 0
    return None if is_odd else values
