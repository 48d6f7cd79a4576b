"""`qtdigits report`: a page about a writer or a study."""

from __future__ import annotations

import argparse
from pathlib import Path

from qtdigits.cli.options import Subparsers, add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import print_json, say, working
from qtdigits.store.files import write_file
from qtdigits.training.report.page import file_name_of


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "report",
        run=run,
        examples=(
            "qtdigits report",
            "qtdigits report --writer Ada --out ada.html",
            "qtdigits report --study widths",
        ),
    )
    about = parser.add_mutually_exclusive_group()
    about.add_argument(
        "--writer", metavar="NAME", default="", help="whose drawings (default: whoever drew last)"
    )
    about.add_argument("--study", metavar="NAME", default="", help="a study instead")
    parser.add_argument(
        "--storage", metavar="URL", default="", help="database of the study (default: the data folder)"
    )
    parser.add_argument(
        "--out", metavar="FILE", type=file_path, help="the page (default: report-NAME.html in this folder)"
    )
    add_json_option(parser, "the file and its main figures")


def run(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with working("Measuring …") as progress:
        if args.study:
            from qtdigits.training.report.study import study_report

            report = study_report(folder, args.study, url=args.storage)
        else:
            from qtdigits.training.report.writer import writer_report

            report = writer_report(folder, args.writer, progress=progress)
    path = args.out or Path(file_name_of(report.subject))
    write_file(path, report.html.encode())
    if args.json:
        print_json({"file": str(path), **report.facts})
    else:
        say(report.facts["headline"])
        say(f"The report is in {path}.")
    return 0
