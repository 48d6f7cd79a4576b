"""`qtdigits samples merge|relabel|delete|restore`: changing what is stored."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from qtdigits.cli.loading import require_writer
from qtdigits.cli.options import Subparsers, add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import complain, print_json, print_table, say, working
from qtdigits.core.drawing.samples import Sample
from qtdigits.core.run.control import Control
from qtdigits.errors import InputError, QtDigitsError
from qtdigits.store.kept_files import load_label_classifier
from qtdigits.store.tables.editing import Deleted
from qtdigits.store.tables.merging import MergedStores
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.label_review import review


def add_change_parsers(group: Subparsers) -> None:
    merging = add_command(
        group,
        "merge",
        summary="take in other stores with writers, judgements and hold-out, each as a whole or not at all",
        examples=("qtdigits samples merge laptop/samples.db", "qtdigits samples merge ../other-data-folder"),
    )
    merging.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        type=file_path,
        help="a samples.db, a backup of one, or a data folder",
    )
    add_json_option(merging, "the numbers")
    merging.set_defaults(run=run_merge)
    relabelling = add_command(
        group,
        "relabel",
        summary="give stored drawings another label, and the judgements of them with it",
        examples=("qtdigits samples relabel 4 1203 1207",),
    )
    relabelling.add_argument("label", metavar="LABEL")
    _add_ids(relabelling, run_relabel)
    deleting = add_command(
        group,
        "delete",
        summary="put drawings into the trash, for 30 days at least; the judgements of them go on counting",
        examples=("qtdigits samples delete 1203 1207",),
    )
    _add_ids(deleting, run_delete)
    restoring = add_command(
        group,
        "restore",
        summary="put deleted drawings back (samples list --deleted shows them)",
        examples=("qtdigits samples restore 1203", "qtdigits samples restore --all"),
    )
    restoring.add_argument("--all", action="store_true", help="everything that is in the trash")
    _add_ids(restoring, run_restore, at_least="*")


def _add_ids(parser: argparse.ArgumentParser, run: object, *, at_least: str = "+") -> None:
    parser.add_argument("ids", metavar="ID", nargs=at_least, type=int, help="as samples list shows them")
    add_json_option(parser, "the ids that were concerned")
    parser.set_defaults(run=run)


def run_merge(args: argparse.Namespace) -> int:
    """A store that cannot be used is reported and the next one tried; the worst exit code counts."""
    done: dict[Path, MergedStores] = {}
    code = 0
    with SampleStore.open(data_folder(args)) as store:
        for path in args.paths:
            try:
                with working(f"Merging {path} …"):
                    done[path] = store.merge_store(path)
            except QtDigitsError as error:
                complain(str(error))
                code = max(code, error.exit_code)
    if args.json:
        rows = [{"path": str(path), **asdict(merged)} for path, merged in done.items()]
        sums = {
            name: sum(getattr(merged, name) for merged in done.values())
            for name in ("added", "skipped", "trials")
        }
        print_json({"stores": rows, **sums})
        return code
    for path, merged in done.items():
        there = f", {merged.skipped:,} were there already" if merged.skipped else ""
        print(f"{path}: {merged.added:,} drawings added{there}; {merged.trials:,} judgements added")
    return code


def run_relabel(args: argparse.Namespace) -> int:
    with SampleStore.open(data_folder(args)) as store:
        _require(store, args.ids)
        changed = store.relabel(args.ids, args.label)
    return _tell(args, changed.ids, f"labelled {args.label} now")


def run_delete(args: argparse.Namespace) -> int:
    with SampleStore.open(data_folder(args)) as store:
        _require(store, args.ids)
        deleted = store.delete_samples(args.ids)
    return _tell(args, deleted.ids, "in the trash now")


def run_restore(args: argparse.Namespace) -> int:
    if args.all == bool(args.ids):
        raise InputError("Say what to put back: either IDs or --all.", "See: qtdigits samples list --deleted")
    with SampleStore.open(data_folder(args)) as store:
        if not args.all:
            _require(store, args.ids, in_trash=True)
        ids = tuple(int(i) for i in store.ids(is_deleted=True) if args.all or i in args.ids)
        store.restore(Deleted(ids))
    return _tell(args, ids, "put back")


def _require(store: SampleStore, ids: Sequence[int], *, in_trash: bool = False) -> None:
    """A number that was mistyped must not pass unseen: then nothing is changed. Raises `InputError`."""
    there = set(store.ids(ids=tuple(ids), is_deleted=in_trash).tolist())
    missing = [str(i) for i in ids if i not in there]
    if missing:
        place = "in the trash" if in_trash else "among the stored drawings"
        option = " --deleted" if in_trash else ""
        raise InputError(
            f"{', '.join(missing)} is not {place}."
            if len(missing) == 1
            else f"{', '.join(missing)} are not {place}.",
            f"Nothing was changed. See: qtdigits samples list{option}",
        )


def _tell(args: argparse.Namespace, ids: Sequence[int], what: str) -> int:
    if args.json:
        print_json({"n": len(ids), "ids": list(ids)})
    else:
        say(f"{len(ids):,} drawing{'s are' if len(ids) != 1 else ' is'} {what}.")
    return 0


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
    folder = data_folder(args)
    with SampleStore.open(folder) as store:
        if args.writer is not None:
            require_writer(store, args.writer)
        with working("Looking through the labels …"):
            found = review(store, load_label_classifier(), Control(), writer=args.writer)
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
