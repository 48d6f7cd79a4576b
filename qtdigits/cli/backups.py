"""`qtdigits backups`: list, make and restore copies of the store."""

from __future__ import annotations

import argparse

from qtdigits.cli.options import Subparsers, add_command, add_group, add_json_option, data_folder
from qtdigits.cli.output import print_json, print_table, say, working
from qtdigits.core.formatting import counted
from qtdigits.store import backups
from qtdigits.store.tables.database import FILE_NAME


def add_parser(subparsers: Subparsers) -> None:
    group = add_group(
        subparsers, "backups", examples=("qtdigits backups list", "qtdigits backups restore 2026-05-01")
    )
    listing = add_command(
        group,
        "list",
        run=run_list,
        summary="list the backups, the latest first",
        examples=("qtdigits backups list --json",),
    )
    add_json_option(listing, "the list")
    making = add_command(
        group,
        "make",
        run=run_make,
        summary="back up the store now; once a day it happens by itself",
        examples=("qtdigits backups make",),
    )
    add_json_option(making, "the file")
    restoring = add_command(
        group,
        "restore",
        run=run_restore,
        summary="replace the store by a backup; the present store is kept as a backup first",
        examples=("qtdigits backups restore 2026-05-01",),
    )
    restoring.add_argument("name", metavar="NAME", help="a name as backups list shows it, or a day")
    add_json_option(restoring, "what was done")


def run_list(args: argparse.Namespace) -> int:
    found = backups.backups(data_folder(args))
    if args.json:
        rows = [
            {"name": one.path.name, "made_at": one.made_at.isoformat(), "bytes": one.n_bytes, "why": one.why}
            for one in found
        ]
        print_json({"backups": rows})
    elif found:
        print_table(
            ("name", "made", "why", "MB"),
            (
                (
                    one.path.name,
                    f"{one.made_at.astimezone():%Y-%m-%d %H:%M}",
                    one.why,
                    f"{one.n_bytes / 1e6:.1f}",
                )
                for one in found
            ),
            numbers_from=3,
        )
    else:
        say("There is no backup yet.")
    return 0


def run_make(args: argparse.Namespace) -> int:
    with working("Backing up …"):
        path = backups.back_up(data_folder(args) / FILE_NAME)
    if args.json:
        print_json({"file": str(path)})
    else:
        say(f"The backup is {path}.")
    return 0


def run_restore(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    chosen = backups.find_backup(folder, args.name)
    with working(f"Restoring {chosen.path.name} …"):
        done = backups.restore(folder, chosen.path)
    if args.json:
        print_json({"restored": str(chosen.path), "n": done.n, "kept": done.kept and str(done.kept)})
        return 0
    say(f"The store is that of {chosen.path.name} again: {counted(done.n, 'drawing')}.")
    if done.kept:
        say(f"The store before is {done.kept}.")
    return 0
