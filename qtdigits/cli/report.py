"""`qtdigits report`: a page about a writer."""

from __future__ import annotations

import argparse
from pathlib import Path

from qtdigits.cli.options import Subparsers, add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import print_json, say, working
from qtdigits.store.files import write_file
from qtdigits.training.report.writer import writer_report


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "report",
        run=run,
        examples=("qtdigits report", "qtdigits report --writer Ada --out ada.html"),
    )
    parser.add_argument(
        "--writer", metavar="NAME", default="", help="whose drawings (default: whoever drew last)"
    )
    parser.add_argument(
        "--out", metavar="FILE", type=file_path, help="the page (default: report-NAME.html in this folder)"
    )
    add_json_option(parser, "the file and its main figures")


def run(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with working("Measuring …") as progress:
        report = writer_report(folder, args.writer, progress=progress)
    path = args.out or Path(report.file_name)
    write_file(path, report.html.encode())
    if args.json:
        print_json({"file": str(path), **report.facts})
    else:
        say(report.facts["headline"])
        say(f"The report is in {path}.")
    return 0
