"""`qtdigits samples merge|relabel|delete|restore|review`: changing stored samples."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from qtdigits.cli.loading import open_to_change, require_writer
from qtdigits.cli.options import Subparsers, add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import complain, print_json, print_table, say, show, working
from qtdigits.core.drawing.samples import Sample
from qtdigits.core.formatting import counted
from qtdigits.core.run.control import Control
from qtdigits.errors import InputError, QtDigitsError
from qtdigits.store.tables.editing import Deleted
from qtdigits.store.tables.merging import MergedStores
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.label_review import review


def add_change_parsers(group: Subparsers) -> None:
    merging = add_command(
        group,
        "merge",
        run=run_merge,
        summary="merge other stores into yours, with writers, judgements and hold-out, each completely or not at all",
        examples=("qtdigits samples merge laptop/samples.db", "qtdigits samples merge ../other-data-folder"),
    )
    merging.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        type=file_path,
        help="a samples.db, a backup of one, or a data folder",
    )
    merging.add_argument(
        "--skip-damaged", action="store_true", help="merge a store with damaged rows, without those rows"
    )
    add_json_option(merging, "the numbers")
    relabelling = add_command(
        group,
        "relabel",
        run=run_relabel,
        summary="change the label of stored drawings and of their judgements",
        examples=("qtdigits samples relabel 4 1203 1207",),
    )
    relabelling.add_argument("label", metavar="LABEL")
    _add_ids(relabelling)
    deleting = add_command(
        group,
        "delete",
        run=run_delete,
        summary="move drawings to the trash, which keeps them for at least 30 days; their judgements still count",
        examples=("qtdigits samples delete 1203 1207",),
    )
    _add_ids(deleting)
    restoring = add_command(
        group,
        "restore",
        run=run_restore,
        summary="restore drawings from the trash (samples list --deleted shows them)",
        examples=("qtdigits samples restore 1203", "qtdigits samples restore --all"),
    )
    restoring.add_argument("--all", action="store_true", help="restore everything in the trash")
    _add_ids(restoring, at_least="*")


def _add_ids(parser: argparse.ArgumentParser, *, at_least: str = "+") -> None:
    parser.add_argument("ids", metavar="ID", nargs=at_least, type=int, help="as samples list shows them")
    add_json_option(parser, "the ids of the changed drawings")


def run_merge(args: argparse.Namespace) -> int:
    """A store that cannot be used is reported and the next one tried; the worst exit code counts."""
    done: dict[Path, MergedStores] = {}
    code = 0
    with open_to_change(data_folder(args)) as store:
        for path in args.paths:
            try:
                with working(f"Merging {path} …"):
                    done[path] = store.merge_store(path, skip_damaged=args.skip_damaged)
            except QtDigitsError as error:
                complain(str(error))
                code = max(code, error.exit_code)
    if args.json:
        rows = [{"path": str(path), **asdict(merged)} for path, merged in done.items()]
        sums = {
            name: sum(getattr(merged, name) for merged in done.values())
            for name in ("added", "skipped", "trials", "damaged")
        }
        print_json({"stores": rows, **sums})
        return code
    for path, merged in done.items():
        there = f", {merged.skipped:,} already stored" if merged.skipped else ""
        left_out = f"; {merged.damaged:,} damaged rows left out" if merged.damaged else ""
        show(f"{path}: {merged.added:,} drawings added{there}; {merged.trials:,} judgements added{left_out}")
    return code


def run_relabel(args: argparse.Namespace) -> int:
    with open_to_change(data_folder(args)) as store:
        _require(store, args.ids)
        changed = store.relabel(args.ids, args.label)
    return _report(args, changed.ids, f"now labelled {args.label}")


def run_delete(args: argparse.Namespace) -> int:
    with open_to_change(data_folder(args)) as store:
        _require(store, args.ids)
        deleted = store.delete_samples(args.ids)
    return _report(args, deleted.ids, "now in the trash")


def run_restore(args: argparse.Namespace) -> int:
    if args.all == bool(args.ids):
        raise InputError("Give what to restore: either IDs or --all.", "See: qtdigits samples list --deleted")
    with open_to_change(data_folder(args)) as store:
        if not args.all:
            _require(store, args.ids, in_trash=True)
        ids = tuple(int(i) for i in store.ids(is_deleted=True) if args.all or i in args.ids)
        store.restore(Deleted(ids))
    return _report(args, ids, "restored")


def _require(store: SampleStore, ids: Sequence[int], *, in_trash: bool = False) -> None:
    """Raise `InputError`, before anything is changed, when one of the ids does not exist."""
    existing = set(store.ids(ids=tuple(ids), is_deleted=in_trash).tolist())
    if missing := [str(i) for i in ids if i not in existing]:
        place = "in the trash" if in_trash else "among the stored drawings"
        option = " --deleted" if in_trash else ""
        raise InputError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not {place}.",
            f"Nothing was changed. See: qtdigits samples list{option}",
        )


def _report(args: argparse.Namespace, ids: Sequence[int], state: str) -> int:
    if args.json:
        print_json({"n": len(ids), "ids": list(ids)})
    else:
        say(f"{counted(len(ids), 'drawing')} {state}.")
    return 0


def add_review_parser(group: Subparsers) -> None:
    parser = add_command(
        group,
        "review",
        run=run_review,
        summary="find labels that are probably wrong; they are not trained on until you have reviewed them",
        examples=("qtdigits samples review", "qtdigits samples review --writer Ada --json"),
    )
    parser.add_argument("--writer", metavar="NAME", help="this person's drawings only")
    add_json_option(parser, "the drawings to review, with suggestions and reasons")


def run_review(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with open_to_change(folder) as store:
        if args.writer is not None:
            require_writer(store, args.writer)
        with working("Reviewing the labels …"):
            found = review(store, Control(), writer=args.writer)
        waiting = list(store.samples(ids=found.doubted)) if found.doubted else []
    if args.json:
        print_json({"n": found.n, "waiting": [_to_json(sample) for sample in waiting]})
        return 0
    if waiting:
        print_table(("id", "label", "writer", "suggestion", "reason"), map(_row, waiting), numbers_from=9)
        show()
    say(f"{counted(found.n, 'drawing')} checked; {len(waiting):,} to review.")
    if waiting:
        say("Wrong label: qtdigits samples relabel LABEL ID… · Right label: accept it in the Drawings tab.")
    return 0


def _row(sample: Sample) -> tuple[str, ...]:
    doubt = sample.suspicion
    perhaps, why = (doubt.suggestion, doubt.reason) if doubt else ("", "")
    return (str(sample.id), sample.label, sample.writer, perhaps, why)


def _to_json(sample: Sample) -> dict[str, object]:
    doubt = asdict(sample.suspicion) if sample.suspicion else {}
    return {"id": sample.id, "label": sample.label, "writer": sample.writer, **doubt}
