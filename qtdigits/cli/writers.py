"""`qtdigits writers`: the people who draw."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from qtdigits.cli import writers_matrix
from qtdigits.cli.options import add_command, add_group, add_json_option, data_folder
from qtdigits.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from qtdigits.cli.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    group = add_group(
        subparsers,
        "writers",
        summary="list, add, rename, merge or compare the people who draw",
        examples=("qtdigits writers list", "qtdigits writers add Ada", "qtdigits writers rename me Ada"),
    )
    listing = add_command(
        group,
        "list",
        summary="list the writers and their samples",
        examples=("qtdigits writers list --json",),
    )
    add_json_option(listing, "the list")
    listing.set_defaults(run=run_list)
    adding = add_command(group, "add", summary="add a writer", examples=("qtdigits writers add Ada",))
    adding.add_argument("name", metavar="NAME")
    adding.set_defaults(run=run_add)
    renaming = add_command(
        group, "rename", summary="give a writer another name", examples=("qtdigits writers rename me Ada",)
    )
    renaming.add_argument("old", metavar="OLD")
    renaming.add_argument("new", metavar="NEW")
    renaming.set_defaults(run=run_rename)
    writers_matrix.add_parser(group)
    merging = add_command(
        group,
        "merge",
        summary="make one writer of two: all drawings and judgements of the first become the second's",
        examples=("qtdigits writers merge me Ada",),
    )
    merging.add_argument("source", metavar="SOURCE", help="who goes")
    merging.add_argument("into", metavar="INTO", help="who stays")
    add_json_option(merging, "the numbers")
    merging.set_defaults(run=run_merge)


def run_list(args: argparse.Namespace) -> int:
    from qtdigits.store.tables.samples import SampleStore

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
    from qtdigits.store.tables.samples import SampleStore

    with SampleStore.open(data_folder(args)) as store:
        store.add_writer(args.name)
    say(f"Added the writer {args.name}.")
    return 0


def run_rename(args: argparse.Namespace) -> int:
    from qtdigits.store.tables.samples import SampleStore

    with SampleStore.open(data_folder(args)) as store:
        store.rename_writer(args.old, args.new)
    say(f"{args.old} is now called {args.new}.")
    return 0


def run_merge(args: argparse.Namespace) -> int:
    """What was held out of either stays held out."""
    from qtdigits.store.tables.samples import SampleStore

    with SampleStore.open(data_folder(args)) as store:
        merged = store.merge_writers(args.source, args.into)
    if args.json:
        print_json(asdict(merged))
        return 0
    say(f"{merged.moved:,} drawings of {args.source} are {args.into}'s now, and {args.source} is gone.")
    if merged.doubles:
        say(f"{merged.doubles:,} that both had are kept once; the others are in the trash.")
    return 0
