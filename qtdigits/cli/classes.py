"""`qtdigits classes`: what can be drawn and read; renamed, merged, retired and brought back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from qtdigits.cli.loading import open_to_change
from qtdigits.cli.options import Subparsers, add_command, add_group, add_json_option, data_folder
from qtdigits.cli.output import print_json, print_table, say
from qtdigits.core.drawing.classes import ListedClass
from qtdigits.core.drawing.labels import LabelSet, labels_in
from qtdigits.core.formatting import counted
from qtdigits.errors import InputError, ModelFileError
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_header
from qtdigits.store.tables.classes import ClassChange, ClassTable
from qtdigits.store.tables.samples import SampleStore


def add_parser(subparsers: Subparsers) -> None:
    group = add_group(
        subparsers,
        "classes",
        examples=("qtdigits classes list", "qtdigits classes add ♥", "qtdigits classes rename hart ♥"),
    )
    listing = add_command(
        group,
        "list",
        run=run_list,
        summary="list the classes, their drawings, and whether the champion was trained on them",
        examples=("qtdigits classes list --json",),
    )
    add_json_option(listing, "the list")
    adding = add_command(
        group, "add", run=run_add, summary="add classes", examples=("qtdigits classes add ♥ A-Z",)
    )
    adding.add_argument("labels", metavar="LABEL", nargs="+")
    add_json_option(adding, "the classes")
    renaming = add_command(
        group,
        "rename",
        run=run_rename,
        summary="give a class another label; drawings and models stay as they are",
        examples=("qtdigits classes rename hart ♥",),
    )
    renaming.add_argument("label", metavar="OLD")
    renaming.add_argument("new", metavar="NEW")
    merging = add_command(
        group,
        "merge",
        run=run_merge,
        summary="count all drawings of the first class as drawings of the second",
        examples=("qtdigits classes merge heart ♥",),
    )
    merging.add_argument("label", metavar="SOURCE", help="the class to merge")
    merging.add_argument("into", metavar="INTO", help="the class to keep")
    for name, run, summary in (
        ("retire", run_retire, "take a class out of use; its drawings are kept, and count nowhere"),
        ("delete", run_delete, "put a class and its drawings into the trash"),
        ("restore", run_restore, "bring back a class that was retired, merged or deleted, with its drawings"),
    ):
        parser = add_command(group, name, run=run, summary=summary, examples=(f"qtdigits classes {name} ♥",))
        parser.add_argument("label", metavar="LABEL")
        add_json_option(parser, "the number of drawings")
    for parser in (renaming, merging):
        add_json_option(parser, "the number of drawings")
    add_sets_parser(group)


def add_sets_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "sets",
        run=run_sets,
        summary="list, make, use or delete named sets of classes, to which answers and figures can be limited",
        examples=(
            "qtdigits classes sets --json",
            "qtdigits classes sets letters 0-9 A-Z",
            "qtdigits classes sets letters --use",
        ),
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="the set to make, change, use or delete")
    parser.add_argument("labels", metavar="LABEL", nargs="*", help="its classes, such as ♥ or A-Z")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--use", action="store_true", help="limit answers and figures to the set from now on")
    action.add_argument("--use-all", action="store_true", help="limit answers and figures to no set")
    action.add_argument("--delete", action="store_true", help="remove the set; its classes stay")
    add_json_option(parser, "the sets")


def run_sets(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    library = ModelLibrary(folder)
    is_change = bool(args.name or args.use_all)
    with open_to_change(folder) if is_change else SampleStore.open_to_read(folder) as store:
        _change_sets(args, store.class_table, library)
        sets = store.class_table.sets()
    if args.json:
        rows = [{"name": name, "classes": labels} for name, labels in sets.items()]
        print_json({"sets": rows, "in_use": library.class_set or None})
    else:
        print_table(
            ("set", "in use", "classes"),
            (
                (name, "yes" if name == library.class_set else "", " ".join(labels))
                for name, labels in sets.items()
            ),
        )
    return 0


def _change_sets(args: argparse.Namespace, table: ClassTable, library: ModelLibrary) -> None:
    if args.use_all:
        library.use_class_set("")
        return
    if args.name is None:
        if args.use or args.delete:
            raise InputError("No set is named.", "Give its name.")
        return
    if args.labels:
        table.put_set(args.name, args.labels)
    elif args.delete:
        table.delete_set(args.name)
        if library.class_set == args.name:
            library.use_class_set("")
    if not args.delete and args.name not in (sets := table.sets()):
        raise InputError(f"There is no set {args.name!r}.", f"Sets: {', '.join(sets) or 'none yet'}.")
    if args.use:
        library.use_class_set(args.name)


def run_list(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with SampleStore.open_to_read(folder) as store:
        listed = store.class_table.listed(_outputs_of_champion(folder))
    if args.json:
        print_json({"classes": list(map(_to_json, listed))})
        return 0
    print_table(
        ("class", "state", "samples", "held out", "known from", "id"),
        ((c.label, c.state_text, c.n_drawings, c.n_held_out, c.known_from, c.id) for c in listed),
    )
    return 0


def _to_json(c: ListedClass) -> dict[str, Any]:
    return {
        "id": c.id,
        "label": c.label,
        "state": c.state.value,
        "into": c.into or None,
        "samples": c.n_drawings,
        "held_out": c.n_held_out,
        "trained": c.is_trained,
        "sets": list(c.sets),
    }


def run_add(args: argparse.Namespace) -> int:
    with open_to_change(data_folder(args)) as store:
        added = {label: store.class_table.add(label).id for label in labels_in(args.labels)}
    if args.json:
        print_json({"classes": [{"id": added[label], "label": label} for label in added]})
    else:
        say(f"Added {', '.join(added)}.")
    return 0


def run_rename(args: argparse.Namespace) -> int:
    with _opened(args) as store:
        change = store.class_table.rename(args.label, args.new)
    return _told(args, change, f"{args.label} is now called {args.new.strip()}")


def run_merge(args: argparse.Namespace) -> int:
    with _opened(args, args.into) as store:
        change = store.class_table.merge(args.label, args.into)
    return _told(args, change, f"{args.label} now counts as {args.into}")


def run_retire(args: argparse.Namespace) -> int:
    with _opened(args) as store:
        change = store.class_table.retire(args.label)
    return _told(args, change, f"{args.label} is retired")


def run_delete(args: argparse.Namespace) -> int:
    with _opened(args) as store:
        change = store.class_table.delete(args.label)
    return _told(args, change, f"{args.label} is deleted")


def run_restore(args: argparse.Namespace) -> int:
    with open_to_change(data_folder(args)) as store:
        change = store.class_table.restore(args.label)
    return _told(args, change, f"{args.label} is in use again")


def _opened(args: argparse.Namespace, *more: str) -> SampleStore:
    """Open the store; a class that only the champion knows becomes one of the store's."""
    folder = data_folder(args)
    store = open_to_change(folder)
    known = {c.label for c in store.class_table.all().owned}
    if not {args.label, *more} <= known:
        store.class_table.adopt(_outputs_of_champion(folder))
    return store


def _told(args: argparse.Namespace, change: ClassChange, what: str) -> int:
    if args.json:
        print_json({"id": change.id, "samples": change.n_drawings})
    else:
        say(f"{what} ({counted(change.n_drawings, 'drawing')}).")
    return 0


def _outputs_of_champion(folder: Path) -> LabelSet:
    """Return the classes of the model in use; none where there is no model that can be read."""
    try:
        return load_header(ModelLibrary(folder).champion_path()).label_set
    except ModelFileError:
        return LabelSet(())
