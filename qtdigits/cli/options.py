"""What all commands share: adding them to the parser, and their common options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from qtdigits.cli import COMMANDS
from qtdigits.paths import user_data_dir

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run = Callable[[argparse.Namespace], int]
"""Runs a command and returns its exit code."""

MODEL_HELP = "a model file, or the name of a model (see: qtdigits models list)"
MNIST_HELP = "mnist.npz (default: searched for, else downloaded)"


def add_command(
    subparsers: Subparsers, name: str, *, examples: Sequence[str], run: Run | None = None, summary: str = ""
) -> argparse.ArgumentParser:
    """Add a command with the common options. `summary` is a sentence without full stop, "": that of `COMMANDS`."""
    summary = summary or COMMANDS[name]
    parser = subparsers.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="\n  ".join(("Example:" if len(examples) == 1 else "Examples:", *examples)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_common_options(parser)
    parser.set_defaults(run=run)
    return parser


def add_group(subparsers: Subparsers, name: str, *, examples: Sequence[str]) -> Subparsers:
    """Add a command that has sub-commands; return what those are added to."""
    parser = add_command(subparsers, name, examples=examples)
    return parser.add_subparsers(title="commands", metavar="COMMAND", dest="action", required=True)


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that may stand before or after the command; no defaults, or the later would undo the earlier."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="folder of samples and models (default: QTDIGITS_DATA_DIR, else the platform's data folder)",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show the details when something goes wrong",
    )


def add_json_option(parser: argparse._ActionsContainer, what: str = "the result") -> None:
    parser.add_argument("--json", action="store_true", help=f"print {what} as one JSON object")


def add_output_options(parser: argparse.ArgumentParser, json: str, csv: str) -> None:
    """`--json` and `--csv`, of which one may be given; what each prints."""
    group = parser.add_mutually_exclusive_group()
    add_json_option(group, json)
    group.add_argument("--csv", action="store_true", help=f"print {csv} as CSV")


def file_path(text: str) -> Path:
    """Parse an argument that names a file or a folder; `Path("")` would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("'' names nothing")
    return Path(text)


def data_folder(args: argparse.Namespace) -> Path:
    """Return the folder of samples and models."""
    return user_data_dir(getattr(args, "data_dir", None))
